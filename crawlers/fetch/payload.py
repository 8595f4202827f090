"""What of an answer goes into the archive: the decoded body, and headers that fit it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TypeAlias

MAX_BODY = 64 * 1024 * 1024  # bytes of a body after decompression
MAX_RATIO = 200  # decompressed : compressed
SMALL = 1024 * 1024  # bytes; below this no ratio is suspicious: blank pages compress 1000 : 1

Headers: TypeAlias = tuple[tuple[str, str], ...]

# Said of the connection or of the coding of the bytes, which the archive does not keep (RFC 9110, section 7.6.1).
_DROPPED = frozenset(
    {"transfer-encoding", "content-encoding", "content-length", "connection", "keep-alive", "trailer", "te"}
)


class TooBig(Exception):
    """A body that would grow beyond MAX_BODY or MAX_RATIO, or that is not what its coding says."""


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

    Raises:
        TooBig: beyond the limits, or not readable as `coding`.
        KeyError: a coding that was not asked for.

    >>> decoded(zlib.compress(b"text"), "deflate")
    b'text'
    """
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name == "identity":
            continue
        bits = {"gzip": 31, "x-gzip": 31, "deflate": 15}[name]
        if name == "deflate" and body[:1] and (body[0] & 0x0F) != 8:
            bits = -15  # raw deflate, which RFC 9110, section 8.4.1.2, notes as a common mistake
        body = inflate(body, bits)
    return body


def inflate(body: bytes, bits: int = 31) -> bytes:
    """Decompress all members of `body` within the limits; `bits` as zlib's wbits."""
    limit = min(MAX_BODY, max(SMALL, MAX_RATIO * len(body)))
    out = bytearray()
    try:
        while body:
            unpacker = zlib.decompressobj(bits)
            out += unpacker.decompress(body, limit + 1 - len(out))
            if len(out) > limit:
                raise TooBig(f"more than {limit} bytes after decompression")
            if not unpacker.eof:
                raise TooBig("ends in the middle of its compression")
            body = unpacker.unused_data if bits > 15 else b""  # only gzip has members
            if not body.strip(b"\0"):
                break
    except zlib.error as error:
        raise TooBig("not compressed as it says") from error
    return bytes(out)
