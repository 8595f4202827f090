"""Apply robots.txt to every request: fetch it before the first page of an origin, keep it for a day, obey it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from scrapy import Request

from crawlers.fetch import politeness
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import NET_ERRORS, Blocked, Postponed, Unreadable, explain, failure_word
from crawlers.fetch.page_requests import HARVEST, Ask, is_downgrade, redirect_target
from crawlers.fetch.payload import BadCoding
from crawlers.fetch.state import CrawlState
from crawlers.web import robots
from crawlers.web.addresses import origin
from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.printable import escape_controls
from malmoi.source import Api, OaiPmh

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

Answer: TypeAlias = tuple[int | None, bytes | None]

LIFE = timedelta(hours=24)  # of a robots.txt; RFC 9309, section 2.4
# A page that permits access to machines outweighs a rule of robots.txt, but not a host that is down or busy.
_GRANTED = {Api: ("page",), OaiPmh: HARVEST}  # kinds of requests that a grant may permit
UNGRANTED = frozenset({"robots-unreachable", "robots-status-429", "robots-status-503"})


class RobotsMiddleware:
    """Fetch the robots.txt of an origin before its first page, and obey it."""

    def __init__(self, crawler: Any) -> None:
        self.context: CrawlContext = crawler.spider.context
        self.state: CrawlState = crawler.spider.state
        self.ask: Ask = crawler.spider.ask
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._asked: dict[str, datetime] = {}  # origin → when its robots.txt was requested

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Build the component as Scrapy does."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise Blocked; raise SourceError if an API is forbidden and no page permits it."""
        if request.meta.get("robots"):
            return
        status, body = await self._answer(origin(request.url))
        decision = robots.decide(status, body, request.url, politeness.AGENT)
        if decision.delay is not None:
            self.context.pace.slow_down(urlsplit(request.url).hostname or "", decision.delay)
        if decision.reason == "robots-unreadable":
            self._note(origin(request.url), robots.describe_unreadable(body))
        if not decision.allowed and not self._is_granted(request, decision.reason, body):
            raise Blocked(decision.reason)

    def _is_granted(self, request: Request, reason: str, body: bytes | None) -> bool:
        """Whether the documentation of an API permits what its robots.txt forbids."""
        access = self.context.access
        if not isinstance(access, Api | OaiPmh) or request.meta.get("kind") not in _GRANTED[type(access)]:
            return False
        said = (
            reason == "robots-disallow" and robots.find_forbidding_line(body or b"", request.url, politeness.AGENT)
        ) or reason
        file = f"{origin(request.url)}/robots.txt"
        if reason in UNGRANTED or (file in self.state.robots and not access.grant):
            said = robots.explain_refusal(request.url, reason, file, self.state.robots.get(file, ""))
            raise SourceError(f"{self.context.name}: {said}")
        if not access.grant:
            raise SourceError(
                f"{self.context.name}: robots.txt of {origin(request.url)} forbids {request.url} "
                f"({said}); ask the publisher, name the page that documents machine access as grant=…, or retire it"
            )
        if self.state.grant_status != 200:
            raise SourceError(
                f"{self.context.name}: robots.txt of {origin(request.url)} forbids {request.url} "
                f"({said}), and the page that should permit it, {access.grant}, could not be fetched "
                f"({self.state.grant_status}); check that page, then run again"
            )
        self.state.granted = access.grant
        return True

    async def _answer(self, site: str) -> Answer:
        answer = self._answers.get(site)
        if answer is None or (answer.done() and self._is_stale(site)):
            self._asked[site] = politeness.utc_now()
            answer = asyncio.ensure_future(self._ask(site))
            self._answers[site] = answer
        return await answer

    def _is_stale(self, site: str) -> bool:
        """Whether the answer has expired. A replayed answer is as old as its record, also in a resumed run."""
        entry = self.context.archive.here.get(f"{site}/robots.txt")
        asked = self._asked[site]
        if entry is not None:
            asked = min(asked, datetime.fromisoformat(entry.fetched))
        return politeness.utc_now() - asked > LIFE

    def _note(self, site: str, why: str) -> None:
        """Record why the robots.txt of a site cannot be read."""
        self.state.robots[f"{site}/robots.txt"] = escape_controls(explain(why))

    async def _ask(self, site: str) -> Answer:
        """Return status and body of a robots.txt: status None without an answer, body None if it cannot be decoded."""
        url = f"{site}/robots.txt"
        status = None
        for hop in range(limits.REDIRECTS.value + 1):
            try:
                with input_errors(Unreadable, Blocked, *NET_ERRORS):
                    response = await self.ask(url, "robots")
                    target = redirect_target(response)
            except Blocked as blocked:
                if hop == 0:
                    raise
                self._note(site, f"redirect to {urlsplit(url).netloc}: {blocked.reason}")
                return None, b""
            except Postponed:
                return 503, b""
            except (BadCoding, Unreadable):
                return 200, None
            except NET_ERRORS as error:
                self._note(site, failure_word(error))
                return None, b""
            status = response.status
            if target is None:
                return status, response.body
            if not target or is_downgrade(url, target):
                return status, b""
            url = target
        return status, b""
