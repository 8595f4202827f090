"""Captures: archived responses, read from and written to WARC.

A record's id is a hash of its address and payload, so that the same answer fetched twice is
the same record. Files of a `Folder` are not copied: their record has the WARC type `metadata`
and contains path, size and sha256.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from malmoi.archive.capture_fields import BLOCK, find_fault, show, to_second
from malmoi.archive.record_boundaries import (
    CUT_OFF,
    END,
    GZIP,
    NO_RECORD,
    Delimited,
    decompress,
    delimit,
    describe_other,
    digest_of,
    is_intact,
    is_single_stream,
    next_member,
    read_member,
    salvage,
)
from malmoi.boundary import input_errors
from malmoi.canonical_json import spell_on_one_line
from malmoi.errors import CaptureError
from malmoi.limits import ARCHIVE_BODY, ARCHIVE_DAMAGED, ARCHIVE_HEAD, ARCHIVE_MEMBER
from malmoi.storage.on_demand import fetch, renew
from malmoi.workspace_layout import CAPTURES, STATS

# Records that crawlers write about their own work: DNS answers, wget settings, Browsertrix notes.
_ABOUT = ("dns:", "whois:", "metadata:", "urn:")
_WANTED = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.metadata | WarcRecordType.revisit


@dataclass(frozen=True, slots=True)
class Capture:
    """One archived response: address, time, status, headers and payload without transfer codings."""

    record: str
    url: str
    fetched: str  # UTC, "2026-11-24T09:00:00Z"
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source: str = ""

    def header(self, name: str) -> str:
        """Return the first header called `name` (case-insensitive), or ""."""
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), "")

    @property
    def charset(self) -> str:
        """The charset that the Content-Type declares, or ""."""
        return charset_of(self.header("Content-Type"))


def charset_of(content_type: str) -> str:
    """Return the charset of a Content-Type header in lower case, or "".

    >>> charset_of('text/html; Charset="EUC-KR"; v=1'), charset_of("text/html")
    ('euc-kr', '')
    """
    for parameter in content_type.lower().split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip(" \t\"'")
    return ""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """The location of one capture, and its metadata."""

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
    """Return the id of a record: a hash of its address and the sha256 (hex) of its payload.

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
    origin: Mapping[str, str] | None = None,
) -> bytes:
    """Return one WARC/1.1 `response` record as a separate gzip member; equal arguments give equal bytes.

    `origin` are further fields of the record: the place in another archive from which it was taken.
    """
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    block = f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body
    digests = {
        "WARC-Payload-Digest": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
    }
    return _pack_record("response", record_id(url, body), url, fetched, digests, _ANSWER, block, origin)


def revisit_record(
    url: str,
    fetched: str,
    refers_to: str,
    headers: tuple[tuple[str, str], ...],
    origin: Mapping[str, str] | None = None,
) -> bytes:
    """Return a `revisit` record (server-not-modified): the answer was 304, so the record `refers_to` is current."""
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    block = f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode("utf-8", "surrogateescape")
    about = {
        "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/server-not-modified",
        "WARC-Refers-To": f"<{refers_to}>",
    }
    return _pack_record("revisit", record_id(url, refers_to + fetched), url, fetched, about, _ANSWER, block, origin)


def resource_record(url: str, fetched: str, media: str, body: bytes) -> bytes:
    """Return a `resource` record: bytes not obtained by HTTP, such as a file of a repository or a block of a dump."""
    digest = {"WARC-Payload-Digest": f"sha256:{hashlib.sha256(body).hexdigest()}"}
    return _pack_record("resource", record_id(url, body), url, fetched, digest, media, body)


def file_record(url: str, fetched: str, path: str, size: int, sha256: str) -> bytes:
    """Return a `metadata` record for a file that is not copied."""
    block = spell_on_one_line({"path": path, "size": size, "sha256": sha256}).encode()
    return _pack_record("metadata", record_id(url, sha256), url, fetched, {}, "application/json", block)


def info_record(record: str, fetched: str, facts: Mapping[str, str]) -> bytes:
    """Return a `warcinfo` record with the id `record`: facts about the archive, which no reader takes for text."""
    block = "".join(f"{name}: {value}\r\n" for name, value in facts.items()).encode()
    return _pack_record("warcinfo", record, None, fetched, {}, "application/warc-fields", block)


