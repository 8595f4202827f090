"""Find the table cells below a given column heading."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches

_BLANKS: Final = "  "  # at least two separate aligned columns
_DELIMITERS: Final = ("\t", "|", "│", "┃", ",", ";", " / ")
_TRIM: Final = " \u00a0\u3000\"'`" + ZERO_WIDTH
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
        if not mark and len(_split_wide(header)) > 2:
            mark = _BLANKS
        column = _find_column(header, mark, start - first, end - first)
        if column < 0 or columns > _MAX_COLUMNS:
            continue
        width = len(_split_wide(header) if mark == _BLANKS else header.split())
        stop = yield from _find_cells_below(text, last + 1, mark, column, width)
        table_end = max(table_end, stop)


def _find_column(header: str, mark: str, start: int, end: int) -> int:
    """Return the index of the column with heading header[start:end], or -1 if that is only part of a heading."""
    if mark == _BLANKS:
        cells = _split_wide(header)
        return cells.index((start, end)) if (start, end) in cells else -1
    if not mark:
        words = header.split()
        if len(words) < 3 or any(len(w) > 8 or w in _NO_HEADINGS for w in words):
            return -1
        return len(header[:start].split()) if header[start:end] in words else -1
    if any(len(cell) > _MAX_CELL for cell in header.split(mark)):
        return -1  # a sentence with commas
    left = header.rfind(mark, 0, start)
    left = left + len(mark) if left >= 0 else 0
    right = header.find(mark, end)
    whole = header[left : right if right >= 0 else len(header)].strip(_TRIM)
    return header.count(mark, 0, start) if whole == header[start:end].strip(_TRIM) else -1


def _find_cells_below(text: str, at: int, mark: str, column: int, words: int) -> Generator[tuple[int, int], None, int]:
    """Yield the cells of one column; return where the table ends."""
    odd, rows, begin = 0, 0, at
    for _ in range(_MAX_ROWS):
        if at >= len(text) or odd > _MAX_ODD:
            break
        last = text.find("\n", at, at + 4_000)
        last = last if last >= 0 else min(len(text), at + 4_000)
        cell = _find_cell(text, at, last, mark, column, words)
        odd = 0 if cell is not None else odd + 1
        if cell is not None and cell[0] < cell[1]:
            rows += 1
            yield cell
        if last == at and odd > 1:
            break
        at = last + 1
    return at if rows else begin  # a line of prose before a table has no rows


def _find_cell(text: str, at: int, last: int, mark: str, column: int, words: int) -> tuple[int, int] | None:
    row = text[at:last]
    if mark == _BLANKS:
        places = _split_wide(row)
        if len(places) == words:
            return at + places[column][0], at + places[column][1]
        mark = ""  # the heading is aligned, the rows are not
    if mark:
        if row.count(mark) < max(column, 1):
            return None
        left = 0
        for _ in range(column):
            left = row.index(mark, left) + len(mark)
        right = row.find(mark, left)
        right = right if right >= 0 else len(row)
    else:
        parts = row.split()
        if len(parts) != words or not _NO_HEADINGS.isdisjoint(parts):
            return None
        left = right = 0
        for part in parts[: column + 1]:
            left = row.index(part, right)
            right = left + len(part)
    while left < right and row[left] in _TRIM:
        left += 1
    while right > left and row[right - 1] in _TRIM:
        right -= 1
    return at + left, at + right


def _split_wide(row: str) -> list[tuple[int, int]]:
    """Return start and end of the cells that at least two blanks separate.

    >>> _split_wide("1   HONG GILDONG   M0  ")
    [(0, 1), (4, 16), (19, 21)]
    """
    places, end = list[tuple[int, int]](), 0
    for part in row.replace("\u3000", " ").split(_BLANKS):
        if part.strip():
            start = end + len(part) - len(part.lstrip())
            places.append((start, start + len(part.strip())))
        end += len(part) + len(_BLANKS)
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
