"""Extract the metadata that a web page states (title, date, author, address) in one pass over its tree.

Only explicit statements are used: nothing is guessed from the running text.
One pass costs about a hundredth of a general date and author search.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

MAX_TITLE = 300  # code points; longer is not a title
MAX_AUTHOR = 100  # code points
MAX_JSON = 2_000_000  # code points of one JSON-LD block
MAX_NODES = 5_000  # objects visited in one JSON-LD block
_DATE_META = (  # the most reliable first
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "dcterms.created",
    "dcterms.issued",
    "dc.date.issued",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "citation_publication_date",
    "article:published",
    "pubdate",
    "publishdate",
    "regdate",
    "date",
)
_AUTHOR_META = ("article:author", "author", "dc.creator", "dcterms.creator", "citation_author", "dable:author")
_SEPARATOR = re.compile(r"\s+(?:[-|:·•–—«»<>]|::|\|\|)\s+")
_NUMERIC = re.compile(r"\s{0,20}(\d{4})\s?(?:[-./]|년)\s?(\d{1,2})\s?(?:[-./]|월)\s?(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"\s{0,20}(\d{4})(\d{2})(\d{2})(?:T?\d{4,6}Z?)?\s*$")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata that a page states; "" for a missing field. `body` is the text of its JSON-LD article."""

    title: str = ""
    date: str = ""  # ISO 8601, "2026-11-24"
    author: str = ""
    canonical: str = ""
    body: str = ""


@dataclass(slots=True)
class _Seen:
    """The raw values that one pass over a tree collects, before the choice."""

    meta: dict[str, str] = field(default_factory=dict)
    title: str = ""
    headings: list[str] = field(default_factory=list)
    home: list[str] = field(default_factory=list)  # headings with the name of the site, linked to its home page
    canonical: str = ""
    times: list[tuple[bool, str]] = field(default_factory=list)  # (marked as publication date, value)
    nodes: list[dict[str, Any]] = field(default_factory=list)  # JSON-LD objects


def read(tree: etree._Element, url: str = "") -> Metadata:
    """Return the metadata that the page `tree`, fetched from `url`, states.

    Title: `og:title`, else `<title>`, else the only `<h1>`; a site name at its end or beginning is
    cut off only if the page itself names the site or the rest equals its heading.

    >>> from lxml import html
    >>> page = "<title>식각 공정 - 반도체 노트</title><h1>식각 공정</h1><time datetime='2026-03-02'></time>"
    >>> found = read(html.document_fromstring(page))
    >>> found.title, found.date
    ('식각 공정', '2026-03-02')
    """
    seen = _walk(tree)
    articles = [node for node in seen.nodes if "articleBody" in node or "headline" in node or "datePublished" in node]
    return Metadata(
        title=_title(seen, articles),
        date=_date(seen, articles),
        author=_author(seen, articles),
        canonical=_canonical(seen, url),
        body=_body(seen.nodes, _fold(_title(seen, articles))),
    )


def iso_date(value: str) -> str:
    """Return the ISO 8601 date at the beginning of `value`, or "" if it has no valid date.

    Year, month and day in this order, with hyphens, dots, slashes or 년·월, or RFC 5322; a following time is cut off.

    >>> [iso_date(v) for v in ("2024. 1. 5.", "2024년 1월 5일", "20240105", "2024-01-05T23:59:00+09:00", "2024-13-05")]
    ['2024-01-05', '2024-01-05', '2024-01-05', '2024-01-05', '']
    >>> iso_date("Fri, 05 Jan 2024 10:00:00 +0900")
    '2024-01-05'
    """
    value = value[:100]
    match = _NUMERIC.match(value) or _COMPACT.match(value)
    try:
        if match:
            return date(*map(int, match.groups())).isoformat()
        return parsedate_to_datetime(value).date().isoformat() if "," in value else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _walk(tree: etree._Element) -> _Seen:
    seen = _Seen()
    for element in tree.iter("meta", "title", "link", "script", "h1", "time"):
        tag, get = element.tag, element.get
        if tag == "meta":
            name = (get("property") or get("name") or get("itemprop") or "").strip().lower()
            if name and (content := (get("content") or "").strip()):
                seen.meta.setdefault(name, content)
        elif tag == "title":
            # An <svg> may have a title of its own later in the page.
            seen.title = seen.title or _collapse_spaces("".join(map(str, element.itertext())))
        elif tag == "link":
            if "canonical" in (get("rel") or "").lower().split():
                seen.canonical = seen.canonical or (get("href") or "").strip()
        elif tag == "h1":
            if text := _collapse_spaces("".join(map(str, element.itertext()))):
                (seen.home if _leads_home(element) else seen.headings).append(text)
        elif tag == "time":
            marked = get("pubdate") is not None or (get("itemprop") or "").lower() == "datepublished"
            seen.times.append((marked, get("datetime") or ""))
        elif (get("type") or "").strip().lower() == "application/ld+json":
            seen.nodes += _json_ld(element.text or "")
    return seen


