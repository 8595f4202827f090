"""Read the lines of a PDF's text layer with their positions, using pdfium; beside it only pdf_tables.py does.

pdfium is not thread-safe (one document at a time per process), decompresses streams without a limit, and expands a
form at each use, without a limit. So the file is checked before it is read, and read in a process of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import pickle
import re
import resource
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from crawlers.formats.pdf.pdf_lines import Char, Line, lay_out
from crawlers.formats.pdf.pdf_tables import read_drawings
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.limits import PDF_MEMORY, PDF_SECONDS, InputLimit

R = TypeVar("R")

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
MAX_BODY = 256 * 1024 * 1024  # bytes of a file
MAX_STREAM = 64 * 1024 * 1024  # bytes of one stream, unpacked; fonts with all of Hangul and Han have up to 25 MB
MAX_DENSE = 64 * 1024 * 1024  # bytes of all streams together that unpack to more than DENSE times their size
DENSE = 25  # unpacked : packed; text and drawing have 3 to 15, deflate reaches up to 1,032
SMALL = 512  # bytes, packed: unpacks to half a megabyte at most
MAX_STREAMS = 1_000_000
CHUNK = 1024 * 1024  # bytes unpacked at once
DICTIONARY = 2_000  # bytes before the word `stream` that are searched for the dictionary
_START = re.compile(rb"stream\r?\n|stream\r")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl|LZWDecode|LZW|RunLengthDecode|RL)\b")
_LZW = re.compile(rb"/(?:LZWDecode|LZW)\b")
# Each repeated reference to a page or its content costs its full price again. Only these two arrays are
# checked: structure trees legitimately repeat references.
_ARRAY = re.compile(rb"/(?:Contents|Kids)\s{0,9}\[([\s\dR]{90,2000000})\]")
_REFERENCE = re.compile(rb"\d{1,9}\s{1,9}\d{1,5}\s{1,9}R")
REPEATS = 20  # allowed references in one array, beyond twice the number of different ones
_OBJECTS = re.compile(rb"/ObjStm\b")
_IMAGE = re.compile(rb"/Subtype\s{0,9}/Image\b")
_STATM = Path("/proc/self/statm")  # size of the address space in pages; Linux


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

    Nested forms turn a kilobyte into gigabytes. The number of uses cannot be predicted (streams may be encrypted,
    names indirect), so memory is limited instead.
    """
    checked = blank_images(body)

    def read_all() -> tuple[list[Page], dict[str, str]]:
        with open_document(checked) as document:
            lines = list(pages(document))
            # The dictionary has, as text: Title, Author, CreationDate, ModDate …
            return lines, {key: value.strip("\0") for key, value in document.get_metadata_dict(skip_empty=True).items()}

    try:
        return call_isolated(read_all, PDF_MEMORY, PDF_SECONDS)
    except ReaderDied as error:
        if error.how in _OUT_OF_MEMORY:
            raise Unreadable("archive-bomb", PDF_MEMORY) from error
        raise Unreadable("damaged") from error


def blank_images(body: bytes) -> bytes:
    """Return the file with its images blanked: text extraction does not need them, and they may unpack a thousandfold.

    Measured with pypdfium2 5.15: a page whose content is 200 KB packed and 100 MB unpacked takes pdfium 190 MB and
    1.6 s, one of 3.9 MB and 2 GB takes 2.9 GB and 22 s. Raises Unreadable: `too-large`, and `archive-bomb` for streams
    that unpack to more than a real page or font does. Encrypted streams cannot be checked; the limits of the process
    apply to them.
    """
    if len(body) > MAX_BODY:
        raise Unreadable("too-large")
    if _has_repeated_references(body):
        raise Unreadable("archive-bomb")
    images: list[tuple[int, int]] = []
    dense = 0
    for start, end, dictionary in _find_streams(body):
        if _IMAGE.search(dictionary):
            images.append((start, end))
            continue
        if _OBJECTS.search(dictionary):
            with contextlib.suppress(zlib.error):  # not deflated
                if _has_repeated_references(zlib.decompressobj().decompress(body[start:end], CHUNK)):
                    raise Unreadable("archive-bomb")
        if end - start < SMALL:
            continue
        size = _measure_unpacked(body[start:end], dictionary)
        if size > DENSE * (end - start):
            dense += size
        if size > MAX_STREAM or dense > MAX_DENSE:
            raise Unreadable("archive-bomb")
    if not images:
        return body
    copy = bytearray(body)
    for start, end in images:
        copy[start:end] = bytes(end - start)  # all offsets stay valid
    return bytes(copy)


