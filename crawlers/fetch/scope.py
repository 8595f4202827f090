"""Which addresses belong to a source, and which ones a page or a sitemap names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urljoin

from lxml import etree, html
from w3lib.encoding import html_to_unicode

from crawlers.addresses import begins, canonical, covers, origin
from crawlers.fetch.payload import inflate
from malmoi.capture import Capture
from malmoi.source import Api, Crawled, Site

MAX_LENGTH = 2000  # characters of an address; longer ones are traps: calendars, session ids


def origins(access: Crawled) -> list[str]:
    """The origins that a source names, in its order, each once."""
    first = access.start if isinstance(access, Site | Api) else access.urls
    return list(dict.fromkeys(origin(canonical(url)) for url in (*first, *access.scope)))


def in_scope(url: str, access: Crawled) -> bool:
    """Whether a page at `url` belongs to the source. What is denied is read more widely than what is allowed."""
    return (
        0 < len(url) <= MAX_LENGTH
        and any(covers(prefix, url) for prefix in access.scope)
        and not any(begins(prefix, url) for prefix in access.deny)
    )


def links(capture: Capture) -> Iterator[str]:
    """The addresses of all `<a href>` of an HTML page, canonical, in the order of the page.

    Left out: rel=nofollow, and every link of a page that says nofollow in its robots meta element
    or in X-Robots-Tag.
    """
    if not is_html(capture) or "nofollow" in capture.header("x-robots-tag").lower():
        return
    encoding, text = html_to_unicode(capture.header("content-type"), capture.body, default_encoding="utf-8")
    elements = list(_elements(text, "meta", "base", "a"))
    if any(_forbids_to_follow(element) for element in elements):
        return
    bases = [element.get("href") for element in elements if element.tag == "base" and element.get("href")]
    base = _joined(capture.url, bases[0]) if bases else capture.url
    for element in elements:
        if element.tag != "a" or "nofollow" in (element.get("rel") or "").lower().split():
            continue
        if url := canonical(_joined(base, (element.get("href") or "#").strip()), encoding):
            yield url


def is_html(capture: Capture) -> bool:
    """Whether a capture says, or where it says nothing looks, that it is HTML."""
    media = capture.header("content-type").partition(";")[0].strip().lower()
    if media:
        return media in ("text/html", "application/xhtml+xml")
    return b"<html" in capture.body[:1024].lower()


def sitemap(body: bytes) -> tuple[list[str], list[str]]:
    """(sitemaps, pages) that a sitemap names, canonical; gzip, XML and plain text are read.

    Raises:
        ValueError: it is none of these.
        crawlers.fetch.payload.TooBig: its gzip goes beyond the limits.

    >>> sitemap(b"<urlset><url><loc> http://a.kr/1 </loc></url></urlset>")
    ([], ['http://a.kr/1'])
    """
    if body.startswith(b"\x1f\x8b"):
        body = inflate(body)
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body.startswith(b"<"):
        return [], _canonical(body.decode("utf-8", "replace").splitlines())
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=True)
    root = etree.fromstring(body, parser)
    name = etree.QName(root).localname if root is not None else "nothing"
    if name not in ("urlset", "sitemapindex"):
        raise ValueError(f"not a sitemap but {name}")
    found = _canonical(
        (loc.text or "")
        for entry in root
        for loc in entry
        if isinstance(loc.tag, str) and etree.QName(loc).localname == "loc"
    )
    return (found, []) if name == "sitemapindex" else ([], found)


def _canonical(urls: Iterable[str]) -> list[str]:
    return [url for url in map(canonical, urls) if url]


def _elements(text: str, *tags: str) -> Iterator[html.HtmlElement]:
    parser = html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return
    # What stands behind </html> is a second root to libxml2 2.14; a browser shows it like the rest.
    for tree in (root, *root.itersiblings()):
        yield from tree.iter(*tags)


def _forbids_to_follow(element: html.HtmlElement) -> bool:
    named = element.tag == "meta" and (element.get("name") or "").lower() in ("robots", "malmoi")
    return named and "nofollow" in (element.get("content") or "").lower()


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:  # "http://[": no address
        return ""
