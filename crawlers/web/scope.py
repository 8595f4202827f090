"""Decide which URLs belong to a source; extract the links of a page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree, html

from crawlers.encodings.charset_labels import charset_of
from crawlers.encodings.decode import decode, query_encoding
from crawlers.web.addresses import canonical_url, covers, is_prefix, join_url, origin, strip_session_id
from malmoi import limits
from malmoi.archive.capture import Capture
from malmoi.source import Api, Crawled, OaiPmh, Site

MAX_SEGMENTS = 40  # path segments
MAX_PARAMETERS = 60  # of a query
MAX_REPEATS = 4  # consecutive repeats of the same path segments, or uses of one name in a query


def first_of(access: Crawled) -> tuple[str, ...]:
    """Return the start URLs of a crawl."""
    if isinstance(access, OaiPmh):
        return (access.url,)
    return access.start if isinstance(access, Site | Api) else access.urls


def origins(access: Crawled) -> list[str]:
    """Return the origins that a source names, in its order, each once."""
    first = first_of(access)
    return list(dict.fromkeys(origin(canonical_url(url)) for url in (*first, *access.scope)))


def is_in_scope(url: str, access: Crawled) -> bool:
    """Whether a page at `url` belongs to the source. `deny` matches more widely (by prefix) than `scope`."""
    return (
        0 < len(url) <= limits.ADDRESS_BYTES.value
        and any(covers(prefix, url) for prefix in access.scope)
        and not any(is_prefix(prefix, url) for prefix in access.deny)
    )


def links(capture: Capture) -> Iterator[str]:
    """Yield the URLs of all `<a href>` of an HTML page, canonical, in the order of the page, each once.

    At most PAGE_LINKS, from the first PAGE_LINK_BYTES (malmoi/limits.py).

    Left out: rel=nofollow, and every link of a page with nofollow in its robots meta element
    or in X-Robots-Tag.
    """
    if not is_html(capture) or "nofollow" in capture.header("x-robots-tag").lower():
        return
    body = capture.body[: limits.PAGE_LINK_BYTES.value]
    found = decode(body, charset_of(capture.header("content-type")), html=True)
    encoding = query_encoding(found.encoding)
    elements = list(_elements(found.text, "meta", "base", "a"))
    named = (one for one in elements if one.tag == "meta" and (one.get("name") or "").lower() in ("robots", "malmoi"))
    if any("nofollow" in (one.get("content") or "").lower() for one in named):
        return
    bases = [element.get("href") for element in elements if element.tag == "base" and element.get("href")]
    base = join_url(capture.url, bases[0]) if bases else capture.url
    written: dict[str, None] = {}
    for element in elements:
        if element.tag == "a" and "nofollow" not in (element.get("rel") or "").lower().split():
            written[(element.get("href") or "#").strip()] = None
    for href in islice(written, limits.PAGE_LINKS.value):
        url = join_url(base, href)
        # A query that the encoding of the page cannot encode is encoded in UTF-8.
        if url := strip_session_id(canonical_url(url, encoding) or canonical_url(url)):
            yield url


def is_html(capture: Capture) -> bool:
    """Whether a capture is declared as HTML, or looks like HTML if it declares no media type."""
    media = capture.header("content-type").partition(";")[0].strip().lower()
    if media:
        return media in ("text/html", "application/xhtml+xml")
    return b"<html" in capture.body[:1024].lower()


def is_trap(url: str) -> bool:
    """Whether a URL looks like a crawler trap: path segments or query names that repeat.

    A relative link that is followed repeatedly produces /a/b/a/b/a/b; segments of digits only may repeat.

    >>> is_trap("http://a.kr/a/b/a/b/a/b/a/b"), is_trap("http://a.kr/1/1/1/1"), is_trap("http://a.kr/?m=1&m=1&m=1&m=1&m=1")
    (True, False, True)
    """
    parts = urlsplit(url)
    segments = [part for part in parts.path.split("/") if part]
    if len(segments) > MAX_SEGMENTS:
        return True
    names = [one.partition("=")[0] for one in parts.query.split("&")] if parts.query else []
    if len(names) > MAX_PARAMETERS or any(names.count(name) > MAX_REPEATS for name in set(names)):
        return True
    for size in (1, 2, 3, 4):
        for start in range(len(segments) - size * MAX_REPEATS + 1):
            cycle = segments[start : start + size]
            is_cycle = segments[start : start + size * MAX_REPEATS] == cycle * MAX_REPEATS
            if is_cycle and not all(part.isdigit() for part in cycle):
                return True
    return False


def _elements(text: str, *tags: str) -> Iterator[html.HtmlElement]:
    # huge_tree: nesting depth 2,048 instead of 256; unclosed inline tags of old pages nest deeper than 256.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return
    # Content after </html> is a second root to libxml2 2.14; a browser shows it like the rest.
    for tree in (root, *root.itersiblings()):
        yield from tree.iter(*tags)