def _find_streams(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield start and end of the data of each stream, and its dictionary."""
    end = 0
    for _ in range(MAX_STREAMS):
        match = _START.search(body, end)
        if match is None:
            return
        close = body.find(b"endstream", match.end())
        close = len(body) if close < 0 else close
        head = body[max(end, match.start() - DICTIONARY) : match.start()]
        yield match.end(), close, head[head.rfind(b" obj") + 1 :]
        end = min(close + len(b"endstream"), len(body))
    raise Unreadable("archive-bomb")


def _has_repeated_references(objects: bytes) -> bool:
    for array in _ARRAY.finditer(objects):
        named = _REFERENCE.findall(array.group(1))
        if len(named) > 2 * len(set(named)) + REPEATS:
            return True
    return False


def _measure_unpacked(packed: bytes, dictionary: bytes) -> int:
    """Return the unpacked size of a stream; more than MAX_STREAM if it is unknown (packed twice or similar)."""
    if len(_FLATE.findall(dictionary)) > 1:
        return MAX_STREAM + 1
    if _LZW.search(dictionary):
        # 12 bits encode at most 4,096 bytes; real LZW has a ratio like that of deflate.
        return 1_000 * len(packed) if len(packed) > MAX_STREAM // 1_000 else 0
    if packed[0] & 0x0F != 8 or (packed[0] * 256 + packed[1]) % 31:
        return len(packed)  # not deflated (RFC 1950, section 2.2)
    unpack = zlib.decompressobj()
    size = 0
    with contextlib.suppress(zlib.error):
        while packed and not unpack.eof and size <= MAX_STREAM:
            size += len(unpack.decompress(packed, CHUNK))
            packed = unpack.unconsumed_tail
    return size


class ReaderDied(Exception):
    """The child ended without an answer; `how` names its exception or signal."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


def call_isolated(read: Callable[[], R], memory: InputLimit, seconds: InputLimit) -> R:
    """Call `read()` in a forked process whose address space may grow by `memory`; the result must be picklable.

    An abort, `std::bad_alloc` or crash of a library ends the child, not the caller. The child may use the CPU budget
    of the worker's document (which fails if it is exhausted), or `seconds` of CPU without a budget. Raises the
    Unreadable that `read` raises, `too-large` after `seconds`, and ReaderDied for every other end.
    """
    budget = signal.getitimer(signal.ITIMER_PROF)[0]  # seconds of CPU; 0.0 if this process has no budget
    come, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(come)
        _answer(read, go, memory.value, budget or seconds.value)
    os.close(go)
    try:
        with os.fdopen(come, "rb") as stream:
            reply = stream.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGPROF:
            if budget:
                signal.raise_signal(signal.SIGPROF)
            raise Unreadable("too-large", seconds)
        raise ReaderDied(signal.Signals(os.WTERMSIG(status)).name)
    answer = pickle.loads(reply) if reply else ReaderDied(f"exit status {os.waitstatus_to_exitcode(status)}")
    if isinstance(answer, Exception):
        raise answer
    result: R = answer[0]
    return result


def _answer(read: Callable[[], Any], go: int, memory: int, budget: float) -> NoReturn:
    """In the child: write the result of `read`, and exit without the interpreter's shutdown."""
    answer: object
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, budget)  # a child does not inherit timers
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno() if sys.__stderr__ else 2)
        if _STATM.exists():
            now = int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            soft, hard = resource.getrlimit(resource.RLIMIT_AS)
            ends = [limit for limit in (now + memory, soft, hard) if limit != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_AS, (min(ends), hard))
        with input_errors(ReaderDied, Unreadable):
            answer = (read(),)
    except Unreadable as error:
        answer = error
    except BaseException as error:  # a forked child may return nothing but its answer
        answer = error if isinstance(error, ReaderDied) else ReaderDied(type(error).__name__)
    with contextlib.suppress(BaseException), os.fdopen(go, "wb") as stream:
        stream.write(pickle.dumps(answer))
    os._exit(0)


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
    budget = MAX_CHARS
    if not len(document):
        raise Unreadable("damaged")
    for number in range(len(document)):
        loaded = raw.FPDF_LoadPage(document.raw, number)
        if not loaded:
            raise Unreadable("damaged")
        try:
            page = _read_page(loaded, number, min(budget, MAX_PAGE_CHARS))
        finally:
            raw.FPDF_ClosePage(loaded)
        budget -= sum(len(line.text) for line in page.lines)
        yield page


