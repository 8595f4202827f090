"""Delimit the records and gzip members of an archive, so that damage affects only the record it is in.

A library that iterates over records stops at the first unreadable one. This module first cuts out each record,
which is then parsed separately. A record whose length does not lead to the end of a record is
damaged; reading resumes at the next line that begins a record.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from malmoi.boundary import input_errors
from malmoi.errors import CaptureError
from malmoi.limits import ARCHIVE_BODY, ARCHIVE_HEAD, ARCHIVE_MEMBER, ARCHIVE_RATIO

BLOCK = 1 << 20  # bytes searched at once for the next record after damage
GZIP = b"\x1f\x8b\x08"
MARK = b"WARC/1."
_DIGEST = re.compile(rb"\nWARC-Block-Digest:[ \t]*([!-~]{1,200})", re.IGNORECASE)
_BEGIN = re.compile(rb"WARC/1\.[0-9]\r?\n[A-Za-z]")
END = b"\r\n\r\n"  # after the block of a record
NO_RECORD = "not a WARC record"
CUT_OFF = "its header is cut off or damaged"


@dataclass(frozen=True, slots=True)
class Delimited:
    """One record as raw bytes; if `why` is not empty, it is damaged and `raw` is empty."""

    at: int  # offset
    raw: bytes
    why: str = ""
    behind: int = 0  # offset where the next record should begin; 0 if unknown


def delimit(stream: BinaryIO, start: int = 0) -> Iterator[Delimited]:
    """Yield the records from offset `start` on. Bytes outside records count as one damaged record."""

    def begins_record(at: int) -> bool:
        stream.seek(at)
        return _BEGIN.match(stream.read(16)) is not None

    at = start
    while True:
        stream.seek(at)
        found = _read_record(stream, at)
        if not found.raw and not found.why:
            return
        yield found
        at = found.behind or find_next(stream, at + 1, MARK, begins_record)
        if not at:
            return


def _read_record(stream: BinaryIO, at: int) -> Delimited:
    """Read the record at the position of the stream; at the end of the archive `raw` and `why` are both empty."""
    blank, head, length, why = _read_head(stream)
    if why or not head:
        return Delimited(at, b"", why)
    begin = at + blank + len(head)
    if length > ARCHIVE_MEMBER.value:
        stream.seek(begin + length)
        whole = stream.read(len(END)) == END  # else the length itself is damaged
        why = f"a record of more than the limit; {ARCHIVE_MEMBER.describe()}"
        return Delimited(at, b"", why, begin + length + len(END) if whole else 0)
    block = stream.read(length)
    if len(block) < length:
        return Delimited(at, b"", f"cut off after {len(block)} of {length} bytes")
    end = stream.read(len(END) + len(MARK))
    newlines = min(len(end) - len(end.lstrip(b"\r\n")), len(END))
    # The data after a whole end may be damaged too. Some crawlers write a shorter end: then a record must follow.
    if not end.startswith(END) and end[newlines:] and not end[newlines:].startswith(MARK):
        return Delimited(at, b"", "its length does not lead to its end")
    return Delimited(at, head + block + END, "", begin + length + newlines)


def _read_head(stream: BinaryIO) -> tuple[int, bytes, int, str]:
    """Return (bytes of blank lines, header lines, declared length, error or "")."""
    blank, head, lengths = 0, bytearray(), set[bytes]()
    while blank + len(head) <= ARCHIVE_HEAD.value:
        line = stream.readline(ARCHIVE_HEAD.value)
        if line in (b"\r\n", b"\n") and not head:
            blank += len(line)
            continue
        if not line:
            return 0, b"", 0, CUT_OFF if head else ""
        if not head and not line.startswith(b"WARC/"):
            return 0, b"", 0, NO_RECORD
        head += line
        if line in (b"\r\n", b"\n"):
            if len(lengths) != 1 or not (said := lengths.pop()).isdigit() or len(said) > 15:
                return 0, b"", 0, CUT_OFF
            return blank, bytes(head), int(said), ""
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            lengths.add(value.strip())
    return 0, b"", 0, f"its headers are too large; {ARCHIVE_HEAD.describe()}"


def digest_of(raw: bytes) -> str:
    """Return the WARC-Block-Digest of a record, or ""."""
    found = _DIGEST.search(raw, 0, raw.find(END))
    return found[1].decode("ascii", "replace") if found else ""


def is_intact(raw: bytes, digest: str, *, needed: bool = False) -> bool:
    """Whether the block of a record matches the WARC-Block-Digest `digest`; without a digest, True unless `needed`.

    >>> is_intact(b"WARC/1.1\\r\\n\\r\\nx\\r\\n\\r\\n", "sha1:CH3K2YG53IDFOTH2PPCI2BWHEVPNBWWG")
    False
    """
    name, _, said = digest.strip().partition(":")
    if name.lower() not in ("md5", "sha1", "sha256", "sha512") or not said:
        return not needed
    found = hashlib.new(name.lower(), memoryview(raw)[raw.find(END) + len(END) : -len(END)], usedforsecurity=False)
    return said.strip().rstrip("=").upper() in (
        found.hexdigest().upper(),
        base64.b32encode(found.digest()).decode().rstrip("="),
    )


def describe_other(path: Path) -> str:
    """Describe a file that holds no WARC record, and say what to do."""
    with path.open("rb") as stream:
        head = stream.read(64)
        if head.startswith(b"\x1f\x8b"):
            stream.seek(0)
            with suppress(OSError, EOFError, zlib.error):
                head = gzip.GzipFile(fileobj=stream).read(64)
    if head.startswith(b"filedesc:"):
        return (
            "this is an ARC file, the format before WARC; convert it (`warcio recompress OLD NEW`) and name the result."
        )
    return f"not a WARC file; it begins with {head[:16]!r}. Name a .warc or .warc.gz in the source file."


def is_single_stream(stream: BinaryIO) -> bool:
    """Whether the archive is uncompressed or one gzip stream, so that it must be read from its beginning."""
    stream.seek(0)
    if stream.read(len(GZIP)) != GZIP:
        return True
    try:
        return read_member(stream, 0) is None
    except zlib.error:
        return False


def read_member(stream: BinaryIO, at: int) -> tuple[bytes, int] | None:
    """Return the content of the gzip member at offset `at` and the offset after it; None if it exceeds the limit.

    Raises zlib.error if it is damaged or cut off.
    """
    stream.seek(at)
    with input_errors(zlib.error, zlib.error):
        inflate, content, end = zlib.decompressobj(31), bytearray(), at
        while not inflate.eof:
            block = inflate.unconsumed_tail or stream.read(1 << 16)
            if not block:
                raise zlib.error("cut off")
            if not inflate.unconsumed_tail:
                end += len(block)
            content += inflate.decompress(block, ARCHIVE_MEMBER.value - len(content))
            if len(content) >= ARCHIVE_MEMBER.value:
                return None
        return bytes(content), end - len(inflate.unused_data)


def salvage(stream: BinaryIO, at: int) -> tuple[bytes, bool]:
    """Decompress a member up to its damage; return the bytes and whether it is only cut off (then they are correct)."""
    stream.seek(at)
    inflate, content = zlib.decompressobj(31), bytearray()
    while block := stream.read(256):  # the block with the damage is lost
        try:
            with input_errors(zlib.error, zlib.error):
                content += inflate.decompress(block, ARCHIVE_MEMBER.value - len(content))
        except zlib.error:
            return bytes(content), False
        if inflate.eof or len(content) >= ARCHIVE_MEMBER.value:
            return bytes(content), False
    return bytes(content), True


def next_member(stream: BinaryIO, behind: int) -> int:
    """Return the offset of the next gzip member after `behind` that begins a record, or 0."""

    def begins_record(at: int) -> bool:
        stream.seek(at)
        try:
            with input_errors(zlib.error, zlib.error):
                return zlib.decompressobj(31).decompress(stream.read(4096), 64).startswith(b"WARC/")
        except zlib.error:
            return False

    return find_next(stream, behind + 1, GZIP, begins_record)


def find_next(stream: BinaryIO, start: int, mark: bytes, holds: Callable[[int], bool], skip: int = 0) -> int:
    """Return the offset of the first `mark` from `start` on for which `holds` is true, plus `skip`; else 0."""
    while True:
        stream.seek(start)
        block = stream.read(BLOCK)
        at = block.find(mark)
        while at >= 0:
            if holds(start + at):
                return start + at + skip
            at = block.find(mark, at + 1)
        if len(block) < BLOCK:
            return 0
        start += BLOCK - len(mark) + 1


def decompress(payload: bytes, coding: str) -> bytes | None:
    """Return a payload without its gzip or deflate coding; None if it is not compressed, whatever its header says.

    Raises CaptureError above the limits or if it is cut off.
    """
    limit = min(ARCHIVE_BODY.value, max(len(payload) * ARCHIVE_RATIO.value, 1 << 16))
    body = _inflate_members(payload, 47, limit)  # gzip or zlib, by its header
    if body is None and coding == "deflate":
        return _inflate_members(payload, -15, limit)  # raw deflate, which some servers send
    return body


def _inflate_members(payload: bytes, bits: int, limit: int) -> bytes | None:
    """Decompress all members of a payload; None if it is not compressed. CaptureError above the limit or if cut off."""
    body, rest = bytearray(), payload
    while rest:
        inflate = zlib.decompressobj(bits)
        try:
            with input_errors(zlib.error, zlib.error):
                body += inflate.decompress(rest, limit + 1 - len(body))
        except zlib.error:
            if body:
                break  # trailing bytes after the last member; gzip readers ignore them
            return None
        if len(body) > limit:
            which = ARCHIVE_BODY if limit == ARCHIVE_BODY.value else ARCHIVE_RATIO
            raise CaptureError(f"payload grows beyond {limit} bytes when decompressed; {which.describe()}")
        if not inflate.eof:
            raise CaptureError(f"compressed payload is cut off after {len(payload)} bytes")
        rest = inflate.unused_data
    return bytes(body)
