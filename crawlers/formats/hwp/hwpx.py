"""Text extraction from Hancom documents in XML: HWPX, a ZIP archive of OWPML (KS X 6101), and its predecessor HWPML.

HWPML is one file with the root HWPML (Hancom, "한글 문서 파일 형식 3.0/HWPML"). Both have the same elements with
different names (`hp:tbl`, `TABLE`), so names are compared without case and namespace. Paragraphs are read one by one
and freed, so that memory is bounded by the longest paragraph of a section.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from crawlers.formats import safe_xml
from crawlers.formats.blocks import Block, Cell, Paragraph, Table, count_cells, next_depth, text_of
from crawlers.formats.contents import remove_contents
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.hwp import summary_properties
from crawlers.formats.hwp.numbering import NO_SHAPES, Numbers, OpenFields, name, read_prompt, read_xml_shapes
from crawlers.formats.hwp.summary_properties import Summary
from crawlers.formats.safe_xml import HEAD, MAX_TREE, MAX_XML, cost
from crawlers.formats.unreadable import Unreadable
from crawlers.formats.zip_limits import Zipped
from malmoi.boundary import input_errors
from malmoi.source import Extracted, Item

_HEAD = "Contents/header.xml"
_PACKAGE = "Contents/content.hpf"
_MANIFEST = "META-INF/manifest.xml"
_SECTION = re.compile(r"Contents/section(\d{1,5})\.xml", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
# Pictures in base64: not needed, and possibly longer than libxml2 allows for a text.
_BINARY = re.compile(rb"<BINDATA\b[^<>]{0,1000}>[A-Za-z0-9+/=\s]+</BINDATA>")
_CHUNK = 256 * 1024  # bytes
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_SECTIONS = frozenset({"sec", "section"})
_RUNS = frozenset({"run", "text", "ctrl"})  # contain the parts of a paragraph
_WORDS = frozenset({"t", "char"})
_TABLES = frozenset({"tbl", "table"})
_NOTES = frozenset({"footnote", "endnote"})
_LISTS = frozenset({"sublist", "paralist"})
# Elements whose text is not body text: page headers and footers, reviewers' notes, settings, picture descriptions,
# cached layout, form fields on screen.
# fmt: off
_LEFT_OUT = frozenset({
    "secpr", "secdef", "colpr", "coldef", "header", "footer", "hiddencomment", "fieldbegin", "fieldend", "linesegarray",
    "shapecomment", "masterpage", "bookmark", "indexmark", "pagenum", "pagehiding", "newnum", "pagenumctrl",
    "edit", "btn", "button", "checkbtn", "radiobtn", "combobox", "listbox", "scrollbar", "formobject",
})
# fmt: on
_SPACES = {"tab": "\t", "linebreak": "\n", "nbspace": " ", "fwspace": " ", "hyphen": "-", "hypen": "-"}
_NUMBERS_OF_PAGES = frozenset({"page", "total_page", "totalpage"})
_INDENTED = str.maketrans("\r\n", "  ")  # a line end in the markup is white space; line breaks are elements


def extract(item: Item) -> Extracted:
    """Extract the text of an HWPX or HWPML document in the format of HWP 5 (crawlers/formats/hwp/hwp5.py).

    Sections of HWPX are in the order of the package's spine, or of their numbers without a spine; sections missing in
    the spine follow at the end. Text deleted by a tracked change is left out, inserted text is kept.

    Raises Unreadable: `encrypted` (a password or a distribution document), `drm`, `damaged`, `archive-bomb`,
    `too-large`, `no-text`, `xml-entities`.
    """
    assert isinstance(item.body, bytes)
    is_archive = item.body.startswith(b"PK")
    blocks, summary = _read_archive(Zipped(item.body)) if is_archive else _read_hwpml(_BINARY.sub(b"", item.body))
    body = remove_contents(blocks)
    text = text_of(body)
    cells, blank = count_cells(body)
    return Extracted(
        text=text,
        title=item.title or summary_properties.headline(summary.title, text),
        date=item.date or summary.date,
        author=item.author or summary.author,
        format="hwpx" if is_archive else "hwpml",
        cells=cells,
        blank_cells=blank,
    )


def _read_archive(archive: Zipped) -> tuple[list[Block], Summary]:
    manifest = archive.read(_MANIFEST)
    for element in safe_xml.parse(manifest).iter() if manifest.strip() else ():
        kind = name(element)
        if kind == "encryption-data" or "drm" in kind:  # lists encrypted parts (as in an OpenDocument package)
            raise Unreadable("drm" if "drm" in kind else "encrypted")
    listing = archive.read(_PACKAGE)  # files of other programs may lack it: their names then define the order
    package = list(safe_xml.parse(listing).iter()) if listing.strip() else []
    head = archive.read(_HEAD)
    numbers = Numbers(read_xml_shapes(safe_xml.parse(head)) if head.strip() else NO_SHAPES)
    blocks: list[Block] = []
    for part in _order_sections(archive.names, package):
        blocks += _read_sections(archive.read(part), numbers)
    title = ""
    stated: dict[str, str] = {}
    for element in package:
        kind = name(element)
        if kind == "title":
            title = title or element.text or ""
        elif kind == "meta":
            stated.setdefault((element.get("name") or "").lower(), (element.text or "").strip())
    return blocks, Summary(
        title=summary_properties.plausible_title(title),
        author=summary_properties.plausible_author(stated.get("creator", "")),
        date=_read_day(stated.get("modifieddate", "")) or _read_day(stated.get("createddate", "")),
    )


def _order_sections(names: list[str], package: list[etree._Element]) -> list[str]:
    """Return the sections in the order of the spine, whose addresses are relative to archive root or package file.

    Raises Unreadable `damaged` if there are none, or a listed one is missing.
    """
    items = {element.get("id"): element.get("href", "") for element in package if name(element) == "item"}
    parts = set(names)
    sections = []
    for element in package:
        if name(element) != "itemref" or not (address := items.get(element.get("idref"))):
            continue
        beside = posixpath.join(posixpath.dirname(_PACKAGE), address)
        part = next((part for part in (address, beside) if part in parts), "")
        if not part and _SECTION.fullmatch(address):
            raise Unreadable("damaged")
        if _SECTION.fullmatch(part):
            sections.append(part)
    sections += [
        part for _, part in sorted((int(match[1]), match[0]) for match in map(_SECTION.fullmatch, names) if match)
    ]
    if not sections:
        raise Unreadable("damaged")
    return list(dict.fromkeys(sections))


def _read_day(value: str) -> str:
    match = _TIME.match(value)
    try:
        return summary_properties.plausible_date(datetime.fromisoformat(f"{match[0]}+00:00")) if match else ""
    except ValueError:
        return ""


def _read_hwpml(body: bytes) -> tuple[list[Block], Summary]:
    shapes = _parse_part(body, b"MAPPINGTABLE")
    blocks = _read_sections(body, Numbers(NO_SHAPES if shapes is None else read_xml_shapes(shapes)))
    root = _parse_part(body, b"DOCSUMMARY")
    stated = {name(element): element.text or "" for element in root} if root is not None else {}
    return blocks, Summary(
        title=summary_properties.plausible_title(stated.get("title", "")),
        author=summary_properties.plausible_author(stated.get("author", "")),
        date=iso_date(stated.get("date", "")),
    )


def _parse_part(body: bytes, tag: bytes) -> etree._Element | None:
    """Parse an element of the head; None if it is missing or malformed: the text does not depend on it."""
    start = body.find(b"<" + tag)
    end = body.find(b"</" + tag + b">", start)
    if start < 0 or end < 0:
        return None
    try:
        return safe_xml.parse(body[start : end + len(tag) + 3])
    except Unreadable:
        return None


def _read_sections(body: bytes, numbers: Numbers) -> list[Block]:
    """Return the paragraphs and tables of all sections in an XML file; `numbers` continues from the previous file.

    Raises Unreadable: `damaged`, `too-large`, `xml-entities`.
    """
    return [block for element in _read_paragraphs(body) for block in _Reader(numbers).paragraph(element, 0)]


def _read_paragraphs(body: bytes) -> Iterator[etree._Element]:
    """Yield the paragraphs directly in a section; each is emptied when the next is requested."""
    if len(body) > MAX_XML:
        raise Unreadable("too-large")
    if _ENTITY.search(body[:HEAD]):
        raise Unreadable("xml-entities")
    parser = etree.XMLPullParser(
        events=("end",),
        tag=("{*}p", "P"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    held = 0
    with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
        for at in range(0, len(body), _CHUNK):
            chunk = body[at : at + _CHUNK]
            more = cost(chunk)
            held += more
            if held > MAX_TREE:  # one paragraph, with its content
                raise Unreadable("too-large")
            parser.feed(chunk)
            for _, element in parser.read_events():
                if not isinstance(element, etree._Element):  # a namespace event, which was not requested
                    continue
                above = element.getparent()
                if above is not None and name(element) == "p" and name(above) in _SECTIONS:
                    yield element
                    element.clear()
                    while (read := element.getprevious()) is not None:
                        above.remove(read)
                    held = more
        parser.close()


class _Reader:
    """Reader of the paragraphs of a section; text of a tracked deletion is skipped until its end mark."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._deleted = False
        self._fields = OpenFields()

    def paragraph(self, element: etree._Element, depth: int) -> list[Block]:
        first = element[0][0] if len(element) and len(element[0]) else None
        if first is not None and name(first) in ("secpr", "secdef"):  # before its own number, which depends on it
            self._numbers.outline = int_attribute(first, "outlineShapeIDRef", int_attribute(first, "outlineShape", 0))
        paragraph = Paragraph(
            self._numbers.head(int_attribute(element, "paraPrIDRef", int_attribute(element, "paraShape", -1)))
        )
        for child in element:
            self._part(child, paragraph, depth)
        return paragraph.blocks()

    def _part(self, element: etree._Element, into: Paragraph, depth: int) -> None:
        kind = name(element)
        if kind in _WORDS:
            self._words(element, into)
        elif kind in _RUNS:
            for child in element:
                self._part(child, into, depth)
        elif kind == "fieldbegin":
            self._fields.open(into.words, _prompt(element))
        elif kind == "fieldend":
            self._fields.close(into.words)
        elif kind in _LEFT_OUT or not kind or self._deleted:
            return
        elif kind in _TABLES:
            into.hang(self._table(element, depth))
        elif kind in _NOTES:
            into.note(self._lists(element, depth))
        elif kind == "switch":
            for case in list(element)[:1]:  # alternatives: the first is the newest form
                for child in case:
                    self._part(child, into, depth)
        elif said := _inline_text(kind, element):
            into.words.append(said)
            into.hang(self._captions(element, depth)[1])
        elif element.get("dropcapstyle", "None") != "None":
            into.words += (block for block in self._lists(element, depth) if isinstance(block, str))
        else:
            into.hang(self._lists(element, depth))

    def _words(self, element: etree._Element, into: Paragraph) -> None:
        if element.text and not self._deleted:
            into.words.append(element.text.translate(_INDENTED))
        for child in element:
            kind = name(child)
            if kind in ("deletebegin", "deleteend"):
                self._deleted = kind == "deletebegin"
            elif not self._deleted:
                into.words.append(_SPACES.get(kind, ""))
            if child.tail and not self._deleted:
                into.words.append(child.tail.translate(_INDENTED))

    def _lists(self, element: etree._Element, depth: int) -> list[Block]:
        """Return the paragraphs in an object: in its boxes, in grouped objects, and its caption after them."""
        found: list[Block] = []
        if (art := element.get("text") or element.get("Text")) and name(element) == "textart":
            found.append(art.replace("\u240d\u240a", "\n").replace("\r\n", "\n"))
        for child in element:
            kind = name(child)
            if kind == "p":
                found += self._inner(child, depth)
            elif kind in _TABLES:
                found += self._table(child, depth)
            elif kind == "equation":
                found += [_inline_text(kind, child), *self._captions(child, depth)[1]]
            elif kind in _LEFT_OUT or kind == "caption":
                continue
            elif len(child) or child.get("text") or child.get("Text"):
                found += self._lists(child, depth)
        above, captions = self._captions(element, depth)
        return captions + found if above else found + captions

    def _captions(self, element: etree._Element, depth: int) -> tuple[bool | None, list[Block]]:
        """Return whether the caption of an object precedes it (None: the file does not say), and its paragraphs."""
        for child in element:
            if name(child) == "caption":
                side = (child.get("side") or child.get("Side") or "").lower()
                return (side in ("top", "left") if side else None), self._lists(child, depth)
        return None, []

    def _inner(self, element: etree._Element, depth: int) -> list[Block]:
        """Return the blocks of a nested paragraph: a deletion around it does not apply to it."""
        return _Reader(self._numbers).paragraph(element, next_depth(depth))

    def _table(self, element: etree._Element, depth: int) -> list[Block]:
        cells: list[Cell] = []
        row = -1
        above, caption = self._captions(element, depth)
        for child in element:
            if name(child) in ("tr", "row"):
                row += 1
                for column, cell in enumerate(child):
                    if name(cell) in ("tc", "cell"):
                        cells.append(self._cell(cell, row, column, depth))
        return [Table(cells), *caption] if above is False else [Table(cells, caption)]

    def _cell(self, element: etree._Element, row: int, column: int, depth: int) -> Cell:
        place = next((child for child in element if name(child) == "celladdr"), element)
        found: list[Block] = []
        for child in element:
            if name(child) in _LISTS:
                found += self._lists(child, depth)
        return Cell(int_attribute(place, "rowAddr", row), int_attribute(place, "colAddr", column), found)


