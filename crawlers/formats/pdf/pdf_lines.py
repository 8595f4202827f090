"""Lay out the lines of a PDF page: in the cells of tables, and in columns of text that are written side by side.

Tables are ruled, ruled between rows only, or shown by nothing but gaps in lines below each other.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple, TypeAlias

from crawlers.formats.contents import are_entries
from crawlers.formats.pdf.pdf_tables import NEAR, Drawings, Grid, column_edges, find_bands, find_grids, plain_grid

MOST_CODE = 0.8  # share of the text in a font of one width from which that font is the one of the text
GAP = 1.2  # em; wider white space inside a line separates columns, or a title from its page number
LOOSE = 1.2  # a line so much wider than the narrowest quarter of lines (per syllable) is searched for gaps
RUN = 3  # lines one below the other with the same gaps are a table without rules
ALIGNED = 0.8  # share of the cells of a column without rules that share an edge or a centre
COLUMN_LINES, COLUMN_EMS = 8, 8.0  # so many rows of two pieces, on average so long, are text in two columns
WIDEST = 0.6  # share of the width between two rules; a solid line that is longer crosses all columns
HEAD_AND_BODY = 2  # bands of a table with a line below its head and none between its rows
APART = 1.15  # times the distance of lines in a cell: the distance from the row above is larger
ROWS = 0.7  # share of the lines between two rules that begin a row, if there is more than one row between them
LONGEST_CELL = 40  # lines; a cell with more is a frame around text
SPARSE, MANY = 0.2, 20  # share of filled cells below which so many cells are a diagram


class Cell(NamedTuple):
    """A cell of a table: its table (page, number on the page), its place, and edges in points."""

    table: tuple[int, int]
    row: int
    column: int
    left: float
    right: float
    top: float  # of the whole table
    bottom: float  # of the whole table


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its position on the page; lengths in points, from the left and from the bottom of the page."""

    text: str
    page: int
    left: float
    right: float
    base: float  # lower edge of its first character
    size: float  # height of its first syllable of Hangul, or of its first character
    spaced: bool = False  # the line ends with a white space character
    hyphen: bool = False  # the line ends with a hyphen, which is not in `text`
    fixed: bool = False  # it is in a font with one width, as code is
    opens_fixed: bool = False  # at least its first character is
    cell: Cell | None = None
    tabbed: str = ""  # the text with a tab in each wide gap, if it has such gaps
    at: int = 0  # index of its first character in the text of the page, in UTF-16 units

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.base + self.size / 2


