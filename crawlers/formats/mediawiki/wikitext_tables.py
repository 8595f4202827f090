"""Convert a MediaWiki table to rows of words; layout boxes yield nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

CELL = "\ufdd2"  # cell separator until all tables are parsed: a bar in a cell would be parsed as markup again
_FURNITURE = re.compile(r"\b(?:infobox|navbox|toc|vertical-navbox|sistersitebox|mbox|ambox|noprint|navigation)", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_BREAK = re.compile(r"<br\b[^<>]{0,200}>", re.IGNORECASE)
_CELLS = re.compile(r"\|\||!!")


def table(text: str) -> str:
    """Return the rows of the table between its brackets, a line each; cells are separated by CELL.

    A row without a letter (numbers only) is left out: it means nothing without its labels.
    Spanning cells are written once, at their first position.

    >>> table(' class="wikitable"\\n! 이름 !! 높이\\n|-\\n| 한라산 || style="x" | 1,947\\n|-\\n| 1 || 2').split("\\n")
    ['', '이름\\ufdd2높이', '한라산\\ufdd21,947', '']
    """
    first, _, rest = text.partition("\n")
    if _FURNITURE.search(first[:500]):
        return ""
    rows = [CELL.join(filter(None, map(_cell, row))) for row in _rows(rest)]
    lines = [row for row in rows if _LETTER.search(row)]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _rows(text: str) -> Iterator[list[str]]:
    row: list[list[str]] = []  # cells, each a list of lines
    for line in text.split("\n"):
        begin = line.lstrip()
        if begin.startswith("|-"):
            yield _join_cells(row)
            row = []
        elif begin.startswith("|+"):
            yield [begin[2:]]
        elif begin.startswith("|"):
            row += [[cell] for cell in begin[1:].split("||")]
        elif begin.startswith("!"):
            row += [[cell] for cell in _CELLS.split(begin[1:])]
        elif row:
            row[-1].append(line)
    yield _join_cells(row)


def _join_cells(row: list[list[str]]) -> list[str]:
    return ["\n".join(lines) for lines in row]


def _cell(cell: str) -> str:
    """Return the words of a cell on one line, without its attributes (the part before the bar)."""
    before, bar, behind = cell.partition("|")
    words = behind if bar and "\n" not in before else cell
    return " ".join(_BREAK.sub(" ", words).split())
