"""Assign the lines of a page to cells of tables, and to columns of text that are written side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from crawlers.formats.pdf.pdf_cuts import GAP, Chars, cut_at_gaps, find_edges, piece_span, split_line, tighten_cells
from crawlers.formats.pdf.pdf_drawings import Drawings
from crawlers.formats.pdf.pdf_gaps import align_runs, mark_gaps
from crawlers.formats.pdf.pdf_lines import Line, ems
from crawlers.formats.pdf.pdf_tables import Grid, find_bands, find_grids, plain_grid

WIDEST = 0.6  # share of the width between two rules; a solid line that is longer crosses all columns
HEAD_AND_BODY = 2  # bands of a table with a line below its head and none between its rows
APART = 1.15  # times the distance of lines in a cell: the distance from the row above is larger
ROWS = 0.7  # share of the lines between two rules that begin a row, if there is more than one row between them
LONGEST_CELL = 40  # lines; a cell with more is a frame around text
SPARSE, MANY = 0.2, 20  # share of filled cells below which so many cells are a diagram
_Band = tuple[float, float, list[Line]]  # upper and lower edge, the lines between


class LaidOut(NamedTuple):
    """The lines of a page, and the cells of its ruled tables with those of them that hold no words."""

    lines: list[Line]
    cells: int = 0
    blank_cells: int = 0


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
        for grid in _band_grids(lines, band, chars):
            lines = _fill(lines, grid, _split(lines, grid, (page, number), chars), ruled=False)
            number += 1
    return LaidOut(align_runs(mark_gaps(lines, chars), (page, number), chars), cells, blank)


def _find_inside(lines: list[Line], grid: Grid) -> list[Line]:
    return [line for line in lines if line.cell is None and grid.holds(line.left, line.right, line.middle)]


def _split(lines: list[Line], grid: Grid, table: tuple[int, int], chars: Chars) -> list[Line]:
    """Return the lines inside a grid, cut at the edges of its cells."""
    return [part for line in _find_inside(lines, grid) for part in split_line(line, grid, table, chars)]


def _fill(lines: list[Line], grid: Grid, parts: list[Line], *, ruled: bool = True) -> list[Line]:
    """Replace the lines inside a grid by their `parts` in its cells; leave them if they do not fill it as a table."""
    cells = sorted(
        (part for part in parts if part.cell), key=lambda part: (part.cell.row, part.cell.column) if part.cell else ()
    )
    if not _is_table(cells, grid):
        return lines
    cells = cells if ruled else tighten_cells(cells)
    gone = {id(line) for line in _find_inside(lines, grid)}
    first = next(at for at, line in enumerate(lines) if id(line) in gone)
    rest = [line for line in lines[first:] if id(line) not in gone]
    return [*lines[:first], *cells, *(part for part in parts if not part.cell), *rest]


def _find_filled_cells(parts: Sequence[Line]) -> dict[int, set[int]]:
    """Return row → columns of the cells that hold a line."""
    filled: dict[int, set[int]] = defaultdict(set)
    for line in parts:
        if line.cell:
            filled[line.cell.row].add(line.cell.column)
    return filled


def _is_table(cells: Sequence[Line], grid: Grid) -> bool:
    filled = _find_filled_cells(cells)
    if not any(len(columns) > 1 for columns in filled.values()):
        return False
    if max(len(list(group)) for _, group in groupby(cells, key=lambda line: line.cell)) > LONGEST_CELL:
        return False
    owners = {owner for row in grid.owners for owner in row}
    return len(owners) <= MANY or sum(map(len, filled.values())) >= SPARSE * len(owners)


def _band_grids(lines: list[Line], band: list[float], chars: Chars) -> list[Grid]:
    """Return the grids between horizontal lines: neighbouring bands whose text leaves white space between columns."""
    left, right, *heights = band
    found: list[Grid] = []
    run: list[_Band] = []
    for top, bottom in [*pairwise(heights), (0.0, 0.0)]:
        inside = [
            line
            for line in lines
            if line.cell is None and bottom < line.middle < top and line.left >= left - 3 and line.right <= right + 3
        ]
        solid = any(_is_solid(line) and line.right - line.left > WIDEST * (right - left) for line in inside)
        if inside and not solid and len(find_edges(inside, chars)) > 2:
            run.append((top, bottom, inside))
            continue
        if len(run) > 1:
            found += _run_grid(_add_head(lines, run, (left, right), chars), chars)
        run = []
    return found


def _add_head(lines: list[Line], run: list[_Band], sides: tuple[float, float], chars: Chars) -> list[_Band]:
    """Add the row above the first line of a run: many tables have a line below their head row and none above it."""
    top = run[0][0]
    edges = find_edges([line for _, _, inside in run for line in inside], chars)
    near = [
        line
        for line in lines
        if line.cell is None
        and 0 < line.base - top < line.size
        and sides[0] - 3 <= line.left
        and line.right <= sides[1] + 3
    ]
    pieces = [piece_span(piece) for line in near for piece in cut_at_gaps(line, chars, GAP / 2)]
    crossed = any(start < edge < end for start, end in pieces for edge in edges[1:-1])
    if len(pieces) < 2 or crossed:
        return run
    return [(max(line.base + 1.2 * line.size for line in near), top, near), *run]


def _is_solid(line: Line) -> bool:
    """Whether a line has no room for a gap: it is not wider than its characters."""
    return line.right - line.left <= line.size * ems(line.text)


def _run_grid(run: list[_Band], chars: Chars) -> list[Grid]:
    xs = find_edges([line for _, _, lines in run for line in lines], chars)
    if len(xs) < 3:
        return []
    xs[0], xs[-1] = xs[0] - 1, xs[-1] + 1
    ys = [run[0][0]]
    for _, bottom, lines in run:
        starts = _row_starts(lines, xs[1], few=len(run) <= HEAD_AND_BODY)
        ys += [height for height in starts[1:] if height > bottom]
        ys.append(bottom)
    return [plain_grid(xs, ys)]


def _row_starts(lines: Sequence[Line], edge: float, *, few: bool) -> list[float]:
    """Return the upper edges of rows inside a band: lines with text on both sides of `edge`.

    They are rows if most lines are such or, with few bands, if all of them are further from the line above than other
    lines are: then the other lines continue a cell.
    """
    heights = {round(line.base): line.base + 1.1 * line.size for line in lines}
    left = {round(line.base) for line in lines if line.left < edge}
    right = {round(line.base) for line in lines if line.right > edge}
    starts = sorted(left & right, reverse=True)
    drops = {low: high - low for high, low in pairwise(sorted(heights, reverse=True))}
    apart = few and min((drops[base] for base in starts[1:]), default=0) > APART * min(drops.values(), default=0)
    if len(starts) > 1 and (apart or len(starts) >= ROWS * len(heights)):
        return [heights[base] for base in starts]
    return []
