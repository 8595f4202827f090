"""Cut a decompressed dump into records, and records into blocks that stay stable while their records do.

A block ends where the hash of the next record's key says so (content-defined chunking), so that a new,
changed or deleted record changes only its own block. Everything before the first record (the root
element, and <siteinfo> of a MediaWiki export) is repeated in each block: a block is a small valid document.
Bytes between records are dropped. Text is escaped in XML, so a tag in the bytes is a tag; a dump with records
inside CDATA or comments would need another reader.

Withdrawn records are left out of blocks: while a dump is collected, and in blocks of earlier runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from crawlers import catalogue
from crawlers.web.addresses import canonical_url
from malmoi.archive import capture, collection
from malmoi.archive.capture import Capture
from malmoi.archive.capture_fields import BLOCK
from malmoi.archive.collection import Run
from malmoi.boundary import input_errors
from malmoi.erasure.captures import Replacement
from malmoi.erasure.tombstones import Matcher
from malmoi.limits import ARCHIVE_BODY
from malmoi.source import Dump

LINE = "line"  # Dump.record of a file of lines
MEAN = 64  # average records per block: some 200 kB of wiki text; a changed page costs 63 neighbours
MAX_BLOCK = 1 << 20  # bytes of a block that holds more than one record
MAX_HEAD = 1 << 16  # bytes before the first record
MAX_RECORD = ARCHIVE_BODY.value - 2 * MAX_HEAD  # bytes; a block must be readable as one capture
MAX_TAG = 4096  # bytes of a start tag
MAX_KEY = 20_000  # bytes of a record in which its key is searched; a title may precede it

_ID_ELEMENT = re.compile(rb"<id>\s{0,10}([^<>\s]{1,200})\s{0,10}</id>")
_ID_ATTRIBUTE = re.compile(rb"<[^<>]{1,2000}?\s(?:xml:)?id\s?=\s?[\"']([^\"'<>]{1,200})[\"']")
_TAG = re.compile(rb"<(/?)([A-Za-z_][\w.:-]{0,200})(?:\s[^<>]{0,4000})?>")
# It names the version of the wiki software, and would change every block of every dump.
_GENERATOR = re.compile(rb"\s*<generator>[^<]{0,300}</generator>")
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,500}(?:<!--[^>]{0,500}-->\s{0,100})?<(?:!doctype\s+html|html)[\s>]", re.I)
MAX_PAGE_HEAD = 1024  # bytes in which a page of HTML is recognised
_LINE_KEYS = ("id", "key", "no")


class NoRecords(Exception):
    """A dump without a record, or one that is cut off; the message says which."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record and its key: its id, or a hash of its bytes if it has none."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """A record that is too large for a capture; its bytes were skipped."""

    key: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records as one document."""

    key: str  # of the first record
    records: int
    body: bytes


@dataclass(slots=True)
class Cutter:
    """Cuts the pieces of one dump into blocks, and counts records and records that are too long."""

    element: str  # name of the element that is a record, or LINE
    head: bytes = b""  # the bytes before the first record
    records: int = 0
    too_long: list[TooLong] = field(default_factory=list)
    is_withheld: Callable[[bytes, str], bool] | None = None  # of a block of one record and its media type
    withheld: int = 0  # records that it left out

    @property
    def media(self) -> str:
        """The media type of the blocks."""
        if self.element == LINE:
            return "application/x-ndjson" if self.head == b"{" else "text/plain"
        return "application/x-mediawiki-export+xml" if b"<mediawiki" in self.head else "application/xml"

    def blocks(self, pieces: Iterable[bytes]) -> Iterator[Block]:
        """Yield the blocks of a dump whose decompressed content comes in `pieces`. Raises NoRecords."""
        batch: list[Record] = []
        size = 0
        pieces = _refuse_page(pieces)
        for record in self._lines(pieces) if self.element == LINE else self._elements(pieces):
            if isinstance(record, TooLong):
                self.too_long.append(record)
                continue
            self.records += 1
            if batch and (size + len(record.body) > MAX_BLOCK or is_block_start(record.key)):
                yield self._block(batch)
                batch, size = [], 0
            if self.is_withheld is not None and self.is_withheld(self._block([record]).body, self.media):
                self.withheld += 1
                continue
            batch.append(record)
            size += len(record.body)
        if batch:
            yield self._block(batch)
        if not self.records and not self.too_long:
            raise NoRecords("it holds no record")

    def _block(self, batch: list[Record]) -> Block:
        bodies = [record.body for record in batch]
        if self.element == LINE:
            return Block(batch[0].key, len(batch), b"".join(bodies))
        head, tail = frame(self.head)
        return Block(batch[0].key, len(batch), head + b"\n".join(bodies) + tail)

    def _lines(self, pieces: Iterable[bytes]) -> Iterator[Record | TooLong]:
        rest, passed = bytearray(), 0
        for piece in pieces:
            rest += piece
            *whole, last = rest.split(b"\n")
            for line in whole:
                if passed:
                    yield TooLong("line", passed + len(line))
                    passed = 0
                elif line.strip():
                    yield self._make_line_record(bytes(line))
            rest = last
            if len(rest) > MAX_RECORD:
                passed, rest = passed + len(rest), bytearray()
        if passed:
            yield TooLong("line", passed + len(rest))
        elif rest.strip():
            yield self._make_line_record(bytes(rest))

    def _make_line_record(self, line: bytes) -> Record | TooLong:
        self.head = self.head or line.strip()[:1]
        return TooLong("line", len(line)) if len(line) > MAX_RECORD else Record(line_key(line), line + b"\n")

    def _elements(self, pieces: Iterable[bytes]) -> Iterator[Record | TooLong]:
        name = re.escape(self.element.encode())
        opens = re.compile(rb"<" + name + rb"(?:\s[^<>]{0,%d})?>" % MAX_TAG)
        close = b"</" + self.element.encode() + b">"
        buffer, inside, at = bytearray(), False, 0
        passed = 0  # bytes of a record that is too long, already dropped
        begin = b""  # its first bytes
        for piece in pieces:
            buffer += piece
            while True:
                if not inside:
                    found = opens.search(buffer)
                    if found is None:
                        self._forget_before(buffer, first=not self.head)
                        break
                    if not self.head:
                        head = bytes(buffer[: found.start()]).removeprefix(b"\xef\xbb\xbf")
                        self.head = _GENERATOR.sub(b"", head).strip() or b" "
                    del buffer[: found.start()]
                    at = found.end() - found.start()
                    if buffer[at - 2 : at - 1] == b"/":  # <page/>: empty
                        del buffer[:at]
                        continue
                    inside = True
                end = buffer.find(close, at)
                if end < 0:
                    at = max(at, len(buffer) - len(close) + 1)
                    if len(buffer) > MAX_RECORD:
                        begin, passed = begin or bytes(buffer[:MAX_KEY]), passed + at
                        del buffer[:at]
                        at = 0
                    break
                size = end + len(close)
                if passed or size > MAX_RECORD:
                    yield TooLong(element_key(begin or bytes(buffer[:MAX_KEY])), passed + size)
                else:
                    body = bytes(buffer[:size])
                    yield Record(element_key(body), body)
                del buffer[:size]
                inside, at, passed, begin = False, 0, 0, b""
        if inside:
            raise NoRecords(f"it ends in the middle of a <{self.element}>")
        if self.records and b"</" not in buffer:
            raise NoRecords(f"it is truncated: the last <{self.element}> is complete, the closing tag is missing")
        if not self.head:
            raise NoRecords(f"it holds no <{self.element}>")

    def _forget_before(self, buffer: bytearray, *, first: bool) -> None:
        """Drop the bytes between records, except the start of a tag that the next piece may finish."""
        if first:
            if len(buffer) > MAX_HEAD:
                raise NoRecords(f"it has no <{self.element}> in its first {MAX_HEAD:,} bytes")
            return
        if len(buffer) > 2 * MAX_TAG:
            del buffer[:-MAX_TAG]


def is_block_start(key: str) -> bool:
    """Whether a block starts at this record: one in MEAN on average (content-defined chunking).

    >>> sum(map(is_block_start, map(str, range(64_000))))
    973
    """
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % MEAN == 0


def element_key(record: bytes) -> str:
    """Return the key of a record: its first <id>, or the attribute id of its tag, or a hash.

    >>> element_key(b"<page><title>x</title><ns>0</ns><id>12</id></page>"), element_key(b'<a n="1" id="z9">')
    ('12', 'z9')
    """
    start = record[:MAX_KEY]
    found = _ID_ELEMENT.search(start) or _ID_ATTRIBUTE.match(start)
    return found[1].decode("utf-8", "replace") if found else _hash(record)


def _refuse_page(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces. Raises NoRecords if they begin like a page of HTML, which servers send instead of a file."""
    head = b""
    for piece in pieces:
        if len(head) < MAX_PAGE_HEAD:
            head += piece[:MAX_PAGE_HEAD]
            if _PAGE.match(head):
                raise NoRecords("it is a page of HTML, not a dump")
        yield piece


