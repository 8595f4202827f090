"""Parse the records of an HWP 5 stream, and the words and controls of a paragraph's text.

Hancom, "한글 문서 파일 형식 5.0" revision 1.3: section 4.3 (본문), tables "제어 문자" and "본문의 데이터
레코드".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

MAX_TOTAL = 64 * 1024 * 1024  # bytes of all sections of a document, unpacked
MAX_RATIO = 100  # unpacked : packed, of one section
SMALL = 8 * 1024 * 1024  # bytes; below this no ratio is suspicious: empty cells of a table compress very well
MAX_RECORDS = 600_000  # records that are used; about 150,000 table cells, or 6,000 pages
MAX_ALL_RECORDS = 4_000_000  # all records, including skipped ones

NUMBERING, BULLET, PARAGRAPH_SHAPE, DISTRIBUTED = 23, 24, 25, 28
PARAGRAPH, TEXT, CONTROL, LIST = 66, 67, 71, 72
SHAPE, TABLE, EQUATION, TEXT_ART, MEMOS = 76, 77, 88, 90, 93
_WANTED = frozenset(
    {PARAGRAPH, TEXT, CONTROL, LIST, SHAPE, TABLE, EQUATION, TEXT_ART, MEMOS, NUMBERING, BULLET, PARAGRAPH_SHAPE}
)
_LONG = 0xFFF  # a size of twelve ones: the real size follows

# Codes that take eight 16-bit units: 1–9, 11, 12 and 14–23 ("inline" and "extended" ones).
_CONTROL = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x17]\x00")
_WIDTH = 16  # bytes
_EXTENDED = frozenset({1, 2, 3, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23})  # have a record of their own
# Line break, hyphen, non-breaking and fixed space; the end of the paragraph and reserved codes are removed.
_CHARACTERS = {10: "\n", 24: "-", 30: " ", 31: " "} | dict.fromkeys((0, 13, 25, 26, 27, 28, 29))
_TAB = 9
FIELD_END = 4


class Record(NamedTuple):
    """One record of a stream: its tag, its depth in the tree, its bytes."""

    tag: int
    level: int
    data: bytes


def inflate(packed: bytes, left: int = MAX_TOTAL) -> bytes:
    """Decompress a raw deflate stream to at most `left` bytes.

    Raises Unreadable: `damaged` for a truncated or corrupt stream, `archive-bomb`.
    """
    limit = min(left, max(SMALL, MAX_RATIO * len(packed)))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
        found = inflater.decompress(packed, limit + 1)
    if len(found) > limit:
        raise Unreadable("archive-bomb")
    if not inflater.eof:
        raise Unreadable("damaged")
    return found


def records(stream: bytes) -> Iterator[Record]:
    """Yield the records that carry text, its structure or its numbering.

    Raises Unreadable: `damaged` for a record that exceeds its stream, `too-large`.
    """
    at, end, seen, passed = 0, len(stream), 0, 0
    while at + 4 <= end:
        head = int.from_bytes(stream[at : at + 4], "little")
        if not head:  # the stream is padded with zeros
            break
        at += 4
        size = head >> 20
        if size == _LONG:
            if at + 4 > end:
                raise Unreadable("damaged")
            size = int.from_bytes(stream[at : at + 4], "little")
            at += 4
        if at + size > end:
            raise Unreadable("damaged")
        if head & 0x3FF in _WANTED:
            seen += 1
            if seen > MAX_RECORDS:
                raise Unreadable("too-large")
            yield Record(head & 0x3FF, head >> 10 & 0x3FF, stream[at : at + size])
        else:
            passed += 1
            if passed > MAX_ALL_RECORDS:
                raise Unreadable("too-large")
        at += size
    if at != end and stream[at:].strip(b"\0"):
        raise Unreadable("damaged")


def pieces(data: bytes) -> Iterator[str | int]:
    r"""Yield the words of a paragraph, and between them the codes of the controls that have a record of their own.

    FIELD_END has none, but is yielded too.

    >>> list(pieces("표 1".encode("utf-16-le") + b"\x0b\0" + b" lbt" + bytes(8) + b"\x0b\0" + b"\r\0"))
    ['표 1', 11]
    """
    at = 0
    for match in _CONTROL.finditer(data):
        start = match.start()
        if start % 2 or start < at:  # the second half of a character, or inside a control
            continue
        if words := _words(data[at:start]):
            yield words
        code = data[start]
        if code in _EXTENDED or code == FIELD_END:
            yield code
        elif code == _TAB:
            yield "\t"
        at = start + _WIDTH
    if words := _words(data[at:]):
        yield words


def read_counted_string(data: bytes, at: int) -> tuple[str, int]:
    """Return a length-prefixed string, and its end; "" if it exceeds the data."""
    if at + 2 > len(data):
        return "", len(data)
    end = at + 2 + 2 * int(unpack_from("<H", data, at)[0])
    return (_words(data[at + 2 : end]), end) if end <= len(data) else ("", len(data))


def _words(raw: bytes) -> str:
    return raw.decode("utf-16-le", "replace").translate(_CHARACTERS)
