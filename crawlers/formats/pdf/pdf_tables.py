"""Find the grids of tables that a PDF page draws: its ruled lines, read with pdfium, and their geometry.

Lengths are in points, y upwards. Lines that cross or touch form a grid; cells that no line separates are merged. Open
sides, which Korean word processors leave by habit, are closed by the ends of the other lines. Tables that are ruled
between rows only, or not at all, get their columns from white space that no line of the table crosses.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pypdfium2.raw as raw

NEAR = 3.0  # points; lines and ends that differ by less coincide
MAX_CROSSINGS = 250_000  # pairs of lines compared on a page; a drawing with more has no tables
MAX_CELLS = 5_000  # of a grid
GUTTER = 0.8  # em; minimum white space between two columns
MAX_OBJECTS = 20_000  # of a page; those after them are not looked at
MAX_SEGMENTS = 20_000  # of all paths of a page; one with more is a drawing, whose lines draw no tables
MAX_RULES = 2_000  # of a page; as above
THIN = 2.0  # points; a filled box that is thinner is a line
SHORT = 4.0  # points; shorter lines are dashes, ticks and arrows
FULL_PAGE = 0.6  # share of the page from which a picture is a scan of it
_Point = tuple[float, float]


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


@dataclass(slots=True)
class Drawings:
    """Ruled lines of a page in points, and whether one picture fills it."""

    horizontals: list[Rule] = field(default_factory=list)
    verticals: list[Rule] = field(default_factory=list)
    scanned: bool = False


def read_drawings(page: raw.FPDF_PAGE) -> Drawings:
    """Return the ruled lines on a page (forms within are not opened), and whether a picture fills it."""
    drawings = Drawings()
    segments = 0
    area = float(raw.FPDF_GetPageWidthF(page) * raw.FPDF_GetPageHeightF(page))
    for index in range(min(raw.FPDFPage_CountObjects(page), MAX_OBJECTS)):
        thing = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_PATH and segments <= MAX_SEGMENTS:
            count = raw.FPDFPath_CountSegments(thing)
            segments += max(count, 0)
            if count >= 2 and segments <= MAX_SEGMENTS:
                _read_path(thing, count, drawings)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE and not drawings.scanned:
            left, bottom, right, top = (ctypes.c_float() for _ in range(4))
            raw.FPDFPageObj_GetBounds(thing, left, bottom, right, top)
            drawings.scanned = (right.value - left.value) * (top.value - bottom.value) >= FULL_PAGE * area
    if segments > MAX_SEGMENTS or len(drawings.horizontals) + len(drawings.verticals) > MAX_RULES:
        return Drawings(scanned=drawings.scanned)
    return drawings


def _read_path(path: raw.FPDF_PAGEOBJECT, count: int, drawings: Drawings) -> None:
    """Add the ruled lines of a path; of its parts, those before the first curve."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    parts: list[tuple[list[_Point], bool]] = []  # corners of each part, and whether it is closed
    points: list[_Point] = []
    closed = False
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            points = []
            break
        if kind == raw.FPDF_SEGMENT_MOVETO and points:
            parts.append((points, closed))
            points, closed = [], False
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        points.append(
            (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        )
        closed = closed or bool(raw.FPDFPathSegment_GetClose(segment))
    if points:
        parts.append((points, closed))
    for corners, is_closed in parts:
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        if fill.value and (max(xs) - min(xs) <= THIN or max(ys) - min(ys) <= THIN):
            _add((min(xs), min(ys)), (max(xs), max(ys)), drawings)
        elif stroke.value:
            ends = [*corners[1:], corners[0]] if is_closed else corners[1:]
            for one, two in zip(corners, ends, strict=False):
                _add(one, two, drawings)


def _add(one: _Point, two: _Point, drawings: Drawings) -> None:
    (left, right), (bottom, top) = sorted((one[0], two[0])), sorted((one[1], two[1]))
    if right - left >= SHORT and top - bottom <= THIN:
        drawings.horizontals.append(Rule((bottom + top) / 2, left, right))
    elif top - bottom >= SHORT and right - left <= THIN:
        drawings.verticals.append(Rule((left + right) / 2, bottom, top))


def find_grids(horizontals: Iterable[Rule], verticals: Iterable[Rule]) -> list[Grid]:
    """Return the grids of ruled tables, from the top of the page to its bottom."""
    level, upright = merge_rules(horizontals), merge_rules(verticals)
    if not level or not upright or len(level) * len(upright) > MAX_CROSSINGS:
        return []
    # Lines that are connected by crossings or touching ends: a forest of sets.
    roots = list(range(len(level) + len(upright)))

    def root(rule: int) -> int:
        while roots[rule] != rule:
            roots[rule] = roots[roots[rule]]
            rule = roots[rule]
        return rule

    for one, across in enumerate(level):
        for two, down in enumerate(upright):
            meets = across.start - NEAR <= down.place <= across.end + NEAR
            if meets and down.start - NEAR <= across.place <= down.end + NEAR:
                roots[root(one)] = root(len(level) + two)
    parts: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for index, rule in enumerate([*level, *upright]):
        parts[root(index)][index >= len(level)].append(rule)
    grids = [_make_grid(*part) for part in parts.values() if part[0] and part[1]]
    return sorted((grid for grid in grids if grid is not None), key=lambda grid: -grid.ys[0])


def _make_grid(level: list[Rule], upright: list[Rule]) -> Grid | None:
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
    return Grid(tuple(xs), tuple(ys), tuple(tuple(owner or (0, 0) for owner in line) for line in owners))


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
