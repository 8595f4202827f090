"""Read the body of an HWP 5 document: a stream of records to blocks, in document order.

Records form a tree by levels: following records of a deeper level belong to a record. They are read in one pass,
so that a section needs no more memory than its text. Source as in crawlers/formats/hwp/hwp_records.py, section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import unpack_from

from crawlers.formats.blocks import Block, Cell, Paragraph, Table, next_depth
from crawlers.formats.hwp import hwp_records as tags
from crawlers.formats.hwp.hwp_records import FIELD_END, Record, pieces, read_counted_string, records
from crawlers.formats.hwp.numbering import Numbers
from crawlers.formats.hwp.placeholders import OpenFields, read_prompt

_NOTES = frozenset({b"fn  ", b"en  "})
# Controls whose lists are not text: section (master pages), header, footer, hidden comment, memo.
_LEFT_OUT = frozenset({b"secd", b"head", b"foot", b"tcmt", b"%%me"})
_PAGE = 0  # kind of an automatic number
_FILLED = 0x8000  # property of a field: its words were edited


@dataclass(slots=True)
class _Control:
    kind: bytes
    data: bytes
    caption: list[Block] = field(default_factory=list)
    above: bool | None = None  # whether the caption precedes its object; None: the file does not say
    lists: list[tuple[bytes, list[Block]]] = field(default_factory=list)  # header of a list, its content
    script: str = ""
    is_table: bool = False


def blocks(section: bytes, numbers: Numbers) -> list[Block]:
    """Return the paragraphs and tables of an unpacked section; `numbers` continues from the previous section.

    Raises Unreadable: `damaged`, `too-large`.
    """
    return _Body(records(section), numbers).read()


class _Body:
    def __init__(self, stream: Iterator[Record], numbers: Numbers) -> None:
        self._stream = stream
        self._numbers = numbers
        self._next = next(stream, None)

    def read(self) -> list[Block]:
        found: list[Block] = []
        while record := self._take(-1):
            if record.tag == tags.PARAGRAPH:
                found += self._paragraph(record, 0)
        return found

    def _take(self, above: int) -> Record | None:
        """Return the next record if it is deeper than the level `above`, else None."""
        record = self._next
        if record is None or record.level <= above:
            return None
        self._next = next(self._stream, None)
        return record

    def _paragraph(self, head: Record, depth: int) -> list[Block]:
        said: str | None = None  # its number, counted before nested paragraphs, and after the section definition
        shape = int.from_bytes(head.data[8:10], "little")
        text = b""
        controls: list[_Control] = []
        hidden = False
        while record := self._take(head.level):
            if record.tag == tags.TEXT:
                text = record.data
            elif record.tag == tags.CONTROL:
                if said is None and record.data[3::-1] != b"secd":
                    said = self._numbers.head(shape)
                controls.append(self._control(record, next_depth(depth)))
            elif record.tag in (tags.MEMOS, tags.LIST):
                hidden = True  # reviewers' memos, or a master page for the last page, on the last paragraph
            elif record.tag == tags.PARAGRAPH:
                found = self._paragraph(record, next_depth(depth))
                if not hidden:
                    controls.append(_Control(b"", b"", lists=[(b"", found)]))
        return _assemble_paragraph(Paragraph(self._numbers.head(shape) if said is None else said), text, controls)

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
                into += _control_blocks(self._control(record, next_depth(depth)))
            elif record.tag in (tags.SHAPE, tags.TABLE):
                started = True
                control.is_table = control.is_table or record.tag == tags.TABLE
            elif record.tag == tags.EQUATION:
                control.script, started = read_counted_string(record.data, 4)[0], True
            elif record.tag == tags.TEXT_ART:
                control.lists.append((b"", [_art(record.data)]))
        self._numbers = counting
        return control


def _assemble_paragraph(paragraph: Paragraph, text: bytes, controls: list[_Control]) -> list[Block]:
    """Assemble words and controls of a paragraph: the n-th control character represents the n-th control."""
    waiting = iter(controls)
    fields = OpenFields()
    for piece in pieces(text):
        if isinstance(piece, str):
            paragraph.words.append(piece)
        elif piece == FIELD_END:
            fields.close(paragraph.words)
        elif control := next(waiting, None):
            _put(paragraph, control)
            if control.kind[:1] == b"%":
                fields.open(paragraph.words, _prompt(control))
    for control in waiting:
        _put(paragraph, control)
    return paragraph.blocks()


def _put(paragraph: Paragraph, control: _Control) -> None:
    if say := _SPOKEN.get(control.kind):
        paragraph.words.append(say(control))
        paragraph.hang(control.caption)
    elif control.kind in _NOTES:
        paragraph.note(_control_blocks(control))
    else:
        paragraph.hang(_control_blocks(control))


def _control_blocks(control: _Control) -> list[Block]:
    if control.kind in _LEFT_OUT:
        return []
    if control.is_table:
        cells = [_cell(head, found) for head, found in control.lists]
        return [Table(cells), *control.caption] if control.above is False else [Table(cells, control.caption)]
    blocks = [block for _, found in control.lists for block in found]
    return control.caption + blocks if control.above else blocks + control.caption


def _cell(head: bytes, found: list[Block]) -> Cell:
    if len(head) < 16:
        return Cell(0, 0, found)
    column, row = unpack_from("<2H", head, 8)
    return Cell(row, column, found)


def _prompt(control: _Control) -> str:
    if control.kind != b"%clk" or len(control.data) < 9 or unpack_from("<I", control.data, 4)[0] & _FILLED:
        return ""
    return read_prompt(read_counted_string(control.data, 9)[0])


def _equation(control: _Control) -> str:
    return f" {control.script} "


def _auto_number_text(control: _Control) -> str:
    """Return an automatic number (of a figure, a table, a note) as printed, with its prefix and suffix."""
    if len(control.data) < 16:
        return ""
    kind, number, _, before, behind = unpack_from("<IHHHH", control.data, 4)
    if kind & 0xF == _PAGE:
        return ""
    return f"{_printable_letter(before)}{number}{_printable_letter(behind)}"


def _printable_letter(code: int) -> str:
    letter = chr(code)
    return letter if letter.isprintable() else ""


def _overlay_text(control: _Control) -> str:
    return read_counted_string(control.data, 4)[0]


def _ruby(control: _Control) -> str:
    """Return a word with its reading in brackets."""
    word, at = read_counted_string(control.data, 4)
    reading, _ = read_counted_string(control.data, at)
    return f"{word}({reading})" if reading.strip() else word


def _art(data: bytes) -> str:
    """Return the words of a text art: they follow four corners of two 32-bit numbers."""
    return read_counted_string(data, 32)[0]


_SPOKEN: dict[bytes, Callable[[_Control], str]] = {
    b"eqed": _equation,
    b"atno": _auto_number_text,
    b"tcps": _overlay_text,
    b"tdut": _ruby,
}