_ANSWER = "application/http; msgtype=response"


def _pack_record(
    kind: str,
    record: str,
    url: str | None,
    fetched: str,
    about: Mapping[str, str],
    media: str,
    block: bytes,
    origin: Mapping[str, str] | None = None,
) -> bytes:
    fields = {"WARC-Type": kind, "WARC-Record-ID": f"<{record}>", **({} if url is None else {"WARC-Target-URI": url})}
    fields |= {"WARC-Date": fetched, **about, "Content-Type": media, **(origin or {})}
    lines = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    raw = f"WARC/1.1\r\n{lines}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as gz:
        gz.write(raw)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Torn:
    """A record that could not be read as a whole, and why; the records around it are not affected."""

    path: str
    offset: int
    url: str
    why: str

    def describe(self) -> str:
        """Return its location and the error, in one line."""
        return " ".join(f"{self.path}:{self.offset} {self.url} {self.why}".split())


class _Unreadable(Exception):
    """An error that the record reader raised for one record."""


def scan(path: Path, own: str | None = BLOCK) -> Iterator[tuple[int, str, Capture] | Torn]:
    """Yield every response, resource, file and revisit record of a WARC, as (offset, WARC type, capture).

    Raises CaptureError if the file is not a WARC or holds no record. A record that is cut off or damaged, or
    whose address or date is invalid, comes as `Torn`, and reading continues after it. `own` is a scheme that
    addresses may have besides http and https; third-party archives have none. None: addresses are not validated.
    """
    fetch(path)
    seen, torn, held = 0, 0, list[Torn]()  # `held`: damaged records before the first readable one
    with path.open("rb") as stream:
        for entry in _read_entries(path, stream, own):
            if isinstance(entry, Torn):
                torn += 1
                if torn > ARCHIVE_DAMAGED.value:
                    raise CaptureError(
                        f"{path}: too many records cannot be read; {ARCHIVE_DAMAGED.describe()}; {_REMEDY}"
                    )
                if not seen:
                    held.append(entry)
                    continue
            seen += 1
            yield from held
            held.clear()
            if entry is not None:
                yield entry
    if not seen and (not held or held[0].why == NO_RECORD):
        raise CaptureError(f"{path}: {describe_other(path) if held else f'the archive holds no record; {_REMEDY}'}")
    yield from held


_Entry: TypeAlias = "tuple[int, str, Capture] | Torn | None"  # None: a record of a type without captures
_REMEDY = "get a new copy of the archive, or remove it from `paths` of the source file; then collect again."


def _read_entries(path: Path, stream: BinaryIO, own: str | None) -> Iterator[_Entry]:
    """Yield the records of an archive, whatever its compression; without `own`, fields are not validated."""
    stream.seek(0)
    head = stream.read(len(GZIP))
    damaged = not head.startswith((GZIP, b"WAR")) and next_member(stream, 0)  # its first member is damaged
    if damaged or not is_single_stream(stream):
        yield from _read_members(path, stream, own)
        return
    packed = head == GZIP
    stream.seek(0)
    whole: Any = gzip.GzipFile(fileobj=stream) if packed else stream
    records = delimit(io.BufferedReader(whole) if packed else stream)
    while True:
        try:
            with input_errors(_Unreadable):
                found = next(records, None)
        except _Unreadable as error:
            yield Torn(str(path), 0, "", f"its compression is damaged, and what lies behind is lost: {error}")
            return
        if found is None:
            return
        yield _parse_record(path, found, 0 if packed else found.at, own)


def _read_members(path: Path, stream: BinaryIO, own: str | None) -> Iterator[_Entry]:
    """Read an archive with one gzip member per record: damage affects only the member it is in."""
    at, size = 0, stream.seek(0, 2)
    while at < size:
        content, behind, why = b"", 0, ""
        try:
            found = read_member(stream, at)
            content, behind = found or (b"", 0)
            why = "" if found else f"a record of more than the limit; {ARCHIVE_MEMBER.describe()}"
        except zlib.error as error:
            why = f"damaged: {error}"
        if why:
            yield from _salvage_records(path, stream, at, own)
            yield Torn(str(path), at, "", why)
        else:
            yield from _parse_member(path, content, at, own)
        behind = behind or next_member(stream, at)
        if not behind:
            return
        at = behind


