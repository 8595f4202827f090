"""Extract the metadata that a web page states (title, date, author, address) in one pass over its tree.

Only explicit statements about the page itself are used: nothing is guessed from the running text.
One pass costs about a hundredth of a general date and author search.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from crawlers.formats.html import page_date, page_title
from crawlers.formats.html.page_title import MAX_TITLE, collapse_spaces, fold

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
_TITLE_META = ("citation_title", "dc.title", "dcterms.title")
_AUTHOR_META = ("article:author", "author", "dc.creator", "dcterms.creator", "citation_author", "dable:author")
_SEPARATOR = re.compile(r"\s+(?:[-|:·•–—«»<>]|::|\|\|)\s+")
_NUMERIC = re.compile(r"\s{0,20}(\d{4})\s?(?:[-./]|년)\s?(\d{1,2})\s?(?:[-./]|월)\s?(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"\s{0,20}(\d{4})(\d{2})(\d{2})(?:T?\d{4,6}Z?)?\s*$")
_OTHERS = ("Comment", "Review", "Answer", "VideoObject", "ImageObject", "Event")  # JSON-LD with dates of their own


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata that a page states; "" for a missing field. `body` is the text of its JSON-LD article."""

    title: str = ""
    date: str = ""  # ISO 8601, "2026-11-24"
    author: str = ""
    canonical: str = ""
    body: str = ""
    heading: str = ""  # the only <h1> of the main content, if it may be a better title (`page_title.find_title`)


@dataclass(slots=True)
class _Seen:
    """The raw values that one pass over a tree collects, before the choice."""

    meta: dict[str, str] = field(default_factory=dict)
    title: str = ""
    headings: dict[etree._Element, str] = field(default_factory=dict)  # <h1> with words
    home: list[str] = field(default_factory=list)  # headings with the name of the site, linked to its home page
    canonical: str = ""
    dated: list[etree._Element] = field(default_factory=list)  # <time>, <meta itemprop> in the body
    articles: list[etree._Element] = field(default_factory=list)
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
    seen = _walk(tree, url)
    articles = [node for node in seen.nodes if "articleBody" in node or "headline" in node or "datePublished" in node]
    names = _names_of_site(seen)
    main = {element: words for element, words in seen.headings.items() if page_title.is_main(element)}
    only = next(iter(main)) if len(main) == 1 else None
    title, heading = _title(seen, articles, names, list(main.values()))
    dates = map(iso_date, _stated_dates(seen, articles, fold(title), only, url))
    return Metadata(
        title=title,
        date=next((one for one in dates if one and not page_date.contradicts_address(one, url)), ""),
        author=_author(seen, articles),
        canonical=_canonical(seen, url),
        body=_body(seen.nodes, fold(title)),
        heading=heading,
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


def _walk(tree: etree._Element, url: str) -> _Seen:
    seen = _Seen()
    for element in tree.iter("meta", "title", "link", "script", "h1", "time", "article"):
        tag, get = element.tag, element.get
        if tag == "meta":
            name = (get("property") or get("name") or get("itemprop") or "").strip().lower()
            if name == "datepublished" and next(element.iterancestors("body"), None) is not None:
                seen.dated.append(element)
            elif name and (content := (get("content") or "").strip()):
                seen.meta.setdefault(name, content)
        elif tag == "title":
            # An <svg> may have a title of its own later in the page.
            seen.title = seen.title or collapse_spaces("".join(map(str, element.itertext())))
        elif tag == "link":
            if "canonical" in (get("rel") or "").lower().split():
                seen.canonical = seen.canonical or (get("href") or "").strip()
        elif tag == "h1":
            if text := page_title.words_of_heading(element):
                if page_date.leads_home(element, url):
                    seen.home.append(text)
                else:
                    seen.headings[element] = text
        elif tag == "time":
            seen.dated.append(element)
        elif tag == "article":
            seen.articles.append(element)
        elif (get("type") or "").strip().lower() == "application/ld+json":
            seen.nodes += _json_ld(element.text or "")
    return seen


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


def _names_of_site(seen: _Seen) -> set[str]:
    names = {fold(seen.meta.get(name, "")) for name in ("og:site_name", "application-name")}
    names |= set(map(fold, seen.home))
    sites = (node for node in seen.nodes if node.get("@type") in ("WebSite", "Organization"))
    return (names | {fold(_string(node.get("name"))) for node in sites}) - {""}


def _title(seen: _Seen, articles: list[dict[str, Any]], names: set[str], main: Sequence[str]) -> tuple[str, str]:
    """Return the title, and the only heading of the main content if that may be a better one.

    `names` are those of the site, folded, and `main` the headings of the main content. A title that the page states
    of its article as well (JSON-LD, the metadata of a paper) is not doubted.
    """
    stated = [collapse_spaces(_string(node.get("headline"))) for node in articles if node.get("headline")][:1]
    stated += [words for name in _TITLE_META if (words := collapse_spaces(seen.meta.get(name, "")))]
    headings = list(seen.headings.values())
    only = headings[0] if len(headings) == 1 else ""
    other = next(iter(stated), "") or only
    whole = collapse_spaces(seen.meta.get("og:title", "")) or seen.title or other
    if len(whole) > MAX_TITLE:
        whole = other
    sure = set(map(fold, stated))
    title = _strip_site_name(whole, names, {*map(fold, headings), *sure}, {*map(fold, main), *sure})[:MAX_TITLE]
    is_doubtful = len(main) == 1 and len(main[0]) <= MAX_TITLE and fold(title) not in sure
    return title, main[0] if is_doubtful and not any(fold(main[0]) in name for name in names) else ""


def _strip_site_name(title: str, names: set[str], headings: set[str], main: set[str]) -> str:
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        if fold(tail) in names or (fold(head) in headings and fold(head) not in names):
            return head
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        if fold(head) in names or (fold(tail) in main and len(tail) >= len(head)):  # the name of a site is shorter
            return tail
    return title


def _stated_dates(
    seen: _Seen, articles: list[dict[str, Any]], title: str, only: etree._Element | None, url: str
) -> Iterator[str]:
    """Yield the dates that a page states, the most reliable first; `title` is folded, `only` its only main heading."""
    yield seen.meta.get("article:published_time", "")
    yield from _dates_of_articles(articles, title)
    yield from (seen.meta[name] for name in _DATE_META if name in seen.meta)
    if seen.dated:
        yield from page_date.own_dates(seen.dated, only, seen.articles, url)


def _dates_of_articles(articles: list[dict[str, Any]], title: str) -> list[str]:
    """Return the publication date in JSON-LD; of several, that of the node with the page's title, else none."""
    dates: dict[str, list[str]] = {}
    for node in articles:
        kind = node.get("@type")
        value = iso_date(_string(node.get("datePublished")))
        if value and not any(other in (kind if isinstance(kind, list) else [kind]) for other in _OTHERS):
            dates.setdefault(value, []).append(fold(_string(node.get("headline")) or _string(node.get("name"))))
    own = [value for value, names in dates.items() if any(name and (name in title or title in name) for name in names)]
    return own[:1] or (list(dates) if len(dates) == 1 else [])


def _author(seen: _Seen, articles: list[dict[str, Any]]) -> str:
    stated = [_names(node.get("author")) for node in articles] + [seen.meta.get(name, "") for name in _AUTHOR_META]
    for value in map(collapse_spaces, stated):
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
        headline = fold(_string(node.get("headline")) or _string(node.get("name")))
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
