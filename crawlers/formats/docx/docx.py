"""Text extraction from DOCX: paragraphs and tables in order, notes after the paragraph that refers to them."""

from __future__ import annotations

import posixpath

from lxml import etree

from crawlers.formats import document_metadata, safe_xml
from crawlers.formats.blocks import count_cells, text_of
from crawlers.formats.docx.docx_body import Body, is_on, local_name, notes
from crawlers.formats.unreadable import Unreadable
from crawlers.formats.zip_limits import Zipped
from malmoi.source import Extracted, Item

MAIN = "word/document.xml"  # default path, unless _rels/.rels names another
_NOTES = ("footnotes", "endnotes")


def extract(item: Item) -> Extracted:
    """Return the text of a DOCX document, one paragraph or table row ("| … |") a line.

    Left out: text deleted or moved away by a tracked change, hidden text, comments, headers and
    footers, field codes, the fallback form of a drawing. Numbers of lists are not computed.
    Raises Unreadable: `damaged`, `encrypted`, `archive-bomb`, `too-large`, `xml-entities`, `no-text`.
    """
    archive = Zipped(item.body if isinstance(item.body, bytes) else item.body.encode())
    main = _main_part(archive)
    body = safe_xml.parse(archive.read(main) or _raise_damaged()).find("{*}body")
    if body is None:
        raise Unreadable("damaged")
    folder = posixpath.dirname(main)
    found = {kind: notes(_read_part(archive, f"{folder}/{kind}.xml"), kind) for kind in _NOTES}
    blocks = Body(found, _find_hidden_styles(archive, folder)).blocks(body)
    text = text_of(blocks)
    cells, blank = count_cells(blocks)
    said = _core(archive)
    return Extracted(
        text=text,
        title=item.title or document_metadata.title(said.get("title", "")),
        date=item.date
        or document_metadata.date(said.get("created", ""))
        or document_metadata.date(said.get("modified", "")),
        author=item.author or document_metadata.author(said.get("creator", "")),
        format="docx",
        cells=cells,
        blank_cells=blank,
    )


def _raise_damaged() -> bytes:
    raise Unreadable("damaged")


def _main_part(archive: Zipped) -> str:
    """Return the name of the main part (ECMA-376-2, section 9.3: the relationship officeDocument of the package)."""
    root = _read_part(archive, "_rels/.rels")
    for relation in root if root is not None else ():
        if str(relation.get("Type", "")).endswith("/officeDocument"):
            return str(relation.get("Target", "")).lstrip("/") or MAIN
    return MAIN


def _read_part(archive: Zipped, name: str) -> etree._Element | None:
    """Parse an optional part; None if it is missing or damaged, because the text does not depend on it."""
    raw = archive.read(name)
    if not raw:
        return None
    try:
        return safe_xml.parse(raw)
    except Unreadable as said:
        if said.reason == "damaged":
            return None
        raise


def _find_hidden_styles(archive: Zipped, folder: str) -> frozenset[str]:
    """Return the ids of styles whose text is hidden."""
    root = _read_part(archive, f"{folder}/styles.xml")
    styles = root.iterfind("{*}style") if root is not None else ()
    return frozenset(
        str(value)
        for style in styles
        if (mark := style.find("{*}rPr/{*}vanish")) is not None and is_on(mark)
        for name, value in style.attrib.items()
        if local_name(str(name)) == "styleId"
    )


def _core(archive: Zipped) -> dict[str, str]:
    root = _read_part(archive, "docProps/core.xml")
    return (
        {local_name(str(child.tag)): " ".join((child.text or "").split()) for child in root} if root is not None else {}
    )