def _salvage_records(path: Path, stream: BinaryIO, at: int, own: str | None) -> Iterator[_Entry]:
    """Yield whole records before the damage of a member: all if it is cut off, else those whose digest matches."""
    content, cut = salvage(stream, at)
    for found in delimit(io.BytesIO(content)):
        if found.raw and (cut or is_intact(found.raw, digest_of(found.raw), needed=True)):
            yield _parse_record(path, found, at, own)


def _parse_member(path: Path, content: bytes, at: int, own: str | None) -> Iterator[_Entry]:
    """Yield the records of one member; all have its offset."""
    for found in delimit(io.BytesIO(content)):
        yield _parse_record(path, found, at, own)


def _parse_record(path: Path, found: Delimited, at: int, own: str | None) -> _Entry:
    """Parse one delimited record; any error of the parser affects only this record."""
    if found.why:
        return Torn(str(path), at, "", found.why)
    # The headers of an archived answer, with room for those that a crawler adds.
    begin, room = found.raw.find(END) + len(END), ARCHIVE_HEAD.value + 1024
    is_answer = len(found.raw) > begin + room and found.raw.startswith(b"HTTP/", begin)
    if is_answer and found.raw.find(END, begin, begin + room) < 0:
        return Torn(str(path), at, "", f"its headers are too large; {ARCHIVE_HEAD.describe()}")
    try:
        with input_errors(_Unreadable):
            records = ArchiveIterator(
                io.BytesIO(found.raw),
                record_types=WarcRecordType.any_type,
                auto_decode="transfer",
                max_header_len=2 * ARCHIVE_HEAD.value,  # it counts more than the bytes of the headers
            )
            one = next(iter(records), None)
            if one is None:
                return Torn(str(path), at, "", "not a WARC record")
            if not one.record_type & _WANTED:
                return None
            if not is_intact(found.raw, digest_of(found.raw)):
                return Torn(str(path), at, "", "its block does not have the digest that it names")
            return _capture(path, one, at, own)
    except _Unreadable as error:
        return Torn(str(path), at, "", f"unreadable: {error}")


def read(path: Path, offset: int, record: str, sha256: str = "") -> Capture:
    """Return the capture `record` at `offset` of the WARC `path`, with the payload `sha256` if that is given.

    Raises CaptureError if the record is not there: the archive has changed since it was indexed.
    """
    fetch(path)
    found = _find_record(path, offset, record, sha256)
    if found is None and renew(path):
        found = _find_record(path, offset, record, sha256)
    if found is not None:
        return found
    raise CaptureError(
        f"{path}: the record {record} at {offset} is not what was collected: the archive has been changed or damaged "
        f"since. Restore it from a copy; or {advise_repair(path)}, and collect again."
    )


def _find_record(path: Path, offset: int, record: str, sha256: str) -> Capture | None:
    with path.open("rb") as stream:
        for entry in _read_at_offset(path, stream, offset):
            if isinstance(entry, tuple) and entry[2].record == record:
                capture = entry[2]
                if not sha256 or hashlib.sha256(capture.body).hexdigest() == sha256:
                    return capture
    return None


def advise_repair(path: Path) -> str:
    """Return what to do about a damaged file of a run, or about an archive, before the source is collected again."""
    run, source = path.parent, path.parent.parent
    if source.parent.name == CAPTURES and (run / STATS).exists():  # of a crawl: others need only what is on this disk
        return f"call `malmoi sources repair {source.name}`, which leaves damaged records out and keeps the others"
    if (run / "run.json").exists() or (run / "index.parquet").exists():  # a later run may refer to it
        return f"delete {run} and the later runs of the source beside it"
    return "delete the run folders of the source under 1-captures"


