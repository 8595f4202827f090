"""Middlewares between spider and net, in order: guard, robots (robots_middleware.py), retries, trouble, archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response

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
        """As Scrapy builds its components."""
        return cls(crawler)

    def _retry(self, request: Request, retry_after: str = "", **meta: Any) -> Request | None:
        """Another try, for which the whole host rests first; None after the last one.

        Raises:
            Postponed: the host asks for more patience than a run has.
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
    """Refuse by its letters an address that leads off the public web."""

    def process_request(self, request: Request) -> None:
        """Raises Blocked."""
        if reason := self.context.guard.check_url(request.url):
            raise Blocked(reason)


class RetryMiddleware(_Middleware):
    """Ask again, later, where the failure may pass."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The answer, or another try after the time that the server asks for."""
        if is_lasting(response.status) or REPLAYED in response.flags:
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        return self._retry(request, header) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Another try; raises Blocked where the guard was what broke the connection."""
        if isinstance(exception, PeerRefused):
            raise Blocked(str(exception))
        if isinstance(exception, CannotResolveHostError) and (
            reason := self.context.guard.refused.get(urlsplit(request.url).hostname or "")
        ):
            raise Blocked(reason)
        return self._retry(request) if isinstance(exception, tuple(PASSING)) else None


class TroubleMiddleware(_Middleware):
    """Ask the source whether an answer with status 200 is one."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.trouble: Callable[[Response], Trouble | None] = crawler.spider.trouble

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The answer, or another try.

        What is kept of an earlier attempt is asked for anew, whatever it complained of: that was then.

        Raises:
            Troubled: it is none, after all tries.
            SourceError: nothing more can be had now, or trouble() fails.
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
                f"{self.context.name}: {trouble.why} (said by {request.url}); see to it, then run the same job again"
            )
        again = self._retry(request, anew=True)
        if again is None:
            raise Troubled(trouble.why)
        return again
