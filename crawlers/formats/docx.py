"""Text extraction from DOCX: paragraphs and tables in order, notes after the paragraph that refers to them.

WordprocessingML (ISO/IEC 29500-1, section 17), transitional and strict: elements are matched by local name, because the
strict namespace has the same names. The parser refuses more than 256 levels of elements, and `next_depth` more than 48
of tables and boxes, so recursion is bounded.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from crawlers.formats import document_metadata, safe_xml
from crawlers.formats.blocks import Block, Cell, Paragraph, Table, count_cells, next_depth, text_of
from crawlers.formats.unreadable import Unreadable
from crawlers.formats.zip_limits import Zipped
from malmoi.source import Extracted, Item

MAIN = "word/document.xml"  # default path, unless _rels/.rels names another
# Skipped with all their content: deleted or moved text, properties, field codes, comments, embedded documents.
_GONE = frozenset(
    "del moveFrom rPr pPr tblPr tblGrid trPr tcPr sectPr sdtPr sdtEndPr instrText delText delInstrText rt altChunk"
    " annotationRef footnoteRef endnoteRef separator continuationSeparator subDoc smartTagPr customXmlPr rubyPr".split()
)
_BREAKS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTE = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
# Characters of the font Symbol by number: its letters and formula signs (Adobe, "Symbol Set").
_SYMBOL = dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)) | {
    0x44: "Δ", 0x47: "Γ", 0x50: "Π", 0x53: "Σ", 0x57: "Ω", 0xA3: "≤", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑",
    0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBB: "≈",
    0xD6: "√", 0xDE: "⇒", 0xE5: "∑", 0xF2: "∫",
}  # fmt: skip
Notes = Mapping[str, etree._Element]  # id → note


def extract(item: Item) -> Extracted:
    """Return the text of a DOCX document, one paragraph or table row ("| … |") a line.

    Left out: text deleted or moved away by a tracked change, hidden text, comments, headers and
    footers, field codes, the fallback form of a drawing. Numbers of lists are not computed.
    Raises Unreadable: `damaged`, `encrypted`, `archive-bomb`, `too-large`, `xml-entities`, `no-text`.
    """
    archive = Zipped(item.body if isinstance(item.body, bytes) else item.body.encode())
    # The relationship officeDocument of the package names the main part (ECMA-376-2, section 9.3).
    targets = (
        str(relation.get("Target", "")).lstrip("/")
        for relation in _read_part(archive, "_rels/.rels")
        if str(relation.get("Type", "")).endswith("/officeDocument")
    )
    main = next(targets, "") or MAIN
    raw = archive.read(main)
    body = safe_xml.parse(raw).find("{*}body") if raw else None
    if body is None:
        raise Unreadable("damaged")
    folder = posixpath.dirname(main)
    notes: dict[str, Notes] = {}
    for kind in _NOTE.values():
        elements = _read_part(archive, f"{folder}/{kind}.xml").iterfind(f"{{*}}{kind[:-1]}")
        notes[kind] = {_value(note, "id"): note for note in elements}  # nothing refers to separators
    hidden = frozenset(
        name
        for style in _read_part(archive, f"{folder}/styles.xml").iterfind("{*}style")
        if (mark := style.find("{*}rPr/{*}vanish")) is not None and _is_on(mark) and (name := _value(style, "styleId"))
    )
    blocks = _Body(notes, hidden).blocks(body)
    text = text_of(blocks)
    cells, blank = count_cells(blocks)
    core = _read_part(archive, "docProps/core.xml")
    stated = {_local_name(child.tag): " ".join((child.text or "").split()) for child in core}
    return Extracted(
        text=text,
        title=item.title or document_metadata.title(stated.get("title", "")),
        date=item.date
        or document_metadata.date(stated.get("created", ""))
        or document_metadata.date(stated.get("modified", "")),
        author=item.author or document_metadata.author(stated.get("creator", "")),
        format="docx",
        cells=cells,
        blank_cells=blank,
    )


def _read_part(archive: Zipped, name: str) -> etree._Element:
    """Parse an optional part; empty if it is missing or damaged, because the text does not depend on it."""
    raw = archive.read(name)
    try:
        return safe_xml.parse(raw) if raw else etree.Element("missing")
    except Unreadable as error:
        if error.reason == "damaged":
            return etree.Element("damaged")
        raise


@dataclass(slots=True)
class _Body:
    """The reader of one document; each note is written once, at the first reference to it."""

    notes: Mapping[str, Notes]
    hidden: frozenset[str]  # ids of styles whose text is hidden
    _told: set[tuple[str, str]] = field(default_factory=set)
    _open: Paragraph | None = None  # a paragraph whose mark is deleted: it continues in the next one

    def blocks(self, container: etree._Element, depth: int = 0) -> list[Block]:
        """Return the blocks of a body, cell, box or note."""
        found: list[Block] = []
        for child in container:
            name = _local_name(child.tag)
            if name == "p":
                found += self._paragraph(child, depth)
            elif name == "tbl":
                found.append(self._table(child, next_depth(depth)))
            elif name == "AlternateContent":
                found += self._choose_form(child, depth)
            elif name and name not in _GONE:  # content controls, insertions, custom XML
                found += self.blocks(child, depth)
        if self._open is not None:
            left, self._open = self._open, None
            found += left.blocks()
        return found

    def _choose_form(self, choice: etree._Element, depth: int) -> list[Block]:
        """Return the blocks of the first form of a drawing that has text (ISO/IEC 29500-3)."""
        for form in choice:
            told = set(self._told)
            if found := self.blocks(form, depth):
                return found
            self._told = told
        return []

    def _paragraph(self, element: etree._Element, depth: int) -> list[Block]:
        carried, self._open = self._open, None
        paragraph = carried or Paragraph()
        properties = element.find("{*}pPr")
        if not self._is_hidden(properties, "pStyle"):
            self._runs(element, paragraph, depth)
        if properties is not None and properties.find("{*}rPr/{*}del") is not None:
            self._open = paragraph
            return []
        return paragraph.blocks()

    def _runs(self, element: etree._Element, into: Paragraph, depth: int) -> None:
        for child in element:
            name = _local_name(child.tag)
            if name in _GONE or not name:
                continue
            if name == "t":
                into.words.append(child.text or "")
            elif name in _BREAKS:
                into.words.append(_BREAKS[name])
            elif name == "sym":
                into.words.append(_read_symbol(child))
            elif name in _NOTE:
                into.note(self._note(_NOTE[name], _value(child, "id"), depth))
            elif name == "txbxContent":
                into.hang(self._read_separately(child, next_depth(depth)))
            elif name == "AlternateContent":
                self._one_form(child, into, depth)
            elif name != "r" or not self._is_hidden(child.find("{*}rPr"), "rStyle"):
                self._runs(child, into, depth)

    def _one_form(self, choice: etree._Element, into: Paragraph, depth: int) -> None:
        for form in choice:
            trial = Paragraph()
            self._runs(form, trial, depth)
            if trial.blocks():
                into.hang(trial.before)
                into.words += trial.words
                into.behind += trial.behind
                return

    def _read_separately(self, container: etree._Element, depth: int) -> list[Block]:
        """Return the blocks of a box or note; an enclosing open paragraph stays open."""
        outer, self._open = self._open, None
        found = self.blocks(container, depth)
        self._open = outer
        return found

    def _note(self, kind: str, number: str, depth: int) -> list[Block]:
        note = self.notes.get(kind, {}).get(number)
        if note is None or (kind, number) in self._told:
            return []
        self._told.add((kind, number))
        return self._read_separately(note, next_depth(depth))

    def _is_hidden(self, properties: etree._Element | None, style: str) -> bool:
        if properties is None:
            return False
        # The mark of a paragraph may be hidden and its words visible: of paragraph properties, check only the style.
        mark = properties.find("{*}vanish")
        if mark is not None:
            return _is_on(mark)
        named = properties.find(f"{{*}}{style}")
        return named is not None and _value(named, "val") in self.hidden

    def _table(self, table: etree._Element, depth: int) -> Table:
        outer, self._open = self._open, None
        cells: list[Cell] = []
        started: set[int] = set()  # columns with a cell that a merged one below may continue
        for number, row in enumerate(_parts(table, "tr")):
            properties = row.find("{*}trPr")
            if properties is not None and properties.find("{*}del") is not None:
                continue
            column = 0
            for cell in _parts(row, "tc"):
                place = cell.find("{*}tcPr")
                if _is_continued(place, "hMerge"):
                    continue
                if not (_is_continued(place, "vMerge") and column in started):
                    started.add(column)
                    cells.append(Cell(number, column, self.blocks(cell, depth)))
                span = place.find("{*}gridSpan") if place is not None else None
                width = _value(span, "val") if span is not None else "1"
                column += max(1, int(width)) if width.isdecimal() and len(width) < 4 else 1
        self._open = outer
        return Table(cells)


def _parts(element: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """Yield the rows of a table or cells of a row, also inside content controls and insertions."""
    for child in element:
        name = _local_name(child.tag)
        if name == wanted:
            yield child
        elif name and name not in _GONE and name not in ("p", "tbl"):
            yield from _parts(child, wanted)


def _is_continued(properties: etree._Element | None, kind: str) -> bool:
    merge = properties.find(f"{{*}}{kind}") if properties is not None else None
    return merge is not None and _value(merge, "val") in ("", "continue")


def _read_symbol(element: etree._Element) -> str:
    """Return a character by its number in a symbol font; `text_of` converts signs that are not letters (bullets)."""
    try:
        number = int(_value(element, "char")[:6], 16)
    except ValueError:
        return ""
    low = number - 0xF000 if 0xF000 <= number <= 0xF0FF else number
    if _value(element, "font") == "Symbol" and low in _SYMBOL:
        return _SYMBOL[low]
    return chr(number) if number < 0xD800 or 0xE000 <= number <= 0xFFFD else ""


def _value(element: etree._Element, name: str) -> str:
    """Return an attribute by its local name: the prefix depends on the program that wrote the file."""
    return next((str(value) for key, value in element.attrib.items() if _local_name(str(key)) == name), "")


def _local_name(name: object) -> str:
    """Return the local name of an element or attribute; "" for a comment or processing instruction."""
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def _is_on(mark: etree._Element) -> bool:
    """Whether a toggle such as <w:vanish/> is on: true unless its value says otherwise."""
    return _value(mark, "val") not in ("0", "false", "off")