def _read_page(page: raw.FPDF_PAGE, number: int, limit: int) -> Page:
    height = float(raw.FPDF_GetPageHeightF(page))
    text_page = raw.FPDFText_LoadPage(page)
    if not text_page:
        return Page(number, height, ())
    try:
        count = raw.FPDFText_CountChars(text_page)
        if count > limit:
            raise Unreadable("too-large")
        drawings = read_drawings(page)
        lines = _mark_spacing(text_page, list(_read_lines(text_page, count, number)) if count > 0 else [])
        layout = lay_out(lines, drawings, lambda line: _read_chars(text_page, line))
        closed = tuple(
            replace(line, text=line.text.replace(SPACING, ""), tabbed=line.tabbed.replace(SPACING, ""))
            if SPACING in line.text
            else line
            for line in layout.lines
        )
        return Page(number, height, closed, drawings.scanned, layout.cells, layout.blank_cells)
    finally:
        raw.FPDFText_ClosePage(text_page)


def _read_lines(text_page: raw.FPDF_TEXTPAGE, count: int, number: int) -> Iterator[Line]:
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
        words = whole.strip()
        if words:
            lead = units + _count_units(whole[: len(whole) - len(whole.lstrip())])
            line = _make_line(text_page, words, lead, number, spaced=whole[-1].isspace(), hyphen=hyphen >= 0)
            yield from _part_lines(text_page, line) if " " in words else (line,)
        step = 1 if hyphen >= 0 else len(_BREAK)
        units += _count_units(whole) + step
        start = end + step


def _part_lines(text_page: raw.FPDF_TEXTPAGE, line: Line) -> Iterator[Line]:
    """Cut a line whose end is lower than its beginning: pdfium joins lines that change their font in between."""
    end = _char_box(text_page, line.at + _count_units(line.text) - 1)
    if line.base - end.bottom < LOWER * line.size:
        yield line
        return
    start, at, base = 0, line.at, line.base
    for match in _WORD.finditer(line.text):
        place = line.at + _count_units(line.text[: match.start()])
        box = _char_box(text_page, place)
        if base - box.bottom >= LOWER * line.size and match.start():
            part = line.text[start : match.start()].rstrip()
            yield _make_line(text_page, part, at, line.page, spaced=True, hyphen=False)
            start, at, base = match.start(), place, box.bottom
    yield _make_line(text_page, line.text[start:], at, line.page, spaced=line.spaced, hyphen=line.hyphen)


def _make_line(text_page: raw.FPDF_TEXTPAGE, text: str, at: int, number: int, *, spaced: bool, hyphen: bool) -> Line:
    end = at + _count_units(text) - 1
    first, last = _char_box(text_page, at), _char_box(text_page, end)
    hangul = _HANGUL.search(text)  # bullets and Latin words have other fonts, with other heights
    opens = _is_fixed(text_page, at)
    measured = _char_box(text_page, at + _count_units(text[: hangul.start()])) if hangul else first
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


def _is_fixed(text_page: raw.FPDF_TEXTPAGE, at: int) -> bool:
    """Whether a character is of a font with one width: by its flag, or by the name of a font for code."""
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, at)
    size = raw.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    return bool(size) and bool(flags.value & _FIXED_PITCH or _CODE_FONT.search(name.value))


def _mark_spacing(text_page: raw.FPDF_TEXTPAGE, lines: list[Line]) -> list[Line]:
    """Mark spaces between Hangul and Latin that pdfium made of spacing: where all other spaces are characters.

    Word processors widen the place where the script changes; pdfium takes that for a space.
    """

    def is_made(line: Line, place: int) -> bool:
        at = line.at + _count_units(line.text[:place])
        index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, at)
        return bool(raw.FPDFText_IsGenerated(text_page, index) == 1)

    def gap(line: Line, place: int) -> float:
        at = line.at + _count_units(line.text[:place])
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


def _read_chars(text_page: raw.FPDF_TEXTPAGE, line: Line) -> list[Char]:
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


def _count_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
