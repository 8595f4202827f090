"""Read what a PDF page draws besides text, using pdfium: ruled lines, and pictures that fill the page."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2.raw as raw

from crawlers.formats.pdf.pdf_tables import Rule

MAX_OBJECTS = 20_000  # of a page; those after them are not looked at
MAX_SEGMENTS = 20_000  # of all paths of a page; one with more is a drawing, whose lines draw no tables
MAX_RULES = 2_000  # of a page; as above
THIN = 2.0  # points; a filled box that is thinner is a line
SHORT = 4.0  # points; shorter lines are dashes, ticks and arrows
FULL_PAGE = 0.6  # share of the page from which a picture is a scan of it
_POINTS = tuple[float, float]


@dataclass(slots=True)
class Drawings:
    """Ruled lines of a page in points, and whether one picture fills it."""

    horizontals: list[Rule] = field(default_factory=list)
    verticals: list[Rule] = field(default_factory=list)
    scanned: bool = False


def read_drawings(page: raw.FPDF_PAGE) -> Drawings:
    """Return the ruled lines on a page (forms within are not opened), and whether a picture fills it."""
    found = Drawings()
    segments = 0
    area = float(raw.FPDF_GetPageWidthF(page) * raw.FPDF_GetPageHeightF(page))
    for at in range(min(raw.FPDFPage_CountObjects(page), MAX_OBJECTS)):
        thing = raw.FPDFPage_GetObject(page, at)
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_PATH and segments <= MAX_SEGMENTS:
            count = raw.FPDFPath_CountSegments(thing)
            segments += max(count, 0)
            if count >= 2 and segments <= MAX_SEGMENTS:
                _read_path(thing, count, found)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE and not found.scanned:
            left, bottom, right, top = _bounds(thing)
            found.scanned = (right - left) * (top - bottom) >= FULL_PAGE * area
    if segments > MAX_SEGMENTS or len(found.horizontals) + len(found.verticals) > MAX_RULES:
        return Drawings(scanned=found.scanned)
    return found


def _read_path(path: raw.FPDF_PAGEOBJECT, count: int, into: Drawings) -> None:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    for points, closed in _shapes(path, count):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if fill.value and (max(xs) - min(xs) <= THIN or max(ys) - min(ys) <= THIN):
            _add((min(xs), min(ys)), (max(xs), max(ys)), into)
        elif stroke.value:
            ends = [*points[1:], points[0]] if closed else points[1:]
            for one, two in zip(points, ends, strict=False):
                _add(one, two, into)


def _add(one: _POINTS, two: _POINTS, into: Drawings) -> None:
    (left, right), (bottom, top) = sorted((one[0], two[0])), sorted((one[1], two[1]))
    if right - left >= SHORT and top - bottom <= THIN:
        into.horizontals.append(Rule((bottom + top) / 2, left, right))
    elif top - bottom >= SHORT and right - left <= THIN:
        into.verticals.append(Rule((left + right) / 2, bottom, top))


def _shapes(path: raw.FPDF_PAGEOBJECT, count: int) -> Iterator[tuple[list[_POINTS], bool]]:
    """Yield the corners of each part of a path, in points of the page, and whether it is closed; none with curves."""
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[_POINTS] = []
    closed = False
    for at in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, at)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            return
        if kind == raw.FPDF_SEGMENT_MOVETO and points:
            yield points, closed
            points, closed = [], False
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        points.append(
            (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        )
        closed = closed or bool(raw.FPDFPathSegment_GetClose(segment))
    if points:
        yield points, closed


def _bounds(thing: raw.FPDF_PAGEOBJECT) -> tuple[float, float, float, float]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(thing, left, bottom, right, top)
    return left.value, bottom.value, right.value, top.value
