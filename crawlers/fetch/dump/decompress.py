"""Decompress a large file as a stream, recognized by its magic bytes, within limits of size and ratio."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from malmoi.boundary import input_errors
from malmoi.limits import DUMP_RATIO, DUMP_XZ_MEMORY

CHUNK = 1 << 16  # bytes read at a time
PIECE = 1 << 20  # bytes decompressed at a time
SMALL = 64 * 1024 * 1024  # bytes; below this no ratio is suspicious

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "none": ""}


class Unpackable(Exception):
    """The file is cut off, damaged, larger than the limits, or compressed in an unsupported way."""


class Stream(Protocol):
    """Any binary file to read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


class _Decompressor(Protocol):
    """The interface of the decompressors of bz2 and lzma."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib with the interface of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def detect_packing(head: bytes) -> str:
    """Return the compression of a file that begins with `head`: gzip, bzip2, xz, zstd, none.

    >>> detect_packing(b"BZh91AY&SY"), detect_packing(b"<mediawiki")
    ('bzip2', 'none')
    """
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "none")


def unpack_stream(stream: Stream, *, limit: int) -> Iterator[bytes]:
    """Yield the content of `stream` in pieces of at most PIECE bytes; several members (multistream) are read as one.

    Raises Unpackable if it ends too early, is damaged, or grows beyond `limit` bytes or DUMP_RATIO.
    """
    counted = _Counted(stream)
    head = counted.read(CHUNK)
    total = 0
    packing = detect_packing(head)
    found = _pieces(packing, head, counted)
    while True:
        with input_errors(lambda name: Unpackable(f"it is damaged after {counted.count:,} bytes ({name})"), Unpackable):
            piece = next(found, b"")
        if not piece:
            return
        if packing != "none" and not total and detect_packing(piece) != "none":
            raise Unpackable("it is compressed twice")
        total += len(piece)
        if total > limit:
            raise Unpackable(f"it grows beyond {limit:,} bytes, max_unpacked of the Dump")
        if total > max(SMALL, DUMP_RATIO.value * counted.count):
            raise Unpackable(f"it grows to more than {DUMP_RATIO.value} times its size; {DUMP_RATIO.describe()}")
        yield piece


class _Counted:
    """A stream that counts the bytes read from it."""

    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self._inner.read(size)
        self.count += len(data)
        return data


def _pieces(kind: str, head: bytes, stream: Stream) -> Iterator[bytes]:
    makers: dict[str, Callable[[], _Decompressor]] = {
        "gzip": _Gzip,
        "bzip2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=DUMP_XZ_MEMORY.value),
    }
    if kind == "zstd":
        yield from _zstd(head, stream)
    elif kind in makers:
        yield from _members(kind, makers[kind], head, stream)
    else:
        while head:
            yield head
            head = stream.read(CHUNK)


def _members(kind: str, make: Callable[[], _Decompressor], data: bytes, stream: Stream) -> Iterator[bytes]:
    while data:
        if detect_packing(data) != kind:
            raise Unpackable(f"the data after one of its members is not {kind}")
        one = make()
        while not one.eof:
            if one.needs_input and not data:
                data = stream.read(CHUNK)
                if not data:
                    raise Unpackable("it is cut off")
            if piece := one.decompress(data if one.needs_input else b"", PIECE):
                yield piece
            data = b""
        data = _next_member(one.unused_data, stream)


def _next_member(data: bytes, stream: Stream) -> bytes:
    """Return the next member, without the zero padding that gzip and xz allow."""
    data = data.lstrip(b"\0")
    while len(data) < len(max(MAGIC, key=len)) and (more := stream.read(CHUNK)):
        data = (data + more).lstrip(b"\0")
    return data


def _zstd(head: bytes, stream: Stream) -> Iterator[bytes]:
    # Python 3.11 has no zstd in its standard library; Arrow, which shards need anyway, reads it as a stream.
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(_Again(head, stream), mode="r"), "zstd") as opened:
        while piece := opened.read(PIECE):
            yield piece


class _Again:
    """A stream with its head put back; Arrow uses these members of a file."""

    closed = False

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = CHUNK, /) -> bytes:
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
            return given
        return self._stream.read(size)

    def close(self) -> None:
        """Do nothing: the caller owns the file."""
