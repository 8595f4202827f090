"""Decode the body of an answer and rewrite its headers for the archive."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import brotli  # type: ignore[import-untyped,unused-ignore]

from malmoi import limits
from malmoi.boundary import input_errors

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SMALL = 1024 * 1024  # bytes; below this no ratio is suspicious: blank pages compress 1000 : 1
CHUNK = 1 << 16  # bytes given to a decompressor at a time
# Bytes of history that a zstd frame may ask for, as a power of two; RFC 9659 allows 8 MiB on the web.
WINDOW_LOG = 23

REDIRECTS = frozenset({301, 302, 303, 307, 308})

Headers: TypeAlias = tuple[tuple[str, str], ...]

# Headers of the connection or of the coding of the bytes, which the archive does not keep (RFC 9110, section 7.6.1).
_DROPPED = frozenset(
    {"transfer-encoding", "content-encoding", "content-length", "connection", "keep-alive", "trailer", "te"}
)


class BadCoding(Exception):
    """A body that cannot be decoded; `reason` is the failure word."""

    reason = "bad-compression"


class TooBig(BadCoding):
    """A body that would grow beyond the limits."""

    reason = "decompression-bomb"


class Damaged(BadCoding):
    """A body that does not match its coding, or is cut off."""


class UnknownCoding(BadCoding):
    """A coding that is not supported, or too many codings in a row."""

    reason = "unknown-coding"


def is_lasting(status: int) -> bool:
    """Whether an answer is worth keeping: a server error may be gone tomorrow.

    >>> is_lasting(200), is_lasting(404), is_lasting(503), is_lasting(429)
    (True, True, False, False)
    """
    return status < 500 and status not in (408, 429)


def rewrite_headers(headers: Iterable[tuple[bytes, bytes]], size: int, *, keep_coding: bool = False) -> Headers:
    """Return the headers that fit a decoded body of `size` bytes.

    >>> rewrite_headers([(b"Transfer-Encoding", b"chunked"), (b"Server", b"x")], 3)
    (('Server', 'x'), ('Content-Length', '3'))
    """
    dropped = _DROPPED - {"content-encoding"} if keep_coding else _DROPPED
    text = [(k.decode("latin-1"), v.decode("utf-8", "surrogateescape")) for k, v in headers]
    kept = [(k, v.replace("\r", " ").replace("\n", " ")) for k, v in text if k.lower() not in dropped]
    return (*kept, ("Content-Length", str(size)))


def decode_body(body: bytes, coding: str) -> bytes:
    """Undo the Content-Encoding of a body, within the limits.

    The crawler asks for gzip and deflate; some servers send br or zstd anyway, so those are decoded too.

    Raises:
        TooBig: beyond the limits.
        Damaged: not readable as `coding`.
        UnknownCoding: another coding, or too many of them.

    >>> decode_body(zlib.compress(b"text"), "deflate"), decode_body(brotli.compress(b"text"), "br")
    (b'text', b'text')
    """
    names = [part.strip().lower() for part in coding.split(",") if part.strip()]
    names = [name for name in names if name != "identity"]
    if len(names) > limits.ANSWER_CODINGS.value:
        raise UnknownCoding(f"{len(names)} codings in a row; {limits.ANSWER_CODINGS.describe()}")
    for name in reversed(names):
        if not body:
            break  # an answer without body, as to 304, may still name the coding
        body = _undo_coding(body, name)
    return body


def _undo_coding(body: bytes, name: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return inflate(body)
    if name == "deflate":
        # Raw deflate, which RFC 9110, section 8.4.1.2, notes as a common mistake.
        return inflate(body, 15 if (body[0] & 0x0F) == 8 else -15)
    if name == "br":
        return _unbrotli(body)
    if name == "zstd":
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
        return _decompress_all(body, lambda: zstd.ZstdDecompressor(options=options), b"")
    raise UnknownCoding(f"{name[:40]!r} is not a supported coding")


def limit_of(size: int) -> int:
    """Return the most bytes that a body of `size` compressed bytes may become."""
    return min(limits.ANSWER_UNPACKED_BYTES.value, max(SMALL, limits.ANSWER_RATIO.value * size))


def inflate(body: bytes, bits: int = 31) -> bytes:
    """Decompress all members of `body` within the limits; `bits` as zlib's wbits. Stop at bytes that are not a member.

    Raises:
        TooBig, Damaged: as for `decode_body`.
    """
    return _decompress_all(
        body, lambda: zlib.decompressobj(bits), b"\x1f\x8b" if bits > 15 else None
    )  # only gzip has members


def inflate_front(body: bytes, size: int) -> tuple[bytes, str]:
    """Return the first `size` bytes of a gzip, and its fault: "" if all of them could be read.

    Decompression stops at the ratio of a bomb; the fault is then that limit.

    >>> import gzip
    >>> inflate_front(gzip.compress(b"text"), 2), inflate_front(gzip.compress(b"text", mtime=0)[:-9], 9)
    ((b'te', ''), (b'text', 'ends in the middle of its compression'))
    """
    limit = max(SMALL, limits.ANSWER_RATIO.value * len(body))
    out, fault = _decompress_front(body, lambda: zlib.decompressobj(31), b"\x1f\x8b", min(size, limit))
    return out, limits.ANSWER_RATIO.describe() if limit < size and len(out) == limit else fault


def _unbrotli(body: bytes) -> bytes:
    limit = limit_of(len(body))
    out, given = bytearray(), body
    with input_errors(lambda name: Damaged(f"not compressed as it says ({name})"), BadCoding):
        unpacker: Any = brotli.Decompressor()
        while not unpacker.is_finished():
            piece = unpacker.process(given, output_buffer_limit=1 << 20)
            given = b""
            out += piece
            if len(out) > limit:
                raise TooBig(_limit_message(limit))
            if not piece and unpacker.can_accept_more_data():
                break
        finished = unpacker.is_finished()
    if not finished:
        raise Damaged("ends in the middle of its compression")
    return bytes(out)


def _decompress_all(body: bytes, make: Callable[[], Any], begins: bytes | None) -> bytes:
    limit = limit_of(len(body))
    out, fault = _decompress_front(body, make, begins, limit + 1)
    if len(out) > limit:
        raise TooBig(_limit_message(limit))
    if fault:
        raise Damaged(fault)
    return out


def _decompress_front(body: bytes, make: Callable[[], Any], begins: bytes | None, size: int) -> tuple[bytes, str]:
    """Return the first `size` bytes of all members, which begin with `begins` (None: one member), and the fault."""
    given, at, out, members = memoryview(body), 0, bytearray(), 0
    while not members or (begins is not None and at < len(given) and given[at : at + len(begins)] == begins):
        members += 1
        if members > limits.ANSWER_MEMBERS.value:
            return bytes(out), f"has too many members ({limits.ANSWER_MEMBERS.describe()})"
        try:
            with input_errors(lambda name: Damaged(f"not compressed as it says ({name})")):
                unpacker = make()
                while not unpacker.eof and at < len(given) and len(out) < size:
                    piece = given[at : at + CHUNK]
                    out += unpacker.decompress(piece, size - len(out))
                    at += len(piece)
                ended = unpacker.eof
                at -= len(unpacker.unused_data)
        except Damaged as error:
            return bytes(out), str(error)
        if len(out) >= size:
            break
        if not ended:
            return bytes(out), "ends in the middle of its compression"
    return bytes(out), ""  # bytes after the last member are padding; readers of gzip ignore them


def _limit_message(limit: int) -> str:
    reached = limits.ANSWER_UNPACKED_BYTES if limit >= limits.ANSWER_UNPACKED_BYTES.value else limits.ANSWER_RATIO
    return f"more than {limit} bytes after decompression; {reached.describe()}"
