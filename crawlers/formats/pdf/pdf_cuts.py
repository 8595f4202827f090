"""Cut lines of a PDF page by the boxes of their characters: at wide gaps, and at the edges of a grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from crawlers.formats.pdf.pdf_lines import Cell, Char, Line
from crawlers.formats.pdf.pdf_tables import Grid, column_edges

GAP = 1.2  # em; wider white space inside a line separates columns, or a title from its page number
Chars = Callable[[Line], list[Char]]


def split_line(line: Line, grid: Grid, table: tuple[int, int], chars: Chars) -> Iterator[Line]:
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
            cell = Cell(table, *place, grid.xs[place[1]], grid.right_edge(*place), grid.ys[0], grid.ys[-1])
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


def cut_at_gaps(line: Line, chars: Chars, gap: float) -> list[list[Char]]:
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


def piece_span(piece: list[Char]) -> tuple[float, float]:
    """Return left and right end of a piece, in points."""
    solid = [char for char in piece if not char.text.isspace()]
    return solid[0].left, max(char.right for char in solid)


def _em(lines: Sequence[Line]) -> float:
    return max(line.size for line in lines) / 1.2  # a box of a character is about 1.2 em high


def find_edges(lines: Sequence[Line], chars: Chars) -> list[float]:
    """Return the edges of the columns that the gaps of all lines leave open, in points."""
    pieces = [piece_span(piece) for line in lines for piece in cut_at_gaps(line, chars, GAP / 2)]
    return column_edges(pieces, _em(lines))


def tighten_cells(cells: Sequence[Line]) -> list[Line]:
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