def int_attribute(element: etree._Element, attribute: str, otherwise: int) -> int:
    """Return the integer value of an attribute, whose name HWPML capitalises."""
    value = element.get(attribute) or element.get(attribute[0].upper() + attribute[1:]) or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else otherwise


def _prompt(element: etree._Element) -> str:
    """Return the prompt of a form field ("누름틀") that nobody filled; "" for another field."""
    kind = (element.get("type") or element.get("Type") or "").lower().replace("_", "")
    if kind != "clickhere" or (element.get("dirty") or element.get("Dirty") or "").lower() in ("1", "true"):
        return ""
    said = {child.get("name"): child.text or "" for child in element.iter() if name(child) == "stringparam"}
    return said.get("Direction", "").strip() or read_prompt(said.get("Command") or element.get("Command") or "")


def _inline_text(kind: str, element: etree._Element) -> str:
    """Return the text of an inline object; "" for others."""
    if kind == "equation":
        return f" {_child_text(element, 'script')} "
    if kind == "dutmal":
        word, reading = _child_text(element, "maintext"), _child_text(element, "subtext")
        return f"{word}({reading})" if reading.strip() else word
    if kind == "compose":
        return element.get("composeText") or element.get("CompText") or _child_text(element, "comptext")
    return _auto_number_text(element) if kind == "autonum" else ""


def _auto_number_text(element: etree._Element) -> str:
    of = (element.get("numType") or element.get("NumberType") or "").lower()
    said = element.get("num") or element.get("Number") or ""
    if of in _NUMBERS_OF_PAGES or not said.isdigit():
        return ""
    for child in element:
        if name(child) == "autonumformat":
            before = child.get("prefixChar") or child.get("PrefixChar") or ""
            behind = child.get("suffixChar") or child.get("SuffixChar") or ""
            return f"{before}{said}{behind}"
    return said


def _child_text(element: etree._Element, wanted: str) -> str:
    return next(("".join(map(str, child.itertext())) for child in element if name(child) == wanted), "")
