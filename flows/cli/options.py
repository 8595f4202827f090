"""The options that several commands share, and the console that they all write to."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from flows.console import SafeConsole
from malmoi.storage.location import locate

_wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160  # a log or a pipe has no width of its own
out = SafeConsole(highlight=False, soft_wrap=True, width=_wide)


def _parse_folder(_: Any, tokens: Sequence[Token]) -> Path:
    """The folder that an option names, checked as it was written: Path("") is this folder, Path("s3://a") is s3:/a."""
    return locate(tokens[0].value)


WorkspaceOption = Annotated[
    Path, Parameter("--workspace", converter=_parse_folder, help="Folder that holds captures, stages and releases.")
]
WhereArgument = Annotated[Path, Parameter(converter=_parse_folder, help="Folder of a workspace or of a release.")]
SourceOption = Annotated[
    list[str] | None,
    Parameter("--source", negative="", help="Name or .py file of a source; default: those of the recipe."),
]
LimitOption = Annotated[
    int | None, Parameter("--limit", validator=Number(gte=1), help="At most so many captures a source.")
]
DryOption = Annotated[bool, Parameter("--dry-run", negative="", help="Say what would be done; write nothing.")]
ContactOption = Annotated[
    str | None, Parameter("--contact", help="Who answers for the crawl: a mail address or a page.")
]
WorkersOption = Annotated[int | None, Parameter("--workers", help="Worker processes; default: one a core.")]
VersionOption = Annotated[str, Parameter("--version", help="MAJOR.MINOR.PATCH; default: the next one.")]
RecipeArgument = Annotated[str, Parameter(help="A shipped recipe, or a path that ends in .toml.")]
PrefectOption = Annotated[
    bool,
    Parameter("--prefect", negative="", help="Run as a Prefect flow; the default where PREFECT_API_URL is set."),
]
