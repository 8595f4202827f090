"""What a source need not write: the items, evidence and text of ordinary pages, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urldefrag, urlsplit

from crawlers import formats
from crawlers.formats import html, tables
from crawlers.rights import claims, marks, signals
from malmoi.capture import Capture
from malmoi.document import LicenceEvidence, Signal
from malmoi.source import FOLDER, Extracted, Item, Source

TABLES = ("csv", "tsv", "json", "jsonl")
INSTRUMENTS = ("/robots.txt", "/ai.txt")  # archived as evidence of what may be fetched; no text of the source


def items(capture: Capture) -> Iterator[Item]:
    """A table gives its rows; everything else is one item. The crawler's own instruments give none."""
    path = urlsplit(capture.url).path
    kind = formats.sniff(capture.body, capture.header("content-type"), path)
    if path in INSTRUMENTS or path.startswith("/.well-known/") or _is_sitemap(capture.body):
        return
    if kind in TABLES:
        yield from tables.rows(capture, name=key_of(capture))
        return
    media, _, parameters = capture.header("content-type").partition(";")
    yield Item(
        key=key_of(capture),
        url=capture.url,
        body=capture.body,
        media=media.strip().lower(),
        charset=_charset(parameters),
        record=capture.record,
        headers=capture.headers,
    )


def key_of(capture: Capture) -> str:
    """The address without its fragment; for a file, its path below the folder."""
    if capture.url.startswith(FOLDER):
        return capture.url.removeprefix(FOLDER).partition("/")[2]
    return urldefrag(capture.url).url


def text(item: Item) -> Extracted:
    """The text of an item by its format."""
    return formats.extract(item)


def evidence_for(
    source: Source, archived: dict[str, str]
) -> Callable[[Item], tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]]:
    """The default `evidence`: what the item says, what its page says, and what the source claims."""

    def evidence(item: Item) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        page = html.parse(item) if _is_html(item) else None
        found = marks.find(item, page) if page is not None else ()
        return (*item.evidence, *found, *claims.from_claim(source, item, archived)), signals.find(item, page)

    return evidence


def _is_html(item: Item) -> bool:
    return isinstance(item.body, bytes) and formats.sniff(item.body, item.media, urlsplit(item.url).path) == "html"


def _is_sitemap(body: bytes) -> bool:
    head = body[:512]
    return b"<urlset" in head or b"<sitemapindex" in head


def _charset(parameters: str) -> str:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""
