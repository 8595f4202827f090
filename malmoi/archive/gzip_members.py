"""Find gzip members of an archive, resynchronise after damage, and decompress payloads within limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO

from malmoi.boundary import input_errors
from malmoi.errors import CaptureError
from malmoi.limits import ARCHIVE_BODY, ARCHIVE_MEMBER, ARCHIVE_RATIO

BLOCK = 1 << 20  # bytes searched at once for the next record after damage
GZIP = b"\x1f\x8b\x08"


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
        return _read_member(stream, at)


def _read_member(stream: BinaryIO, at: int) -> tuple[bytes, int] | None:
    inflate, content, read = zlib.decompressobj(31), bytearray(), at
    while not inflate.eof:
        block = inflate.unconsumed_tail or stream.read(1 << 16)
        if not block:
            raise zlib.error("cut off")
        if not inflate.unconsumed_tail:
            read += len(block)
        content += inflate.decompress(block, ARCHIVE_MEMBER.value - len(content))
        if len(content) >= ARCHIVE_MEMBER.value:
            return None
    return bytes(content), read - len(inflate.unused_data)


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
    return find_next(stream, behind + 1, GZIP, lambda at: _is_record_start(stream, at))


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


def _is_record_start(stream: BinaryIO, at: int) -> bool:
    stream.seek(at)
    try:
        with input_errors(zlib.error, zlib.error):
            return zlib.decompressobj(31).decompress(stream.read(4096), 64).startswith(b"WARC/")
    except zlib.error:
        return False


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
