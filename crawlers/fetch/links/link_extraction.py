"""Extract the URLs in an answer: links of a page or the source's own follow(), entries of a sitemap or feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, TypeVar

from crawlers import attachments
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.links import link_process
from crawlers.fetch.page_requests import Kind
from crawlers.fetch.state import CrawlState
from crawlers.web.addresses import canonical_url, origin
from crawlers.web.scope import origins
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.source import Attachment, Site

T = TypeVar("T")
Offer: TypeAlias = tuple[Iterable[str], Kind, Mapping[str, str]]  # URLs, how to request them, facts of attachments


async def read_addresses(context: CrawlContext, state: CrawlState, capture: Capture, kind: Kind) -> list[Offer]:
    """Return the URLs in an answer with the kind to request them as; note as failed what cannot be read.

    Raises:
        SourceError: follow() fails.
    """
    follow = context.definition.follow
    if kind == "page" and follow is not None:
        found = call_source(context, "follow", capture.url, lambda: _read_addresses(follow(capture), capture.record))
        named = [(context.remove_key(canonical_url(url)), facts) for url, facts in found]
        # Several entries may name one file: the first describes it, whatever the order of the queue.
        return [([url for url, _ in named], "page", {url: facts for url, facts in reversed(named) if facts})]
    if kind not in ("page", "sitemap", "feed") or (kind == "page" and not isinstance(context.access, Site)):
        return []
    try:
        links = await link_process.addresses_of(capture, kind)
    except link_process.Unread as error:
        state.fail(capture.url, f"links-unread: {error.reason}" if kind == "page" else error.reason)
        return []
    if links.lost:
        state.fail(capture.url, f"list-incomplete: {'; '.join(links.lost)}")
    hosts = set(origins(context.access))
    return [([url for url in links.maps if origin(url) in hosts], "sitemap", {}), (links.pages, "page", {})]


def _read_addresses(named: Iterable[str | Attachment], record: str) -> list[tuple[str, str]]:
    """Return what follow() names as (address, header of its facts); `record` is the capture that names it."""
    return [
        (one.url, attachments.write_header(one, record)) if isinstance(one, Attachment) else (one, "") for one in named
    ]


def call_source(context: CrawlContext, verb: str, url: str, call: Callable[[], T]) -> T:
    """Return the result of a function of the source.

    Raises:
        SourceError: the function fails, with any exception.
    """
    try:
        with input_errors(RuntimeError):
            return call()
    except Exception as error:
        cause = error.__cause__ or error
        raise SourceError(
            f"{context.name}: {verb}() fails at {url} ({type(cause).__name__}: {cause}); "
            f"correct it in {context.job.source} and run again"
        ) from error