def line_key(line: bytes) -> str:
    """Return the key of a line: that of a JSON object that has one, or a hash.

    >>> line_key(b'{"id": 7, "text": ""}'), len(line_key(b"a line"))
    ('7', 16)
    """
    if line.lstrip().startswith(b"{"):
        try:
            with input_errors(ValueError):
                said = json.loads(line)
        except ValueError:
            return _hash(line)
        for name in _LINE_KEYS:
            if isinstance(said.get(name), (str, int)) and str(said[name]).strip():
                return str(said[name]).strip()[:200].encode("utf-8", "replace").decode()
    return _hash(line)


def frame(head: bytes) -> tuple[bytes, bytes]:
    r"""Return the frame of the records of a block: the head, and end tags for the elements that it leaves open.

    >>> frame(b'<?xml version="1.0"?><mediawiki v="1"><siteinfo><dbname>k</dbname></siteinfo>\n')[1]
    b'\n</mediawiki>\n'
    """
    opened: list[bytes] = []
    for tag in _TAG.finditer(head):
        if tag[1]:
            if opened and opened[-1] == tag[2]:
                opened.pop()
        elif not tag[0].endswith(b"/>"):
            opened.append(tag[2])
    return head.rstrip() + b"\n", b"\n" + b"".join(b"</" + name + b">\n" for name in reversed(opened))


