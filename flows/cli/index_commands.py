"""`malmoi index`: list and query the deduplication index over published releases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import WorkspaceOption, out
from malmoi.printable import dump_json

index = App(name="index", help="Deduplication index over published releases: list it and query it.")

ThresholdOption = Annotated[
    float,
    Parameter(
        "--threshold",
        validator=Number(gte=0.5, lte=1),
        help="Minimum estimated Jaccard similarity of a near-duplicate.",
    ),
]


@index.default
def list_(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List the index segments: release, version, documents, size, masked documents; why some are inactive."""
    from flows.reports import index_table

    index_table.show_segments(workspace, out)


@index.command(name="query")
def query(
    *files: Path,
    jsonl: Annotated[
        Path | None, Parameter("--jsonl", allow_leading_hyphen=True, help="JSON lines to read; - for standard input.")
    ] = None,
    threshold: ThresholdOption = 0.8,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Find published near-duplicates of texts; print one JSON object per text, in input order."""
    from flows import query_index
    from flows.release_index import open_workspace

    for answer in query_index.ask(open_workspace(workspace), query_index.read_texts(files, jsonl), threshold):
        sys.stdout.write(dump_json(answer) + "\n")
