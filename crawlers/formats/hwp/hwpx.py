"""Text extraction from HWPX: a ZIP archive of OWPML files (KS X 6101)."""

from __future__ import annotations

import posixpath
import re
from datetime import datetime

from lxml import etree

from crawlers.formats import safe_xml
from crawlers.formats.blocks import Block, count_cells, text_of
from crawlers.formats.contents import remove_contents
from crawlers.formats.hwp import summary_properties, xml_body
from crawlers.formats.hwp.numbering import NO_SHAPES, Numbers, read_xml_shapes
from crawlers.formats.hwp.summary_properties import Summary
from crawlers.formats.hwp.tag_names import name
from crawlers.formats.unreadable import Unreadable
from crawlers.formats.zip_limits import Zipped
from malmoi.source import Extracted, Item

_HEAD = "Contents/header.xml"
_PACKAGE = "Contents/content.hpf"
_MANIFEST = "META-INF/manifest.xml"
_SECTION = re.compile(r"Contents/section(\d{1,5})\.xml", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def extract(item: Item) -> Extracted:
    """Extract the text of an HWPX document in the format of HWP 5 (crawlers/formats/hwp/hwp5.py).

    Sections are in the order of the package's spine, or of their numbers without a spine; sections missing in the
    spine follow at the end. Text deleted by a tracked change is left out, inserted text is kept.

    Raises Unreadable: `encrypted` (a password or a distribution document), `drm`, `damaged`, `archive-bomb`,
    `too-large`, `no-text`, `xml-entities`.
    """
    assert isinstance(item.body, bytes)
    archive = Zipped(item.body)
    _check_encryption(archive)
    package = _package(archive)
    found: list[Block] = []
    head = archive.read(_HEAD)
    numbers = Numbers(read_xml_shapes(safe_xml.parse(head)) if head.strip() else NO_SHAPES)
    for part in _sections(archive.names, package):
        found += xml_body.blocks(archive.read(part), numbers)
    body = remove_contents(found)
    text = text_of(body)
    cells, blank = count_cells(body)
    said = _summary(package)
    return Extracted(
        text=text,
        title=item.title or summary_properties.headline(said.title, text),
        date=item.date or said.date,
        author=item.author or said.author,
        format="hwpx",
        cells=cells,
        blank_cells=blank,
    )


def _check_encryption(archive: Zipped) -> None:
    """Raise if the manifest lists encrypted parts (as in an OpenDocument package)."""
    manifest = archive.read(_MANIFEST)
    if not manifest.strip():
        return
    for element in safe_xml.parse(manifest).iter():
        kind = name(element)
        if kind == "encryption-data" or "drm" in kind:
            raise Unreadable("drm" if "drm" in kind else "encrypted")


def _package(archive: Zipped) -> etree._Element | None:
    """Return the package file; files of other programs may lack it: their names then define the order."""
    raw = archive.read(_PACKAGE)
    return safe_xml.parse(raw) if raw.strip() else None


def _sections(names: list[str], package: etree._Element | None) -> list[str]:
    numbered = sorted((int(match[1]), part) for part in names if (match := _SECTION.fullmatch(part)))
    found = [part for part in _spine(package, frozenset(names)) if _SECTION.fullmatch(part)]
    found += [part for _, part in numbered if part not in found]
    if not found:
        raise Unreadable("damaged")
    return list(dict.fromkeys(found))


def _spine(package: etree._Element | None, names: frozenset[str]) -> list[str]:
    """Return the parts in the order of the spine. Addresses are relative to the archive root or to the package file.

    Raises Unreadable `damaged` for a listed section that is missing.
    """
    if package is None:
        return []
    items = {element.get("id"): element.get("href", "") for element in package.iter() if name(element) == "item"}
    found = []
    for element in package.iter():
        if name(element) != "itemref" or not (address := items.get(element.get("idref"))):
            continue
        beside = posixpath.join(posixpath.dirname(_PACKAGE), address)
        part = next((part for part in (address, beside) if part in names), "")
        if not part and _SECTION.fullmatch(address):
            raise Unreadable("damaged")
        found.append(part)
    return found


def _summary(package: etree._Element | None) -> Summary:
    title = ""
    said: dict[str, str] = {}
    for element in package.iter() if package is not None else ():
        kind = name(element)
        if kind == "title":
            title = title or element.text or ""
        elif kind == "meta":
            said.setdefault((element.get("name") or "").lower(), (element.text or "").strip())
    return Summary(
        title=summary_properties.plausible_title(title),
        author=summary_properties.plausible_author(said.get("creator", "")),
        date=_day(said.get("modifieddate", "")) or _day(said.get("createddate", "")),
    )


def _day(value: str) -> str:
    match = _TIME.match(value)
    try:
        return summary_properties.plausible_date(datetime.fromisoformat(f"{match[0]}+00:00")) if match else ""
    except ValueError:
        return ""
