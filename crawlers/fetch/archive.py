"""WARC archive of one run: of a crawl resumable after a kill, with replay of archived answers; of others written anew.

Each record is one gzip member. A record that was being written when the process died is a torn tail: it
is truncated when the run is opened again. Records before it are complete and are not fetched again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crawlers.fetch.payload import Headers, is_lasting
from malmoi.archive import collection
from malmoi.archive.blank_records import is_blank
from malmoi.archive.capture import Capture, record_id, revisit_record, warc_record
from malmoi.archive.record_boundaries import read_member
from malmoi.errors import CallError, CaptureError, StageError, name_remedy
from malmoi.storage.atomic_files import sync
from malmoi.workspace_layout import PAGES, STATS

OPEN = f"{PAGES}.open"
CLOSED = PAGES
SYNC_EVERY = 1.0  # seconds between two fsyncs; a power cut costs at most this much, which is fetched again
# Beginnings of records other than answers of HTTP.
_OTHERS = tuple(b"WARC/1.1\r\nWARC-Type: " + kind for kind in (b"warcinfo", b"resource", b"metadata"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer in an archive without its body, and the position of the body."""

    record: str
    url: str
    fetched: str  # UTC
    status: int
    headers: Headers
    digest: str  # sha256 of the payload, hex
    size: int  # payload bytes
    path: Path
    offset: int  # of the gzip member
    refers_to: str = ""  # the record that a revisit confirms

    def header(self, name: str) -> str:
        """Return the first header called `name` (any case), or ""."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


class Archive:
    """The growing file of a run, with an index of the answers of this run and of earlier ones."""

    def __init__(
        self,
        run_dir: Path,
        earlier: Iterable[Path] = (),
        *,
        failed: bool = False,
        again: bool = False,
        proofs: Collection[str] = (),
    ) -> None:
        """Open the run in `run_dir`, new or killed; `earlier` run folders are listed oldest first.

        `failed`: the run ended without pages or without proof of its licence, so robots.txt, error
        pages, redirects and the licence pages `proofs` are requested again; with `again`, everything is.
        """
        self._failed = failed
        self._again = again
        self._proofs = frozenset(proofs)
        run_dir.mkdir(parents=True, exist_ok=True)
        self.path = run_dir / OPEN
        self.known: dict[str, Entry] = {}  # record → answer, in all runs
        self.before: dict[str, Entry] = {}  # URL → its latest lasting answer in earlier runs
        self.here: dict[str, Entry] = {}  # URL → its latest answer in this run
        self._written: set[tuple[str, int]] = set()
        self.bytes = 0  # payload bytes of this run
        self.records = 0  # of this run
        for folder in earlier:
            for entry, _ in entries(folder / CLOSED):
                if not entry.refers_to and is_lasting(entry.status):
                    self.known[entry.record] = self.before[entry.url] = entry
            for url in read_gone(folder):  # a page that comes back is archived again, as a capture of its own
                self.before.pop(url, None)
        if (run_dir / CLOSED).exists():  # closed, but stats.json was not written: not done
            (run_dir / CLOSED).replace(self.path)
        self._file = _open_locked(self.path, buffering=0)  # unbuffered: no failed write is retried later
        self.resumed_at = 0  # records below this offset were archived before this process started
        for entry, end in entries(self.path):
            self._enter(entry)
            self.resumed_at = end
        self._file.truncate(self.resumed_at)
        self._synced = time.monotonic()
        self._dirty = False

    def add(
        self,
        url: str,
        fetched: str,
        status: int,
        headers: Headers,
        body: bytes,
        *,
        again: bool = False,
        origin: Mapping[str, str] | None = None,
    ) -> Entry:
        """Archive an answer; write a revisit record if an earlier run holds the same answer.

        `again`: write it anew, because its headers say something else now. `origin` are fields of the record that name
        its place in another archive.
        """
        same = None if again else self.before.get(url)
        digest = hashlib.sha256(body).hexdigest()
        record = record_id(url, digest)
        entry = Entry(record, url, fetched, status, headers, digest, len(body), self.path, self._file.tell())
        place = entry.header("location")
        if same is not None and (same.status, same.digest, same.header("location")) == (status, digest, place):
            return self.confirm(url, fetched, headers, origin)
        if (record, status) in self._written:  # the same error page again, after a retry
            return self.here[url]
        self._append(warc_record(url, fetched, status, headers, body, origin=origin))
        self._enter(entry)
        return entry

    def confirm(self, url: str, fetched: str, headers: Headers, origin: Mapping[str, str] | None = None) -> Entry:
        """Archive a revisit record: the earlier answer of `url` is still valid."""
        same = self.before[url]
        raw = revisit_record(url, fetched, same.record, headers, origin)
        record = record_id(url, same.record + fetched)
        entry = Entry(record, url, fetched, 304, headers, "", 0, self.path, self._file.tell(), same.record)
        self._append(raw)
        self._enter(entry)
        return entry

    def replay(self, url: str) -> Entry | None:
        """Return the answer of this run for `url`, or None if it has none or a transient failure."""
        entry = self.here.get(url)
        if entry is None or not is_lasting(entry.status):
            return None
        kept = self.resolve(entry)
        if kept is not None and self._failed and entry.offset < self.resumed_at:
            anew = self._again or kept.status >= 300 or url.endswith("/robots.txt") or url in self._proofs
            return None if anew else kept
        return kept

    def resolve(self, entry: Entry) -> Entry | None:
        """Return the answer with a body that `entry` is or confirms; None if its run is not available."""
        return self.known.get(entry.refers_to) if entry.refers_to else entry

    @property
    def revisits(self) -> int:
        """The number of URLs of this run that have not changed."""
        return sum(1 for entry in self.here.values() if entry.refers_to)

    def sync(self) -> None:
        """Flush everything written so far to the disk."""
        if self._dirty:
            os.fsync(self._file.fileno())
            self._dirty = False
        self._synced = time.monotonic()

    def close(self) -> Path:
        """Close the archive under its final name and return that path."""
        self.leave()
        final = self.path.with_name(CLOSED)
        self.path.replace(final)
        sync(final.parent)
        return final

    def leave(self) -> None:
        """Stop writing and keep the open name, so that the run can be resumed."""
        self.sync()
        self._file.close()

    def _append(self, raw: bytes) -> None:
        start = self._file.tell()
        try:
            rest = memoryview(raw)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(start)  # a full disk keeps the earlier records whole
            raise StageError(
                f"{self.path}: cannot be written ({error.strerror}); {name_remedy(error)}, then run the same job "
                "again: archived answers are kept"
            ) from error
        self._dirty = True
        if time.monotonic() - self._synced >= SYNC_EVERY:
            self.sync()

    def _enter(self, entry: Entry) -> None:
        self.here[entry.url] = entry
        self._written.add((entry.record, entry.status))
        self.bytes += entry.size
        self.records += 1
        if not entry.refers_to:
            self.known[entry.record] = entry


class FreshArchive:
    """The archive of a run that is written from its beginning, also after a kill; this process holds its lock."""

    def __init__(self, path: Path) -> None:
        """Open `path`, the name of the archive while it grows."""
        self._path = path
        self._file = _open_locked(path)
        self._file.truncate(0)

    def __enter__(self) -> FreshArchive:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, raw: bytes) -> int:
        """Append a record; return its offset."""
        offset = self._file.tell()
        self._file.write(raw)
        return offset

    def close(self, final: Path) -> None:
        """Flush everything to the disk and give the archive its final name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._path.replace(final)
        sync(final.parent)


