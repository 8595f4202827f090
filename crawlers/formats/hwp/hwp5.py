"""Text extraction from HWP 5: a compound file with a header, a summary and sections of records."""

from __future__ import annotations

import re
from struct import unpack_from

from crawlers.formats.blocks import Block, count_cells, text_of
from crawlers.formats.contents import remove_contents
from crawlers.formats.hwp import summary_properties
from crawlers.formats.hwp.distribution import PLACEHOLDER, decrypt_section
from crawlers.formats.hwp.hwp5_body import blocks
from crawlers.formats.hwp.hwp_records import MAX_TOTAL, inflate, records
from crawlers.formats.hwp.numbering import Numbers, Shapes, read_record_shapes
from crawlers.formats.hwp.ole import Container
from crawlers.formats.hwp.summary_properties import Summary
from crawlers.formats.unreadable import Unreadable
from malmoi.source import Extracted, Item

SIGNATURE = b"HWP Document File"
# Bits of the header (Hancom, "한글 문서 파일 형식 5.0" revision 1.3, "파일 인식 정보").
_PACKED, _PASSWORD, _DISTRIBUTION = 0x1, 0x2, 0x4
_DRM, _CERTIFICATE, _CERTIFICATE_DRM = 0x10, 0x100, 0x400
_SECTION = re.compile(r"(BodyText|ViewText)/Section(\d{1,5})")


def extract(item: Item) -> Extracted:
    """Extract the text of an HWP 5 document, one paragraph or table row ("| … |") a line.

    Layout tables become paragraphs. Notes follow their paragraph, boxes precede or follow it; headers, footers,
    master pages, hidden comments and memos are left out. Character formats are lost. If one section
    cannot be read, the document is damaged as a whole: a partial text would be a silent loss.

    Raises Unreadable: `encrypted` (password or certificate), `drm`, `damaged`, `archive-bomb`, `too-large`, `no-text`,
    `unsupported-version:<version>`.
    """
    assert isinstance(item.body, bytes)
    container = Container(item.body)
    flags = _flags(container.read("FileHeader"))
    body = remove_contents(_body(container, flags))
    text = text_of(body)
    if flags & _DISTRIBUTION and text.startswith(PLACEHOLDER):
        raise Unreadable("damaged")
    cells, blank = count_cells(body)
    said = _summary(container)
    return Extracted(
        text=text,
        title=item.title or summary_properties.headline(said.title, text),
        date=item.date or said.date,
        author=item.author or said.author,
        format="hwp",
        cells=cells,
        blank_cells=blank,
    )


def _flags(header: bytes) -> int:
    if not header.startswith(SIGNATURE) or len(header) < 40:
        raise Unreadable("damaged")
    version, flags = unpack_from("<II", header, 32)
    if version >> 24 != 5:
        raise Unreadable(f"unsupported-version:{version >> 24}.{version >> 16 & 0xFF}")
    if flags & (_DRM | _CERTIFICATE_DRM):
        raise Unreadable("drm")
    if flags & (_PASSWORD | _CERTIFICATE):
        raise Unreadable("encrypted")
    return int(flags)


def _body(container: Container, flags: int) -> list[Block]:
    storage = "ViewText" if flags & _DISTRIBUTION else "BodyText"
    found: list[Block] = []
    left = MAX_TOTAL
    numbers = Numbers(_shapes(container, flags))
    for path in _sections(container.paths, storage):
        stream = container.read(path)
        if flags & _DISTRIBUTION:
            stream = decrypt_section(stream)
        if flags & _PACKED:
            stream = inflate(stream, left)
        left -= len(stream)
        if left < 0:
            raise Unreadable("too-large")
        found += blocks(stream, numbers)
    return found


def _shapes(container: Container, flags: int) -> Shapes:
    stream = container.read("DocInfo")
    return read_record_shapes(records(inflate(stream) if flags & _PACKED else stream))


def _sections(paths: list[str], storage: str) -> list[str]:
    """Return the sections in order. Raises Unreadable `damaged` if there are none or one in the sequence is missing."""
    numbered = {int(match[2]): path for path in paths if (match := _SECTION.fullmatch(path)) and match[1] == storage}
    if not numbered or set(numbered) != set(range(len(numbered))):
        raise Unreadable("damaged")
    return [numbered[number] for number in sorted(numbered)]


def _summary(container: Container) -> Summary:
    try:
        return summary_properties.read(container.read(summary_properties.STREAM))
    except Unreadable:  # the text does not depend on it
        return Summary()
