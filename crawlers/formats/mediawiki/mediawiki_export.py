"""Split a MediaWiki export into pages (export-0.10, export-0.11): the whole file, or the blocks of a dump."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from lxml import etree

from crawlers.formats import safe_xml
from crawlers.formats.mediawiki import wikitext
from crawlers.formats.unreadable import Unreadable
from crawlers.web.addresses import canonical_url, origin
from malmoi.archive.capture import Capture
from malmoi.source import Extracted, Item

MEDIA = "text/x-wiki"  # the export's own name of the format of a page
DAMAGED = "application/x-damaged"  # media type of an item for a page that is not well-formed XML
MAIN = (0,)  # numbers of the content namespaces
_PAGE = re.compile(rb"<page(?:\s[^<>]{0,1000})?>.*?</page>", re.DOTALL)
_BASE = re.compile(rb"<base>([^<>\s]{1,500})</base>")
_ID = re.compile(rb"<id>\s{0,10}(\d{1,20})\s{0,10}</id>")
HEAD = 1 << 16  # bytes searched for <siteinfo>


def pages(capture: Capture, *, spaces: tuple[int, ...] = MAIN) -> Iterator[Item]:
    """Yield each page of `spaces` in its last revision, in order; the key is the page's id, which survives renaming.

    Redirects, pages of other namespaces (talk, templates, files …) and pages that are not wiki text
    (scripts, style sheets, data) are skipped. An emptied or hidden page yields an item,
    which `text` drops as `empty`; one that is not well-formed XML is dropped as `damaged`.
    """
    found = _BASE.search(capture.body[:HEAD])
    base = origin(found[1].decode("utf-8", "replace")) if found else ""
    for page in _PAGE.finditer(capture.body):
        try:
            root = safe_xml.parse(page[0])
        except Unreadable:
            yield _make_damaged_item(capture, page[0])
            continue
        if root.find("{*}redirect") is None and root.findtext("{*}ns", "0").strip() in map(str, spaces):
            item = _item(capture, base, root)
            if item is not None:
                yield item


def text(item: Item) -> Extracted:
    """Extract the text of a page; `damaged` if it is not XML, else as in crawlers/formats/mediawiki/wikitext.py."""
    if item.media == DAMAGED:
        return Extracted("", format="wikitext", outcome="dropped", reason="damaged")
    return wikitext.extract(item)


def extract(item: Item) -> Extracted:
    """Extract the texts of all pages of an export file, each below its title; `no-text` if there are none."""
    body = item.body.encode() if isinstance(item.body, str) else item.body
    capture = Capture(item.record, item.url, "", 200, item.headers, body)
    found = ((page, text(page)) for page in pages(capture))
    kept = [f"{page.title}\n\n{one.text}" for page, one in found if one.outcome == "kept"]
    return Extracted(
        text="\n\n".join(kept),
        title=item.title,
        date=item.date,
        author=item.author,
        format="mediawiki-export",
        encoding="utf-8",
        outcome="kept" if kept else "dropped",
        reason="" if kept else "no-text",
    )


def address(base: str, title: str) -> str:
    """Return the canonical address of the page.

    >>> address("https://ko.wikipedia.org", "C 언어")
    'https://ko.wikipedia.org/wiki/C_%EC%96%B8%EC%96%B4'
    """
    return canonical_url(f"{base}/wiki/{quote(title.replace(' ', '_'), safe='/:@!$*(),;~')}") if base else ""


def _item(capture: Capture, base: str, page: etree._Element) -> Item | None:
    revisions = page.findall("{*}revision")
    last = revisions[-1] if revisions else etree.Element("revision")
    if last.findtext("{*}model", "wikitext").strip() != "wikitext":
        return None
    title = " ".join(page.findtext("{*}title", "").split())
    return Item(
        key=page.findtext("{*}id", "").strip() or title,
        url=address(base, title) or capture.url,
        body=(last.findtext("{*}text") or "").encode("utf-8", "replace"),
        media=MEDIA,
        charset="utf-8",
        record=capture.record,
        title=title,
        date=last.findtext("{*}timestamp", "").strip()[:10],
    )


def _make_damaged_item(capture: Capture, page: bytes) -> Item:
    found = _ID.search(page[:20_000])
    key = found[1].decode() if found else f"at-{capture.body.find(page)}"
    return Item(key, capture.url, b"", DAMAGED, "", capture.record)