class Char(NamedTuple):
    """A character and its box."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


Chars: TypeAlias = Callable[[Line], list[Char]]
_Band: TypeAlias = tuple[float, float, list[Line]]  # upper and lower edge, the lines between


class LaidOut(NamedTuple):
    """The lines of a page, and the cells of its ruled tables with those of them that hold no words."""

    lines: list[Line]
    cells: int = 0
    blank_cells: int = 0


def has_code_font(lines: Iterable[Line]) -> bool:
    """Whether a font of one width marks code in a document: it is not the font of most of its text."""
    fixed = every = 0
    for line in lines:
        every += len(line.text)
        fixed += len(line.text) * line.fixed
    return fixed <= MOST_CODE * every


def ems(text: str) -> float:
    """Return the width of a text, in syllables: full-width characters are 1, others half."""
    return sum(map(_measure_width, text))


@lru_cache(maxsize=70_000)
def _measure_width(char: str) -> float:
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.5


def lay_out(lines: list[Line], drawings: Drawings, chars: Chars) -> LaidOut:
    """Lay out a page: tables are cut into cells, row by row, columns of text follow each other.

    `chars` returns the characters of a line with their boxes; it is asked for lines in tables and lines with gaps.
    A ruled grid counts as a table if a row of it has two filled cells: the grid behind a curve has none.
    """
    if not lines:
        return LaidOut(lines)
    page = lines[0].page
    number = cells = blank = 0
    for grid in find_grids(drawings.horizontals, drawings.verticals):
        parts = _split(lines, grid, (page, number), chars)
        filled = _find_filled_cells(parts)
        if any(len(columns) > 1 for columns in filled.values()):
            owners = {owner for row in grid.owners for owner in row}
            cells += len(owners)
            blank += len(owners) - sum(map(len, filled.values()))
        lines = _fill(lines, grid, parts)
        number += 1
    for band in find_bands(drawings.horizontals):
        for grid in _find_band_grids(lines, band, chars):
            lines = _fill(lines, grid, _split(lines, grid, (page, number), chars), ruled=False)
            number += 1
    return LaidOut(_align_runs(_mark_gaps(lines, chars), (page, number), chars), cells, blank)


def _find_inside(lines: list[Line], grid: Grid) -> list[Line]:
    return [line for line in lines if line.cell is None and grid.holds(line.left, line.right, line.middle)]


def _split(lines: list[Line], grid: Grid, table: tuple[int, int], chars: Chars) -> list[Line]:
    """Return the lines inside a grid, cut at the edges of its cells."""
    return [part for line in _find_inside(lines, grid) for part in _split_line(line, grid, table, chars)]


def _split_line(line: Line, grid: Grid, table: tuple[int, int], chars: Chars) -> Iterator[Line]:
    """Yield the parts of a line by cells; a part outside of the grid has no cell."""
    groups: list[tuple[tuple[int, int] | None, list[Char]]] = []
    for char in chars(line):
        if char.text.isspace():
            if groups:
                groups[-1][1].append(char)
            continue
        place = grid.find((char.left + char.right) / 2, (char.bottom + char.top) / 2)
        if not groups or groups[-1][0] != place:
            groups.append((place, []))
        groups[-1][1].append(char)
    for index, (place, group) in enumerate(groups):
        cell = None
        if place:
            cell = Cell(table, *place, grid.xs[place[1]], grid.right_edge(*place), grid.ys[0], grid.ys[-1])
        is_last = index == len(groups) - 1
        left, right = _find_ends(group)
        yield replace(
            line,
            text="".join(char.text for char in group).strip(),
            left=left,
            right=right,
            base=group[0].bottom,
            spaced=line.spaced and is_last,
            hyphen=line.hyphen and is_last,
            cell=cell,
            tabbed="",
        )


def _find_ends(piece: list[Char]) -> tuple[float, float]:
    """Return left and right end of a piece of a line, which begins with a letter, in points."""
    return piece[0].left, max(char.right for char in piece if not char.text.isspace())


def _fill(lines: list[Line], grid: Grid, parts: list[Line], *, ruled: bool = True) -> list[Line]:
    """Replace the lines inside a grid by their `parts` in its cells; leave them if they do not fill it as a table."""
    cells = sorted(
        (part for part in parts if part.cell), key=lambda part: (part.cell.row, part.cell.column) if part.cell else ()
    )
    filled = _find_filled_cells(cells)
    if not any(len(columns) > 1 for columns in filled.values()):
        return lines
    if max(len(list(group)) for _, group in groupby(cells, key=lambda line: line.cell)) > LONGEST_CELL:
        return lines
    owners = {owner for row in grid.owners for owner in row}
    if len(owners) > MANY and sum(map(len, filled.values())) < SPARSE * len(owners):
        return lines
    cells = cells if ruled else _tighten_cells(cells)
    gone = {id(line) for line in _find_inside(lines, grid)}
    first = next(index for index, line in enumerate(lines) if id(line) in gone)
    rest = [line for line in lines[first:] if id(line) not in gone]
    return [*lines[:first], *cells, *(part for part in parts if not part.cell), *rest]


def _find_filled_cells(parts: Sequence[Line]) -> dict[int, set[int]]:
    """Return row → columns of the cells that hold a line."""
    filled: dict[int, set[int]] = defaultdict(set)
    for line in parts:
        if line.cell:
            filled[line.cell.row].add(line.cell.column)
    return filled


def _tighten_cells(cells: Sequence[Line]) -> list[Line]:
    """Return the lines with the edges of their cells where the text of the column has its own: no rule shows them."""
    sides: dict[int, tuple[float, float]] = {}
    for line in cells:
        if line.cell:
            left, right = sides.get(line.cell.column, (line.left, line.right))
            sides[line.cell.column] = min(left, line.left), max(right, line.right)
    tight = []
    for line in cells:
        if line.cell:
            left, right = sides[line.cell.column]
            line = replace(line, cell=line.cell._replace(left=left, right=right))
        tight.append(line)
    return tight


def _find_band_grids(lines: list[Line], band: list[float], chars: Chars) -> list[Grid]:
    """Return the grids between horizontal lines: neighbouring bands whose text leaves white space between columns."""
    left, right, *heights = band
    between = [line for line in lines if line.cell is None and line.left >= left - 3 and line.right <= right + 3]
    grids: list[Grid] = []
    run: list[_Band] = []
    for top, bottom in [*pairwise(heights), (0.0, 0.0)]:
        inside = [line for line in between if bottom < line.middle < top]
        crossing = any(  # a line without room for a gap, which is not wider than its characters
            WIDEST * (right - left) < line.right - line.left <= line.size * ems(line.text) for line in inside
        )
        if inside and not crossing and len(_find_edges(inside, chars)) > 2:
            run.append((top, bottom, inside))
            continue
        if len(run) > 1:
            # Many tables have a line below their head row and none above it.
            first = run[0][0]
            near = [line for line in between if 0 < line.base - first < line.size]
            edges = _find_edges([line for _, _, inside in run for line in inside], chars)
            pieces = [_find_ends(piece) for line in near for piece in _cut_at_gaps(line, chars, GAP / 2)]
            crossed = any(start < edge < end for start, end in pieces for edge in edges[1:-1])
            if len(pieces) > 1 and not crossed:
                run.insert(0, (max(line.base + 1.2 * line.size for line in near), first, near))
            grids += _make_run_grid(run, chars)
        run = []
    return grids


def _make_run_grid(run: list[_Band], chars: Chars) -> list[Grid]:
    """Return the grid of bands, if their text has columns.

    Lines of a band with text in the first column and behind it begin a row if most lines are such or, with few bands,
    if all of them are further from the line above than other lines are: then the other lines continue a cell.
    """
    xs = _find_edges([line for _, _, lines in run for line in lines], chars)
    if len(xs) < 3:
        return []
    xs[0], xs[-1] = xs[0] - 1, xs[-1] + 1
    ys = [run[0][0]]
    for _, bottom, lines in run:
        heights = {round(line.base): line.base + 1.1 * line.size for line in lines}
        left = {round(line.base) for line in lines if line.left < xs[1]}
        right = {round(line.base) for line in lines if line.right > xs[1]}
        starts = sorted(left & right, reverse=True)
        drops = {low: high - low for high, low in pairwise(sorted(heights, reverse=True))}
        apart = min((drops[base] for base in starts[1:]), default=0) > APART * min(drops.values(), default=0)
        if (apart and len(run) <= HEAD_AND_BODY) or len(starts) >= ROWS * len(heights):
            ys += [heights[base] for base in starts[1:] if heights[base] > bottom]
        ys.append(bottom)
    return [plain_grid(xs, ys)]


def _find_edges(lines: Sequence[Line], chars: Chars) -> list[float]:
    """Return the edges of the columns that the gaps of all lines leave open, in points."""
    pieces = [_find_ends(piece) for line in lines for piece in _cut_at_gaps(line, chars, GAP / 2)]
    return column_edges(pieces, max(line.size for line in lines) / 1.2)  # a box of a character is about 1.2 em high


def _cut_at_gaps(line: Line, chars: Chars, gap: float) -> list[list[Char]]:
    """Return the characters of a line, cut at white space wider than `gap` em."""
    pieces: list[list[Char]] = []
    boxes = chars(line)
    em = max((char.right - char.left for char in boxes), default=0.0) or line.size
    end = 0.0
    for char in boxes:
        if char.text.isspace():
            if pieces:
                pieces[-1].append(char)
            continue
        if not pieces or char.left - end > gap * em:
            pieces.append([])
        end = max(end, char.right)
        pieces[-1].append(char)
    return pieces


def _mark_gaps(lines: list[Line], chars: Chars) -> list[Line]:
    """Write tabs into wide gaps of the lines that are wider than their characters."""
    widths = sorted((line.right - line.left) / ems(line.text) for line in lines if ems(line.text) >= 2)
    if not widths:
        return lines
    usual = min(widths[len(widths) // 4], median(line.size for line in lines))  # on a page of tables, all are loose
    marked = []
    for line in lines:
        loose = line.right - line.left > LOOSE * usual * ems(line.text)
        if loose and line.cell is None and not line.fixed and " " in line.text:
            pieces = _cut_at_gaps(line, chars, GAP)
            if len(pieces) > 1:
                line = replace(line, tabbed="\t".join("".join(c.text for c in piece).strip() for piece in pieces))
        marked.append(line)
    return marked


def _align_runs(lines: list[Line], table: tuple[int, int], chars: Chars) -> list[Line]:
    """Cut runs of lines with the same gaps: a table without rules, or two columns of text."""
    runs: list[list[Line]] = []  # lines with gaps that follow each other downwards, and the others
    for line in lines:
        last = runs[-1][-1] if runs else None
        if last is None or bool(last.tabbed) != bool(line.tabbed) or (line.tabbed and line.base >= last.base):
            runs.append([])
        runs[-1].append(line)
    page, number = table
    laid: list[Line] = []
    for run in runs:
        gapped = len(run) >= RUN and bool(run[0].tabbed)
        edges = _find_edges(run, chars) if gapped else []
        if len(edges) < 3 or are_entries([line.tabbed for line in run]):
            laid += run
            continue
        edges[0], edges[-1] = edges[0] - 1, edges[-1] + 1
        ys = [run[0].base + run[0].size, *((one.base + two.base + two.size) / 2 for one, two in pairwise(run))]
        grid = plain_grid(edges, [*ys, run[-1].base - run[-1].size / 2])
        parts = [part for line in run for part in _split_line(line, grid, (page, number), chars)]
        sides = [[ems(part.text) for part in parts if (part.left >= edges[1]) is right] for right in (False, True)]
        if len(edges) == 3 and all(len(side) >= COLUMN_LINES and sum(side) >= COLUMN_EMS * len(side) for side in sides):
            laid += [replace(part, cell=None) for part in sorted(parts, key=lambda part: part.left >= edges[1])]
        elif _is_aligned(parts):
            laid += _tighten_cells(parts)
            number += 1
        else:
            laid += run
    return laid


def _is_aligned(parts: Sequence[Line]) -> bool:
    """Whether the parts are a table: each column aligned, the first one of words, not of bullets and numbers."""
    columns: dict[int, list[Line]] = defaultdict(list)
    rows: dict[int, int] = defaultdict(int)
    for part in parts:
        if part.cell:
            columns[part.cell.column].append(part)
            rows[part.cell.row] += 1

    def share_place(places: list[float]) -> bool:
        usual = median(places)
        return sum(abs(place - usual) <= NEAR for place in places) >= ALIGNED * len(places)

    words = any(ems(part.text) >= 2 and any(map(str.isalpha, part.text)) for part in columns[0])
    return (
        words
        and sum(count > 1 for count in rows.values()) >= RUN
        and all(
            share_place([part.left for part in column])
            or share_place([part.right for part in column])
            or share_place([(part.left + part.right) / 2 for part in column])
            for column in columns.values()
        )
    )
