"""Text extraction from a PDF with a text layer: drop running heads and contents, join the lines to paragraphs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from statistics import median

from crawlers.formats import document_metadata, private_use
from crawlers.formats.contents import find_contents
from crawlers.formats.pdf import pdf_pages, pdf_paragraphs
from crawlers.formats.pdf.pdf_lines import Line, has_code_font
from crawlers.formats.pdf.pdf_pages import Page
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Extracted, Item

SCAN_TEXT = 30  # code points a page below which the text over a scanned page is a stamp or a page number
UNMAPPED = 0.1  # share of characters without a Unicode mapping from which the text layer is unusable
WESTERN = 0.3  # share of accented Latin letters and their neighbours; Vietnamese 25 %, Korean mojibake 90 %
_MEANINGLESS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
_BULLET = re.compile(r"(?m)^[\uf000-\uf0ff](?=\s)")  # Symbol and Wingdings, which have no other code
_LATIN_1 = re.compile(r"[\xa1-\xff]+")
_ACCENTED = re.compile(r"[\xc0-\xd6\xd8-\xf6\xf8-\xff]")  # Latin-1 letters; a run of symbols alone is not mojibake
# A repeated sign, spaced or not, is a dot leader before a page number: not text, whatever its font.
_LEADER = re.compile(r"([^\w\s]|_)(?:\s{0,3}\1){2,}")
_LONG_LEADER = re.compile(r"([.·…‥․ㆍ•∙⋅・⋯─_])(?:[ \t]{0,3}\1){7,}")  # what forms have for writing on
_MIDDLE_DOT = re.compile("(?<![\u1100-\u115f])\u119e")  # a vowel without a consonant before it
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\ufeff\ufffe\uffff]")
_SPACE = re.compile(r"[^\S\n]+")
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


def extract(item: Item) -> Extracted:
    """Extract the text of a PDF: pages in order, without running heads and page numbers, one paragraph a line.

    Raises Unreadable: `encrypted` (a password is needed to open it), `damaged`, `too-large`, `archive-bomb`,
    `scanned` (pictures of pages without a text layer), `no-text`, `no-unicode-text` (its fonts do not map glyphs to
    characters).
    """
    body = item.body if isinstance(item.body, bytes) else item.body.encode()
    pages, said = pdf_pages.read(body)
    scans = [page for page in pages if page.scanned]
    words = sum(len(line.text) for page in scans for line in page.lines)
    if 2 * len(scans) > len(pages) and words < SCAN_TEXT * len(scans):
        raise Unreadable("scanned")
    if not any(page.lines for page in pages):
        raise Unreadable("no-text")
    pages = _replace_private(pages)
    # Detect glyph numbers instead of characters before lines are joined, which would be guesswork over noise.
    _check_letters(line.text for page in pages for line in page.lines)
    lines = remove_running_heads(pages)
    code = has_code_font(lines)
    contents = find_contents(["" if code and line.fixed else line.tabbed or line.text for line in lines])
    text = _clean(pdf_paragraphs.text([line for index, line in enumerate(lines) if index not in contents]))
    if not text:
        raise Unreadable("no-text")
    packet = document_metadata.xmp(body)
    title = document_metadata.title(said.get("Title", "")) or document_metadata.title(packet.get("dc:title", ""))
    author = document_metadata.author(said.get("Author", "")) or document_metadata.author(packet.get("dc:creator", ""))
    stated = (said.get("CreationDate", ""), packet.get("xmp:CreateDate", ""), said.get("ModDate", ""))
    return Extracted(
        text=text,
        title=item.title or title,
        date=item.date or next(filter(None, map(document_metadata.date, stated)), ""),
        author=item.author or author,
        format="pdf",
        cells=sum(page.cells for page in pages),
        blank_cells=sum(page.blank_cells for page in pages),
    )


def _replace_private(pages: list[Page]) -> list[Page]:
    """Replace private-use letters of Hanyang and Hancom, and the letter that Hancom's fonts have for a middle dot."""
    letters = private_use.letters_of(line.text for page in pages for line in page.lines)

    def mend(text: str) -> str:
        return _MIDDLE_DOT.sub("ㆍ", text.translate(letters)) if not text.isascii() else text

    return [
        replace(
            page,
            lines=tuple(replace(line, text=mend(line.text), tabbed=mend(line.tabbed)) for line in page.lines),
        )
        for page in pages
    ]