def read_range(raw: bytes, place: str, at: int) -> tuple[Capture, frozenset[str]] | Torn:
    """Return the capture in a byte range of a third-party archive, which holds one response record.

    With it come the SHA-1 digests (base 32) that its payload may have in an index: as stored, and decoded.
    `place` and `at` name the range in the reason why it cannot be read.
    """
    found = next((entry for entry in _read_entries(Path(place), io.BytesIO(raw), "") if entry is not None), None)
    if found is None or (isinstance(found, tuple) and found[1] != "response"):
        return Torn(place, at, "", "not a response record")
    if isinstance(found, Torn):
        return Torn(place, at, found.url, found.why)
    member = read_member(io.BytesIO(raw), 0) if raw.startswith(GZIP) else (raw, 0)
    stored = (member or (b"", 0))[0].split(END, 2)[-1].removesuffix(END)
    digests = (hashlib.sha1(body, usedforsecurity=False).digest() for body in (stored, found[2].body))
    return found[2], frozenset(base64.b32encode(digest).decode() for digest in digests)


def _read_at_offset(path: Path, stream: BinaryIO, offset: int) -> Iterator[_Entry]:
    """Yield the record or member at an offset; of an archive compressed as one stream, all records."""
    stream.seek(offset)
    if stream.read(len(GZIP)) != GZIP:
        yield from (_parse_record(path, found, offset, None) for found in islice(delimit(stream, offset), 1))
        return
    try:
        found = read_member(stream, offset)
    except zlib.error:
        yield from _salvage_records(path, stream, offset, None)
        return
    yield from _parse_member(path, found[0], offset, None) if found else _read_entries(path, stream, None)


def index(path: Path, name: str, own: str | None = BLOCK) -> tuple[list[IndexRow], list[Torn]]:
    """Return the index of a WARC and its damaged records, with `name` as path, in the order of the archive."""
    rows, torn = [], []
    for entry in scan(path, own):
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


def _capture(path: Path, record: WarcRecord, at: int, own: str | None) -> tuple[int, str, Capture] | Torn | None:
    headers = record.headers.asdict()
    url = headers.get("WARC-Target-URI", "").strip("<>")
    shown, kind, fetched = show(url), headers.get("WARC-Type", "response"), headers.get("WARC-Date", "")
    status = 200
    http: tuple[tuple[str, str], ...] = (("Content-Type", headers.get("Content-Type", "")),)
    if record.is_http and record.http_headers is not None:
        line = record.http_headers.status_code
        status, http = line if line is not None else 0, tuple(record.http_headers.astuples())
    declared = record.content_length
    if headers.get("WARC-Truncated"):
        return Torn(str(path), at, shown, f"truncated by its crawler: {show(headers['WARC-Truncated'])}")
    if not url or status == 0:
        return Torn(str(path), at, shown, CUT_OFF)
    if kind in ("response", "resource"):
        if url.startswith(_ABOUT):
            return None
        if own is not None and (fault := find_fault(url, fetched, kind, own)):
            return Torn(str(path), at, shown, fault)
    body = record.reader.read(ARCHIVE_BODY.value + 1)
    if len(body) > ARCHIVE_BODY.value:
        return Torn(str(path), at, shown, f"its payload is too large; {ARCHIVE_BODY.describe()}")
    chunked = any(k.lower() == "transfer-encoding" for k, _ in http)
    if len(body) < declared and not chunked:
        return Torn(str(path), at, shown, f"cut off after {len(body)} of {declared} bytes")
    capture = Capture(
        record=headers.get("WARC-Record-ID", "").strip("<>") or record_id(url, body),
        url=url,
        fetched=to_second(fetched),
        status=status,
        headers=http,
        body=body,
    )
    try:
        return at, kind, _decode_content(capture)
    except CaptureError as error:
        return Torn(str(path), at, shown, str(error))


def _decode_content(capture: Capture) -> Capture:
    """Return the capture after content decoding, within the limits."""
    coding = capture.header("content-encoding").strip().lower()
    if not coding or coding == "identity" or not capture.body:
        return capture
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise CaptureError(f"content coding {coding!r} is not read")
    body = decompress(capture.body, coding)
    if body is None:
        return capture  # labelled gzip but not compressed: many crawlers store the decoded payload with the old header
    headers = tuple((k, v) for k, v in capture.headers if k.lower() != "content-encoding")
    return Capture(capture.record, capture.url, capture.fetched, capture.status, headers, body, capture.source)
