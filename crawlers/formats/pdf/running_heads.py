"""Remove running heads, running feet and page numbers from the lines of a PDF, by repetition across its pages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from crawlers.formats.pdf.pdf_lines import Line, has_code_font
from crawlers.formats.pdf.pdf_pages import Page

MIN_PAGES = 5  # with fewer pages, repetition is no evidence; counting up is
EDGE = 3  # lines at either end of a page that are inspected
ZONE = 0.12  # share of the page's height at either end that may hold running heads
REPEATS = 4  # pages with the same line at the same height …
FEW = 3  # … or so many, if they are half of the document
SLOT_SHARE = 0.4  # share of the pages with a line at this height, for a head that changes by chapter
SLOT_REPEATS = 0.3  # share of those lines that repeat another one or a heading; titles of slides are all different
APART = 1.4  # minimum distance of a running head from the text, in line pitches
GRID = 3.0  # points; heights that differ by less are equal
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"[-–—(<\[|\s]{0,4}(\d{1,4})(?:\s?(?:/|of)\s?\d{1,4})?\s?쪽?[-–—)>\]|\s]{0,4}")
_ROMAN = re.compile(r"[ivxlcdmIVXLCDMⅰ-ⅹⅠ-Ⅹ]{1,8}")


def remove_running_heads(pages: Sequence[Page]) -> list[Line]:
    """Return all lines in order, without those repeated at the top or bottom of pages; all digits count as equal."""
    code = has_code_font(line for page in pages for line in page.lines)
    edges = [_edges(page, code=code) for page in pages]
    gone = _find_page_numbers(edges)
    if len(pages) >= MIN_PAGES:
        gone |= _find_repeated(edges, len(pages)) | _slots(edges, pages)
    return [line for page in pages for line in page.lines if id(line) not in gone]


def _edges(page: Page, *, code: bool) -> list[Line]:
    """Return the top and bottom lines of a page that are near its ends; no lines of code, if the document has code."""
    text = (line for line in page.lines if not _is_in_body_table(line, page) and not (code and line.fixed))
    by_height = sorted(text, key=lambda line: line.base)
    low = [line for line in by_height[:EDGE] if line.base < ZONE * page.height]
    high = [line for line in by_height[-EDGE:] if line.base > (1 - ZONE) * page.height]
    return [*low, *(line for line in high if all(line is not other for other in low))]


def _find_page_numbers(edges: list[list[Line]]) -> set[int]:
    """Return the lines that hold nothing but a number that grows by one from page to page, at one height."""
    places: dict[tuple[int, int], list[Line]] = defaultdict(list)
    for page in edges:
        for line in page:
            if match := _PAGE_NUMBER.fullmatch(line.text.strip()):
                places[round(line.base / GRID), int(match[1]) - line.page].append(line)
    return {id(line) for lines in places.values() if len(lines) > 1 for line in lines}


def _is_in_body_table(line: Line, page: Page) -> bool:
    """Whether the table of a line reaches out of the zones of running heads: its repeated head row is text."""
    return line.cell is not None and line.cell.bottom < (1 - ZONE) * page.height and line.cell.top > ZONE * page.height


def _key(line: Line) -> tuple[int, str]:
    text = "".join(line.text.split())
    if _ROMAN.fullmatch(text):
        text = "0"
    return round(line.base / GRID), _DIGITS.sub("0", text)


def _bare(line: Line) -> str:
    return "".join(line.text.split()).strip("0123456789-–|.")


def _find_repeated(edges: list[list[Line]], pages: int) -> set[int]:
    counts = Counter(key for page in edges for key in {_key(line) for line in page})
    enough = REPEATS if pages > 2 * FEW else FEW
    return {id(line) for page in edges for line in page if counts[_key(line)] >= enough}


def _slots(edges: list[list[Line]], pages: Sequence[Page]) -> set[int]:
    """Return lines at a height where many pages have a line that is apart from the text and often repeats."""
    pitch = _pitch(pages)
    size = median([line.size for page in pages for line in page.lines] or [0.0])
    # A head that names its chapter has the words of a heading.
    titles = Counter(_bare(line) for page in pages for line in page.lines)
    slots: dict[int, list[Line]] = defaultdict(list)
    for page, lines in zip(pages, edges, strict=True):
        heights = sorted(line.base for line in page.lines)
        for line in lines:
            outer = [height for height in heights if abs(height - line.base) > GRID]
            inside = min((abs(height - line.base) for height in outer), default=0.0)
            if line.size <= 1.1 * size and inside > APART * pitch:
                slots[round(line.base / GRID)].append(line)
    gone: set[int] = set()
    for lines in slots.values():
        keys = Counter(_key(line) for line in lines)
        repeats = sum(keys[_key(line)] > 1 or titles[_bare(line)] > 1 for line in lines)
        if len(lines) >= SLOT_SHARE * len(pages) and repeats >= SLOT_REPEATS * len(lines):
            gone |= {id(line) for line in lines}
    return gone


def _pitch(pages: Sequence[Page]) -> float:
    """Return the usual distance between lines, in points."""
    gaps = [
        one.base - two.base
        for page in pages
        for one, two in pairwise(page.lines)
        if 0 < one.base - two.base < 3 * max(one.size, 1)
    ]
    return float(median(gaps)) if gaps else 0.0
