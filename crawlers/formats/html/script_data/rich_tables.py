"""Find the rows, cells and columns of a table in rich text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from crawlers.formats.html.script_data.rich_nodes import HOLDERS, inner_of, node_kind

HEADERS = ("head", "header", "headers", "columns", "thead", "headings")
ROWS = ("rows", "content", "children", "body", "tbody", "data", "cells", "table", "value")
_FIELDS = re.compile(r"^(?:key|field|accessor|name|id|dataIndex|prop)$")


def rows_of(value: Any, depth: int) -> Iterator[Any]:
    """Yield the rows of a table; heads and bodies around them are opened."""
    if not isinstance(value, list) or depth > 3:
        return
    for row in value:
        if isinstance(row, dict) and node_kind(row) == "part":
            yield from rows_of(inner_of(row), depth + 1)
        elif isinstance(row, (list, dict)):
            yield row


def cells_of(row: Any) -> list[Any] | None:
    """Return the cells of a row; None if it is an object with a field for each column."""
    if isinstance(row, list):
        return row
    if not isinstance(row, dict):
        return None
    for box in (row, *(row[name] for name in (*HOLDERS, "table_row") if isinstance(row.get(name), dict))):
        for key in ("cells", "children", "content", "columns", "value", "items", "tds"):
            if isinstance(box.get(key), list):
                return list(box[key])
    return None


def field_of(column: Any) -> str:
    """Return the name of the field that a column shows."""
    if isinstance(column, dict):
        return str(next((value for key, value in column.items() if _FIELDS.match(key)), ""))
    return str(column)


def label_of(column: Any) -> Any:
    """Return the heading of a column."""
    if isinstance(column, dict):
        return next((column[key] for key in ("label", "title", "header", "text", "name") if column.get(key)), column)
    return column


def spans_of(cell: Any) -> str:
    """Return the attributes of a merged cell."""
    if not isinstance(cell, dict):
        return ""
    found = {}
    for box in (cell, *(cell[name] for name in HOLDERS if isinstance(cell.get(name), dict))):
        for key, value in box.items():
            folded = key.lower()
            if folded in ("rowspan", "colspan") and isinstance(value, int) and 1 < value < 1000:
                found[folded] = value
    return "".join(f' {name}="{value}"' for name, value in found.items())
