"""Find the table cells below a given column heading."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches

_BLANK: Final = " "  # between words
_BLANKS: Final = "  "  # at least two separate aligned columns
_WIDE: Final = "\u3000"  # full-width blanks, beside which one ASCII blank is between words
_DELIMITERS: Final = ("\t", "|", "│", "┃", ",", ";", " / ")
_TRIM: Final = " \u00a0\u3000\"'`" + ZERO_WIDTH
_TO_BLANKS: Final = dict.fromkeys(map(ord, "\u00a0\u3000\t\r"), " ")
_MAX_COLUMNS = 40  # bounds the work if a hostile row repeats the heading
_MAX_HEADING = 400  # code points
_MAX_CELL = 24
_NO_HEADINGS: Final = frozenset(":：=")  # 이름 : 홍길동 is a field, not a row of headings
_MAX_ROWS = 2_000
_MAX_ODD = 2  # consecutive lines that do not fit the table: wrapped cells


def find_cells(
    text: str, data: bytes, heading: re2._Regexp, wanted: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield start and end of every cell below a heading that `heading` matches completely.

    Rows are lines with enough delimiters to reach the column: tab, bar, comma, semicolon, slash, or blanks if the
    heading row has three words or more (or three cells that two blanks or more separate). A table ends at
    the third consecutive line that does not fit. `wanted`, if given, filters by the heading line.

    >>> text = "성명,은행\\n홍길동,우리"
    >>> [text[a:b] for a, b in find_cells(text, text.encode(), re2.compile("성명"))]
    ['홍길동']
    """
    if "\n" not in text:
        return
    table_end = header_end = columns = 0
    for start, end in matches(heading, text, data):
        if header_end <= start < table_end:
            continue  # a row of the previous table
        first = text.rfind("\n", max(0, start - _MAX_HEADING), start) + 1
        last = text.find("\n", end, end + _MAX_HEADING)
        if last < 0:
            continue
        if last != header_end:
            header_end, table_end, columns = last, last, 0
        columns += 1
        header = text[first:last] if last - first <= _MAX_HEADING else ""
        if wanted is not None and not wanted(header):
            continue
        mark = next((d for d in _DELIMITERS if d in header), "")
        mark = mark or next((m for m in (_WIDE, _BLANKS) if len(_split_row(header, m)) > 2), _BLANK)
        cells = _split_row(header, mark)
        column = _find_column(header, mark, cells, header[start - first : end - first].strip(_TRIM), start - first)
        if column < 0 or columns > _MAX_COLUMNS:
            continue
        stop = yield from _find_cells_below(text, last + 1, mark, column, len(cells))
        table_end = max(table_end, stop)


def _find_column(header: str, mark: str, cells: Sequence[tuple[int, int]], heading: str, start: int) -> int:
    """Return the index of the column with this heading at or behind `start`, or -1 if it is only part of a heading."""
    if mark == _BLANK and (len(cells) < 3 or any(b - a > 8 or header[a:b] in _NO_HEADINGS for a, b in cells)):
        return -1
    if mark in _DELIMITERS and any(len(cell) > _MAX_CELL for cell in header.split(mark)):
        return -1  # a sentence with commas
    first = header.find(heading, start)
    return cells.index((first, first + len(heading))) if (first, first + len(heading)) in cells else -1


def _find_cells_below(text: str, at: int, mark: str, column: int, width: int) -> Generator[tuple[int, int], None, int]:
    """Yield the cells of one column; return where the table ends."""
    odd, rows, begin = 0, 0, at
    for _ in range(_MAX_ROWS):
        if at >= len(text) or odd > _MAX_ODD:
            break
        last = text.find("\n", at, at + 4_000)
        last = last if last >= 0 else min(len(text), at + 4_000)
        cell = _find_cell(text, at, last, mark, column, width)
        odd = 0 if cell is not None else odd + 1
        if cell is not None and cell[0] < cell[1]:
            rows += 1
            yield cell
        if last == at and odd > 1:
            break
        at = last + 1
    return at if rows else begin  # a line of prose before a table has no rows


def _find_cell(text: str, at: int, last: int, mark: str, column: int, width: int) -> tuple[int, int] | None:
    row = text[at:last]
    cells = _split_row(row, mark)
    if mark in (_BLANKS, _WIDE) and len(cells) != width:  # the heading is aligned, the rows are not
        mark, cells = _BLANK, _split_row(row, _BLANK)
    if mark == _BLANK and any(row[a:b] in _NO_HEADINGS for a, b in cells):
        return None
    if len(cells) <= max(column, 1) or (mark not in _DELIMITERS and len(cells) != width):
        return None
    return at + cells[column][0], at + cells[column][1]


def _split_row(row: str, mark: str) -> list[tuple[int, int]]:
    """Return start and end of the cells of a row, without blanks and quotes around them.

    >>> _split_row("1   HONG GILDONG   M0  ", "  "), _split_row("1,,'a'", ",")
    ([(0, 1), (4, 16), (19, 21)], [(0, 1), (2, 2), (4, 5)])
    """
    places, at = list[tuple[int, int]](), 0
    delimited = mark in _DELIMITERS
    for part in (row if delimited or mark == _WIDE else row.translate(_TO_BLANKS)).split(mark):
        trim = _TRIM if delimited else _BLANK  # quotes between words belong to a sentence
        cell = part.strip(trim)
        if cell or delimited:
            start = at + len(part) - len(part.lstrip(trim))
            places.append((start, start + len(cell)))
        at += len(part) + len(mark)
    return places


def find_neighbours(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the cells above and below text[start:end], if it fills a cell and their rows are as wide.

    >>> text = "1|홍길동|가\\n2|다솜|나"
    >>> [text[a:b] for a, b in find_neighbours(text, 2, 5)]
    ['다솜']
    """
    right = end
    while text[right : right + 1] == " ":
        right += 1
    mark = text[right : right + 1]
    if mark not in _DELIMITERS:
        return
    first, last = _line_bounds(text, start)
    row = text[first:last]
    column = row.count(mark, 0, start - first)
    left = text.rfind(mark, first, start) + 1 or first
    if row.count(mark) < 2 or text[left:start].strip(_TRIM):
        return
    for near in (first - 1, last + 1):
        if not 0 <= near < len(text):
            continue
        above, below = _line_bounds(text, near)
        if text.count(mark, above, below) == row.count(mark):
            cell = _find_cell(text, above, below, mark, column, 0)
            if cell is not None and cell[0] < cell[1]:
                yield cell


def _line_bounds(text: str, at: int) -> tuple[int, int]:
    """Return start and end of the line that contains text[at], at most 400 code points on either side."""
    first = text.rfind("\n", max(0, at - _MAX_HEADING), at) + 1
    last = text.find("\n", at, at + _MAX_HEADING)
    return first or max(0, at - _MAX_HEADING), last if last >= 0 else min(len(text), at + _MAX_HEADING)