def _check_letters(lines: Iterable[str]) -> None:
    letters = bad = western = 0
    for line in lines:
        text = _LEADER.sub("", _BULLET.sub("", line))
        letters += sum(not char.isspace() for char in text)
        bad += len(_MEANINGLESS.findall(text))
        western += sum(len(run) for run in _LATIN_1.findall(text) if _ACCENTED.search(run))
    if bad > UNMAPPED * letters or western > WESTERN * letters:
        raise Unreadable("no-unicode-text")


def remove_running_heads(pages: Sequence[Page]) -> list[Line]:
    """Return all lines in order, without those repeated at the top or bottom of pages; all digits count as equal."""
    code = has_code_font(line for page in pages for line in page.lines)
    edges: list[list[Line]] = []  # lines near the ends of each page; no lines of code, if the document has code
    for page in pages:
        foot, head = ZONE * page.height, (1 - ZONE) * page.height
        text = (  # the repeated head row of a table that reaches out of the zones is text
            line
            for line in page.lines
            if not (line.cell and line.cell.bottom < head and line.cell.top > foot) and not (code and line.fixed)
        )
        by_height = sorted(text, key=lambda line: line.base)
        low = [line for line in by_height[:EDGE] if line.base < foot]
        high = [line for line in by_height[-EDGE:] if line.base > head]
        edges.append([*low, *(line for line in high if all(line is not other for other in low))])
    # Nothing but a number that grows by one from page to page, at one height.
    places: dict[tuple[int, int], list[Line]] = defaultdict(list)
    for line in chain.from_iterable(edges):
        if match := _PAGE_NUMBER.fullmatch(line.text.strip()):
            places[round(line.base / GRID), int(match[1]) - line.page].append(line)
    gone = {id(line) for lines in places.values() if len(lines) > 1 for line in lines}
    if len(pages) >= MIN_PAGES:
        counts = Counter(key for page in edges for key in {_key(line) for line in page})
        enough = REPEATS if len(pages) > 2 * FEW else FEW
        gone |= {id(line) for line in chain.from_iterable(edges) if counts[_key(line)] >= enough}
        gone |= _find_slots(edges, pages)
    return [line for page in pages for line in page.lines if id(line) not in gone]


def _key(line: Line) -> tuple[int, str]:
    text = "".join(line.text.split())
    if _ROMAN.fullmatch(text):
        text = "0"
    return round(line.base / GRID), _DIGITS.sub("0", text)


def _bare(line: Line) -> str:
    return "".join(line.text.split()).strip("0123456789-–|.")


def _find_slots(edges: list[list[Line]], pages: Sequence[Page]) -> set[int]:
    """Return lines at a height where many pages have a line that is apart from the text and often repeats."""
    drops = [
        one.base - two.base
        for page in pages
        for one, two in pairwise(page.lines)
        if 0 < one.base - two.base < 3 * max(one.size, 1)
    ]
    pitch = float(median(drops)) if drops else 0.0  # usual distance between lines, in points
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


def _clean(text: str) -> str:
    r"""Replace bullets of symbol fonts by •, remove controls, soft hyphens and long leaders, normalise white space.

    Code between fences keeps its white space.

    >>> _clean("\uf0b7 하나\x02  둘\u00ad째")
    '• 하나 둘째'
    """
    lines = []
    fenced = False
    for part in _CONTROL.sub("", _BULLET.sub("•", text)).split("\n"):
        if part == pdf_paragraphs.FENCE:
            fenced = not fenced
        line = part.rstrip() if fenced else _SPACE.sub(" ", _LONG_LEADER.sub(" ", part)).strip()
        if line:
            lines.append(line)
    return "\n".join(lines)