def _open_locked(path: Path, buffering: int = -1) -> IO[bytes]:
    file = path.open("ab", buffering)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise CallError(f"{path.parent}: another process collects into this folder; wait for it or stop it") from error
    return file


def entries(path: Path, start: int = 0) -> Iterator[tuple[Entry, int]]:
    """Yield each whole answer from offset `start` on and the offset after it; stop before a torn tail.

    Records that are not answers of HTTP are skipped: those of repositories and dumps, and descriptions of a run.
    """
    with path.open("rb") as file:
        end = start
        while True:
            offset = end
            try:
                member = read_member(file, offset)
            except zlib.error:
                return
            if member is None:
                return
            raw, end = member
            if is_blank(raw) or raw.startswith(_OTHERS):
                continue
            head, _, block = raw.partition(b"\r\n\r\n")
            fields = dict(_header(line) for line in head.split(b"\r\n")[1:])
            if not raw.startswith(b"WARC/") or len(block) != int(fields.get("content-length", "-1")) + 4:
                return
            top, _, rest = block.partition(b"\r\n\r\n")
            payload = rest[:-4]
            status, *lines = top.split(b"\r\n")
            entry = Entry(
                record=fields["warc-record-id"].strip("<>"),
                url=fields["warc-target-uri"],
                fetched=fields["warc-date"],
                status=int(status.split(b" ")[1]),
                headers=tuple(_header(line, lower=False) for line in lines if line),
                digest=hashlib.sha256(payload).hexdigest(),
                size=0 if fields["warc-type"] == "revisit" else len(payload),
                path=path,
                offset=offset,
                refers_to=fields.get("warc-refers-to", "").strip("<>"),
            )
            yield entry, end


def read_gone(folder: Path) -> Sequence[str]:
    """Return the URLs that a run found to be gone; from its run.json, which is checked, or else from its stats."""
    if (folder / "run.json").exists():
        found: Sequence[str] = collection.read_facts(folder).get("gone", ())
        return found
    try:
        found = json.loads((folder / STATS).read_text("utf-8")).get("gone", ())
    except (OSError, ValueError):
        return ()
    return found


def read_body(entry: Entry) -> bytes:
    """Return the payload of an answer.

    Raises:
        CaptureError: the archive no longer holds it at that offset.
    """
    path = entry.path if entry.path.exists() else entry.path.with_name(CLOSED)
    with path.open("rb") as file:
        try:
            member = read_member(file, entry.offset)
        except zlib.error:
            member = None
    body = member[0].split(b"\r\n\r\n", 2)[2][:-4] if member is not None else b""
    if hashlib.sha256(body).hexdigest() != entry.digest:
        raise CaptureError(
            f"{path}: the record at {entry.offset} is damaged. Restore the file from a copy; or delete {path.parent} "
            "and the later runs of the source beside it, and collect again"
        )
    return body


def page_of(entry: Entry, kept: Entry, body: bytes, source: str) -> Capture:
    """Build the capture of an answer: `entry` is the record of this run, `kept` the record with its body."""
    return Capture(kept.record, entry.url, entry.fetched, kept.status, kept.headers, body, source)


def _header(line: bytes, *, lower: bool = True) -> tuple[str, str]:
    name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
    return (name.lower() if lower else name), value.strip()
