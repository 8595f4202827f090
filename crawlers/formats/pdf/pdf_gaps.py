"""Find what gaps in the lines of a PDF page show: tables without rules, and two columns written row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from crawlers.formats.contents import are_entries
from crawlers.formats.pdf.pdf_cuts import GAP, Chars, cut_at_gaps, find_edges, split_line, tighten_cells
from crawlers.formats.pdf.pdf_lines import Line, ems
from crawlers.formats.pdf.pdf_tables import NEAR, plain_grid

LOOSE = 1.2  # a line so much wider than the narrowest quarter of lines (per syllable) is searched for gaps
RUN = 3  # lines one below the other with the same gaps are a table without rules
ALIGNED = 0.8  # share of the cells of a column without rules that share an edge or a centre
COLUMN_LINES, COLUMN_EMS = 8, 8.0  # so many rows of two pieces, on average so long, are text in two columns


def mark_gaps(lines: list[Line], chars: Chars) -> list[Line]:
    """Write tabs into wide gaps of the lines that are wider than their characters."""
    widths = sorted((line.right - line.left) / ems(line.text) for line in lines if ems(line.text) >= 2)
    if not widths:
        return lines
    usual = min(widths[len(widths) // 4], median(line.size for line in lines))  # on a page of tables, all are loose
    found = []
    for line in lines:
        loose = line.right - line.left > LOOSE * usual * ems(line.text)
        if loose and line.cell is None and not line.fixed and " " in line.text:
            pieces = cut_at_gaps(line, chars, GAP)
            if len(pieces) > 1:
                line = replace(line, tabbed="\t".join("".join(c.text for c in piece).strip() for piece in pieces))
        found.append(line)
    return found


def align_runs(lines: list[Line], table: tuple[int, int], chars: Chars) -> list[Line]:
    """Cut runs of lines with the same gaps: a table without rules, or two columns of text."""
    found: list[Line] = []
    number = table[1]
    for run in _runs(lines):
        gapped = len(run) >= RUN and bool(run[0].tabbed)
        edges = find_edges(run, chars) if gapped else []
        if len(edges) < 3 or are_entries([line.tabbed for line in run]):
            found += run
            continue
        edges[0], edges[-1] = edges[0] - 1, edges[-1] + 1
        ys = [run[0].base + run[0].size, *((one.base + two.base + two.size) / 2 for one, two in pairwise(run))]
        grid = plain_grid(edges, [*ys, run[-1].base - run[-1].size / 2])
        parts = [part for line in run for part in split_line(line, grid, (table[0], number), chars)]
        if _are_columns(parts, edges):
            found += [replace(part, cell=None) for part in sorted(parts, key=lambda one: one.left >= edges[1])]
        elif _is_aligned(parts):
            found += tighten_cells(parts)
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
