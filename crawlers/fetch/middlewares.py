"""Downloader middlewares, in order: guard, robots (robots_middleware.py), retries, trouble, archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response

from crawlers import withdrawn
from crawlers.fetch import politeness
from crawlers.fetch.archive_middleware import REPLAYED
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import PASSING, Blocked, PeerRefused, Postponed, Troubled
from crawlers.fetch.payload import is_lasting
from malmoi.errors import SourceError
from malmoi.source import Trouble

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class _Middleware:
    """A downloader middleware of a crawl."""

    def __init__(self, crawler: Any) -> None:
        self.context: CrawlContext = crawler.spider.context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Build the component as Scrapy does."""
        return cls(crawler)

    def _retry(self, request: Request, retry_after: str = "", **meta: Any) -> Request | None:
        """Return another try and pause the whole host before it; None after the last try.

        Raises:
            Postponed: the host asks for a longer pause than a run waits.
        """
        attempt = request.meta.get("attempt", 1) + 1
        host = urlsplit(request.url).hostname or ""
        wait = politeness.backoff_seconds(attempt, self.context.pace.delay_of(host), retry_after, politeness.utc_now())
        if wait > politeness.MAX_REST:
            raise Postponed(wait)
        if attempt <= politeness.MAX_TRIES or retry_after:
            self.context.pace.rest(host, wait)
        if attempt > politeness.MAX_TRIES:
            return None
        return request.replace(meta={**request.meta, **meta, "attempt": attempt}, dont_filter=True)


class GuardMiddleware(_Middleware):
    """Refuse a URL that does not lead to the public web, by its text alone, and one that was withdrawn."""

    def process_request(self, request: Request) -> None:
        """Raises Blocked."""
        if reason := self.context.guard.check_url(request.url):
            raise Blocked(reason)
        if self.context.is_withdrawn(request.url):
            raise Blocked(withdrawn.REASON)


class RetryMiddleware(_Middleware):
    """Retry a request, later, if the failure may be transient."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the answer, or another try after the pause that the server asks for."""
        if is_lasting(response.status) or REPLAYED in response.flags:
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        return self._retry(request, header) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return another try; raise Blocked if the guard refused the connection."""
        if isinstance(exception, PeerRefused):
            raise Blocked(str(exception))
        if isinstance(exception, CannotResolveHostError) and (
            reason := self.context.guard.refused.get(urlsplit(request.url).hostname or "")
        ):
            raise Blocked(reason)
        return self._retry(request) if isinstance(exception, tuple(PASSING)) else None


class TroubleMiddleware(_Middleware):
    """Ask the source whether an answer with status 200 is a valid answer."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.trouble: Callable[[Response], Trouble | None] = crawler.spider.trouble

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the answer, or another try.

        An archived answer of an earlier attempt that the source rejects is requested again, whatever its error was.

        Raises:
            Troubled: the answer is not valid after all tries.
            SourceError: the source asks to stop.
        """
        if request.meta.get("kind") != "page" or response.status != 200:
            return response
        trouble = self.trouble(response)
        if trouble is None:
            return response
        if REPLAYED in response.flags:
            return request.replace(meta={**request.meta, "anew": True}, dont_filter=True)
        if trouble.kind == "stop":
            raise SourceError(
                f"{self.context.name}: {trouble.why} (answer of {request.url}); fix this, then run the same job again"
            )
        again = self._retry(request, anew=True)
        if again is None:
            raise Troubled(trouble.why)
        return again
