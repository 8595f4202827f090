"""Replay answers from the archive, and archive every answer from the network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from scrapy import Request
from scrapy.http import Response

from crawlers import attachments, withdrawn
from crawlers.encodings.charset_labels import charset_of
from crawlers.fetch import politeness
from crawlers.fetch.api_key import REMOVED_HEADER, Key
from crawlers.fetch.archive import Entry, read_body
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import Blocked, HeadTooBig
from crawlers.fetch.page_requests import HARVEST, redirect_target
from crawlers.fetch.payload import Headers, decode_body, rewrite_headers
from crawlers.fetch.robots_middleware import LIFE
from crawlers.fetch.state import CrawlState
from crawlers.withdrawn_links import Traces, addresses_of, mask_body, mask_headers
from malmoi import limits
from malmoi.archive.capture import Capture

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

REPLAYED = "replayed"  # flag of a response that came out of the archive


class ListReader(Protocol):
    """The harvest of a repository, as the archive sees it."""

    def archive_records(self, asked: str, fetched: str, body: bytes, charset: str) -> bytes:
        """Archive the records of an answer; return what is archived of the answer itself."""


class ArchiveMiddleware:
    """Replay answers that this run already archived; archive every answer from the network."""

    def __init__(self, crawler: Any) -> None:
        self.context: CrawlContext = crawler.spider.context
        self.state: CrawlState = crawler.spider.state
        self.harvest: ListReader | None = getattr(crawler.spider, "harvest", None)
        addresses = addresses_of(self.context.matcher, self.context.name)
        self.traces = Traces.make(addresses, self.context.is_withdrawn)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Build the component as Scrapy does."""
        return cls(crawler)

    def process_request(self, request: Request) -> Response | None:
        """Return the archived answer, or None after adding the conditional headers that earlier runs allow.

        `anew` in the request's meta: the source rejected the archived answer (Definition.trouble), or a list of
        records is to be read again.
        """
        archive, now = self.context.archive, politeness.utc_now()
        kept = None if request.meta.get("anew") else archive.replay(request.url)
        if kept is not None and not (
            request.meta.get("kind") == "robots" and _is_stale(archive.here[request.url], now)
        ):
            if archive.here[request.url].offset < archive.resumed_at:
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
            headers, _ = _remove_key(rewrite_headers(_pairs(response), 0), b"", self.context.key)
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
        headers, body = _remove_key(headers, body, self.context.key)
        headers = _describe(headers, request.meta.get("facts", ""))
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


def page_of(entry: Entry, kept: Entry, body: bytes, source: str) -> Capture:
    """Build the capture of an answer: `entry` is the record of this run, `kept` the record with its body."""
    return Capture(kept.record, entry.url, entry.fetched, kept.status, kept.headers, body, source)


def _remove_key(headers: Headers, body: bytes, key: Key | None) -> tuple[Headers, bytes]:
    """Redact the key from headers and body; a header records that something was redacted."""
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


def _describe(headers: Headers, facts: str) -> Headers:
    """Return the headers with the facts of an attachment; a header of that name from the network is removed."""
    own = tuple((name, value) for name, value in headers if name.lower() != attachments.HEADER.lower())
    return (*own, (attachments.HEADER, facts)) if facts else own


def _is_stale(entry: Entry, now: datetime) -> bool:
    return now - datetime.fromisoformat(entry.fetched) > LIFE


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