def _leads_home(heading: etree._Element) -> bool:
    anchor = next(heading.iter("a"), None)
    return anchor is not None and (anchor.get("href") or "") in ("/", "./", "/index.html", "index.html")


def _json_ld(raw: str) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON-LD block, outermost first; nothing if it is not JSON."""
    if len(raw) > MAX_JSON:
        return
    try:
        data = json.loads(raw.strip().rstrip(";"), strict=False)  # line breaks inside strings are common
    except (ValueError, RecursionError):
        return
    queue = [data]
    for count, node in enumerate(queue):
        if count >= MAX_NODES:
            return
        if isinstance(node, dict):
            yield node
            queue += [value for value in node.values() if isinstance(value, (dict, list))]
        elif isinstance(node, list):
            queue += [value for value in node if isinstance(value, (dict, list))]


def _title(seen: _Seen, articles: list[dict[str, Any]]) -> str:
    headline = next((_collapse_spaces(_string(node.get("headline"))) for node in articles if node.get("headline")), "")
    only = seen.headings[0] if len(seen.headings) == 1 else ""
    whole = _collapse_spaces(seen.meta.get("og:title", "")) or seen.title or headline or only
    if len(whole) > MAX_TITLE:
        whole = headline or only
    names = {_fold(seen.meta.get(name, "")) for name in ("og:site_name", "application-name")}
    names |= set(map(_fold, seen.home))
    names |= {
        _fold(_string(node.get("name"))) for node in seen.nodes if node.get("@type") in ("WebSite", "Organization")
    }
    return _strip_site_name(whole, names - {""}, {_fold(text) for text in (*seen.headings, headline) if text})[
        :MAX_TITLE
    ]


def _strip_site_name(title: str, names: set[str], headings: set[str]) -> str:
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        if _fold(tail) in names or (_fold(head) in headings and _fold(head) not in names):
            return head
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        if _fold(head) in names or _fold(tail) in headings:
            return tail
    return title


def _date(seen: _Seen, articles: list[dict[str, Any]]) -> str:
    # Use marked <time> elements; else only the first, because later ones belong to lists of other pages.
    times = [value for marked, value in seen.times if marked] or [value for _, value in seen.times[:1]]
    stated = (
        seen.meta.get("article:published_time", ""),
        *(_string(node.get("datePublished")) for node in articles),
        *(seen.meta.get(name, "") for name in _DATE_META),
        *times,
    )
    return next((found for value in stated if (found := iso_date(value))), "")


def _author(seen: _Seen, articles: list[dict[str, Any]]) -> str:
    stated = [_names(node.get("author")) for node in articles] + [seen.meta.get(name, "") for name in _AUTHOR_META]
    for value in map(_collapse_spaces, stated):
        if value and len(value) <= MAX_AUTHOR and not value.startswith(("http://", "https://", "@")):
            return value
    return ""


def _body(nodes: list[dict[str, Any]], title: str) -> str:
    """Return the text of the JSON-LD article; of several, the one with the page's title, else none."""
    bodies: dict[str, str] = {}
    for node in nodes:
        kind = node.get("@type")
        kinds = kind if isinstance(kind, list) else [kind]
        is_article = any(isinstance(name, str) and name.endswith(("Article", "Posting", "Report")) for name in kinds)
        body = _string(node.get("articleBody")) or (_string(node.get("text")) if is_article else "")
        headline = _fold(_string(node.get("headline")) or _string(node.get("name")))
        if len(body) > len(bodies.get(headline, "")):
            bodies[headline] = body
    if len(bodies) > 1:
        return next((body for headline, body in bodies.items() if headline and headline in title), "")
    return next(iter(bodies.values()), "")


def _names(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(name for item in value[:10] if (name := _names(item)))
    return _string(value.get("name")) if isinstance(value, dict) else _string(value)


def _canonical(seen: _Seen, url: str) -> str:
    stated = seen.canonical or seen.meta.get("og:url", "")
    if not stated:
        return ""
    try:
        address = urljoin(url, stated)
        return address if urlsplit(address).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _collapse_spaces(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _fold(text: str) -> str:
    return _SPACE.sub("", text).casefold()
