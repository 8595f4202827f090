"""Text extraction from a PDF with a text layer: join its lines to paragraphs."""

from __future__ import annotations

import re
from dataclasses import replace

from crawlers.formats import document_metadata, private_use
from crawlers.formats.contents import find_contents
from crawlers.formats.pdf import pdf_pages, pdf_paragraphs, running_heads
from crawlers.formats.pdf.pdf_blocks import FENCE
from crawlers.formats.pdf.pdf_lines import Line, has_code_font
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


def extract(item: Item) -> Extracted:
    """Extract the text of a PDF: pages in order, without running heads and page numbers, one paragraph a line.

    Raises Unreadable: `encrypted` (a password is needed to open it), `damaged`, `too-large`, `archive-bomb`,
    `scanned` (pictures of pages without a text layer), `no-text`, `no-unicode-text` (its fonts do not map glyphs to
    characters).
    """
    body = item.body if isinstance(item.body, bytes) else item.body.encode()
    pages, said = pdf_pages.read(body)
    if _is_scan(pages):
        raise Unreadable("scanned")
    if not any(page.lines for page in pages):
        raise Unreadable("no-text")
    pages = _replace_private(pages)
    # Detect glyph numbers instead of characters before lines are joined, which would be guesswork over noise.
    _check_pages(pages)
    lines = _remove_contents(running_heads.remove_running_heads(pages))
    text = _clean(pdf_paragraphs.text(lines))
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


def _is_scan(pages: list[pdf_pages.Page]) -> bool:
    """Whether pictures fill the pages and almost no text lies over them."""
    scans = [page for page in pages if page.scanned]
    words = sum(len(line.text) for page in scans for line in page.lines)
    return 2 * len(scans) > len(pages) and words < SCAN_TEXT * len(scans)


def _replace_private(pages: list[pdf_pages.Page]) -> list[pdf_pages.Page]:
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


def _remove_contents(lines: list[Line]) -> list[Line]:
    code = has_code_font(lines)
    gone = find_contents(["" if code and line.fixed else line.tabbed or line.text for line in lines])
    return [line for at, line in enumerate(lines) if at not in gone]


def _check_pages(pages: list[pdf_pages.Page]) -> None:
    seen = bad = western = 0
    for page in pages:
        for line in page.lines:
            text = _LEADER.sub("", _BULLET.sub("", line.text))
            seen += sum(not char.isspace() for char in text)
            bad += len(_MEANINGLESS.findall(text))
            western += sum(len(run) for run in _LATIN_1.findall(text) if _ACCENTED.search(run))
    if bad > UNMAPPED * seen or western > WESTERN * seen:
        raise Unreadable("no-unicode-text")


def _clean(text: str) -> str:
    r"""Replace bullets of symbol fonts by •, remove controls, soft hyphens and long leaders, normalise white space.

    Code between fences keeps its white space.

    >>> _clean("\uf0b7 하나\x02  둘\u00ad째")
    '• 하나 둘째'
    """
    found = []
    fenced = False
    for part in _CONTROL.sub("", _BULLET.sub("•", text)).split("\n"):
        if part == FENCE:
            fenced = not fenced
        line = part.rstrip() if fenced else _SPACE.sub(" ", _LONG_LEADER.sub(" ", part)).strip()
        if line:
            found.append(line)
    return "\n".join(found)
