"""Which addresses an answer names: a page by its links or by the source's own follow(), a list by its entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crawlers.addresses import canonical, origin
from crawlers.fetch import linking, listings
from crawlers.fetch.payload import BadCoding
from crawlers.fetch.scope import origins
from crawlers.fetch.visits import Kind
from malmoi.capture import Capture
from malmoi.errors import SourceError
from malmoi.source import Site

if TYPE_CHECKING:
    from crawlers.fetch.spider import Crawl


async def named(crawl: Crawl, capture: Capture, kind: Kind) -> list[tuple[Iterable[str], Kind]]:
    """The addresses that an answer names and as what they are asked for; a list that is none is noted as failed.

    Raises:
        SourceError: follow() fails.
    """
    if kind in ("sitemap", "feed"):
        return _listed(crawl, capture, kind)
    if crawl.definition.follow is not None:
        try:
            return [([crawl.without_key(canonical(url)) for url in crawl.definition.follow(capture)], "page")]
        except Exception as error:
            raise broken(crawl, "follow", capture.url, error) from error
    if isinstance(crawl.access, Site):
        try:
            return [(await linking.links_of(capture), "page")]
        except linking.TooCostly:
            crawl.left_out["page-too-costly"] += 1
    return []


def broken(crawl: Crawl, verb: str, url: str, error: Exception) -> SourceError:
    """That a function of the source fails at an answer."""
    return SourceError(
        f"{crawl.definition.source.name}: {verb}() fails at {url} ({type(error).__name__}: {error}); "
        f"correct it in {crawl.job.source} and run again"
    )


def _listed(crawl: Crawl, capture: Capture, kind: Kind) -> list[tuple[Iterable[str], Kind]]:
    try:
        if kind == "feed":
            charset = capture.header("content-type").lower().partition("charset=")[2].partition(";")[0].strip()
            return [(listings.feed(capture.body, capture.url, charset), "page")]
        maps, pages = listings.sitemap(capture.body)
    except BadCoding as error:
        crawl.failed[capture.url] = error.reason
        return []
    except (ValueError, SyntaxError) as error:  # lxml's XMLSyntaxError is a SyntaxError
        reason = str(error) if type(error) is ValueError else "not-xml"
        crawl.failed[capture.url] = f"not-a-{kind}" if reason == "not-xml" else reason
        return []
    hosts = set(origins(crawl.access))
    return [([found for found in maps if origin(found) in hosts], "sitemap"), (pages, "page")]
