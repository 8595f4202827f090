"""Extract the URLs in an answer: links of a page or the source's own follow(), entries of a sitemap or feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from crawlers import attachments, catalogue
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.failures import TROUBLE_FAILS
from crawlers.fetch.links import link_process
from crawlers.fetch.page_requests import Kind
from crawlers.fetch.state import CrawlState
from crawlers.source_errors import Fault, catch_faults
from crawlers.web.addresses import canonical_url, origin
from crawlers.web.scope import origins
from malmoi.archive.capture import Capture
from malmoi.errors import SourceError
from malmoi.source import Attachment, Site, Trouble

UNREAD = "links-unread"  # failure word of an answer whose addresses could not be read
MAX_IN_ROW = 10  # answers at which follow() fails: further requests would be of no use
Offer: TypeAlias = tuple[Iterable[str], Kind, Mapping[str, str]]  # URLs, how to request them, facts of attachments


async def read_addresses(context: CrawlContext, state: CrawlState, capture: Capture, kind: Kind) -> list[Offer]:
    """Return the URLs in an answer with the kind to request them as; note as failed what cannot be read.

    Raises:
        SourceError: follow() fails at MAX_IN_ROW answers in a row, or for another reason than an answer.
    """
    if kind == "page" and context.definition.follow is not None:
        named = _call_follow(context, state, capture)
        # Several entries may name one file: the first describes it, whatever the order of the queue.
        return [([url for url, _ in named], "page", {url: facts for url, facts in reversed(named) if facts})]
    if kind not in ("page", "sitemap", "feed") or (kind == "page" and not isinstance(context.access, Site)):
        return []
    try:
        links = await link_process.addresses_of(capture, kind)
    except link_process.Unread as error:
        state.fail(capture.url, f"{UNREAD}: {error.reason}" if kind == "page" else error.reason)
        return []
    if links.lost:
        state.fail(capture.url, f"list-incomplete: {'; '.join(links.lost)}")
    hosts = set(origins(context.access))
    return [([url for url in links.maps if origin(url) in hosts], "sitemap", {}), (links.pages, "page", {})]


def _call_follow(context: CrawlContext, state: CrawlState, capture: Capture) -> list[tuple[str, str]]:
    """Return what follow() names as (address, header of its facts), up to the answer's first error."""
    named: list[tuple[str, str]] = []
    faults: list[Fault] = []
    file = catalogue.find_file(context.job.source)
    assert context.definition.follow is not None
    with catch_faults(file, faults.append):
        for one in context.definition.follow(capture):
            with catch_faults(file, faults.append):
                named.append(_describe(context, one, capture.record))
    if not faults:
        state.followed.count_read()
        return named
    state.fail(capture.url, f"{UNREAD}: {faults[0].detail}")
    state.followed.count_failed(f"follow() fails at {capture.url} ({faults[0].detail})")
    if state.followed.in_row >= MAX_IN_ROW:
        raise SourceError(explain_follow(context, state, f"at {MAX_IN_ROW} answers in a row"))
    return named


def _describe(context: CrawlContext, one: str | Attachment, record: str) -> tuple[str, str]:
    """Return address and header of facts of what follow() names; `record` is the capture that names it."""
    url, facts = (one.url, attachments.write_header(one, record)) if isinstance(one, Attachment) else (one, "")
    return context.remove_key(canonical_url(url)), facts


def explain_follow(context: CrawlContext, state: CrawlState, how_often: str) -> str:
    """Return why a source stops whose follow() fails too often."""
    return (
        f"{context.name}: {state.followed.first}, and {how_often}; correct it in {context.job.source} and run again: "
        "what was collected is kept. If these are error pages, let trouble() name them"
    )


def ask_trouble(context: CrawlContext, capture: Capture) -> Trouble | None:
    """Return the source's complaint about an answer; an answer at which trouble() fails is requested again."""
    faults: list[Fault] = []
    assert context.definition.trouble is not None
    found: Trouble | None = None
    with catch_faults(catalogue.find_file(context.job.source), faults.append):
        found = context.definition.trouble(capture)
    return Trouble("again", f"{TROUBLE_FAILS} ({faults[0].detail})") if faults else found
