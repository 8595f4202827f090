"""Read byte ranges of the files of an archive: in a folder, in a bucket, or at a web address by the guarded client.

A range from the web counts only if the host answers 206, names the range that was requested, and sends all of it.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from crawlers.fetch import payload
from crawlers.fetch.streaming_client import PASSING, Net, NoAnswer, Watch, describe_failure, parse_content_range, pieces
from malmoi.storage.bucket import Bucket

# A path of an archive: segments of plain characters. An index must not choose the host, or leave a folder.
_PATH = re.compile(r"[\w.=+-]+(?:/[\w.=+-]+)*", re.ASCII)


class RangeError(Exception):
    """A range that cannot be read; `why` is the failure word."""

    def __init__(self, why: str, place: str) -> None:
        super().__init__(f"{place}: {why}")
        self.why = why
        self.place = place


def is_plain(path: str) -> bool:
    """Whether a path stays below the root of its archive.

    >>> is_plain("crawl-data/CC-MAIN-2026-34/a.warc.gz"), is_plain("../a"), is_plain("/a"), is_plain("http://a.kr/")
    (True, False, False, False)
    """
    return _PATH.fullmatch(path) is not None and not {".", ".."} & set(path.split("/"))


@dataclass(slots=True)
class LocalFiles:
    """The files of a folder; links that lead out of it are not followed."""

    folder: Path

    def address(self, path: str) -> str:
        """Return the path in the archive: a name of this machine would be of no use elsewhere."""
        return path

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return exactly these bytes. Raises RangeError."""
        place = (self.folder / path).resolve()
        if not is_plain(path) or not place.is_relative_to(self.folder.resolve()):
            raise RangeError("path-outside", path)
        try:
            with place.open("rb") as file:
                file.seek(offset)
                body = file.read(length)
        except OSError as error:
            raise RangeError(f"unreadable: {error.strerror}", path) from error
        if len(body) < length:
            raise RangeError("cut-off", path)
        return body


@dataclass(slots=True)
class BucketFiles:
    """The objects of a bucket of the operator, below its prefix."""

    bucket: Bucket
    received: int = field(default=0)  # bytes

    def address(self, path: str) -> str:
        """Return the address of an object. Raises RangeError."""
        if not is_plain(path):
            raise RangeError("path-outside", path)
        return f"{self.bucket.address}/{path}"

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return exactly these bytes. Raises RangeError, and StageError if the storage does not answer."""
        place = self.address(path)
        try:
            body = self.bucket.read_range(path, offset, length)
        except FileNotFoundError:
            raise RangeError("not-found", place) from None
        self.received += len(body)
        if len(body) < length:
            raise RangeError("cut-off", place)
        return body

    def read_tail(self, path: str, length: int) -> tuple[int, bytes]:
        """Return the size of an object and its last bytes, at most `length`. Raises as `read`."""
        if (found := self.bucket.find(path)) is None:
            raise RangeError("not-found", self.address(path))
        length = min(length, found.size)
        return found.size, self.read(path, found.size - length, length)

    def read_whole(self, path: str) -> bytes:
        """Return a small object. Raises as `read`."""
        if (found := self.bucket.read(path)) is None:
            raise RangeError("not-found", self.address(path))
        return found[0]


@dataclass(slots=True)
class RemoteFiles:
    """The files below a web address: one request at a time, with the throttle and the retries of the crawler."""

    net: Net
    base: str  # ends in a slash
    received: int = field(default=0)  # bytes

    def address(self, path: str) -> str:
        """Return the URL of a file. Raises RangeError."""
        if not is_plain(path):
            raise RangeError("path-outside", path)
        return self.base + path

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return exactly these bytes. Raises RangeError, and Refused if a rule forbids the request."""
        return self._request(path, f"bytes={offset}-{offset + length - 1}", offset, length)[1]

    def read_tail(self, path: str, length: int) -> tuple[int, bytes]:
        """Return the size of a file and its last bytes, at most `length`. Raises as `read`."""
        return self._request(path, f"bytes=-{length}", None, length)

    def read_whole(self, path: str) -> bytes:
        """Return a small file. Raises as `read`."""
        url = self.address(path)
        try:
            answer = self.net.get(url)[-1]
        except NoAnswer as error:
            raise RangeError(error.why, url) from None
        if answer.status != 200:
            raise RangeError(f"status-{answer.status}", url)
        return answer.body

    def _request(self, path: str, span: str, offset: int | None, length: int) -> tuple[int, bytes]:
        """Request a range until it comes whole; return the size of the file and the range."""
        url = self.address(path)
        for attempt in self.net.tries(url):
            try:
                with self.net.open(url, {"Range": span, "Accept-Encoding": "identity"}) as (_, response, watch):
                    attempt.retry_after = response.headers.get("Retry-After", "")
                    if response.status == 206:
                        return self._receive(response, watch, offset, length)
                    attempt.why = "no-range" if response.status == 200 else f"status-{response.status}"
                    if response.status != 200 and payload.is_lasting(response.status):
                        break
            except PASSING as error:
                attempt.why = error.args[0] if isinstance(error, _Incomplete) else describe_failure(error)
                attempt.retry_after = ""
            except NoAnswer as error:
                raise RangeError(error.why, url) from None
        raise RangeError(attempt.why, url)

    def _receive(
        self, response: http.client.HTTPResponse, watch: Watch, offset: int | None, length: int
    ) -> tuple[int, bytes]:
        start, size = parse_content_range(response.headers.get("Content-Range", ""))
        if start is None or size is None or start != (max(0, size - length) if offset is None else offset):
            raise _Incomplete("wrong-range")
        wanted, body = min(length, size - start), bytearray()
        for piece in pieces(response, watch, by_rate=True):
            body += piece
            self.received += len(piece)
            if len(body) > wanted:
                raise _Incomplete("wrong-range")
        if len(body) < wanted or (offset is not None and wanted < length):
            raise _Incomplete("cut-off")
        return size, bytes(body)


DistantFiles: TypeAlias = BucketFiles | RemoteFiles  # whose index is fetched in parts
Files: TypeAlias = LocalFiles | DistantFiles  # of an archive, by their paths in it


class _Incomplete(http.client.HTTPException):
    """A partial answer that is not the range that was requested; a retry may help."""
