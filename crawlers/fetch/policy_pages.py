"""What is archived before any page: licence pages, the page that grants access, the terms, the opt-out files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crawlers.fetch.archive import read_body
from crawlers.fetch.page_requests import Visit, visit
from crawlers.fetch.politeness import OPT_OUT_FILES
from crawlers.formats.encodings.charset_labels import charset_of
from crawlers.web.addresses import canonical_url
from crawlers.web.scope import origins
from malmoi.boundary import input_errors
from malmoi.source import Api

if TYPE_CHECKING:
    from crawlers.fetch.spider import Crawl

HOST_FILES = ("/robots.txt", *OPT_OUT_FILES)


async def gather(crawl: Crawl) -> None:
    """Archive all of it; what could not be had is noted, and whether that stops a source is said elsewhere."""
    claims = [canonical_url(claim.url) for claim in crawl.definition.source.claim if claim.url]
    for url in dict.fromkeys(claims):
        crawl.note(url, await visit(crawl, url, "evidence"))
    if isinstance(crawl.access, Api) and crawl.access.grant:
        await _grant(crawl, canonical_url(crawl.access.grant))
    await _terms(crawl)
    for site in origins(crawl.access):
        for path in OPT_OUT_FILES:
            found = await visit(crawl, site + path, "evidence")
            if found.response is None:  # that there is none (404) is no failure
                crawl.note(site + path, found)


async def _grant(crawl: Crawl, url: str) -> None:
    found = await visit(crawl, url, "evidence")
    crawl.note(url, found)
    crawl.grant_status = _status(found)


async def _terms(crawl: Crawl) -> None:
    """The page of terms as it stands today; a source is not stopped by its absence, only the record says so."""
    terms = crawl.job.terms or crawl.definition.source.terms
    if terms is None:
        return
    url = canonical_url(terms.url)
    if not url:
        crawl.terms = {"url": terms.url, "sha256": "", "status": "no-address"}
        return
    found = await visit(crawl, url, "evidence")
    crawl.note(url, found)
    crawl.terms = {"url": url, "sha256": _digest(crawl, found), "status": _status(found)}


def _status(found: Visit) -> int | str:
    if found.response is not None:
        return int(found.response.status)
    return found.blocked or found.failed or "no-answer"


def _digest(crawl: Crawl, found: Visit) -> str:
    """sha256 of what a person reads there, white space left out of account; "" without a page."""
    if not found.has_page or found.response is None:
        return ""
    from crawlers.rights.claims import readable_text  # with readers of HTML behind it

    entry = crawl.archive.here[found.response.url]
    kept = crawl.archive.resolve(entry) or entry
    media = kept.header("content-type")
    body = read_body(kept)
    try:
        with input_errors(ValueError):
            text = readable_text(body, media, charset_of(media), found.url)
    except ValueError as error:
        crawl.fail(found.url, f"unreadable: {error}")
        return ""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()
