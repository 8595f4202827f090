"""Download the file of a dump resumably, and decompress it as a stream within limits of size and ratio."""

from __future__ import annotations

import bz2
import http.client
import json
import lzma
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

from crawlers.fetch import payload, politeness
from crawlers.fetch.streaming_client import (
    PASSING,
    Exceeded,
    Net,
    NoAnswer,
    Refused,
    Watch,
    describe_failure,
    parse_content_range,
    pieces,
    read_length,
)
from malmoi.boundary import input_errors
from malmoi.errors import HostError, SourceError, StageError, name_remedy
from malmoi.limits import DUMP_RATIO, DUMP_XZ_MEMORY
from malmoi.storage.atomic_files import replace_file

SYNC_EVERY = 1 << 25  # bytes between two fsyncs; a power cut costs at most this much, which is fetched again
PROGRESS = 1 << 20  # bytes; a try that brought this many counts as a success, and the count of tries starts again
CHUNK = 1 << 16  # bytes read at a time
PIECE = 1 << 20  # bytes decompressed at a time
SMALL = 64 * 1024 * 1024  # bytes; below this no ratio is suspicious

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "none": ""}


@dataclass(frozen=True, slots=True)
class Version:
    """The version of the file at a URL, as its server states it."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""
    size: int | None = None  # bytes; None if the server does not say

    def validator(self) -> str:
        """Return the validator for If-Range: a strong ETag, or a date (RFC 9110, section 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def is_same(self, other: Version) -> bool:
        """Whether both are certainly the same file."""
        if self.url != other.url:
            return False
        if self.etag or other.etag:
            return self.etag == other.etag
        return bool(self.last_modified) and (self.last_modified, self.size) == (other.last_modified, other.size)


class Download:
    """One large file, streamed to `<folder>/dump.part`; resumes the download of a killed process."""

    def __init__(self, net: Net, url: str, folder: Path, *, before: Version | None, max_bytes: int) -> None:
        self.net, self.url, self.before, self.max_bytes = net, url, before, max_bytes
        self.part = folder / "dump.part"
        self._state = folder / "dump.json"
        try:
            state = Version(**json.loads(self._state.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            state = Version()
        self.version = state if state.url == url else Version()
        self.unchanged = False  # the server still has the file of an earlier run; nothing was downloaded
        self._synced = 0

    def pieces(self) -> Iterator[int]:
        """Yield the bytes on the disk after each piece; end when the file is whole or `unchanged`.

        Raises:
            SourceError: the file is missing or is too large.
            HostError: its server has stopped answering.
            StageError: the disk is full.
        """
        begun, most = 0, 0  # `most`: bytes of the best try; only bytes beyond it are progress
        for attempt in self.net.tries(self.url):
            had = self._bytes_usable()
            if had and self.version.size == had:
                return
            try:
                with self.net.open(self.url, self._conditions(had)) as (at, response, watch):
                    attempt.retry_after = response.headers.get("Retry-After", "")
                    start = self._start(at, response, had)
                    if self.unchanged:
                        return
                    if start is not None:
                        begun += start == 0
                        yield from self._write(response, watch, start)
                        if self.version.size in (None, self._bytes_held()):
                            return
                        attempt.why = "cut-off"
                    else:
                        attempt.why = f"status-{response.status}"
            except PASSING as error:
                attempt.why = describe_failure(error)
                attempt.number += isinstance(error, Exceeded)  # it has waited long enough for two
            except (NoAnswer, Refused) as said:
                raise SourceError(f"{said}; check the address of the dump, then run again") from None
            if self._bytes_usable() - max(most, had) >= PROGRESS:
                attempt.number = 1
            most = max(most, self._bytes_usable())
            if begun > politeness.MAX_TRIES:
                break
        size, goes_on = self._bytes_held(), self._bytes_usable() == self._bytes_held()
        then = "run the same job again later, it resumes from there"
        if size and not goes_on:
            then = (
                "the host sends no validator of the file (a strong ETag or Last-Modified), so each try starts over: "
                "run the same job again later, or download the file by other means and name it with path= of the Dump"
            )
        raise HostError(f"{self.url}: stopped at {size:,} bytes ({attempt.why}); {then}")

    def forget(self) -> None:
        """Delete the downloaded bytes, so that the next try starts over."""
        for path in (self.part, self._state):
            path.unlink(missing_ok=True)

    def _bytes_held(self) -> int:
        """Return the number of bytes on the disk."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _bytes_usable(self) -> int:
        """Return the number of bytes that a download can resume from: without a validator their version is unknown."""
        return self._bytes_held() if self.version.validator() else 0

    def _conditions(self, had: int) -> dict[str, str]:
        asked = {"Accept-Encoding": "identity"}
        if had:
            return asked | {"Range": f"bytes={had}-", "If-Range": self.version.validator()}
        if self.before is not None and self.before.etag:
            asked["If-None-Match"] = self.before.etag
        if self.before is not None and self.before.last_modified:
            asked["If-Modified-Since"] = self.before.last_modified
        return asked

    def _start(self, at: str, response: http.client.HTTPResponse, had: int) -> int | None:
        """Return the offset of the body of an answer in the file; None if it has none and a retry may help."""
        status = response.status
        if status == 304 and self.before is not None and not had:
            self.unchanged, self.version = True, self.before
            return None
        if status == 206 and had:
            start, size = parse_content_range(response.headers.get("Content-Range", ""))
            if start == had and size in (None, self.version.size or size) and self._is_of(response):
                self.version = replace(self.version, size=self.version.size or size)
                return had
            self.forget()  # another file, or another part than requested: start over
            self.version = Version()
            return None
        if status == 416 and had:
            self.forget()
            self.version = Version()
            return None
        if not payload.is_lasting(status):
            return None
        if status != 200:
            raise SourceError(f"{at}: status {status}; correct url of the Dump in the source file if it has moved")
        found = Version(
            self.url,
            response.headers.get("ETag", ""),
            response.headers.get("Last-Modified", ""),
            read_length(response),
        )
        if self.before is not None and found.is_same(self.before):
            self.unchanged, self.version = True, self.before
            return None
        if found.size is not None and found.size > self.max_bytes:
            raise SourceError(
                f"{at}: {found.size:,} bytes, more than max_bytes={self.max_bytes:,} of the Dump allows; "
                "raise max_bytes in the source file if the file may be so large"
            )
        self.version = found
        with self._explain_disk_errors():
            self.part.write_bytes(b"")
            replace_file(self._state, json.dumps(asdict(found), sort_keys=True) + "\n")
        return 0

    def _is_of(self, response: http.client.HTTPResponse) -> bool:
        """Whether a partial answer belongs to the version of the file that is partly downloaded."""
        etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
        return etag in ("", self.version.etag) and modified in ("", self.version.last_modified)

    def _write(self, response: http.client.HTTPResponse, watch: Watch, start: int) -> Iterator[int]:
        with self.part.open("r+b") as file:
            file.truncate(start)
            file.seek(start)
            try:
                for piece in pieces(response, watch, by_rate=True):
                    start += len(piece)
                    if start > self.max_bytes:
                        raise SourceError(
                            f"{self.url}: more than max_bytes={self.max_bytes:,} of the Dump allows; "
                            "raise max_bytes in the source file if the file may be so large"
                        )
                    self._append(file, piece, durable=start - self._synced >= SYNC_EVERY)
                    self._synced = start if start - self._synced >= SYNC_EVERY else self._synced
                    yield start
            finally:
                self._append(file, b"", durable=True)

    def _append(self, file: IO[bytes], piece: bytes, *, durable: bool) -> None:
        with self._explain_disk_errors():
            file.write(piece)
            file.flush()
            if durable:
                os.fsync(file.fileno())

    @contextmanager
    def _explain_disk_errors(self) -> Iterator[None]:
        """Raise StageError for a disk error, which is not a network failure."""
        try:
            yield
        except OSError as error:
            raise StageError(
                f"{self.part}: cannot be written ({error.strerror}); {name_remedy(error)}, then run the same job again"
            ) from error


class Unpackable(Exception):
    """The file is cut off, damaged, larger than the limits, or compressed in an unsupported way."""


class Stream(Protocol):
    """Any binary file to read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


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
    pieces: Iterator[bytes]
    if packing == "none":
        pieces = chain((head,), iter(lambda: counted.read(CHUNK), b""))
    else:
        pieces = _unpack_zstd(head, counted) if packing == "zstd" else _unpack_members(packing, head, counted)
    while True:
        with input_errors(lambda name: Unpackable(f"it is damaged after {counted.count:,} bytes ({name})"), Unpackable):
            piece = next(pieces, b"")
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


def _unpack_members(kind: str, data: bytes, stream: Stream) -> Iterator[bytes]:
    while data:
        if detect_packing(data) != kind:
            raise Unpackable(f"the data after one of its members is not {kind}")
        if kind == "gzip":
            unpacker: Any = _Gzip()
        elif kind == "bzip2":
            unpacker = bz2.BZ2Decompressor()
        else:
            unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=DUMP_XZ_MEMORY.value)
        while not unpacker.eof:
            if unpacker.needs_input and not data:
                data = stream.read(CHUNK)
                if not data:
                    raise Unpackable("it is cut off")
            if piece := unpacker.decompress(data if unpacker.needs_input else b"", PIECE):
                yield piece
            data = b""
        data = unpacker.unused_data.lstrip(b"\0")  # gzip and xz allow zero padding
        while len(data) < len(max(MAGIC, key=len)) and (more := stream.read(CHUNK)):
            data = (data + more).lstrip(b"\0")


def _unpack_zstd(head: bytes, stream: Stream) -> Iterator[bytes]:
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
