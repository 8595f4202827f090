"""Split XML into records as items: the blocks of a dump, the answers of an interface, whole files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from lxml import etree

from crawlers.encodings.decode import decode
from crawlers.formats import safe_xml, xml_records
from crawlers.formats.unreadable import Unreadable
from crawlers.rights import licence_fields
from crawlers.tables import make_row
from malmoi.archive.capture import Capture
from malmoi.errors import CallError, TableError
from malmoi.source import Item

Row: TypeAlias = dict[str, str]
_NAME = re.compile(r"[^\W\d][\w.:-]{0,200}")


def rows(
    capture: Capture,
    record: str,
    *,
    text: str,
    key: str = "",
    title: str = "",
    date: str = "",
    author: str = "",
    licence: str = "",
) -> Iterator[Item]:
    """Yield each element `record` as an item, in order; one without text too, so that it is counted.

    The other arguments name elements or attributes at any depth of a record, without their namespace; the first one
    that is filled is read, and an absent one is empty. `licence` and fields that are named like a licence are evidence
    for their record. Keys are `<file name>#<key, or number from 1>`; a dump needs `key`, as numbers count anew in each
    block. Of a damaged record the readable part counts; one that cannot be read at all is an item without text.

    Raises:
        CallError: `record` is no name of an element.
        TableError: no record of the capture has the element of `text` or `key`; or, after all others, a record has no
            end, as in an answer that is cut off.
    """
    if not _NAME.fullmatch(record):
        raise CallError(f"xml_rows.rows: record={record!r} is no name of an element; write it without < and >")
    words = decode(capture.body, capture.charset).text
    name = rf"(?:[\w.-]{{1,40}}:)?{re.escape(record)}"
    begin = rf"<{name}(?:\s[^<>]{{0,10000}})?(?<!/)>"
    found = re.finditer(rf"{begin}.*?</{name}\s{{0,100}}>", words, re.DOTALL)
    records = [(one[0], _read_row(one[0])) for one in found]
    names = dict.fromkeys(name for _, row in records for name in row or ())
    if names and (missing := [name for name in (text, key) if name and name not in names]):
        raise TableError(
            f"{capture.url}: no record has an element or attribute {missing[0]!r}. Found: {', '.join(names)}. Correct "
            "xml_rows.rows in the source file.",
            len(records),
        )
    columns = {"title": title, "date": date, "author": author}
    for number, (markup, row) in enumerate(records, 1):
        if row is None:
            one = make_row(capture, f"unread-{number}", "", {}, ())
            yield replace(one, body=markup.encode(), media="application/xml", charset="utf-8")  # its reader says why
            continue
        cells = {field: row.get(column, "") for field, column in columns.items()}
        evidence = licence_fields.find(row, capture.record, named=licence)
        yield make_row(capture, row.get(key, "").strip() or str(number), row.get(text, ""), cells, evidence)
    begun = len(re.findall(begin, words))
    if begun > len(records):
        raise TableError(
            f"{capture.url}: {begun - len(records):,} of {begun:,} <{record}> have no end, so the answer is cut off or "
            "the element is another one. Collect again, or correct record= in the source file.",
            begun - len(records),
        )


def _read_row(markup: str) -> Row | None:
    """Return elements and attributes of a record by local name, the first that is filled; None if unreadable."""
    try:
        root = safe_xml.parse(markup.translate(xml_records.CONTROL), recover=True)
    except Unreadable:
        return None
    row: Row = {}
    for element in root.iter(etree.Element):
        attributes = ((str(name), str(value)) for name, value in element.attrib.items())
        for name, value in (*attributes, (safe_xml.local_name(element), xml_records.words(element))):
            called = name.rpartition("}")[2].rpartition(":")[2]
            if not row.get(called, "").strip():
                row[called] = value
    return row
