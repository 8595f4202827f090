"""Limit one answer: time to its head, transfer rate of its body, size of head and framing.

Only time spent waiting for the host counts. A socket timeout alone limits silence, and a host that sends
one byte a second is never silent.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.errors import MissingHeaderBodySeparatorDefect
from typing import Any

from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.limits import InputLimit

CHUNK = 1 << 17  # bytes read at a time
FRAMING = 8 * CHUNK  # bytes of chunk headers and trailers around one piece; a chunk of one byte takes six


class Exceeded(OSError):
    """The host took too long or sent too much; `word` names the failure, `limit` the limit exceeded."""

    def __init__(self, word: str, limit: InputLimit) -> None:
        super().__init__(f"{word}: {limit.describe()}")
        self.word = word
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one source of answers; tests set smaller ones."""

    connect_seconds: InputLimit = limits.DUMP_CONNECT_SECONDS
    head_seconds: InputLimit = limits.DUMP_HEAD_SECONDS
    head_bytes: InputLimit = limits.DUMP_HEAD_BYTES
    slow_seconds: InputLimit = limits.DUMP_SLOW_SECONDS
    slow_bytes: InputLimit = limits.DUMP_SLOW_BYTES
    page_seconds: InputLimit = limits.DUMP_PAGE_SECONDS
    page_bytes: InputLimit = limits.DUMP_PAGE_BYTES

    def page_bounds(self) -> Bounds:
        """Return the limits of a small file: one timeout for all of it."""
        return replace(self, head_seconds=self.page_seconds)


def check_framing(headers: Iterable[tuple[str, str]]) -> None:
    """Raise HTTPException if a head can be read in two ways; the crawler and the client for dumps both ask.

    Allowed is one length, also repeated, or the transfer coding `chunked`, which outweighs a length (RFC 9112, section
    6.3). Refused are another coding, a repeated one, different lengths, and a length that is not a number.

    >>> check_framing([("Content-Length", "5, 5"), ("transfer-encoding", "Chunked")])
    >>> check_framing([("Content-Length", "5"), ("Content-Length", "6")])
    Traceback (most recent call last):
    http.client.HTTPException: contradicting or unreadable Content-Length
    """
    values: dict[str, list[str]] = {"content-length": [], "transfer-encoding": []}
    for name, value in headers:
        if name != name.strip():
            raise http.client.HTTPException("blank beside the name of a header")
        values.setdefault(name.lower(), []).append(value.strip(" \t"))
    lengths = {part.strip(" \t") for value in values["content-length"] for part in value.split(",")}
    if len(lengths) > 1 or any(not re.fullmatch(r"[0-9]{1,18}", one) for one in lengths):
        raise http.client.HTTPException("contradicting or unreadable Content-Length")
    if [one.lower() for one in values["transfer-encoding"]] not in ([], ["chunked"]):
        raise http.client.HTTPException("unsupported or repeated Transfer-Encoding")


class StrictResponse(http.client.HTTPResponse):
    """An answer whose head and chunk sizes are read strictly: `int` takes "0x5", "1_0" and blanks too."""

    def begin(self) -> None:
        """Read the head. Raises HTTPException."""
        super().begin()
        if any(isinstance(one, MissingHeaderBodySeparatorDefect) for one in self.headers.defects):
            raise http.client.HTTPException("a line without a colon, which hides the headers behind it")
        check_framing(self.headers.items())

    def _read_next_chunk_size(self) -> int:
        found = re.fullmatch(rb"([0-9A-Fa-f]{1,15})(;[^\n]*)?\r\n", self.fp.readline(CHUNK))
        if found is None:
            raise http.client.HTTPException("unreadable size of a chunk")
        return int(found[1], 16)


class Watch:
    """Time and bytes left for a request, from connecting to the last byte; one instance covers all hops."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._left = float(bounds.head_seconds.value)  # seconds of waiting until `_limit` is exceeded
        self._limit = bounds.head_seconds
        self._in_head = True
        self._window: int | None = None  # bytes in the current window of a body limited by its rate
        self._raw = 0  # bytes since the head began, or since the last piece of the body

    def begin_head(self) -> None:
        """Start counting the head of the next answer."""
        self._in_head, self._raw = True, 0

    def begin_body(self, *, by_rate: bool) -> None:
        """Start counting a body; `by_rate` limits its rate instead of its total time."""
        self._in_head, self._raw = False, 0
        if by_rate:
            self._limit, self._left, self._window = self.bounds.slow_seconds, float(self.bounds.slow_seconds.value), 0

    def note_piece(self) -> None:
        """Record that a piece of the body has arrived."""
        self._raw = 0

    @contextmanager
    def wait(self, made: socket.socket, most: float = float("inf")) -> Iterator[None]:
        """Wait at a socket for at most the time left, or `most` seconds. Raises Exceeded when no time is left."""
        if self._left <= 0:
            self._end_window()
        bound = self._left if self._window is None else float(self._limit.value)
        made.settimeout(min(bound, most))
        began = time.monotonic()
        try:
            yield
        except TimeoutError:
            if bound <= most:
                raise self._make_exceeded() from None
            raise
        finally:
            self._left -= time.monotonic() - began

    def read_into(self, made: socket.socket, file: io.RawIOBase, buffer: Any) -> int:
        """Read the next bytes of the file of a socket, as readinto does."""
        with self.wait(made):
            count = file.readinto(buffer) or 0
        self._raw += count
        if self._window is not None:
            self._window += count
        if self._in_head and self._raw > self.bounds.head_bytes.value:
            raise Exceeded("header-too-big", self.bounds.head_bytes)
        if not self._in_head and self._raw > FRAMING + CHUNK:
            raise http.client.HTTPException("more framing than content")
        return count

    def _end_window(self) -> None:
        if self._window is None or self._window < self.bounds.slow_bytes.value:
            raise self._make_exceeded()
        self._left, self._window = float(self._limit.value), 0

    def _make_exceeded(self) -> Exceeded:
        return (
            Exceeded("timeout", self._limit) if self._window is None else Exceeded("too-slow", self.bounds.slow_bytes)
        )


class Watched:
    """A socket for http.client whose reader asks the watch before each read."""

    def __init__(self, inner: socket.socket, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def sendall(self, data: bytes) -> None:
        """Send a request, which is small."""
        with self._watch.wait(self._inner):
            self._inner.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the reader of an answer."""
        assert mode == "rb"  # the only mode http.client uses
        return io.BufferedReader(_Reader(self._inner, self._watch))

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()


class _Reader(io.RawIOBase):
    def __init__(self, inner: socket.socket, watch: Watch) -> None:
        super().__init__()
        self._inner = inner
        self._file: Any = inner.makefile("rb", buffering=0)  # keeps the socket when http.client closes it early
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._watch.read_into(self._inner, self._file, buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def pieces(response: http.client.HTTPResponse, watch: Watch, *, by_rate: bool) -> Iterator[bytes]:
    """Yield the body of an answer. Raises OSError or HTTPException: a parser error is an error of that answer."""
    watch.begin_body(by_rate=by_rate)
    while True:
        with input_errors(http.client.HTTPException, OSError, http.client.HTTPException):
            piece = response.read(CHUNK)
        if not piece:
            return
        watch.note_piece()
        yield piece
