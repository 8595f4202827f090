"""Separate footnotes from the lines of a PDF, by their size, their place and their mark, and drop bare note marks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from crawlers.formats.pdf.pdf_lines import Line

SMALL = 0.93  # share of the usual size of text; notes are smaller than that
RAISED = 0.7  # share of the usual size; a mark on a line of its own, which pdfium makes of a raised number, is smaller
MARK = re.compile(r"\(?(?:\d{1,3}|[*†‡]{1,3}|[①-⑳]|주\s?\d{0,2}\s?[):.])[).]?\s?(?=\D)")
_BARE = re.compile(r"\(?(?:\d{1,3}|[*†‡]{1,3})\)?")


def split_notes(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return the lines of the text and those of the footnotes, each in order.

    Notes are small lines at the foot of a page, from one that begins with a mark, below all usual lines over them.
    """
    usual = usual_size(lines)
    by_page: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if not _is_bare(line, RAISED * usual):
            by_page[line.page].append(line)
    notes = {id(line) for there in by_page.values() for line in _notes(there, SMALL * usual)}
    kept = [line for there in by_page.values() for line in there]
    return [line for line in kept if id(line) not in notes], [line for line in kept if id(line) in notes]


def usual_size(lines: Sequence[Line]) -> float:
    """Return the size that most of the text has, in points."""
    weights: dict[float, int] = defaultdict(int)
    for line in lines:
        if not line.cell and not line.fixed:
            weights[round(line.size, 1)] += len(line.text)
    half, seen = sum(weights.values()) / 2, 0
    for size in sorted(weights):
        seen += weights[size]
        if seen >= half:
            return size
    return 0.0


def _notes(lines: list[Line], limit: float) -> list[Line]:
    found: list[Line] = []
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if line.size >= limit or line.cell or line.fixed:
            break
        found.append(line)
    found.reverse()
    while found and not MARK.match(found[0].text):
        del found[0]
    top = max((line.base for line in found), default=0.0)
    beside = [line for line in lines if found and line.size >= limit and _overlaps(line, found[0])]
    return found if len(found) < len(lines) and beside and all(line.base > top for line in beside) else []


def _overlaps(one: Line, two: Line) -> bool:
    return one.left < two.right and two.left < one.right


def _is_bare(line: Line, limit: float) -> bool:
    return line.size < limit and not line.cell and bool(_BARE.fullmatch(line.text))
