"""Licence statements in the head of a page: `<link rel=license>`, `<meta>` and JSON-LD, as candidates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urlsplit

from lxml import html

from crawlers.formats.html.runs import RELATIONS, PageEvidence, State, is_hidden, is_quoting, quote
from crawlers.rights.refusals import denies
from crawlers.web.addresses import join_url
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.licences import licence_from_url
from malmoi.licensing.rights_decision import NONE, UNKNOWN

MAX_JSON = 500_000  # code points of one JSON-LD block
_META = frozenset(
    "license licence rights dc.rights dc:rights dcterms.license dcterms.rights dcterms:license dc.rights.license "
    "cc:license xhv:license copyright".split()
)
_ABOUT_TEXT = frozenset(
    "Article NewsArticle BlogPosting TechArticle ScholarlyArticle Report WebPage CreativeWork Book Chapter Legislation "
    "GovernmentService DigitalDocument LearningResource".split()
)
_MANY = re.compile(
    r"//(?:www\.)?(?:kogl\.or\.kr|creativecommons\.org)"
    r"(?:/(?:licenses?|open|(?:open/)?info/(?:license|infoRenewal)\.do)?)?/?(?:[?;].*)?$",
    re.I,
)
# A licence that is named but unreadable: Creative Commons without a version, proprietary terms.
_UNREAD = re.compile(
    r"\bCC[ -]?BY|creative ?commons|저작자 ?표시|공공누리|KOGL|proprietary|non-?commercial|비영리|상업적|\bNC\b|\bND\b",
    re.I,
)
_QUOTING = frozenset("blockquote figure figcaption q pre code template dialog".split())
_WORKS = frozenset("CreativeWork Book Chapter Report DigitalDocument LearningResource Legislation".split())
_SAYING = ("licen", "copyrightNotice", "usageInfo", "conditionsOfAccess")
_HEAD = State(part="item")
_SITE = State(part="site")


def find(tree: html.HtmlElement, url: str) -> Iterator[PageEvidence]:
    """Yield what the head and the JSON-LD blocks of a page say about the licence of the page."""
    for element in tree.iter("link", "meta", "script"):
        if not _may_say(element) or not _is_visible(element) or _is_in_part(element):
            continue
        if element.tag == "link":
            rel, media = set((element.get("rel") or "").lower().split()), (element.get("type") or "").lower()
            address = element.get("href") or ""
            if rel & RELATIONS and "rsl" not in media and not is_family_page(address):
                yield PageEvidence(licence_from_url(address) or UNKNOWN, "link", quote(address), element, _HEAD)
        elif element.tag == "meta":
            name = (element.get("name") or element.get("property") or element.get("itemprop") or "").strip().lower()
            value = element.get("content") or ""
            licence = licence_from_text(value) if name in _META else None
            if name in _META and not licence and value.strip():
                licence = NONE if denies(value) else UNKNOWN if _UNREAD.search(value) else None
            if licence:
                yield PageEvidence(licence, "metadata", quote(name, value), element, _HEAD)
        elif (element.get("type") or "").strip().lower() == "application/ld+json":
            for licence, words, state in _json_ld(element.text or "", url, element):
                yield PageEvidence(licence, "json-ld", words, element, state)


def _may_say(element: html.HtmlElement) -> bool:
    """Whether an element can carry a licence statement; tested first because ancestor checks cost more."""
    get = element.get
    if element.tag == "meta":
        return (get("name") or get("property") or get("itemprop") or "").strip().lower() in _META
    if element.tag == "link":
        return not RELATIONS.isdisjoint((get("rel") or "").lower().split())
    return any(name in (element.text or "") for name in _SAYING)


def is_family_page(address: str) -> bool:
    """Whether an address is a page about all the licences of a family and names none of them.

    >>> is_family_page("https://www.kogl.or.kr/info/license.do#01-tab"), is_family_page("/terms.html")
    (True, False)
    """
    return bool(_MANY.search(address.partition("#")[0]))


def _is_visible(element: html.HtmlElement) -> bool:
    above = [element, *element.iterancestors()]
    return not any(a.tag in ("template", "noscript", "svg", "iframe") or is_hidden(a) for a in above)


def _is_in_part(element: html.HtmlElement) -> bool:
    """Whether a `<link>` or `<meta>` in the body is inside a part or a quotation: a picture, a comment."""
    if element.tag == "script":
        return False
    for above in element.iterancestors():
        if above.tag == "head":
            return False
        if above.tag in _QUOTING or is_quoting(above):
            return True
        if above.get("itemscope") is not None:
            kind = (above.get("itemtype") or "").rstrip("/").rpartition("/")[2]
            return kind not in _ABOUT_TEXT and kind not in ("WebSite", "Blog")
    return False


def _json_ld(raw: str, url: str, element: html.HtmlElement) -> Iterator[tuple[str, str, State]]:
    if len(raw) > MAX_JSON:
        return
    try:
        data = json.loads(raw.strip().rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return
    for node in _nodes(data):
        kinds = node.get("@type")
        types = {kinds} if isinstance(kinds, str) else {k for k in kinds or () if isinstance(k, str)}
        site = types & {"WebSite", "Organization"}
        if not site and (not types & _ABOUT_TEXT or _is_other_page(node, url)):
            continue
        if not site and types <= _WORKS and _has_other_title(node, element):
            continue
        for name in ("copyrightNotice", "usageInfo", "conditionsOfAccess"):
            if any(denies(value) for value in _values(node.get(name))):
                yield NONE, quote(name, next(_values(node.get(name)))), _SITE if site else _HEAD
        for value in _values(node.get("license")):
            licence = licence_from_url(value) or licence_from_text(value)
            if licence or not is_family_page(value):
                yield licence or UNKNOWN, quote(f'"license": "{value}"'), _SITE if site else _HEAD


def _nodes(data: object) -> Iterator[dict[str, Any]]:
    """Yield the objects on the outermost level and in @graph; deeper ones are about parts."""
    for node in data if isinstance(data, list) else [data]:
        if isinstance(node, dict):
            yield node
            graph = node.get("@graph")
            yield from (n for n in graph if isinstance(n, dict)) if isinstance(graph, list) else ()


def _values(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            one = one.get("url") or one.get("@id") or one.get("name")
        if isinstance(one, str) and one.strip():
            yield one.strip()


def _has_other_title(node: dict[str, Any], element: html.HtmlElement) -> bool:
    """Whether a work without an address has another title than the page: a book that the page is about."""
    if any(node.get(key) for key in ("mainEntityOfPage", "url", "@id")):
        return False
    plain = "".join("".join(_values(node.get("headline") or node.get("name"))).lower().split())
    titles = element.getroottree().iter("title", "h1")
    pool = ["".join(one.text_content().lower().split()) for one in titles]
    return bool(plain) and any(pool) and not any(plain in one or one in plain for one in pool if one)


def _is_other_page(node: dict[str, Any], url: str) -> bool:
    for key in ("mainEntityOfPage", "url", "@id"):
        value = next(_values(node.get(key)), "")
        if value and not value.startswith("#"):
            return urlsplit(urldefrag(join_url(url, value))[0])[1:4] != urlsplit(urldefrag(url)[0])[1:4]
    return False
