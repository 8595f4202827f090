"""Archive policy pages before any page: licence pages, permission for access, terms, opt-out files."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from crawlers.encodings.charset_labels import charset_of
from crawlers.fetch.archive import read_body
from crawlers.fetch.context import CrawlContext
from crawlers.fetch.page_requests import Kind, Visit
from crawlers.fetch.politeness import OPT_OUT_FILES
from crawlers.fetch.state import CrawlState
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import origins
from malmoi.boundary import input_errors
from malmoi.source import Api, OaiPmh

HOST_FILES = ("/robots.txt", *OPT_OUT_FILES)
Visiting: TypeAlias = Callable[[str, Kind], Awaitable[Visit]]


async def gather(context: CrawlContext, state: CrawlState, visit: Visiting) -> None:
    """Archive all of them; note what could not be fetched. Other code decides whether that stops a source."""
    claims = [canonical_url(claim.url) for claim in context.definition.source.claim if claim.url]
    for url in dict.fromkeys(claims):
        state.note(url, await visit(url, "evidence"))
    if isinstance(context.access, Api | OaiPmh) and context.access.grant:
        await _grant(state, visit, canonical_url(context.access.grant))
    await _terms(context, state, visit)
    for site in origins(context.access):
        for path in OPT_OUT_FILES:
            found = await visit(site + path, "evidence")
            if found.response is None:  # a missing file (404) is not a failure
                state.note(site + path, found)


async def _grant(state: CrawlState, visit: Visiting, url: str) -> None:
    found = await visit(url, "evidence")
    state.note(url, found)
    state.grant_status = _status(found)


async def _terms(context: CrawlContext, state: CrawlState, visit: Visiting) -> None:
    """Archive the page of terms as of today; a missing page does not stop a source but is recorded."""
    terms = context.job.terms or context.definition.source.terms
    if terms is None:
        return
    url = canonical_url(terms.url)
    if not url:
        state.terms = {"url": terms.url, "sha256": "", "status": "no-address"}
        return
    found = await visit(url, "evidence")
    state.note(url, found)
    state.terms = {"url": url, "sha256": _digest(context, state, found), "status": _status(found)}


def _status(found: Visit) -> int | str:
    if found.response is not None:
        return int(found.response.status)
    return found.blocked or found.failed or "no-answer"


def _digest(context: CrawlContext, state: CrawlState, found: Visit) -> str:
    """Return the sha256 of the visible text, with white space normalized; "" without a page."""
    if not found.has_page or found.response is None:
        return ""
    from crawlers.rights.claims import readable_text  # imports the HTML readers

    entry = context.archive.here[found.response.url]
    kept = context.archive.resolve(entry) or entry
    media = kept.header("content-type")
    body = read_body(kept)
    try:
        with input_errors(ValueError):
            text = readable_text(body, media, charset_of(media), found.url)
    except ValueError as error:
        state.fail(found.url, f"unreadable: {error}")
        return ""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()
