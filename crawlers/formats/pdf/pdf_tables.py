"""Find the grids of tables on a page from its ruled lines: pure geometry, lengths in points, y upwards.

Ruled tables: lines that cross or touch form a grid; cells that no line separates are merged. Open sides, which
Korean word processors leave by habit, are closed by the ends of the other lines. Tables that are ruled between rows
only, or not at all, get their columns from white space that no line of the table crosses (`column_edges`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEAR = 3.0  # points; lines and ends that differ by less coincide
MAX_CROSSINGS = 250_000  # pairs of lines compared on a page; a drawing with more has no tables
MAX_CELLS = 5_000  # of a grid
GUTTER = 0.8  # em; minimum white space between two columns


class Rule(NamedTuple):
    """A horizontal or vertical line: its place (y or x), its start and end on the other axis."""

    place: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Edges of columns (left to right) and rows (downwards); for each place, first row and column of its cell."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    owners: tuple[tuple[tuple[int, int], ...], ...]

    def find(self, x: float, y: float) -> tuple[int, int] | None:
        """Return first row and column of the cell at a point; None outside."""
        if not (self.xs[0] <= x < self.xs[-1] and self.ys[-1] < y <= self.ys[0]):
            return None
        row = bisect_right([-edge for edge in self.ys], -y) - 1
        return self.owners[min(row, len(self.owners) - 1)][bisect_right(self.xs, x) - 1]

    def holds(self, left: float, right: float, y: float) -> bool:
        """Whether a line of text at height `y` overlaps the grid."""
        return self.ys[-1] < y < self.ys[0] and left < self.xs[-1] and right > self.xs[0]

    def right_edge(self, row: int, column: int) -> float:
        """Return the right edge of a cell."""
        last = max(at for at, owner in enumerate(self.owners[row]) if owner == (row, column))
        return self.xs[last + 1]


def find_grids(horizontals: Iterable[Rule], verticals: Iterable[Rule]) -> list[Grid]:
    """Return the grids of ruled tables, from the top of the page to its bottom."""
    level, upright = merge_rules(horizontals), merge_rules(verticals)
    if not level or not upright or len(level) * len(upright) > MAX_CROSSINGS:
        return []
    found = [_grid(*parts) for parts in _components(level, upright)]
    return sorted((grid for grid in found if grid is not None), key=lambda grid: -grid.ys[0])


def find_bands(horizontals: Iterable[Rule]) -> list[list[float]]:
    """Return left, right and heights (downwards) of three or more horizontal lines of the same length, by stack."""
    stacks: dict[tuple[int, int], list[Rule]] = defaultdict(list)
    for rule in merge_rules(horizontals):
        for key in stacks:
            first = stacks[key][0]
            if abs(first.start - rule.start) <= NEAR and abs(first.end - rule.end) <= NEAR:
                stacks[key].append(rule)
                break
        else:
            stacks[round(rule.start), round(rule.end)].append(rule)
    return [
        [stack[0].start, stack[0].end, *sorted((rule.place for rule in stack), reverse=True)]
        for stack in stacks.values()
        if len(stack) >= 3
    ]


def plain_grid(xs: Sequence[float], ys: Sequence[float]) -> Grid:
    """Return a grid without merged cells."""
    owners = tuple(tuple((row, column) for column in range(len(xs) - 1)) for row in range(len(ys) - 1))
    return Grid(tuple(xs), tuple(ys), owners)


def column_edges(pieces: Iterable[tuple[float, float]], em: float) -> list[float]:
    """Return the edges of columns between pieces of text (left and right ends): the middles of uncrossed white space.

    >>> column_edges([(0, 40), (60, 90), (0, 35), (62, 80)], 10)
    [0, 50.0, 90]
    """
    spans = sorted(pieces)
    if not spans:
        return []
    edges, end = [spans[0][0]], spans[0][1]
    for left, right in spans[1:]:
        if left - end >= GUTTER * em:
            edges.append((end + left) / 2)
        end = max(end, right)
    return [*edges, end]


def merge_rules(rules: Iterable[Rule]) -> list[Rule]:
    """Join collinear lines that touch: borders are often drawn cell by cell."""
    found: list[Rule] = []
    by_place: list[list[Rule]] = []
    for rule in sorted(rules):
        if by_place and rule.place - by_place[-1][0].place <= NEAR / 2:
            by_place[-1].append(rule)
        else:
            by_place.append([rule])
    for group in by_place:
        place = sum(rule.place for rule in group) / len(group)
        start = end = None
        for rule in sorted(group, key=lambda one: one.start):
            if start is None or end is None:
                start, end = rule.start, rule.end
            elif rule.start <= end + NEAR:
                end = max(end, rule.end)
            else:
                found.append(Rule(place, start, end))
                start, end = rule.start, rule.end
        if start is not None and end is not None:
            found.append(Rule(place, start, end))
    return found


def _components(level: list[Rule], upright: list[Rule]) -> Iterable[tuple[list[Rule], list[Rule]]]:
    """Yield the lines that are connected by crossings or touching ends."""
    roots = list(range(len(level) + len(upright)))

    def root(at: int) -> int:
        while roots[at] != at:
            roots[at] = roots[roots[at]]
            at = roots[at]
        return at

    for one, across in enumerate(level):
        for two, down in enumerate(upright):
            meets = across.start - NEAR <= down.place <= across.end + NEAR
            if meets and down.start - NEAR <= across.place <= down.end + NEAR:
                roots[root(one)] = root(len(level) + two)
    parts: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for at, rule in enumerate([*level, *upright]):
        parts[root(at)][at >= len(level)].append(rule)
    return [part for part in parts.values() if part[0] and part[1]]


def _grid(level: list[Rule], upright: list[Rule]) -> Grid | None:
    xs = _cluster([*(rule.place for rule in upright), min(r.start for r in level), max(r.end for r in level)])
    ys = _cluster([*(rule.place for rule in level), min(r.start for r in upright), max(r.end for r in upright)])[::-1]
    if len(xs) < 3 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) > MAX_CELLS:
        return None
    walls = _group_by_edge(upright, xs)
    floors = _group_by_edge(level, ys)
    owners: list[list[tuple[int, int] | None]] = [[None] * (len(xs) - 1) for _ in ys[1:]]
    for row in range(len(ys) - 1):
        middle = (ys[row] + ys[row + 1]) / 2
        for column in range(len(xs) - 1):
            if owners[row][column] is not None:
                continue
            last = column
            while last + 2 < len(xs) and owners[row][last + 1] is None and not _covers(walls[last + 1], middle):
                last += 1
            bottom = row
            while bottom + 2 < len(ys) and not any(
                _covers(floors[bottom + 1], (xs[at] + xs[at + 1]) / 2) for at in range(column, last + 1)
            ):
                bottom += 1
            for line in owners[row : bottom + 1]:
                line[column : last + 1] = [(row, column)] * (last + 1 - column)
    return Grid(tuple(xs), tuple(ys), tuple(tuple(one or (0, 0) for one in line) for line in owners))


def _cluster(values: list[float]) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > NEAR:
            found.append(value)
    return found


def _group_by_edge(rules: list[Rule], edges: list[float]) -> list[list[Rule]]:
    return [[rule for rule in rules if abs(rule.place - edge) <= NEAR] for edge in edges]


def _covers(rules: list[Rule], at: float) -> bool:
    return any(rule.start <= at <= rule.end for rule in rules)