def _hash(record: bytes) -> str:
    return hashlib.sha256(record).hexdigest()[:16]


IsErased = Callable[[str, str], bool]  # of a document, by id and address


def check_for(definition: catalogue.Definition, matcher: Matcher) -> Callable[[bytes, str], bool] | None:
    """Return the check of a collection whether all documents in a block of one record are erased.

    None if no tombstone names a document of the source or an address.
    """
    begin = f"{definition.source.name}/"
    named = (one.kind == "url" or one.kind == "url-prefix" or one.key.startswith(begin) for one in matcher.tombstones)
    if not any(named):
        return None
    return _make_check(definition, lambda id, url: bool(matcher.find_by_id(id) or matcher.find_by_address(url)))


def _make_check(definition: catalogue.Definition, is_erased: IsErased) -> Callable[[bytes, str], bool]:
    from crawlers import defaults

    source = definition.source.name
    items = definition.items or defaults.items

    def check(block: bytes, media: str) -> bool:
        found = list(items(Capture("", f"{BLOCK}{source}/", "", 200, (("Content-Type", media),), block, source)))
        return bool(found) and all(is_erased(f"{source}/{one.key}", canonical_url(one.url) or one.url) for one in found)

    return check


def cut_blocks(
    definition: catalogue.Definition, runs: Iterable[Run], is_erased: IsErased
) -> dict[str, Replacement | None]:
    """Return the blocks of `runs` with an erased document: id of the record → what takes its place, or None.

    A block is replaced by what a new collection cuts of it.
    """
    from crawlers import defaults

    source, access = definition.source.name, definition.source.access
    replacements: dict[str, Replacement | None] = {}
    items, check = definition.items or defaults.items, _make_check(definition, is_erased)
    for run in runs:
        for row in (collection.resolve_row(run, one) for one in run.rows if one.url.startswith(BLOCK)):
            if row.kind != "resource":
                continue
            block = capture.read(Path(row.path), row.offset, row.record, row.payload_sha256)
            if not any(is_erased(f"{source}/{one.key}", canonical_url(one.url) or one.url) for one in items(block)):
                continue
            assert isinstance(access, Dump)
            rest = next(Cutter(access.record, is_withheld=check).blocks([block.body]), None)
            replacements[row.record] = None
            if rest is not None:
                url = f"{BLOCK}{source}/{quote(rest.key, safe='')}"
                raw = capture.resource_record(url, row.fetched, row.media, rest.body)
                replacements[row.record] = Replacement(capture.record_id(url, rest.body), url, rest.body, raw)
    return replacements
