"""`malmoi index`: what published releases left to later ones, what is withdrawn of it, and what is a copy of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import WorkspaceOption, out
from malmoi.errors import CallError
from malmoi.printable import dump_json

index = App(name="index", help="What published releases left: list it, ask it, mask withdrawn documents.")

ThresholdOption = Annotated[
    float,
    Parameter("--threshold", validator=Number(gte=0.5, lte=1), help="Estimated Jaccard similarity of a near copy."),
]


@index.default
def list_(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """The segments of the index: release, version, documents, size, masked ones; and what does not count, and why."""
    from flows.cli import show_index

    show_index.show_segments(workspace, out)


@index.command(name="withdraw")
def withdraw(
    *ids: str,
    reason: Annotated[str, Parameter("--reason", help="Why the documents must not appear again.")],
    request: Annotated[str, Parameter("--request", help="Who asked, or the number of the request.")] = "",
    threshold: ThresholdOption = 0.8,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Mask published documents, so that they stand for nothing any more, and list their near-duplicates."""
    from flows.cli import show_index

    if not ids:
        raise CallError("name at least one document by its id, such as sample/law/ordinance.html.")
    show_index.withdraw(workspace, ids, reason, request, threshold, out)


@index.command(name="query")
def query(
    *files: Path,
    jsonl: Annotated[
        Path | None, Parameter("--jsonl", allow_leading_hyphen=True, help="JSON lines to read; - for standard input.")
    ] = None,
    threshold: ThresholdOption = 0.8,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """The published documents that texts are near copies of; one JSON object a text, in input order."""
    from flows import query_index
    from flows.release_index import open_workspace

    for answer in query_index.ask(open_workspace(workspace), query_index.read_texts(files, jsonl), threshold):
        sys.stdout.write(dump_json(answer) + "\n")
