"""Captures: archived responses, read from and written to WARC.

A record's id is a hash of its address and payload, so that the same answer fetched twice is
the same record. Files of a `Folder` are not copied: their record is of WARC type `metadata`
and names path, size and sha256.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from malmoi import limits
from malmoi.errors import CaptureError
from malmoi.members import member, next_member, one_stream, sought

MAX_BODY = 64 * 1024 * 1024  # bytes of one decoded payload; what is longer is not a page
MAX_RATIO = 200  # decoded : encoded; beyond it a payload is a bomb
_WANTED = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.metadata | WarcRecordType.revisit


@dataclass(frozen=True, slots=True)
class Capture:
    """One archived response: address, time, status, headers and the payload, free of transfer codings."""

    record: str
    url: str
    fetched: str  # UTC, "2026-11-24T09:00:00Z"
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source: str = ""

    def header(self, name: str) -> str:
        """The first header called `name` (any case), or ""."""
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """Where one capture lies, and what is known of it without reading it."""

    record: str
    url: str
    fetched: str
    status: int
    media: str
    payload_sha256: str
    path: str  # file that holds it; relative to the workspace, or absolute for files that stay
    offset: int  # of the WARC record in `path`; 0 for a file
    size: int  # payload bytes
    kind: str  # response, resource, file


def record_id(url: str, payload: bytes | str) -> str:
    """The id of a record: a hash of its address and the sha256 (hex) of its payload.

    >>> record_id("https://example.kr/", b"") == record_id("https://example.kr/", b"")
    True
    """
    digest = payload if isinstance(payload, str) else hashlib.sha256(payload).hexdigest()
    raw = hashlib.sha256(f"{url}\n{digest}".encode()).hexdigest()
    return f"urn:uuid:{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:32]}"


def warc_record(
    url: str,
    fetched: str,
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    *,
    reason: str = "OK",
) -> bytes:
    """One WARC/1.1 `response` record as its own gzip member; equal arguments give equal bytes."""
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    block = f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body
    fields = {
        "WARC-Type": "response",
        "WARC-Record-ID": f"<{record_id(url, body)}>",
        "WARC-Target-URI": url,
        "WARC-Date": fetched,
        "WARC-Payload-Digest": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
        "Content-Type": "application/http; msgtype=response",
    }
    return _packed(fields, block)


def file_record(url: str, fetched: str, path: str, size: int, sha256: str) -> bytes:
    """A `metadata` record for a file that stays where it is."""
    block = json.dumps({"path": path, "size": size, "sha256": sha256}, ensure_ascii=False, sort_keys=True).encode()
    fields = {
        "WARC-Type": "metadata",
        "WARC-Record-ID": f"<{record_id(url, sha256)}>",
        "WARC-Target-URI": url,
        "WARC-Date": fetched,
        "Content-Type": "application/json",
    }
    return _packed(fields, block)


def resource_record(url: str, fetched: str, media: str, body: bytes) -> bytes:
    """A `resource` record: bytes that were had otherwise than by HTTP: a file of a repository, a block of a dump."""
    fields = {
        "WARC-Type": "resource",
        "WARC-Record-ID": f"<{record_id(url, body)}>",
        "WARC-Target-URI": url,
        "WARC-Date": fetched,
        "WARC-Payload-Digest": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "Content-Type": media,
    }
    return _packed(fields, body)


def revisit_record(url: str, fetched: str, refers_to: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """A `revisit` record (server-not-modified): the answer was 304, the record `refers_to` still stands."""
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    block = f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode("utf-8", "surrogateescape")
    fields = {
        "WARC-Type": "revisit",
        "WARC-Record-ID": f"<{record_id(url, refers_to + fetched)}>",
        "WARC-Target-URI": url,
        "WARC-Date": fetched,
        "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/server-not-modified",
        "WARC-Refers-To": f"<{refers_to}>",
        "Content-Type": "application/http; msgtype=response",
    }
    return _packed(fields, block)


def _packed(fields: Mapping[str, str], block: bytes) -> bytes:
    lines = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    raw = f"WARC/1.1\r\n{lines}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as gz:
        gz.write(raw)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Torn:
    """A record that could not be read whole, and why; the records around it are not affected."""

    path: str
    offset: int
    url: str
    why: str


def scan(path: Path) -> Iterator[tuple[int, str, Capture] | Torn]:
    """Every response, resource, file and revisit record of a WARC, as (offset, WARC type, capture).

    Raises CaptureError where the file is no WARC at all or holds no record; a record that is
    cut off or damaged comes as `Torn`, and reading goes on behind it.
    """
    seen = False
    with path.open("rb") as stream:
        whole = one_stream(stream)
        for entry in _in_stream(path, stream) if whole else _by_member(path, stream):
            seen = True
            if entry is not None:
                yield entry
    if not seen:
        raise CaptureError(f"{path}: the archive holds no record; remove it, or collect again.")


_Entry: TypeAlias = "tuple[int, str, Capture] | Torn | None"  # None: a record of a type that holds no capture


def _by_member(path: Path, stream: BinaryIO) -> Iterator[_Entry]:
    """An archive with a gzip member for each record: damage costs the member it is in."""
    at = seen = 0
    size = stream.seek(0, 2)
    while at < size:
        try:
            found = member(stream, at)
            entries = [Torn(str(path), at, "", "a record of more than the limit")] if found is None else None
            content, behind = found or (b"", next_member(stream, at))
        except zlib.error as error:
            entries, content, behind = [Torn(str(path), at, "", f"damaged: {error}")], b"", next_member(stream, at)
        if content and not content.startswith(b"WARC/"):
            if not seen:
                raise CaptureError(f"{path}: {_no_warc(path, OSError('no WARC header'))}")
            entries = [Torn(str(path), at, "", "not a WARC record")]
        yield from _records(path, content, at) if entries is None else entries
        seen += 1
        if not behind:
            return
        at = behind


def _archive(stream: BinaryIO) -> ArchiveIterator:
    """The records of an archive of all types; headers as large as our own crawler keeps them are read."""
    return ArchiveIterator(
        stream,
        record_types=WarcRecordType.any_type,
        auto_decode="transfer",
        max_header_len=limits.RECORD_HEAD_BYTES.value,
    )


def _records(path: Path, content: bytes, at: int) -> Iterator[_Entry]:
    """The records of one member; what cannot be read as a record is torn."""
    try:
        for record in _archive(io.BytesIO(content)):
            yield _capture(path, record, at) if record.record_type & _WANTED else None
    except OSError as error:
        yield Torn(str(path), at, "", f"unreadable: {error}")


def _in_stream(path: Path, stream: BinaryIO) -> Iterator[_Entry]:
    """A plain archive, or one compressed as a whole."""
    start = seen = 0
    while True:
        stream.seek(start)
        last = start
        try:
            for record in _archive(stream):
                seen += 1
                last = start + record.stream_pos
                yield _capture(path, record, last) if record.record_type & _WANTED else None
            return
        except OSError as error:
            if not seen:
                raise CaptureError(f"{path}: {_no_warc(path, error)}") from error
            damaged, start = last, sought(stream, last + 1, b"\nWARC/1.", lambda at: True, 1)
            yield Torn(str(path), damaged, "", f"unreadable behind the record at {damaged}: {error}")
            if not start:
                return


def read(path: Path, offset: int, record: str) -> Capture:
    """The capture `record` that lies at `offset` of the WARC `path`.

    Raises CaptureError where the record is no longer there: the archive has changed since it was indexed.
    """
    with path.open("rb") as stream:
        stream.seek(offset)
        try:
            first = next(iter(_archive(stream)))
            found = _capture(path, first, offset)
            if not isinstance(found, Torn) and found[2].record == record:
                return found[2]
        except (OSError, StopIteration):
            pass  # an archive compressed as one stream has no way in but the beginning
    for entry in scan(path):
        if not isinstance(entry, Torn) and entry[2].record == record:
            return entry[2]
    raise CaptureError(f"{path}: record {record} is not in the archive any more; run collect again.")


def index(path: Path, name: str) -> tuple[list[IndexRow], list[Torn]]:
    """The index of a WARC, with `name` as its path; sorted as the archive is."""
    rows, torn = [], []
    for entry in scan(path):
        if isinstance(entry, Torn):
            torn.append(entry)
            continue
        offset, kind, capture = entry
        media = capture.header("content-type").partition(";")[0].strip().lower()
        row = IndexRow(
            record=capture.record,
            url=capture.url,
            fetched=capture.fetched,
            status=capture.status,
            media=media,
            payload_sha256=hashlib.sha256(capture.body).hexdigest(),
            path=name,
            offset=offset,
            size=len(capture.body),
            kind=kind,
        )
        rows.append(row)
    return rows, torn


def _capture(path: Path, record: WarcRecord, at: int) -> tuple[int, str, Capture] | Torn:
    headers = record.headers.asdict()
    url = headers.get("WARC-Target-URI", "").strip("<>")
    kind = headers.get("WARC-Type", "response")
    status = 200
    http: tuple[tuple[str, str], ...] = (("Content-Type", headers.get("Content-Type", "")),)
    if record.is_http and record.http_headers is not None:
        line = record.http_headers.status_code
        status, http = line if line is not None else 0, tuple(record.http_headers.astuples())
    declared = record.content_length
    if headers.get("WARC-Truncated"):
        return Torn(str(path), at, url, f"truncated by its crawler: {headers['WARC-Truncated']}")
    if "Content-Length" not in headers or not url or status == 0:
        return Torn(str(path), at, url, "its header is cut off or damaged")
    try:
        body = record.reader.read(MAX_BODY + 1)
    except OSError as error:
        return Torn(str(path), at, url, str(error))
    if len(body) > MAX_BODY:
        return Torn(str(path), at, url, f"payload of more than {MAX_BODY} bytes")
    chunked = any(k.lower() == "transfer-encoding" for k, _ in http)
    if len(body) < declared and not chunked:
        return Torn(str(path), at, url, f"cut off after {len(body)} of {declared} bytes")
    capture = Capture(
        record=headers.get("WARC-Record-ID", "").strip("<>") or record_id(url, body),
        url=url,
        fetched=headers.get("WARC-Date", ""),
        status=status,
        headers=http,
        body=body,
    )
    try:
        return at, kind, _plain(capture)
    except CaptureError as error:
        return Torn(str(path), at, url, str(error))


def _plain(capture: Capture) -> Capture:
    """The capture with its content coding undone, within the limits."""
    coding = capture.header("content-encoding").strip().lower()
    if not coding or coding == "identity" or not capture.body:
        return capture
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise CaptureError(f"content coding {coding!r} is not read")
    limit = min(MAX_BODY, max(len(capture.body) * MAX_RATIO, 1 << 16))
    body = _inflated(capture.body, 47, limit)  # gzip or zlib, by its header
    if body is None and coding == "deflate":
        body = _inflated(capture.body, -15, limit)  # the bare deflate that some servers send
    if body is None:
        return capture  # says gzip, is not: many crawlers store the decoded payload under the old header
    headers = tuple((k, v) for k, v in capture.headers if k.lower() != "content-encoding")
    return Capture(capture.record, capture.url, capture.fetched, capture.status, headers, body, capture.source)


def _inflated(payload: bytes, bits: int, limit: int) -> bytes | None:
    """All members of a compressed payload; None where it is none. CaptureError beyond the limit or at a cut end."""
    body, rest = bytearray(), payload
    while rest:
        inflate = zlib.decompressobj(bits)
        try:
            body += inflate.decompress(rest, limit + 1 - len(body))
        except zlib.error:
            if body:
                break  # bytes behind the last member; readers of gzip leave them alone
            return None
        if len(body) > limit:
            raise CaptureError(f"payload grows beyond {limit} bytes when decompressed")
        if not inflate.eof:
            raise CaptureError(f"compressed payload is cut off after {len(payload)} bytes")
        rest = inflate.unused_data
    return bytes(body)


def _no_warc(path: Path, error: OSError) -> str:
    with path.open("rb") as stream:
        head = _start(stream)
    if head.startswith(b"filedesc:"):
        return (
            "this is an ARC file, the format before WARC; convert it (`warcio recompress OLD NEW`) and name the result."
        )
    return f"not a WARC file ({error}); it begins with {head[:16]!r}. Name a .warc or .warc.gz in the source file."


def _start(stream: BinaryIO) -> bytes:
    head = stream.read(64)
    if head.startswith(b"\x1f\x8b"):
        stream.seek(0)
        try:
            return gzip.GzipFile(fileobj=stream).read(64)
        except (OSError, EOFError):
            return head
    return head
