"""Text extraction from HWP 5: a compound file with a header, a summary and sections of records. HWP 3 is refused.

Records form a tree by levels: following records of a deeper level belong to a record. They are read in one pass,
so that a section needs no more memory than its text. Source as in crawlers/formats/hwp/hwp_records.py, section 4.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import unpack_from

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crawlers.formats.blocks import Block, Cell, Paragraph, Table, count_cells, next_depth, text_of
from crawlers.formats.contents import remove_contents
from crawlers.formats.hwp import hwp_records as tags
from crawlers.formats.hwp import summary_properties
from crawlers.formats.hwp.hwp_records import FIELD_END, MAX_TOTAL, Record, inflate, pieces, read_counted_string, records
from crawlers.formats.hwp.numbering import Numbers, OpenFields, read_prompt, read_record_shapes
from crawlers.formats.hwp.ole import Container
from crawlers.formats.hwp.summary_properties import Summary
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

SIGNATURE = b"HWP Document File"
# Bits of the header (Hancom, "한글 문서 파일 형식 5.0" revision 1.3, "파일 인식 정보").
_PACKED, _PASSWORD, _DISTRIBUTION = 0x1, 0x2, 0x4
_DRM, _CERTIFICATE, _CERTIFICATE_DRM = 0x10, 0x100, 0x400
_SECTION = re.compile(r"(BodyText|ViewText)/Section(\d{1,5})")
_LOCKED = 126  # offset of the word that is not 0 in HWP 3 with a password: 96 bytes after the signature of 30
SIZE = 256  # bytes of the first record of a section of a distribution document
_BLOCK = 16  # bytes of an AES block
# In BodyText, for programs without support of distribution documents; it is not the text.
PLACEHOLDER = "상위 버전의 배포용 문서입니다"
_NOTES = frozenset({b"fn  ", b"en  "})
# Controls whose lists are not text: section (master pages), header, footer, hidden comment, memo.
_LEFT_OUT = frozenset({b"secd", b"head", b"foot", b"tcmt", b"%%me"})
_PAGE = 0  # kind of an automatic number
_FILLED = 0x8000  # property of a field: its words were edited


def extract(item: Item) -> Extracted:
    """Extract the text of an HWP 5 document, one paragraph or table row ("| … |") a line.

    Layout tables become paragraphs. Notes follow their paragraph, boxes precede or follow it; headers, footers,
    master pages, hidden comments and memos are left out. Character formats are lost. If one section
    cannot be read, the document is damaged as a whole: a partial text would be a silent loss.

    Raises Unreadable: `encrypted` (password or certificate), `drm`, `damaged`, `archive-bomb`, `too-large`, `no-text`,
    `unsupported-version:<version>`. HWP 3 (1996–1999) is not read: its characters have a code of their own (composed
    Hangul, and tables of symbols and old letters), and no document with a known text was available to verify a reader.
    """
    assert isinstance(item.body, bytes)
    if item.body.startswith(SIGNATURE):  # HWP 5 has it in its container
        if len(item.body) < _LOCKED + 2:
            raise Unreadable("damaged")
        raise Unreadable("encrypted" if any(item.body[_LOCKED : _LOCKED + 2]) else "unsupported-version:hwp3")
    container = Container(item.body)
    header = container.read("FileHeader")
    if not header.startswith(SIGNATURE) or len(header) < 40:
        raise Unreadable("damaged")
    version, flags = unpack_from("<II", header, 32)
    if version >> 24 != 5:
        raise Unreadable(f"unsupported-version:{version >> 24}.{version >> 16 & 0xFF}")
    if flags & (_DRM | _CERTIFICATE_DRM):
        raise Unreadable("drm")
    if flags & (_PASSWORD | _CERTIFICATE):
        raise Unreadable("encrypted")
    body = remove_contents(_read_body(container, flags))
    text = text_of(body)
    if flags & _DISTRIBUTION and text.startswith(PLACEHOLDER):
        raise Unreadable("damaged")
    cells, blank = count_cells(body)
    try:
        summary = summary_properties.read(container.read(summary_properties.STREAM))
    except Unreadable:  # the text does not depend on it
        summary = Summary()
    return Extracted(
        text=text,
        title=item.title or summary_properties.headline(summary.title, text),
        date=item.date or summary.date,
        author=item.author or summary.author,
        format="hwp",
        cells=cells,
        blank_cells=blank,
    )


def _read_body(container: Container, flags: int) -> list[Block]:
    """Return the blocks of all sections. Raises Unreadable `damaged` if there are none or one in the sequence lacks."""
    head = container.read("DocInfo")
    numbers = Numbers(read_record_shapes(records(inflate(head) if flags & _PACKED else head)))
    storage = "ViewText" if flags & _DISTRIBUTION else "BodyText"
    matches = filter(None, map(_SECTION.fullmatch, container.paths))
    sections = {int(match[2]): match[0] for match in matches if match[1] == storage}
    if not sections or set(sections) != set(range(len(sections))):
        raise Unreadable("damaged")
    blocks: list[Block] = []
    budget = MAX_TOTAL
    for _, path in sorted(sections.items()):
        stream = container.read(path)
        if flags & _DISTRIBUTION:
            stream = decrypt_section(stream)
        if flags & _PACKED:
            stream = inflate(stream, budget)
        budget -= len(stream)
        if budget < 0:
            raise Unreadable("too-large")
        blocks += _Section(stream, numbers).read()
    return blocks


def decrypt_section(stream: bytes) -> bytes:
    """Return a section of a distribution document (배포용 문서), decrypted (still compressed, if the document is).

    It is published for reading, locked against editing. The key is in the document and any viewer opens it, so no
    protection is broken. Hancom, "한글 문서 파일 형식 5.0" revision 1.3 with "배포용 문서" revision 1.2: the first
    record of a ViewText section has 256 bytes, XORed with the output of Microsoft's `rand`, seeded with its first four
    bytes; they contain the key of an AES-128 in ECB mode. Raises Unreadable: `damaged`.
    """
    head = int.from_bytes(stream[:4], "little")
    if head & 0x3FF != tags.DISTRIBUTED or head >> 20 != SIZE or len(stream) < 4 + SIZE:
        raise Unreadable("damaged")
    record, locked = stream[4 : 4 + SIZE], stream[4 + SIZE :]
    locked = locked[: len(locked) // _BLOCK * _BLOCK]  # compressed data has its own end mark
    offset = 4 + (record[0] & 0xF)
    key = mask(record)[offset : offset + _BLOCK]
    # ECB is the choice of the format; it keeps nothing secret here.
    with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        return decryptor.update(locked) + decryptor.finalize()


def mask(record: bytes) -> bytes:
    """XOR the record with the random numbers; twice restores it. The first four bytes, the seed, are unchanged."""
    (state,) = unpack_from("<I", record)
    numbers = bytearray()
    while len(numbers) < SIZE:
        state, number = _rand(state)
        state, times = _rand(state)
        numbers += bytes([number & 0xFF]) * ((times & 0xF) + 1)
    numbers[:4] = bytes(4)
    return bytes(byte ^ number for byte, number in zip(record, numbers, strict=False))


def _rand(state: int) -> tuple[int, int]:
    state = (state * 214013 + 2531011) & 0xFFFFFFFF  # Microsoft's C runtime
    return state, state >> 16 & 0x7FFF


@dataclass(slots=True)
class _Control:
    kind: bytes
    data: bytes
    caption: list[Block] = field(default_factory=list)
    above: bool | None = None  # whether the caption precedes its object; None: the file does not say
    lists: list[tuple[bytes, list[Block]]] = field(default_factory=list)  # header of a list, its content
    script: str = ""
    is_table: bool = False


class _Section:
    """Reader of an unpacked section; `numbers` continues from the previous one. Unreadable: `damaged`, `too-large`."""

    def __init__(self, section: bytes, numbers: Numbers) -> None:
        self._stream = records(section)
        self._numbers = numbers
        self._next = next(self._stream, None)

    def read(self) -> list[Block]:
        blocks: list[Block] = []
        while record := self._take(-1):
            if record.tag == tags.PARAGRAPH:
                blocks += self._paragraph(record, 0)
        return blocks

    def _take(self, above: int) -> Record | None:
        """Return the next record if it is deeper than the level `above`, else None."""
        record = self._next
        if record is None or record.level <= above:
            return None
        self._next = next(self._stream, None)
        return record

    def _paragraph(self, head: Record, depth: int) -> list[Block]:
        number: str | None = None  # counted before nested paragraphs, and after the section definition
        shape = int.from_bytes(head.data[8:10], "little")
        text = b""
        controls: list[_Control] = []
        hidden = False
        while record := self._take(head.level):
            if record.tag == tags.TEXT:
                text = record.data
            elif record.tag == tags.CONTROL:
                if number is None and record.data[3::-1] != b"secd":
                    number = self._numbers.head(shape)
                controls.append(self._control(record, next_depth(depth)))
            elif record.tag in (tags.MEMOS, tags.LIST):
                hidden = True  # reviewers' memos, or a master page for the last page, on the last paragraph
            elif record.tag == tags.PARAGRAPH:
                blocks = self._paragraph(record, next_depth(depth))
                if not hidden:
                    controls.append(_Control(b"", b"", lists=[(b"", blocks)]))
        paragraph = Paragraph(self._numbers.head(shape) if number is None else number)
        waiting = iter(controls)
        fields = OpenFields()
        for piece in pieces(text):  # the n-th control character represents the n-th control
            if isinstance(piece, str):
                paragraph.words.append(piece)
            elif piece == FIELD_END:
                fields.close(paragraph.words)
            elif control := next(waiting, None):
                _put(paragraph, control)
                if control.kind[:1] == b"%":
                    fields.open(paragraph.words, _read_field_prompt(control))
        for control in waiting:
            _put(paragraph, control)
        return paragraph.blocks()

    def _control(self, head: Record, depth: int) -> _Control:
        control = _Control(head.data[3::-1], head.data)
        if control.kind == b"secd":
            self._numbers.outline = int.from_bytes(head.data[18:20], "little")
        counting = self._numbers
        if control.kind in _LEFT_OUT:
            self._numbers = Numbers()  # controls that are left out are not counted either
        started = False  # whether the object itself was read; lists before it are its caption
        into = control.caption
        while record := self._take(head.level):
            if record.tag == tags.PARAGRAPH:
                into += self._paragraph(record, depth)
            elif record.tag == tags.LIST:
                into = []
                if started or control.kind not in (b"tbl ", b"gso ", b"eqed"):
                    control.lists.append((record.data, into))
                else:
                    into = control.caption
                    # Sides: 0 left, 1 right, 2 top, 3 bottom ("캡션 속성").
                    control.above = not record.data[8] & 1 if len(record.data) >= 12 else None
            elif record.tag == tags.CONTROL:
                into += _make_blocks(self._control(record, next_depth(depth)))
            elif record.tag in (tags.SHAPE, tags.TABLE):
                started = True
                control.is_table = control.is_table or record.tag == tags.TABLE
            elif record.tag == tags.EQUATION:
                control.script, started = read_counted_string(record.data, 4)[0], True
            elif record.tag == tags.TEXT_ART:  # its words follow four corners of two 32-bit numbers
                control.lists.append((b"", [read_counted_string(record.data, 32)[0]]))
        self._numbers = counting
        return control


def _put(paragraph: Paragraph, control: _Control) -> None:
    data = control.data
    if control.kind == b"eqed":
        paragraph.words.append(f" {control.script} ")
    elif control.kind == b"atno":
        paragraph.words.append(_write_automatic_number(data))
    elif control.kind == b"tcps":  # letters that overlay each other
        paragraph.words.append(read_counted_string(data, 4)[0])
    elif control.kind == b"tdut":  # a word with its reading
        word, end = read_counted_string(data, 4)
        reading, _ = read_counted_string(data, end)
        paragraph.words.append(f"{word}({reading})" if reading.strip() else word)
    elif control.kind in _NOTES:
        paragraph.note(_make_blocks(control))
        return
    else:
        paragraph.hang(_make_blocks(control))
        return
    paragraph.hang(control.caption)


def _write_automatic_number(data: bytes) -> str:
    """Return an automatic number (of a figure, a table, a note) as printed, with its prefix and suffix."""
    if len(data) < 16:
        return ""
    kind, number, _, before, behind = unpack_from("<IHHHH", data, 4)
    if kind & 0xF == _PAGE:
        return ""
    prefix, suffix = (letter if letter.isprintable() else "" for letter in map(chr, (before, behind)))
    return f"{prefix}{number}{suffix}"


def _make_blocks(control: _Control) -> list[Block]:
    if control.kind in _LEFT_OUT:
        return []
    if control.is_table:
        cells = []
        for head, blocks in control.lists:
            column, row = unpack_from("<2H", head, 8) if len(head) >= 16 else (0, 0)
            cells.append(Cell(row, column, blocks))
        return [Table(cells), *control.caption] if control.above is False else [Table(cells, control.caption)]
    blocks = [block for _, blocks in control.lists for block in blocks]
    return control.caption + blocks if control.above else blocks + control.caption


def _read_field_prompt(control: _Control) -> str:
    if control.kind != b"%clk" or len(control.data) < 9 or unpack_from("<I", control.data, 4)[0] & _FILLED:
        return ""
    return read_prompt(read_counted_string(control.data, 9)[0])
