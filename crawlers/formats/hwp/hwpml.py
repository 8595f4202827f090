"""Text extraction from HWPML: one XML file with the root HWPML (Hancom, "한글 문서 파일 형식 3.0/HWPML")."""

from __future__ import annotations

import re

from lxml import etree

from crawlers.formats import safe_xml
from crawlers.formats.blocks import count_cells, text_of
from crawlers.formats.contents import remove_contents
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.hwp import summary_properties, xml_body
from crawlers.formats.hwp.numbering import NO_SHAPES, Numbers, Shapes, read_xml_shapes
from crawlers.formats.hwp.summary_properties import Summary
from crawlers.formats.hwp.tag_names import name
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Extracted, Item

# Pictures in base64: not needed, and possibly longer than libxml2 allows for a text.
_BINARY = re.compile(rb"<BINDATA\b[^<>]{0,1000}>[A-Za-z0-9+/=\s]+</BINDATA>")


def extract(item: Item) -> Extracted:
    """Extract the text of an HWPML document in the format of HWP 5 (crawlers/formats/hwp/hwp5.py).

    Raises Unreadable: `damaged`, `too-large`, `no-text`, `xml-entities`.
    """
    assert isinstance(item.body, bytes)
    body = _BINARY.sub(b"", item.body)
    found = remove_contents(xml_body.blocks(body, Numbers(_shapes(body))))
    text = text_of(found)
    cells, blank = count_cells(found)
    said = _summary(body)
    return Extracted(
        text=text,
        title=item.title or summary_properties.headline(said.title, text),
        date=item.date or said.date,
        author=item.author or said.author,
        format="hwpml",
        cells=cells,
        blank_cells=blank,
    )


def _summary(body: bytes) -> Summary:
    root = _part(body, b"DOCSUMMARY")
    said = {name(element): element.text or "" for element in root} if root is not None else {}
    return Summary(
        title=summary_properties.plausible_title(said.get("title", "")),
        author=summary_properties.plausible_author(said.get("author", "")),
        date=iso_date(said.get("date", "")),
    )


def _shapes(body: bytes) -> Shapes:
    root = _part(body, b"MAPPINGTABLE")
    return read_xml_shapes(root) if root is not None else NO_SHAPES


def _part(body: bytes, tag: bytes) -> etree._Element | None:
    """Parse an element of the head; None if it is missing or malformed: the text does not depend on it."""
    start = body.find(b"<" + tag)
    end = body.find(b"</" + tag + b">", start)
    if start < 0 or end < 0:
        return None
    try:
        return safe_xml.parse(body[start : end + len(tag) + 3])
    except Unreadable:
        return None
