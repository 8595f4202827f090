"""Convert a MediaWiki table to rows of words; layout boxes yield nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

CELL = "\ufdd2"  # cell separator until all tables are parsed: a bar in a cell would be parsed as markup again
RULE = "---"  # a cell of the row below the head row
_FURNITURE = re.compile(r"\b(?:infobox|navbox|toc|vertical-navbox|sistersitebox|mbox|ambox|noprint|navigation)", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_BREAK = re.compile(r"<br\b[^<>]{0,200}>", re.IGNORECASE)
_CELLS = re.compile(r"\|\||!!")


def table(text: str) -> str:
    """Return the rows of the table between its brackets as in Markdown, a line each, with CELL for every bar.

    A row without a letter (numbers only) is left out: it means nothing without its labels.
    Spanning cells are written once, at their first position.

    >>> made = table(' class="wikitable"\\n! 이름 !! 높이\\n|-\\n| 한라산 || style="x" | 1,947\\n|-\\n| 1 || 2')
    >>> made.replace(CELL, "|").split("\\n")
    ['', '|이름|높이|', '|---|---|', '|한라산|1,947|', '']
    """
    first, _, rest = text.partition("\n")
    if _FURNITURE.search(first[:500]):
        return ""
    rows = [list(filter(None, map(_cell, row))) for row in _rows(rest)]
    lines = _write_rows([row for row in rows if any(map(_LETTER.search, row))])
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _write_rows(rows: list[list[str]]) -> list[str]:
    """Return the lines of a table; rows of one cell before the first row of several are its caption."""
    head = next((at for at, row in enumerate(rows) if len(row) > 1), len(rows))
    width = max(map(len, rows), default=0)
    lines = [row[0] for row in rows[:head]]
    lines += [CELL + CELL.join(row) + CELL for row in rows[head:]]
    if head < len(rows):
        lines[head] += CELL * (width - len(rows[head]))
        lines.insert(head + 1, CELL + f"{RULE}{CELL}" * width)
    return lines


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
    words = " ".join(_BREAK.sub(" ", behind if bar and "\n" not in before else cell).split())
    if CELL not in words:
        return words
    inner = (part.strip() for part in words.split(CELL))  # a table in the cell: its cells follow each other
    return CELL.join(part for part in inner if part and part != RULE)
