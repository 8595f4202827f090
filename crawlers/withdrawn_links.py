"""Mask links to withdrawn addresses in pages, sitemaps and feeds, with the words of the link: a list names its pages.

Only links are masked. Other bytes of the page stay as they came.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from crawlers.web.addresses import canonical_url, join_url
from malmoi.erasure.tombstones import Matcher

MASK = b"withdrawn:"  # instead of an address; a scheme that nothing fetches
_MEDIA = ("html", "xml", "rss", "atom")
_ANCHOR = re.compile(rb"(<a\b[^<>]{0,4000}>)(.{0,4000}?)(</a\s*>)", re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(
    rb"(?P<before>\b(?:href|src|content|data-[\w-]{1,40}|cite|action)\s{0,9}=\s{0,9})"
    rb"(?:\"(?P<double>[^\"]{1,4000})\"|'(?P<single>[^']{1,4000})'|(?P<bare>[^\s\"'<>]{1,4000}))",
    re.IGNORECASE,
)
_ELEMENT = re.compile(rb"(<(?:loc|link|guid|id)\b[^<>]{0,200}>)\s{0,9}([^<>\s]{1,4000})\s{0,9}(</)", re.IGNORECASE)
_RUN = re.compile(r"[0-9A-Za-z]+")


def addresses_of(matcher: Matcher, source: str) -> list[str]:
    """Return the addresses that tombstones name: their URLs and prefixes, and the ids of `source` that are URLs."""
    begin = f"{source}/"
    keys = (one.key.removeprefix(begin) if one.kind == "id" else one.key for one in matcher.tombstones)
    return [key for key in keys if key.startswith(("http://", "https://"))]


def make_needles(addresses: Iterable[str], *, absolute: bool = False) -> tuple[bytes, ...] | None:
    """Return bytes of which a page has at least one if it links to an address; None if that cannot be decided.

    `absolute`: the links have a host, so that the host will do.

    >>> make_needles(["https://a.kr/people/hong-gildong?no=1"]), make_needles(["https://a.kr/%EC%9E%90"])
    ((b'gildong',), None)
    """
    found: set[bytes] = set()
    for url in addresses:
        parts = urlsplit(url)
        tail = parts.path.rstrip("/").rpartition("/")[2] + " " + parts.query
        runs = _RUN.findall(re.sub(r"%[0-9A-Fa-f]{2}", " ", tail)) or (_RUN.findall(parts.netloc) if absolute else [])
        if not runs:
            return None
        found.add(max(runs, key=len).encode())
    return tuple(sorted(found))


def make_mask(addresses: Sequence[str], is_withdrawn: Callable[[str], bool]) -> Callable[[bytes, str, str], bytes]:
    """Return the function `mask_links` of a body, its media type and base; a body without an address is not parsed."""
    needles = make_needles(addresses)

    def mask(body: bytes, media: str, base: str) -> bytes:
        if not addresses or (needles is not None and not any(needle in body for needle in needles)):
            return body
        return mask_links(body, media.lower(), base, is_withdrawn)

    return mask


def mask_links(body: bytes, media: str, base: str, is_withdrawn: Callable[[str], bool]) -> bytes:
    """Return a page, sitemap or feed without the addresses for which `is_withdrawn`, and the words that link there.

    >>> mask_links(b'<a href="/1"><b>Hong</b></a> <a href="/2">Kim</a>', "text/html", "https://a.kr/",
    ...  lambda url: url == "https://a.kr/1")
    b'<a href="withdrawn:"></a> <a href="/2">Kim</a>'
    """
    if not any(word in media for word in _MEDIA):
        return body

    def is_hit(value: bytes) -> bool:
        address = html.unescape(value.decode("utf-8", "replace")).strip()
        return bool(address) and is_withdrawn(canonical_url(join_url(base, address)))

    def mask_value(found: re.Match[bytes]) -> bytes:
        value = found["double"] or found["single"] or found["bare"]
        return found["before"] + b'"' + MASK + b'"' if is_hit(value) else found[0]

    def mask_anchor(found: re.Match[bytes]) -> bytes:
        head = _VALUE.sub(mask_value, found[1])
        return head + found[3] if head != found[1] else found[0]

    def mask_element(found: re.Match[bytes]) -> bytes:
        return found[1] + MASK + found[3] if is_hit(found[2]) else found[0]

    return _ELEMENT.sub(mask_element, _VALUE.sub(mask_value, _ANCHOR.sub(mask_anchor, body)))
