"""Downloader middlewares, in order: guard, robots, retries, trouble, archive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response

from crawlers import attachments, withdrawn
from crawlers.encodings.charset_labels import charset_of
from crawlers.fetch import politeness
from crawlers.fetch.api_key import REMOVED_HEADER
from crawlers.fetch.archive import Entry, read_body
from crawlers.fetch.crawl_state import HARVEST, CrawlContext, CrawlState, Kind, is_downgrade, redirect_target
from crawlers.fetch.failures import (
    NET_ERRORS,
    PASSING,
    Blocked,
    HeadTooBig,
    PeerRefused,
    Troubled,
    Unreadable,
    explain,
    failure_word,
)
from crawlers.fetch.payload import BadCoding, Headers, decode_body, is_lasting, rewrite_headers
from crawlers.web import robots
from crawlers.web.addresses import origin
from crawlers.withdrawn_links import Traces, addresses_of, mask_body, mask_headers
from malmoi import limits
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.printable import escape_controls
from malmoi.source import Api, OaiPmh, Trouble

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawlers.fetch.oai_harvest import Harvest

REPLAYED = "replayed"  # flag of a response that came out of the archive
LIFE = timedelta(hours=24)  # of a robots.txt; RFC 9309, section 2.4
# A page that permits access to machines outweighs a rule of robots.txt, but not a host that is down or busy.
_GRANTED = {Api: ("page",), OaiPmh: HARVEST}  # kinds of requests that a grant may permit
UNGRANTED = frozenset({"robots-unreachable", "robots-status-429", "robots-status-503"})

Rules: TypeAlias = tuple[int | None, bytes | None]  # status and body of a robots.txt


class _Middleware:
    """A downloader middleware of a crawl."""

    def __init__(self, crawler: Any) -> None:
        self.context: CrawlContext = crawler.spider.context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Build the component as Scrapy does."""
        return cls(crawler)

    def _retry(self, request: Request, retry_after: str = "", **meta: Any) -> Request | None:
        """Return another try and pause the whole host before it; None after the last try. Raises Postponed."""
        attempt = request.meta.get("attempt", 1) + 1
        host = urlsplit(request.url).hostname or ""
        wait = politeness.pause_seconds(attempt, self.context.pace.delay_of(host), retry_after)
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


