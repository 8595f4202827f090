"""Read the lines of a PDF's text layer with their positions, using pdfium; beside it only pdf_drawings.py does.

pdfium is not thread-safe: one document at a time per process. It reads whole content streams,
so stream_limits.py bounds their size before, and the limits of the worker bound the cost after that.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from crawlers.formats.isolated_process import ReaderDied, call_isolated
from crawlers.formats.pdf.pdf_cells import lay_out
from crawlers.formats.pdf.pdf_drawings import read_drawings
from crawlers.formats.pdf.pdf_lines import Char, Line
from crawlers.formats.pdf.stream_limits import blank_images
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.limits import PDF_MEMORY, PDF_SECONDS

MAX_PAGES = 5_000
MAX_CHARS = 20_000_000  # code points of a document, white space included
MAX_PAGE_CHARS = 1_000_000  # of a page; a full page of newsprint has about 20,000
HYPHEN = "\ufffe"  # pdfium's character for a hyphen at the end of a line, in place of hyphen and line break
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_FIXED_PITCH = 1  # flag of a font descriptor (ISO 32000-1, table 123)
_CODE_FONT = re.compile(rb"(?i)mono(?!type)|courier|consolas|menlo|coding|typewriter|cmtt")
SPACING = "\x1f"  # replaces a gap that separates no words, until the lines are laid out; white space for Python
SPACES = 10  # spaces between Hangul on a page; with fewer, the page does not show what its spaces are
SEEN = 40  # so many of them are looked at
SPACED = 0.3  # line sizes; a wider gap is a tab, or follows the number of a heading
MADE = 0.05  # share of them that may be made by pdfium
_SCRIPTS = re.compile(r"(?<=[0-9A-Za-z)\]}]) (?=[\uac00-\ud7a3])|(?<=[\uac00-\ud7a3]) (?=[0-9A-Za-z(\[{])")
_HANGUL_SPACE = re.compile(r"(?<=[\uac00-\ud7a3]) (?=[\uac00-\ud7a3])")
_WORD = re.compile(r"\S+")
LOWER = 0.8  # line sizes; a word that is so much lower than the one before is on another line
_BREAK = "\r\n"
_PASSWORD = raw.FPDF_ERR_PASSWORD
_SECURITY = raw.FPDF_ERR_SECURITY
_OUT_OF_MEMORY = frozenset({"MemoryError", "SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL"})  # pdfium without memory ends so


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page in the order of its content, its height in points, and whether a picture fills it."""

    number: int
    height: float
    lines: tuple[Line, ...]
    scanned: bool = False
    cells: int = 0  # of its ruled tables
    blank_cells: int = 0  # those of them without words


def read(body: bytes) -> tuple[list[Page], dict[str, str]]:
    """Return pages and information dictionary. Raises Unreadable: `encrypted`, `damaged`, `archive-bomb`, `too-large`.

    pdfium expands a form at each use, without a limit: nested forms turn a kilobyte into gigabytes.
    The number of uses cannot be predicted (streams may be encrypted, names indirect), so memory is limited instead.
    """
    checked = blank_images(body)
    try:
        return call_isolated(lambda: _read_all(checked), PDF_MEMORY, PDF_SECONDS)
    except ReaderDied as error:
        if error.how in _OUT_OF_MEMORY:
            raise Unreadable("archive-bomb", PDF_MEMORY) from error
        raise Unreadable("damaged") from error


def _read_all(body: bytes) -> tuple[list[Page], dict[str, str]]:
    with open_document(body) as document:
        return list(pages(document)), information(document)


class _Damaged(Exception):
    """pdfium's binding raised an exception about the bytes that is not a pdfium error."""


@contextmanager
def open_document(body: bytes) -> Iterator[pdfium.PdfDocument]:
    """Open a document and close it afterwards. Raises Unreadable: `encrypted`, `damaged`, `too-large`."""
    try:
        with input_errors(_Damaged, pdfium.PdfiumError, MemoryError):
            document = pdfium.PdfDocument(body)
    except _Damaged as error:
        raise Unreadable("damaged") from error
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", 0) in (_PASSWORD, _SECURITY)
        raise Unreadable("encrypted" if locked else "damaged") from error
    try:
        if len(document) > MAX_PAGES:
            raise Unreadable("too-large")
        yield document
    finally:
        document.close()


def pages(document: pdfium.PdfDocument) -> Iterator[Page]:
    """Yield the pages. A document without pages, or with a page that cannot be loaded, is `damaged`."""
    left = MAX_CHARS
    if not len(document):
        raise Unreadable("damaged")
    for number in range(len(document)):
        page = raw.FPDF_LoadPage(document.raw, number)
        if not page:
            raise Unreadable("damaged")
        try:
            found = _page(page, number, min(left, MAX_PAGE_CHARS))
        finally:
            raw.FPDF_ClosePage(page)
        left -= sum(len(line.text) for line in found.lines)
        yield found


def information(document: pdfium.PdfDocument) -> dict[str, str]:
    """Return the information dictionary as text: Title, Author, CreationDate, ModDate …"""
    return {key: value.strip("\0") for key, value in document.get_metadata_dict(skip_empty=True).items()}


def _page(page: raw.FPDF_PAGE, number: int, limit: int) -> Page:
    height = float(raw.FPDF_GetPageHeightF(page))
    text_page = raw.FPDFText_LoadPage(page)
    if not text_page:
        return Page(number, height, ())
    try:
        count = raw.FPDFText_CountChars(text_page)
        if count > limit:
            raise Unreadable("too-large")
        drawings = read_drawings(page)
        lines = _mark_spacing(text_page, list(_lines(text_page, count, number)) if count > 0 else [])
        found = lay_out(lines, drawings, lambda line: _chars(text_page, line))
        closed = tuple(map(_close_spacing, found.lines))
        return Page(number, height, closed, drawings.scanned, found.cells, found.blank_cells)
    finally:
        raw.FPDFText_ClosePage(text_page)


