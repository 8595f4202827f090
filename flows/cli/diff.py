"""Print the differences of two releases: as tables, as JSON, and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.options import find_release as find_folder
from flows.engine.limited_process import run_limited
from flows.plurals import count_of
from malmoi.canonical_json import canonical_json
from malmoi.erasure_plan import name_unfinished
from malmoi.errors import CallError, DataError
from malmoi.printable import escape_line
from malmoi.releases import manifest as manifests
from malmoi.storage.on_demand import fetch_below
from malmoi.workspace_layout import Layout

SHOWN = 5  # documents of each kind in the terminal
ON_PAGE = 500  # and on the page
WHY = {
    "source-left-out": "source left out",
    "copy": "copy of a kept document",
    "dropped": "dropped by a filter",
    "failed": "could not be processed",
    "renamed": "same text, another id",
    "withheld": "withheld or page gone",
    "gone": "page gone",
}
CHANGED = {
    "text": "text",
    "licence": "licence",
    "title": "title",
    "metadata": "metadata only",
    "recaptured": "fetched again, same content",
}
SHARES = {"licences": "licence", "sources": "source", "fields": "field", "registers": "register"}


def find_release(given: str, workspace: Path) -> Path:
    """Return the folder of a release, given as a path or as name/version of the workspace, such as general/latest."""
    for folder in (find_folder(given), Layout(workspace).releases(given)):
        if (folder / manifests.NAME).is_file():
            name_unfinished(found := folder.resolve())
            fetch_below(found)
            return found
    raise CallError(
        f"{given} is not a release: neither this folder nor {Layout(workspace).releases(given)} holds "
        f"{manifests.NAME}. Name the folder of one version, or NAME/VERSION with --workspace."
    )


def compare_releases(before: Path, after: Path) -> dict[str, Any]:
    """Compare two releases in a child process; DataError if one cannot be read within the limits."""
    value: dict[str, Any] = json.loads(run_limited("flows.cli.diff_worker", (before, after)))
    if "error" in value:
        raise DataError(value["error"])
    return value


def show(value: dict[str, Any], out: Console) -> None:
    """Print the differences as tables and lines."""
    for table in _list_tables(value):
        out.print(table)
    for line in _list_lines(value):
        out.print(escape_line(line), markup=False)


def to_json(value: dict[str, Any]) -> str:
    """Return the differences as canonical JSON."""
    return canonical_json(value)


def write_page(value: dict[str, Any], path: Path) -> None:
    """Write the differences as a self-contained page in English, and in Korean beside it."""
    from data_cards.reports import write_report

    write_report("diff.html", path, d=value, sizes=list(_list_sizes(value)), shown=ON_PAGE, sign=_sign)


def _list_tables(value: dict[str, Any]) -> Iterator[Table]:
    one, two = (escape(_title(value[side])) for side in ("before", "after"))
    table = Table("", one, two, "change", title="size")
    for name, a, b in _list_sizes(value):
        table.add_row(name, f"{a:,}", f"{b:,}", _sign(b - a))
    yield table
    table = Table("documents", "what", "n", title="documents")
    table.add_row("added", "", f"{value['added']:,}")
    for why, by, reason, n in value["reasons"]:
        table.add_row("removed", escape(", ".join(filter(None, (WHY[why], by, reason)))), f"{n:,}")
    for change, n in value["changed"].items():
        if n:
            table.add_row("changed", CHANGED[change], f"{n:,}")
    yield table
    for name, title in SHARES.items():
        rows = [row for row in value["shares"].get(name, ()) if row["documents"][0] != row["documents"][1]]
        if rows:
            table = Table(title, one, two, "change", title=f"documents by {title}")
            for row in rows:
                a, b = row["documents"]
                table.add_row(escape(row["value"]) or "(none)", f"{a:,}", f"{b:,}", _sign(b - a))
            yield table


def _list_sizes(value: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    a, b = value["before"]["size"], value["after"]["size"]
    for key, name in (
        ("documents", "documents"), ("characters", "characters"), ("text_bytes", "bytes of text"),
        ("files", "Parquet files"), ("bytes", "bytes of files"),
    ):  # fmt: skip
        yield name, a[key], b[key]


def _list_lines(value: dict[str, Any]) -> Iterator[str]:
    files = value["files"]
    yield (
        f"files: {files['unchanged']:,} unchanged ({files['unchanged_bytes']:,} bytes), {files['changed']:,} changed, "
        f"{files['added']:,} added, {files['removed']:,} removed"
    )
    yield from (f"recipe: {line}" for line in value["recipe"])
    if value["changelog"] != "none":
        yield f"changelog of {_title(value['after'])}: it {value['changelog']}"
    for key, name in (("schema_version", "schema version"), ("n_shards", "shards")):
        if value["before"][key] != value["after"][key]:
            yield f"{name}: {value['before'][key]} → {value['after'][key]}"
    for table, column, a, b in value["schema"]:
        yield f"schema: {table}.{column}: {a or '(none)'} → {b or '(none)'}"
    for source, by, reason, n in value["masked"]:
        yield f"masked drops of {source}, which may be documents that were removed: {by}: {reason} × {n:,}"
    yield from _list_documents("added", value["added"], value["added_ids"])
    removed = (f"{row['id']}  {describe_removal(row)}" for row in value["removed_ids"])
    yield from _list_documents("removed", value["removed"], list(removed))
    changed = (f"{row['id']}  {', '.join(row['columns'])}" for row in value["changed_ids"])
    yield from _list_documents("changed", sum(value["changed"].values()), list(changed))


def describe_removal(row: dict[str, Any]) -> str:
    """Return why a document was removed, in words.

    >>> describe_removal({"why": "copy", "by": "a/1", "reason": ""})
    'copy of a kept document: a/1'
    """
    said = ": ".join(filter(None, (row["by"], row["reason"])))
    return f"{WHY[row['why']]}{': ' if said else ''}{said}"


def _list_documents(kind: str, n: int, rows: list[str]) -> Iterator[str]:
    if n:
        yield f"{kind} ({count_of(n, 'document')}):"
        yield from (f"  {row}" for row in rows[:SHOWN])
        if n > SHOWN:
            yield f"  … and {n - SHOWN:,} more: --json lists them"


def _title(side: dict[str, Any]) -> str:
    return f"{side['name']} {side['version']}"


def _sign(n: int) -> str:
    return f"{n:+,}" if n else "–"
