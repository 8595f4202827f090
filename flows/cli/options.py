"""Options shared by several commands, and their console."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from flows.console import SafeConsole
from flows.engine.executors import EngineName
from malmoi.erasure_plan import name_unfinished
from malmoi.errors import DataError
from malmoi.storage.location import find_address, locate, locate_output, locate_release
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.storage.on_demand import count_objects, fetch_below
from malmoi.workspace_layout import RELEASES, Layout, find_unit

_is_terminal = sys.stdout is not None and sys.stdout.isatty()  # None: it was closed
_wide = None if _is_terminal or "COLUMNS" in os.environ else 160  # a log or a pipe has no width
out = SafeConsole(highlight=False, soft_wrap=True, width=_wide)


def find_release_folder(given: str) -> Path:
    """Return the folder of a release; of a workspace in a bucket, its large files may still be placeholders.

    DataError if the bucket has objects of the release, but not the one without which it does not count as finished.
    """
    root, version = locate_release(given)
    if not version:
        return root
    last = find_unit(f"{RELEASES}/{version}/data")[1]
    if not (_pull(root) / last).exists() and (others := count_objects((root / last).parent)):
        raise DataError(
            f"{find_address(root)}/{last}: the object is missing, and the bucket has {others} others of this release. "
            "Restore it from a copy of the release."
        )
    return Layout(root).releases(version)


def find_release(given: str) -> Path:
    """Return the folder of a release; one of a workspace in a bucket is downloaded first."""
    found = find_release_folder(given)
    name_unfinished(found)
    fetch_below(found)
    return found


def _pull(root: Path) -> Path:
    if not find_address(root):
        return root
    from malmoi.workspace import pull

    return pull(root)


def _converter(call: Callable[[str], Path]) -> Callable[[Any, Sequence[Token]], Path]:
    """Convert a parameter as it was written: Path("") is this folder, Path("s3://a") is s3:/a."""
    return lambda _, tokens: call(tokens[0].value)


# Converters of parameters: a folder that may be a workspace in a bucket, a release, and a file or folder to write.
parse_folder = _converter(lambda given: _pull(locate(given)))
parse_release = _converter(find_release)
parse_output = _converter(locate_output)
_parse_place = _converter(
    lambda given: find_release_folder(given) if locate_release(given)[1] else _pull(locate(given))
)
WorkspaceOption = Annotated[
    Path, Parameter("--workspace", converter=parse_folder, help="Folder of captures, stages and releases.")
]
WhereArgument = Annotated[Path, Parameter(converter=_parse_place, help="Folder of a workspace or of a release.")]
ReleaseArgument = Annotated[Path, Parameter(converter=parse_release, help="Folder of one version of a release.")]
OutputArgument = Annotated[Path, Parameter(allow_leading_hyphen=True, converter=parse_output)]
JsonLinesOption = Annotated[
    Path | None, Parameter("--jsonl", allow_leading_hyphen=True, help="JSON lines to read; - for standard input.")
]
SeveralSources = Annotated[list[str] | None, Parameter("--source", help="Name of a source.")]
PortOption = Annotated[
    int, Parameter("--port", validator=Number(gte=0, lte=65535), help="Port of the page; default: a free one.")
]
OpenOption = Annotated[bool, Parameter("--open", help="Open the page in a browser.")]
SourceOption = Annotated[
    list[str] | None, Parameter("--source", help="Name or .py file of a source; default: the sources of the recipe.")
]
LimitOption = Annotated[
    int | None, Parameter("--limit", validator=Number(gte=1), help="Maximum number of captures per source.")
]
DryOption = Annotated[bool, Parameter("--dry-run", help="Print the plan and write nothing.")]
ContactOption = Annotated[str | None, Parameter("--contact", help="Contact for the crawl: a mail address or a page.")]
WorkersOption = Annotated[int | None, Parameter("--workers", help="Number of worker processes; default: one per core.")]
WaitOption = Annotated[
    float | None,
    Parameter(
        "--wait",
        validator=Number(gte=0),
        help="Seconds to wait for another run of the workspace; default: 0, with Prefect 21600.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Machine:
    """Options that say where a command runs, and when."""

    workers: WorkersOption = None
    engine: Annotated[
        EngineName, Parameter(help="Where shards are processed: this machine, or a Ray or Dask cluster.")
    ] = "local"
    address: Annotated[
        str, Parameter(help="Address of the cluster; default: a cluster of this machine only, for trials.")
    ] = ""
    wait: WaitOption = None


THIS_MACHINE = Machine()


@Parameter(name="*")
@dataclass(frozen=True)
class Edition:
    """Options that say which version is published, and what it may leave out."""

    version: Annotated[str, Parameter(help="MAJOR.MINOR.PATCH; default: the next one.")] = ""
    replace: Annotated[bool, Parameter(help="Publish without the documents of sources that the call leaves out.")] = (
        False
    )


NEXT_VERSION = Edition()
RecipeArgument = Annotated[str, Parameter(help="A shipped recipe, or a path that ends in .toml.")]
PrefectOption = Annotated[
    bool, Parameter("--prefect", help="Run as a Prefect flow; the default if PREFECT_API_URL is set.")
]


@contextmanager
def wait_for_lock(command: str, seconds: float | None) -> Iterator[None]:
    """Wait up to `seconds` for the lock of a workspace within the body, and show who holds it."""
    with request_locks(LockRequest(f"malmoi {command}", seconds, lambda line: out.print(line))):
        yield
