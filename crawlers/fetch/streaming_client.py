"""Streaming HTTP client behind the SSRF guard, with the operator's user agent and the delay of the source.

It uses the standard library's client, which ignores proxies, so no proxy comes between the guard and the
peer. Each hop of a redirect is a new request under the same rules.

Each answer is limited: the time to its head, the transfer rate of its body, the size of head and framing. Only time
spent waiting for the host counts. A socket timeout alone limits silence, and a host that sends one byte a second is
never silent.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.errors import MissingHeaderBodySeparatorDefect
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawlers.fetch import payload, politeness
from crawlers.web.addresses import canonical_url
from crawlers.web.ssrf_guard import PORTS, Guard
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


# Failures of the network; a retry may help.
PASSING = (OSError, http.client.HTTPException)


class Refused(Exception):
    """A rule forbids the URL; `reason` names it."""

    def __init__(self, reason: str, url: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.reason = reason
        self.url = url


class NoAnswer(Exception):
    """All tries have failed; `why` is the failure word of the last."""

    def __init__(self, why: str, url: str) -> None:
        super().__init__(f"{url}: {why}")
        self.why = why
        self.url = url


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; its body is decoded."""

    url: str
    status: int
    headers: payload.Headers
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header called `name` (any case), or ""."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


@dataclass(slots=True)
class Try:
    """One try of a request; a failed one states why, and the Retry-After of its answer."""

    number: int = 1
    why: str = ""
    retry_after: str = ""


@dataclass(slots=True)
class Net:
    """The requests of one source: guarded, throttled, in the operator's name."""

    guard: Guard
    agent: str
    delay: float  # seconds between two requests
    sleep: Callable[[float], None] = time.sleep
    permit: Callable[[str], None] = lambda url: None  # raises Refused; called before each hop
    bounds: Bounds = field(default_factory=Bounds)
    _last: float = field(default=float("-inf"))

    def get(self, url: str) -> list[Answer]:
        """Return the answers for a small file, redirects first; raises Refused or NoAnswer."""
        answers: list[Answer] = []
        watch = Watch(self.bounds.page_bounds())
        for _ in range(limits.DUMP_REDIRECTS.value + 1):
            answers.append(self._get_once(url, watch))
            target = redirect_target(url, answers[-1].status, answers[-1].header("location"))
            if target is None:
                return answers
            url = target
        raise NoAnswer(f"too-many-redirects: {limits.DUMP_REDIRECTS.describe()}", url)

    @contextmanager
    def open(self, url: str, headers: dict[str, str]) -> Iterator[tuple[str, http.client.HTTPResponse, Watch]]:
        """Yield an answer, its URL and the watch for its body; redirects are followed.

        Raises Refused, NoAnswer or PASSING.
        """
        watch = Watch(self.bounds)
        for _ in range(limits.DUMP_REDIRECTS.value + 1):
            with self._send_request(url, headers, watch) as response:
                target = redirect_target(url, response.status, response.headers.get("Location", ""))
                if target is None:
                    if 200 <= response.status < 300:
                        # The file is stored as it is sent. One gzip is permitted: servers label a .gz file so, and
                        # its bytes say the same.
                        coding = join_codings(response)
                        names = [one for part in coding.split(",") if (one := part.strip().lower())]
                        if [one for one in names if one != "identity"] not in ([], ["gzip"], ["x-gzip"]):
                            raise NoAnswer(f"unknown-coding: {coding[:40]!r} was not requested", url)
                    yield url, response, watch
                    return
            url = target
        raise NoAnswer(f"too-many-redirects: {limits.DUMP_REDIRECTS.describe()}", url)

    def tries(self, url: str) -> Iterator[Try]:
        """Yield each try of a request, after the pause that its host asks for; the caller ends them at a success.

        It is one object, which the caller may count on or back, and which keeps the failure of the last try.
        Raises Refused if the pause is too long for a run.
        """
        current = Try()
        while True:
            yield current
            current.number += 1
            if current.number > politeness.MAX_TRIES:
                return
            try:
                self.sleep(politeness.pause_seconds(current.number, self.delay, current.retry_after))
            except politeness.Postponed:
                raise Refused("asks-to-be-left-alone", url) from None
            current.why = current.retry_after = ""

    def _get_once(self, url: str, watch: Watch) -> Answer:
        for attempt in self.tries(url):
            try:
                with self._send_request(url, {"Accept-Encoding": "gzip, deflate"}, watch) as response:
                    answer = _answer(url, response, watch)
            except PASSING as error:
                attempt.why = describe_failure(error)
                continue
            except payload.BadCoding as error:
                raise NoAnswer(error.reason, url) from None
            if payload.is_lasting(answer.status) or attempt.number == politeness.MAX_TRIES:
                return answer
            attempt.retry_after = answer.header("retry-after")
        raise NoAnswer(attempt.why, url)

    @contextmanager
    def _send_request(self, url: str, headers: dict[str, str], watch: Watch) -> Iterator[http.client.HTTPResponse]:
        if reason := self.guard.check_url(url):
            raise Refused(reason, url)
        self.permit(url)
        if (wait := self._last + self.delay - time.monotonic()) > 0:
            self.sleep(wait)
        self._last = time.monotonic()
        parts = urlsplit(url)
        kind: type[_Plain | _Secure] = _Secure if parts.scheme == "https" else _Plain
        connection = kind(parts.hostname or "", parts.port or PORTS[parts.scheme])
        connection.guard, connection.watch = self.guard, watch
        watch.begin_head()
        try:
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            with input_errors(http.client.HTTPException, Refused, *PASSING):
                connection.request("GET", path, headers={"User-Agent": self.agent, "Accept": "*/*", **headers})
                response = connection.getresponse()
            yield response
        finally:
            connection.close()


