"""What of an answer goes into the archive: the decoded body, and headers that fit it."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from typing import Any, TypeAlias

import brotli  # type: ignore[import-untyped,unused-ignore]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BODY = 64 * 1024 * 1024  # bytes of a body after decompression
MAX_RATIO = 200  # decompressed : compressed
SMALL = 1024 * 1024  # bytes; below this no ratio is suspicious: blank pages compress 1000 : 1
MAX_CODINGS = 2  # codings on top of each other; an honest server sends one
# Bytes of history that a zstd frame may ask for, as a power of two; RFC 9659 allows 8 MiB on the web.
WINDOW_LOG = 23

Headers: TypeAlias = tuple[tuple[str, str], ...]

# Said of the connection or of the coding of the bytes, which the archive does not keep (RFC 9110, section 7.6.1).
_DROPPED = frozenset(
    {"transfer-encoding", "content-encoding", "content-length", "connection", "keep-alive", "trailer", "te"}
)


class BadCoding(Exception):
    """A body that cannot be had in the clear; `reason` is the word for it."""

    reason = "bad-compression"


class TooBig(BadCoding):
    """A body that would grow beyond MAX_BODY or MAX_RATIO."""

    reason = "decompression-bomb"


class Damaged(BadCoding):
    """A body that is not what its coding says, or ends in the middle of it."""


class UnknownCoding(BadCoding):
    """A coding that nobody here can undo, or codings piled upon each other."""

    reason = "unknown-coding"


def lasting(status: int) -> bool:
    """Whether an answer is worth keeping in mind: a server in trouble answers otherwise tomorrow.

    >>> lasting(200), lasting(404), lasting(503), lasting(429)
    (True, True, False, False)
    """
    return status < 500 and status not in (408, 429)


def rewritten(headers: Iterable[tuple[bytes, bytes]], size: int, *, keep_coding: bool = False) -> Headers:
    """The headers that fit a decoded body of `size` bytes.

    >>> rewritten([(b"Transfer-Encoding", b"chunked"), (b"Server", b"x")], 3)
    (('Server', 'x'), ('Content-Length', '3'))
    """
    dropped = _DROPPED - {"content-encoding"} if keep_coding else _DROPPED
    text = [(k.decode("latin-1"), v.decode("utf-8", "surrogateescape")) for k, v in headers]
    kept = [(k, v.replace("\r", " ").replace("\n", " ")) for k, v in text if k.lower() not in dropped]
    return (*kept, ("Content-Length", str(size)))


def decoded(body: bytes, coding: str) -> bytes:
    """A body with the coding of its Content-Encoding undone, at most MAX_BODY bytes and MAX_RATIO : 1.

    We ask for gzip and deflate; some servers send br or zstd whatever was asked for, and that is read too.

    Raises:
        TooBig: beyond the limits.
        Damaged: not readable as `coding`.
        UnknownCoding: another coding, or more than MAX_CODINGS of them.

    >>> decoded(zlib.compress(b"text"), "deflate"), decoded(brotli.compress(b"text"), "br")
    (b'text', b'text')
    """
    names = [part.strip().lower() for part in coding.split(",") if part.strip()]
    names = [name for name in names if name != "identity"]
    if len(names) > MAX_CODINGS:
        raise UnknownCoding(f"{len(names)} codings upon each other")
    for name in reversed(names):
        if not body:
            break  # an answer without body, as to 304, may still name the coding
        body = _undone(body, name)
    return body


def _undone(body: bytes, name: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return inflate(body)
    if name == "deflate":
        # Raw deflate, which RFC 9110, section 8.4.1.2, notes as a common mistake.
        return inflate(body, 15 if (body[0] & 0x0F) == 8 else -15)
    if name == "br":
        return _unbrotli(body)
    if name == "zstd":
        return _unzstd(body)
    raise UnknownCoding(f"{name[:40]!r} is no coding that is read here")


def limit_of(size: int) -> int:
    """How many bytes a body of `size` compressed bytes may become."""
    return min(MAX_BODY, max(SMALL, MAX_RATIO * size))


def inflate(body: bytes, bits: int = 31) -> bytes:
    """Decompress all members of `body` within the limits; `bits` as zlib's wbits. What is no member ends it.

    Raises:
        TooBig, Damaged: as for `decoded`.
    """
    limit = limit_of(len(body))
    out, rest = bytearray(), body
    while rest:
        unpacker = zlib.decompressobj(bits)
        try:
            out += unpacker.decompress(rest, limit + 1 - len(out))
        except zlib.error as error:
            raise Damaged("not compressed as it says") from error
        if len(out) > limit:
            raise TooBig(f"more than {limit} bytes after decompression")
        if not unpacker.eof:
            raise Damaged("ends in the middle of its compression")
        rest = unpacker.unused_data if bits > 15 else b""  # only gzip has members
        if not rest.startswith(b"\x1f\x8b"):
            break  # padding behind the last member; readers of gzip leave it alone
    return bytes(out)


def _unbrotli(body: bytes) -> bytes:
    limit = limit_of(len(body))
    unpacker: Any = brotli.Decompressor()
    out, given = bytearray(), body
    try:
        while not unpacker.is_finished():
            piece = unpacker.process(given, output_buffer_limit=1 << 20)
            given = b""
            out += piece
            if len(out) > limit:
                raise TooBig(f"more than {limit} bytes after decompression")
            if not piece and unpacker.can_accept_more_data():
                break
    except brotli.error as error:
        raise Damaged("not compressed as it says") from error
    if not unpacker.is_finished():
        raise Damaged("ends in the middle of its compression")
    return bytes(out)


def _unzstd(body: bytes) -> bytes:
    limit = limit_of(len(body))
    out, rest = bytearray(), body
    while rest:
        unpacker: Any = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
        try:
            out += unpacker.decompress(rest, max_length=limit + 1 - len(out))
        except zstd.ZstdError as error:
            raise Damaged("not compressed as it says") from error
        if len(out) > limit:
            raise TooBig(f"more than {limit} bytes after decompression")
        if not unpacker.eof:
            raise Damaged("ends in the middle of its compression")
        rest = unpacker.unused_data
    return bytes(out)
