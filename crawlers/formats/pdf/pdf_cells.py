"""Assign the lines of a page to cells of tables, and to columns of text that are written side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from statistics import median

from crawlers.formats.contents import are_entries
from crawlers.formats.pdf.pdf_drawings import Drawings
from crawlers.formats.pdf.pdf_lines import Cell, Char, Line, ems
from crawlers.formats.pdf.pdf_tables import NEAR, Grid, column_edges, find_bands, find_grids, plain_grid

GAP = 1.2  # em; wider white space inside a line separates columns, or a title from its page number
LOOSE = 1.2  # a line so much wider than the narrowest quarter of lines (per syllable) is searched for gaps
WIDEST = 0.6  # share of the width between two rules; a solid line that is longer crosses all columns
HEAD_AND_BODY = 2  # bands of a table with a line below its head and none between its rows
APART = 1.15  # times the distance of lines in a cell: the distance from the row above is larger
ROWS = 0.7  # share of the lines between two rules that begin a row, if there is more than one row between them
RUN = 3  # lines one below the other with the same gaps are a table without rules
ALIGNED = 0.8  # share of the cells of a column without rules that share an edge or a centre
LONGEST_CELL = 40  # lines; a cell with more is a frame around text
SPARSE, MANY = 0.2, 20  # share of filled cells below which so many cells are a diagram
COLUMN_LINES, COLUMN_EMS = 8, 8.0  # so many rows of two pieces, on average so long, are text in two columns
Chars = Callable[[Line], list[Char]]
_Band = tuple[float, float, list[Line]]  # upper and lower edge, the lines between


def lay_out(lines: list[Line], drawings: Drawings, chars: Chars) -> list[Line]:
    """Return the lines of a page with tables cut into cells, row by row, and columns of text one after the other.

    `chars` returns the characters of a line with their boxes; it is asked for lines in tables and lines with gaps.
    """
    if not lines:
        return lines
    page = lines[0].page
    number = 0
    for grid in find_grids(drawings.horizontals, drawings.verticals):
        lines = _fill(lines, grid, (page, number), chars)
        number += 1
    for band in find_bands(drawings.horizontals):
        for grid in _band_grids(lines, band, chars):
            lines = _fill(lines, grid, (page, number), chars, ruled=False)
            number += 1
    return _align(_mark_gaps(lines, chars), (page, number), chars)


def _fill(lines: list[Line], grid: Grid, table: tuple[int, int], chars: Chars, *, ruled: bool = True) -> list[Line]:
    """Replace the lines inside a grid by its cells; leave them if they do not fill it as a table."""
    inside = [line for line in lines if line.cell is None and grid.holds(line.left, line.right, line.middle)]
    parts = [part for line in inside for part in _split(line, grid, table, chars)]
    cells = sorted(
        (part for part in parts if part.cell), key=lambda part: (part.cell.row, part.cell.column) if part.cell else ()
    )
    if not _is_table(cells, grid):
        return lines
    cells = cells if ruled else _tighten(cells)
    gone = {id(line) for line in inside}
    first = next(at for at, line in enumerate(lines) if id(line) in gone)
    rest = [line for line in lines[first:] if id(line) not in gone]
    return [*lines[:first], *cells, *(part for part in parts if not part.cell), *rest]


def _tighten(cells: Sequence[Line]) -> list[Line]:
    """Return the lines with the edges of their cells where the text of the column has its own: no rule shows them."""
    sides: dict[int, tuple[float, float]] = {}
    for line in cells:
        if line.cell:
            left, right = sides.get(line.cell.column, (line.left, line.right))
            sides[line.cell.column] = min(left, line.left), max(right, line.right)
    found = []
    for line in cells:
        if line.cell:
            left, right = sides[line.cell.column]
            line = replace(line, cell=line.cell._replace(left=left, right=right))
        found.append(line)
    return found


def _is_table(cells: Sequence[Line], grid: Grid) -> bool:
    filled: dict[int, set[int]] = defaultdict(set)
    for line in cells:
        if line.cell:
            filled[line.cell.row].add(line.cell.column)
    if not any(len(columns) > 1 for columns in filled.values()):
        return False
    if max(len(list(group)) for _, group in groupby(cells, key=lambda line: line.cell)) > LONGEST_CELL:
        return False
    owners = {owner for row in grid.owners for owner in row}
    return len(owners) <= MANY or sum(map(len, filled.values())) >= SPARSE * len(owners)


def _split(line: Line, grid: Grid, table: tuple[int, int], chars: Chars) -> Iterator[Line]:
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
    for at, (place, group) in enumerate(groups):
        cell = None
        if place:
            rows, right = grid.span(*place)
            cell = Cell(table, *place, rows, grid.xs[place[1]], right, grid.ys[0], grid.ys[-1])
        yield _cut(line, group, cell=cell, last=at == len(groups) - 1)


def _cut(line: Line, group: list[Char], *, cell: Cell | None = None, last: bool) -> Line:
    solid = [char for char in group if not char.text.isspace()]
    return replace(
        line,
        text="".join(char.text for char in group).strip(),
        left=solid[0].left,
        right=max(char.right for char in solid),
        base=solid[0].bottom,
        spaced=line.spaced if last else False,
        hyphen=line.hyphen and last,
        cell=cell,
        tabbed="",
    )


def _pieces(line: Line, chars: Chars, gap: float) -> list[list[Char]]:
    """Return the characters of a line, cut at white space wider than `gap` em."""
    found: list[list[Char]] = []
    boxes = chars(line)
    em = max((char.right - char.left for char in boxes), default=0.0) or line.size
    end = 0.0
    for char in boxes:
        if char.text.isspace():
            if found:
                found[-1].append(char)
            continue
        if not found or char.left - end > gap * em:
            found.append([])
        end = max(end, char.right)
        found[-1].append(char)
    return found


def _span(piece: list[Char]) -> tuple[float, float]:
    solid = [char for char in piece if not char.text.isspace()]
    return solid[0].left, max(char.right for char in solid)


def _em(lines: Sequence[Line]) -> float:
    return max(line.size for line in lines) / 1.2  # a box of a character is about 1.2 em high


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
        if inside and not solid and len(_edges(inside, chars)) > 2:
            run.append((top, bottom, inside))
            continue
        if len(run) > 1:
            found += _run_grid(_add_head(lines, run, (left, right), chars), chars)
        run = []
    return found


def _add_head(lines: list[Line], run: list[_Band], sides: tuple[float, float], chars: Chars) -> list[_Band]:
    """Add the row above the first line of a run: many tables have a line below their head row and none above it."""
    top = run[0][0]
    edges = _edges([line for _, _, inside in run for line in inside], chars)
    near = [
        line
        for line in lines
        if line.cell is None
        and 0 < line.base - top < line.size
        and sides[0] - 3 <= line.left
        and line.right <= sides[1] + 3
    ]
    pieces = [_span(piece) for line in near for piece in _pieces(line, chars, GAP / 2)]
    crossed = any(start < edge < end for start, end in pieces for edge in edges[1:-1])
    if len(pieces) < 2 or crossed:
        return run
    return [(max(line.base + 1.2 * line.size for line in near), top, near), *run]


def _is_solid(line: Line) -> bool:
    """Whether a line has no room for a gap: it is not wider than its characters."""
    return line.right - line.left <= line.size * ems(line.text)


def _edges(lines: Sequence[Line], chars: Chars) -> list[float]:
    pieces = [_span(piece) for line in lines for piece in _pieces(line, chars, GAP / 2)]
    return column_edges(pieces, _em(lines))


def _run_grid(run: list[_Band], chars: Chars) -> list[Grid]:
    xs = _edges([line for _, _, lines in run for line in lines], chars)
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


def _mark_gaps(lines: list[Line], chars: Chars) -> list[Line]:
    """Write tabs into wide gaps of the lines that are wider than their characters."""
    widths = sorted((line.right - line.left) / ems(line.text) for line in lines if ems(line.text) >= 2)
    if not widths:
        return lines
    usual = min(widths[len(widths) // 4], median(line.size for line in lines))  # on a page of tables, all are loose
    found = []
    for line in lines:
        loose = line.right - line.left > LOOSE * usual * ems(line.text)
        if loose and line.cell is None and not line.fixed and " " in line.text:
            pieces = _pieces(line, chars, GAP)
            if len(pieces) > 1:
                line = replace(line, tabbed="\t".join("".join(c.text for c in piece).strip() for piece in pieces))
        found.append(line)
    return found


def _align(lines: list[Line], table: tuple[int, int], chars: Chars) -> list[Line]:
    """Cut runs of lines with the same gaps: a table without rules, or two columns of text."""
    found: list[Line] = []
    number = table[1]
    for run in _runs(lines):
        gapped = len(run) >= RUN and bool(run[0].tabbed)
        edges = _edges(run, chars) if gapped else []
        if len(edges) < 3 or are_entries([line.tabbed for line in run]):
            found += run
            continue
        edges[0], edges[-1] = edges[0] - 1, edges[-1] + 1
        ys = [run[0].base + run[0].size, *((one.base + two.base + two.size) / 2 for one, two in pairwise(run))]
        grid = plain_grid(edges, [*ys, run[-1].base - run[-1].size / 2])
        parts = [part for line in run for part in _split(line, grid, (table[0], number), chars)]
        if _are_columns(parts, edges):
            found += [replace(part, cell=None) for part in sorted(parts, key=lambda one: one.left >= edges[1])]
        elif _is_aligned(parts):
            found += _tighten(parts)
            number += 1
        else:
            found += run
    return found


def _runs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield lines in runs: lines with gaps that follow each other downwards, and the others."""
    run: list[Line] = []
    for line in lines:
        if run and (bool(run[-1].tabbed) != bool(line.tabbed) or (line.tabbed and line.base >= run[-1].base)):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _are_columns(parts: Sequence[Line], edges: Sequence[float]) -> bool:
    if len(edges) != 3 or len(parts) < 2 * COLUMN_LINES:
        return False
    sides = [[ems(part.text) for part in parts if (part.left >= edges[1]) is right] for right in (False, True)]
    return all(len(side) >= COLUMN_LINES and sum(side) >= COLUMN_EMS * len(side) for side in sides)


def _is_aligned(parts: Sequence[Line]) -> bool:
    """Whether the parts are a table: each column aligned, the first one of words, not of bullets and numbers."""
    columns: dict[int, list[Line]] = defaultdict(list)
    rows: dict[int, int] = defaultdict(int)
    for part in parts:
        if part.cell:
            columns[part.cell.column].append(part)
            rows[part.cell.row] += 1
    words = any(ems(part.text) >= 2 and any(map(str.isalpha, part.text)) for part in columns[0])
    return words and sum(count > 1 for count in rows.values()) >= RUN and all(map(_share_edge, columns.values()))


def _share_edge(parts: Sequence[Line]) -> bool:
    """Whether most parts begin, end or are centred at one place."""
    for places in (
        [part.left for part in parts],
        [part.right for part in parts],
        [(part.left + part.right) / 2 for part in parts],
    ):
        usual = median(places)
        if sum(abs(place - usual) <= NEAR for place in places) >= ALIGNED * len(parts):
            return True
    return False