def read_length(response: http.client.HTTPResponse) -> int | None:
    """Return the bytes of a body as its head states them; None if it does not, or chunks say where the body ends."""
    said = str(response.headers.get("Content-Length", "")).partition(",")[0]
    return None if response.chunked else parse_number(said)


def join_codings(response: http.client.HTTPResponse) -> str:
    """Return all codings of an answer in one line; "" without any."""
    return ", ".join(response.headers.get_all("Content-Encoding", ())).strip()


def redirect_target(url: str, status: int, location: str) -> str | None:
    """Return the canonical target of a redirect; None if the answer is not one.

    Raises NoAnswer if the target is not a URL or leaves TLS: anybody on the network path could forge what follows.

    >>> redirect_target("https://a.kr/x", 301, "/y"), redirect_target("https://a.kr/x", 200, "")
    ('https://a.kr/y', None)
    """
    if status not in payload.REDIRECTS:
        return None
    with input_errors(lambda name: NoAnswer("redirect-to-nowhere", url)):
        target = canonical_url(urljoin(url, location.strip())) if location else ""
    if not target:
        raise NoAnswer("redirect-to-nowhere", url)
    if url.startswith("https:") and target.startswith("http:"):
        raise NoAnswer("redirect-downgrade", url)
    return target


def describe_failure(error: Exception) -> str:
    """Return the failure word of a network error, with the limit if one caused it."""
    if isinstance(error, Exceeded):
        return f"{error.word}: {error.limit.describe()}"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        said = getattr(error, "verify_message", "") or (error.reason or "").replace("_", " ").lower()
        return f"tls: {said}" if said else "tls"
    if isinstance(error, socket.gaierror):
        return "unknown-host"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "broken-answer" if isinstance(error, http.client.HTTPException) else "connection-lost"


class _Plain(http.client.HTTPConnection):
    """A connection whose peer the guard has allowed."""

    response_class = StrictResponse
    guard: Guard
    watch: Watch

    def connect(self) -> None:
        """Connect as http.client does."""
        self.sock: Any = Watched(_socket(self.guard, self.watch, self.host, self.port), self.watch)


class _Secure(http.client.HTTPSConnection):
    """The same, with TLS; the certificate is verified."""

    response_class = StrictResponse
    guard: Guard
    watch: Watch

    def connect(self) -> None:
        """Connect as http.client does."""
        bare = _socket(self.guard, self.watch, self.host, self.port)
        try:
            with self.watch.wait(bare):
                secure = ssl.create_default_context().wrap_socket(bare, server_hostname=self.host)
        except BaseException:
            bare.close()
            raise
        self.sock: Any = Watched(secure, self.watch)


def _socket(guard: Guard, watch: Watch, host: str, port: int) -> socket.socket:
    """Connect to one of the IP addresses of `host` that the guard allows. Raises Refused or OSError."""
    refused, failed = "", None
    for family, kind, proto, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if reason := guard.check_resolved(host, port, str(address[0])):
            refused = reason
            continue
        made = socket.socket(family, kind, proto)
        try:
            with watch.wait(made, watch.bounds.connect_seconds.value):
                made.connect(address)
            peer = made.getpeername()
            if reason := guard.check_peer(str(peer[0]), int(peer[1])):
                raise Refused(reason, f"{host}:{port}")
            return made
        except OSError as error:
            made.close()
            failed = error
        except Refused:
            made.close()
            raise
    if failed is not None:
        raise failed
    raise Refused(refused, f"{host}:{port}")


def _answer(url: str, response: http.client.HTTPResponse, watch: Watch) -> Answer:
    body, most = bytearray(), watch.bounds.page_bytes
    for piece in pieces(response, watch, by_rate=False):
        body += piece
        if len(body) > most.value:
            raise NoAnswer(f"too-big: {most.describe()}", url)
    declared = read_length(response)
    if declared is not None and len(body) < declared:
        raise http.client.IncompleteRead(bytes(body))
    pairs = [(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in response.headers.items()]
    with input_errors(payload.Damaged, payload.BadCoding):
        plain = payload.decode_body(bytes(body), join_codings(response))
    return Answer(url, response.status, payload.rewrite_headers(pairs, len(plain)), plain)


def parse_content_range(said: str) -> tuple[int | None, int | None]:
    """Parse first byte and whole size of a Content-Range.

    >>> parse_content_range("bytes 5-9/10"), parse_content_range("bytes */10")
    ((5, 10), (None, 10))
    """
    unit, _, rest = said.strip().partition(" ")
    span, _, size = rest.partition("/")
    return (parse_number(span.partition("-")[0]) if unit.lower() == "bytes" else None), parse_number(size)


def parse_number(said: str) -> int | None:
    """Parse the whole number in a header; None if it is not one."""
    plain = said.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 18 else None
