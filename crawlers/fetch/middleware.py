"""What stands between the spider and the net, in this order: guard, robots, second tries, archive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError, ConnectionClosed

from crawlers.addresses import canonical, origin
from crawlers.fetch import manners, robots
from crawlers.fetch.archive import Entry, read_body
from crawlers.fetch.connect import PeerRefused
from crawlers.fetch.payload import TooBig, decoded, lasting, rewritten

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawlers.fetch.spider import Crawl

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ROBOTS_LIFE = timedelta(hours=24)  # RFC 9309, section 2.4

# A second try may help against these; against the others it would only repeat the request.
PASSING: dict[type[Exception], str] = {
    DownloadTimeoutError: "timeout",
    DownloadConnectionRefusedError: "refused",
    CannotResolveHostError: "unknown-host",
    ResponseDataLossError: "cut-off",
    DownloadFailedError: "broken-answer",
    ConnectionClosed: "connection-lost",
    ConnectError: "no-connection",
}
FINAL: dict[type[Exception], str] = {
    DownloadCancelledError: "too-big",
    TooBig: "bad-compression",
    PeerRefused: "guard-peer",
    UnsupportedURLSchemeError: "scheme",
    UnicodeError: "malformed-host",
}
NET_ERRORS: tuple[type[Exception], ...] = (*PASSING, *FINAL)


class Blocked(IgnoreRequest):
    """A rule forbids the request; `reason` names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Middleware:
    """A downloader middleware of a crawl."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.crawl: Crawl = crawler.spider

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """As Scrapy builds its components."""
        return cls(crawler)


class GuardMiddleware(_Middleware):
    """Refuse by its letters an address that leads off the public web."""

    def process_request(self, request: Request) -> None:
        """Raises Blocked."""
        if reason := self.crawl.guard.url(request.url):
            raise Blocked(reason)


class RobotsMiddleware(_Middleware):
    """Fetch the robots.txt of an origin before its first page, and obey it."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._answers: dict[str, tuple[float, asyncio.Future[tuple[int | None, bytes]]]] = {}

    async def process_request(self, request: Request) -> None:
        """Raises Blocked."""
        if request.meta.get("robots"):
            return
        status, body = await self._answer(origin(request.url))
        decision = robots.decide(status, body, request.url, manners.AGENT)
        if not decision.allowed:
            raise Blocked(decision.reason)
        if decision.delay is not None:
            self._slow_down(urlsplit(request.url).hostname or "", decision.delay)

    async def _answer(self, site: str) -> tuple[int | None, bytes]:
        asked, answer = self._answers.get(site, (0.0, None))
        if answer is None or time.monotonic() - asked > ROBOTS_LIFE.total_seconds():
            answer = asyncio.ensure_future(self._ask(site))
            self._answers[site] = (time.monotonic(), answer)
        return await answer

    async def _ask(self, site: str) -> tuple[int | None, bytes]:
        url = f"{site}/robots.txt"
        status = None
        for hop in range(robots.MAX_REDIRECTS + 1):
            try:
                response = await self.crawl.ask(url, robots=True)
            except Blocked:
                if hop == 0:
                    raise
                return None, b""
            except NET_ERRORS:
                return None, b""
            status = response.status
            target = redirect(response)
            if target is None:
                return status, response.body
            url = target
        return status, b""

    def _slow_down(self, host: str, delay: float) -> None:
        downloader = self.crawler.engine.downloader
        delay = max(delay, self.crawl.definition.source.manners.delay)
        downloader.per_slot_settings[host] = {"delay": delay}
        if host in downloader.slots:
            downloader.slots[host].delay = delay


class RetryMiddleware(_Middleware):
    """Ask again, later, where the failure may pass."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """The answer, or another try after the time that the server asks for."""
        if lasting(response.status):
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        return await self._again(request, header) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Another try; raises Blocked where the guard was what broke the connection."""
        if reason := self.crawl.guard.refused.get(urlsplit(request.url).hostname or ""):
            raise Blocked(reason)
        if isinstance(exception, PeerRefused):
            raise Blocked(str(exception))
        return await self._again(request, "") if isinstance(exception, tuple(PASSING)) else None

    async def _again(self, request: Request, retry_after: str) -> Request | None:
        attempt = request.meta.get("attempt", 1) + 1
        if attempt > manners.MAX_TRIES:
            return None
        delay = self.crawl.definition.source.manners.delay
        await asyncio.sleep(manners.wait_before(attempt, delay, retry_after, datetime.now(UTC)))
        return request.replace(meta={**request.meta, "attempt": attempt}, dont_filter=True)


class ArchiveMiddleware(_Middleware):
    """Answer from the archive what this run already asked; archive every answer of the net."""

    def process_request(self, request: Request) -> Response | None:
        """The archived answer, or None after adding the conditions that earlier runs allow."""
        archive, now = self.crawl.archive, datetime.now(UTC)
        kept = archive.replay(request.url)
        if kept is not None and not (request.meta.get("robots") and _old(archive.here[request.url], now)):
            if archive.here[request.url].offset < archive.resumed_at:
                self.crawl.replayed.add(request.url)
            return _response(request, kept, "replayed")
        before = archive.before.get(request.url)
        if before is not None and before.status == 200:
            for condition, header in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if value := before.header(header):
                    request.headers[condition] = value.encode("utf-8", "surrogateescape")
        return None

    def process_response(self, request: Request, response: Response) -> Response:
        """The answer as it was archived: decoded, or the earlier one where it still stands."""
        if "replayed" in response.flags:
            return response
        self.crawl.fetched += 1
        archive, now = self.crawl.archive, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if response.status == 304 and request.url in archive.before:
            headers = rewritten(_pairs(response), 0)
            confirmed = archive.resolve(archive.confirm(request.url, now, headers))
            assert confirmed is not None  # `before` is a part of what `resolve` knows
            return _response(request, confirmed)
        coding = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        try:
            body, unknown = decoded(response.body, coding), False
        except KeyError:
            body, unknown = response.body, True
        headers = rewritten(_pairs(response), len(body), keep_coding=unknown)
        archive.add(request.url, now, response.status, headers, body)
        return Response(request.url, response.status, headers=_bytes(headers), body=body, request=request)


def redirect(response: Response) -> str | None:
    """Where a response sends its reader, canonical; None where it stays. "" is no address of the web."""
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or location is None:
        return None
    try:
        return canonical(urljoin(response.url, location.decode("utf-8", "replace").strip()))
    except ValueError:
        return ""


def why(error: Exception) -> str:
    """The word for a failure of the net."""
    return next(word for kind, word in {**PASSING, **FINAL}.items() if isinstance(error, kind))


def _old(entry: Entry, now: datetime) -> bool:
    return now - datetime.fromisoformat(entry.fetched) > ROBOTS_LIFE


def _response(request: Request, entry: Entry, *flags: str) -> Response:
    return Response(
        request.url,
        entry.status,
        headers=_bytes(entry.headers),
        body=read_body(entry),
        flags=list(flags),
        request=request,
    )


def _pairs(response: Response) -> Iterator[tuple[bytes, bytes]]:
    return ((name, value) for name, values in response.headers.items() for value in values)


def _bytes(headers: tuple[tuple[str, str], ...]) -> dict[bytes, list[bytes]]:
    grouped: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        grouped.setdefault(name.encode("latin-1"), []).append(value.encode("utf-8", "surrogateescape"))
    return grouped