def _lines(text_page: raw.FPDF_TEXTPAGE, count: int, number: int) -> Iterator[Line]:
    # UTF-16 units: a character outside the Basic Multilingual Plane takes two.
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    size = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(memoryview(buffer)[: max(size - 1, 0)]).decode("utf-16-le", "replace")
    start = 0
    units = 0  # UTF-16 units before `start`, the unit of pdfium's indices
    while start < len(text):
        end = text.find(_BREAK, start)
        end = len(text) if end < 0 else end
        hyphen = text.find(HYPHEN, start, end)
        end = hyphen if hyphen >= 0 else end
        whole = text[start:end]
        line = whole.strip()
        if line:
            lead = units + _units(whole[: len(whole) - len(whole.lstrip())])
            made = _make_line(text_page, line, lead, number, spaced=whole[-1].isspace(), hyphen=hyphen >= 0)
            yield from _part_lines(text_page, made) if " " in line else (made,)
        step = 1 if hyphen >= 0 else len(_BREAK)
        units += _units(whole) + step
        start = end + step


def _make_line(text_page: raw.FPDF_TEXTPAGE, text: str, at: int, number: int, *, spaced: bool, hyphen: bool) -> Line:
    end = at + _units(text) - 1
    first, last = _char_box(text_page, at), _char_box(text_page, end)
    hangul = _HANGUL.search(text)  # bullets and Latin words have other fonts, with other heights
    opens = _is_fixed(text_page, at)
    measured = _char_box(text_page, at + _units(text[: hangul.start()])) if hangul else first
    return Line(
        text=text,
        page=number,
        left=first.left,
        right=max(first.right, last.right),
        base=first.bottom,
        size=measured.top - measured.bottom,
        spaced=spaced,
        hyphen=hyphen,
        fixed=opens and all(_is_fixed(text_page, place) for place in (end, (at + end) // 2)),
        opens_fixed=opens,
        at=at,
    )


def _part_lines(text_page: raw.FPDF_TEXTPAGE, line: Line) -> Iterator[Line]:
    """Cut a line whose end is lower than its beginning: pdfium joins lines that change their font in between."""
    end = _char_box(text_page, line.at + _units(line.text) - 1)
    if line.base - end.bottom < LOWER * line.size:
        yield line
        return
    start, at, base = 0, line.at, line.base
    for match in _WORD.finditer(line.text):
        place = line.at + _units(line.text[: match.start()])
        box = _char_box(text_page, place)
        if base - box.bottom >= LOWER * line.size and match.start():
            part = line.text[start : match.start()].rstrip()
            yield _make_line(text_page, part, at, line.page, spaced=True, hyphen=False)
            start, at, base = match.start(), place, box.bottom
    yield _make_line(text_page, line.text[start:], at, line.page, spaced=line.spaced, hyphen=line.hyphen)


def _mark_spacing(text_page: raw.FPDF_TEXTPAGE, lines: list[Line]) -> list[Line]:
    """Mark spaces between Hangul and Latin that pdfium made of spacing: where all other spaces are characters.

    Word processors widen the place where the script changes; pdfium takes that for a space.
    """

    def is_made(line: Line, place: int) -> bool:
        at = line.at + _units(line.text[:place])
        index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, at)
        return bool(raw.FPDFText_IsGenerated(text_page, index) == 1)

    def gap(line: Line, place: int) -> float:
        at = line.at + _units(line.text[:place])
        return float(_char_box(text_page, at + 1).left - _char_box(text_page, at - 1).right)

    spaces = ((line, match.start()) for line in lines for match in _HANGUL_SPACE.finditer(line.text))
    others = [is_made(line, place) for line, place in islice(spaces, SEEN)]
    if len(others) < SPACES or sum(others) > MADE * len(others):
        return lines
    found = []
    for line in lines:
        text = list(line.text)
        for match in _SCRIPTS.finditer(line.text):
            if is_made(line, match.start()) and gap(line, match.start()) < SPACED * line.size:
                text[match.start()] = SPACING
        found.append(replace(line, text="".join(text)))
    return found


def _close_spacing(line: Line) -> Line:
    if SPACING not in line.text:
        return line
    return replace(line, text=line.text.replace(SPACING, ""), tabbed=line.tabbed.replace(SPACING, ""))


def _is_fixed(text_page: raw.FPDF_TEXTPAGE, at: int) -> bool:
    """Whether a character is of a font with one width: by its flag, or by the name of a font for code."""
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, at)
    size = raw.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    return bool(size) and bool(flags.value & _FIXED_PITCH or _CODE_FONT.search(name.value))


def _chars(text_page: raw.FPDF_TEXTPAGE, line: Line) -> list[Char]:
    found = []
    at = line.at
    box = raw.FS_RECTF()
    pointer = ctypes.byref(box)
    for char in line.text:
        raw.FPDFText_GetLooseCharBox(text_page, raw.FPDFText_GetCharIndexFromTextIndex(text_page, at), pointer)
        found.append(Char(char, box.left, box.right, box.bottom, box.top))
        at += 1 if char < "\U00010000" else 2
    return found


def _char_box(text_page: raw.FPDF_TEXTPAGE, at: int) -> raw.FS_RECTF:
    box = raw.FS_RECTF()
    index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, at)
    raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box))
    return box


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
