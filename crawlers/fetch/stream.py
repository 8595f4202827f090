"""Ask over connections that the guard has seen, in the operator's name and at the pace of the source.

The standard library's own client does the talking: it knows no proxies, so nothing comes between the
guard and the peer. Each hop of a redirect is asked for anew, by the same rules.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from crawlers.addresses import canonical
from crawlers.fetch import manners, payload
from crawlers.fetch.guard import PORTS, Guard

CONNECT = 30.0  # seconds to connect
IDLE = 60.0  # seconds without a byte
PAGE_TIME = 60.0  # seconds for a small file as a whole
MAX_PAGE = 32 * 1024 * 1024  # bytes of a small file as sent
MAX_REDIRECTS = 5  # hops
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 1 << 17  # bytes read at a time

# Failures of the net; a second try may help.
PASSING = (OSError, http.client.HTTPException)


class Refused(Exception):
    """A rule forbids the address; `reason` names it."""

    def __init__(self, reason: str, url: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.reason = reason
        self.url = url


class NoAnswer(Exception):
    """All tries have failed; `why` is a word for the last."""

    def __init__(self, why: str, url: str) -> None:
        super().__init__(f"{url}: {why}")
        self.why = why
        self.url = url


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body free of codings."""

    url: str
    status: int
    headers: payload.Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first header called `name` (any case), or ""."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


@dataclass(slots=True)
class Net:
    """The requests of one source: guarded, paced, in the operator's name."""

    guard: Guard
    agent: str
    delay: float  # seconds between two requests
    sleep: Callable[[float], None] = time.sleep
    permit: Callable[[str], None] = lambda url: None  # raises Refused; asked before each hop
    _last: float = field(default=float("-inf"))

    def get(self, url: str) -> list[Answer]:
        """The answers for a small file, redirects first; raises Refused or NoAnswer."""
        answers: list[Answer] = []
        for _ in range(MAX_REDIRECTS + 1):
            answers.append(self._one(url))
            target = redirect(url, answers[-1].status, answers[-1].header("location"))
            if target is None:
                return answers
            if not target:
                raise NoAnswer("redirect-to-nowhere", url)
            url = target
        raise NoAnswer("too-many-redirects", url)

    @contextmanager
    def open(self, url: str, headers: dict[str, str]) -> Iterator[tuple[str, http.client.HTTPResponse]]:
        """An answer to be read by the caller, with its address; redirects are followed. Raises Refused or PASSING."""
        for _ in range(MAX_REDIRECTS + 1):
            with self._asked(url, headers) as response:
                target = redirect(url, response.status, response.headers.get("Location", ""))
                if target is None:
                    yield url, response
                    return
            if not target:
                raise NoAnswer("redirect-to-nowhere", url)
            url = target
        raise NoAnswer("too-many-redirects", url)

    def rest(self, url: str, attempt: int, retry_after: str) -> None:
        """Wait before try number `attempt`, as long as the host asks for; Refused where no run waits so long."""
        wait = manners.patience(attempt, self.delay, retry_after, datetime.now(UTC))
        if wait > manners.MAX_REST:
            raise Refused("asks-to-be-left-alone", url)
        self.sleep(wait)

    def _one(self, url: str) -> Answer:
        why, retry_after = "", ""
        for attempt in range(1, manners.MAX_TRIES + 1):
            if attempt > 1:
                self.rest(url, attempt, retry_after)
            try:
                with self._asked(url, {"Accept-Encoding": "gzip, deflate"}) as response:
                    answer = _answer(url, response)
            except PASSING as error:
                why, retry_after = word(error), ""
                continue
            except payload.TooBig:
                raise NoAnswer("bad-compression", url) from None
            if payload.lasting(answer.status) or attempt == manners.MAX_TRIES:
                return answer
            retry_after = answer.header("retry-after")
        raise NoAnswer(why, url)

    @contextmanager
    def _asked(self, url: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        if reason := self.guard.url(url):
            raise Refused(reason, url)
        self.permit(url)
        if (wait := self._last + self.delay - time.monotonic()) > 0:
            self.sleep(wait)
        self._last = time.monotonic()
        parts = urlsplit(url)
        connection = _connection(url, self.guard)
        try:
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("GET", path, headers={"User-Agent": self.agent, "Accept": "*/*", **headers})
            yield connection.getresponse()
        finally:
            connection.close()


def redirect(url: str, status: int, location: str) -> str | None:
    """Where an answer sends its reader, canonical; None where it stays, "" where that is no address.

    >>> redirect("https://a.kr/x", 301, "/y"), redirect("https://a.kr/x", 200, ""), redirect("https://a.kr/", 302, "")
    ('https://a.kr/y', None, '')
    """
    if status not in REDIRECTS:
        return None
    try:
        return canonical(urljoin(url, location.strip())) if location else ""
    except ValueError:
        return ""


def word(error: Exception) -> str:
    """The word for a failure of the net."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "unknown-host"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "broken-answer" if isinstance(error, http.client.HTTPException) else "connection-lost"


class _Plain(http.client.HTTPConnection):
    """A connection whose peer the guard has let through."""

    guard: Guard

    def connect(self) -> None:
        """As http.client has it."""
        self.sock = _socket(self.guard, self.host, self.port)


class _Secure(http.client.HTTPSConnection):
    """The same, with TLS; the certificate is verified."""

    guard: Guard

    def connect(self) -> None:
        """As http.client has it."""
        bare = _socket(self.guard, self.host, self.port)
        try:
            self.sock = ssl.create_default_context().wrap_socket(bare, server_hostname=self.host)
        except BaseException:
            bare.close()
            raise


def _connection(url: str, guard: Guard) -> _Plain | _Secure:
    parts = urlsplit(url)
    made: type[_Plain | _Secure] = _Secure if parts.scheme == "https" else _Plain
    connection = made(parts.hostname or "", parts.port or PORTS[parts.scheme], timeout=IDLE)
    connection.guard = guard
    return connection


def _socket(guard: Guard, host: str, port: int) -> socket.socket:
    """A connection to one of the addresses of `host` that the guard lets through. Raises Refused or OSError."""
    refused, failed = "", None
    for family, kind, proto, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if reason := guard.resolved(host, port, str(address[0])):
            refused = reason
            continue
        made = socket.socket(family, kind, proto)
        try:
            made.settimeout(CONNECT)
            made.connect(address)
            peer = made.getpeername()
            if reason := guard.peer(str(peer[0]), int(peer[1])):
                raise Refused(reason, f"{host}:{port}")
            made.settimeout(IDLE)
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


def _answer(url: str, response: http.client.HTTPResponse) -> Answer:
    body, until = bytearray(), time.monotonic() + PAGE_TIME
    while piece := response.read(CHUNK):
        body += piece
        if len(body) > MAX_PAGE:
            raise NoAnswer("too-big", url)
        if time.monotonic() > until:
            raise TimeoutError
    declared = number(response.headers.get("Content-Length", ""))
    if declared is not None and len(body) < declared:
        raise http.client.IncompleteRead(bytes(body))
    pairs = [(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in response.headers.items()]
    try:
        plain, unknown = payload.decoded(bytes(body), response.headers.get("Content-Encoding", "")), False
    except KeyError:
        plain, unknown = bytes(body), True
    return Answer(url, response.status, payload.rewritten(pairs, len(plain), keep_coding=unknown), plain)


def number(said: str) -> int | None:
    """The whole number that a header says, None where it says none."""
    plain = said.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 18 else None
