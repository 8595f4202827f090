"""Download one large file resumably: bytes already on the disk are not requested again."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from crawlers.fetch import payload, politeness
from crawlers.fetch.response_limits import Exceeded, Watch, pieces
from crawlers.fetch.streaming_client import (
    PASSING,
    Net,
    NoAnswer,
    Refused,
    describe_failure,
    parse_content_range,
    read_length,
)
from malmoi.errors import HostError, SourceError, StageError, name_remedy
from malmoi.storage.atomic_files import replace_file

SYNC_EVERY = 1 << 25  # bytes between two fsyncs; a power cut costs at most this much, which is fetched again
PROGRESS = 1 << 20  # bytes; a try that brought this many counts as a success, and the count of tries starts again


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
        self.version = _read_state(self._state, url)
        self.unchanged = False  # the server still has the file of an earlier run; nothing was downloaded
        self._synced = 0

    def pieces(self) -> Iterator[int]:
        """Yield the bytes on the disk after each piece; end when the file is whole or `unchanged`.

        Raises:
            SourceError: the file is missing or is too large.
            HostError: its server has stopped answering.
            StageError: the disk is full.
        """
        attempt, begun, most = 1, 0, 0  # `most`: bytes of the best try; only bytes beyond it are progress
        while True:
            had, why, retry_after = self._bytes_usable(), "", ""
            if had and self.version.size == had:
                return
            try:
                with self.net.open(self.url, self._conditions(had)) as (at, response, watch):
                    retry_after = response.headers.get("Retry-After", "")
                    start = self._start(at, response, had)
                    if self.unchanged:
                        return
                    if start is not None:
                        begun += start == 0
                        yield from self._write(response, watch, start)
                        if self.version.size in (None, self._bytes_held()):
                            return
                        why = "cut-off"
                    else:
                        why = f"status-{response.status}"
            except PASSING as error:
                why = describe_failure(error)
                attempt += isinstance(error, Exceeded)  # it has waited long enough for two
            except (NoAnswer, Refused) as said:
                raise SourceError(f"{said}; check the address of the dump, then run again") from None
            attempt = 2 if self._bytes_usable() - max(most, had) >= PROGRESS else attempt + 1
            most = max(most, self._bytes_usable())
            if attempt > politeness.MAX_TRIES or begun > politeness.MAX_TRIES:
                raise HostError(self._stop_message(why))
            self.net.rest(self.url, attempt, retry_after)

    def _stop_message(self, why: str) -> str:
        """Return the message that all tries failed, and what the next run does."""
        held, goes_on = self._bytes_held(), self._bytes_usable() == self._bytes_held()
        then = "run the same job again later, it resumes from there"
        if held and not goes_on:
            then = (
                "the host sends no validator of the file (a strong ETag or Last-Modified), so each try starts over: "
                "run the same job again later, or download the file by other means and name it with path= of the Dump"
            )
        return f"{self.url}: stopped at {held:,} bytes ({why}); {then}"

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


def _read_state(path: Path, url: str) -> Version:
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        found = Version(**said)
    except (OSError, ValueError, TypeError):
        return Version()
    return found if found.url == url else Version()