class RobotsMiddleware(_Middleware):
    """Fetch the robots.txt of an origin before its first page, and obey it."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.state: CrawlState = crawler.spider.state
        self.ask: Callable[[str, Kind], Awaitable[Response]] = crawler.spider.ask
        self._answers: dict[str, asyncio.Future[Rules]] = {}
        self._asked: dict[str, datetime] = {}  # origin → when its robots.txt was requested

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

    async def _answer(self, site: str) -> Rules:
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

    async def _ask(self, site: str) -> Rules:
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
            except politeness.Postponed:
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


class ArchiveMiddleware(_Middleware):
    """Replay answers that this run already archived; archive every answer from the network."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.state: CrawlState = crawler.spider.state
        self.harvest: Harvest | None = getattr(crawler.spider, "harvest", None)
        addresses = addresses_of(self.context.matcher, self.context.name)
        self.traces = Traces.make(addresses, self.context.is_withdrawn)

    def process_request(self, request: Request) -> Response | None:
        """Return the archived answer, or None after adding the conditional headers that earlier runs allow.

        `anew` in the request's meta: the source rejected the archived answer (Definition.trouble), or a list of
        records is to be read again.
        """
        archive, now = self.context.archive, politeness.utc_now()
        kept = None if request.meta.get("anew") else archive.replay(request.url)
        if kept is not None:
            entry = archive.here[request.url]
            is_stale = request.meta.get("kind") == "robots" and now - datetime.fromisoformat(entry.fetched) > LIFE
            if not is_stale:
                if entry.offset < archive.resumed_at:
                    self.state.replayed.add(request.url)
                return _response(request, kept, REPLAYED)
        before = archive.before.get(request.url)
        # An unchanged list has records that this run must read.
        anew = request.meta.get("anew") or request.meta.get("kind") in HARVEST or _has_other_facts(before, request)
        if before is not None and before.status == 200 and not anew:
            for condition, header in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if value := before.header(header):
                    request.headers[condition] = value.encode("utf-8", "surrogateescape")
        return None

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the answer as archived: decoded, or the earlier one if it is still valid.

        Raises:
            crawlers.fetch.payload.BadCoding: the body cannot be decoded; nothing is archived.
            HeadTooBig: the headers are larger than a record may have; nothing is archived.
            Blocked: it leads to what was withdrawn, contains it, or names it in a form that cannot be cut; nothing is
                archived.
            TokenExpired: a repository no longer continues its list; nothing is archived.
        """
        if REPLAYED in response.flags:
            return response
        self.state.fetched += 1
        archive, now = self.context.archive, politeness.utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
        if response.status == 304 and request.url in archive.before:
            headers, _ = self._remove_key(rewrite_headers(_pairs(response), 0), b"")
            confirmed = archive.resolve(archive.confirm(request.url, now, headers))
            assert confirmed is not None  # `before` is a subset of what `resolve` knows
            return _response(request, confirmed)
        if sum(len(name) + len(value) + 4 for name, value in _pairs(response)) > limits.ANSWER_HEAD_BYTES.value:
            raise HeadTooBig(limits.ANSWER_HEAD_BYTES.describe())
        coding = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        body = decode_body(response.body, coding)
        self._refuse_withdrawn(request, response, body)
        if request.meta.get("kind") not in HARVEST:  # whose records are withdrawn one by one
            media = (response.headers.get("Content-Type") or b"").decode("latin-1")
            masked = mask_body(body, media, response.url, self.traces)
            if masked is None:
                raise Blocked(withdrawn.REASON)
            body = masked
        # Some repositories send the errors of the protocol with a status of HTTP.
        if self.harvest is not None and request.meta.get("kind") in HARVEST and response.status < 500:
            charset = charset_of((response.headers.get("Content-Type") or b"").decode("latin-1"))
            body = self.harvest.archive_records(request.url, now, body, charset)
        headers = mask_headers(rewrite_headers(_pairs(response), len(body)), response.url, self.traces)
        headers, body = self._remove_key(headers, body)
        # The facts of an attachment; a header of that name from the network is removed.
        headers = tuple(pair for pair in headers if pair[0].lower() != attachments.HEADER.lower())
        if facts := request.meta.get("facts", ""):
            headers = (*headers, (attachments.HEADER, facts))
        again = _has_other_facts(archive.before.get(request.url), request)
        archive.add(request.url, now, response.status, headers, body, again=again)
        return Response(request.url, response.status, headers=_bytes(headers), body=body, request=request)

    def _refuse_withdrawn(self, request: Request, response: Response, body: bytes) -> None:
        """Raise Blocked for a redirect to a withdrawn address, and for a page that contains a withdrawn value."""
        context = self.context
        target = redirect_target(response) if context.matcher else None
        charset = charset_of((response.headers.get("Content-Type") or b"").decode("latin-1"))
        shows = request.meta.get("kind") == "page" and withdrawn.has_value(context.matcher, body, charset)
        if shows or (target and context.is_withdrawn(target)):
            raise Blocked(withdrawn.REASON)

    def _remove_key(self, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        """Redact the key from headers and body; a header records that something was redacted."""
        key = self.context.key
        if key is None:
            return headers, body
        clean = tuple((key.redact_text(name), key.redact_text(value)) for name, value in headers)
        clear = key.redact_bytes(body)
        if clean == headers and clear == body:
            return headers, body
        sized = tuple((k, str(len(clear)) if k.lower() == "content-length" else v) for k, v in clean)
        return (*sized, (REMOVED_HEADER, "1")), clear


def _has_other_facts(before: Entry | None, request: Request) -> bool:
    """Whether an entry states other facts about a file than the entry of an earlier run did."""
    facts = request.meta.get("facts", "")
    return before is not None and attachments.facts_of(before.header(attachments.HEADER)) != attachments.facts_of(facts)


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


def _bytes(headers: Headers) -> dict[bytes, list[bytes]]:
    grouped: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        grouped.setdefault(name.encode("latin-1"), []).append(value.encode("utf-8", "surrogateescape"))
    return grouped
