"""Extract the metadata that a web page states (title, date, author, address) in one pass over its tree.

Only explicit statements about the page itself are used: nothing is guessed from the running text. The tab is written
for browsers and search engines: it names the site as well, or is the file name of a wiki page. The name of the site is
cut off where the page shows that it is one; the only heading of the main content comes before a tab that
does not hold it.
One pass costs about a hundredth of a general date and author search.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from crawlers.formats.html import page_date
from crawlers.formats.html.page_date import leads_away
from crawlers.formats.html.runs import classify_names

MAX_TITLE = 300  # code points; longer is not a title
FIRST_LINES = 3  # lines of a text that may be its title
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
# Where a part that is known as the title may begin or end.
_PART = re.compile(rf"{_SEPARATOR.pattern}|\s*::+\s*|:\s+|\s+(?=\[)")
_UNSEEN = ("\u200b", "\ufeff", "\u2060", "\u00ad")  # characters without width, as permalinks hold
_BRAND = re.compile(r"(?:^|[\s_-])(?:logo|brand(?:ing)?|masthead|site[_-]?(?:title|name))(?:$|[\s_-])", re.IGNORECASE)
_PERMALINK = re.compile(r"anchor|headerlink|hash-?link|permalink", re.IGNORECASE)
_WORD = re.compile(r"\w")
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
    heading: str = ""  # the only <h1> of the main content, if it may be a better title (`find_title`)


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
    main = {element: words for element, words in seen.headings.items() if _is_main(element)}
    only = next(iter(main)) if len(main) == 1 else None
    title, heading = _title(seen, articles, names, list(main.values()))
    dates = map(iso_date, _list_dates(seen, articles, fold(title), only, url))
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


def find_title(stated: str, heading: str, text: str, tree: etree._Element, url: str) -> str:
    """Return the title of a page: the part of `stated` that its heading or text repeats, or the heading, or `stated`.

    `heading` is the only heading of the main content ("" without one). A heading that a link to another page repeats is
    that of a section.
    """
    lines = {fold(line) for line in text.split("\n", FIRST_LINES)[:FIRST_LINES] if len(line) <= MAX_TITLE}
    if fold(stated) in lines or not text:
        return stated
    known = {*lines, fold(heading)} - {""}
    for part in sorted(_parts(stated), key=len, reverse=True):  # the name of a site is the shorter part
        if fold(part) in known and (stated.startswith(part) or not _is_linked(tree, part, url)):
            return part
    if fold(heading) in known & lines and not _is_headed(tree, stated) and not _is_linked(tree, heading, url):
        return heading
    return stated


def words_of_heading(heading: html.HtmlElement) -> str:
    """Return the words of a heading without its permalink (¶, #, an icon, a zero-width space).

    >>> from lxml import html
    >>> words_of_heading(html.fragment_fromstring("<h1>하나<a class=header-anchor href='#a'>\u200b</a> 둘</h1>"))
    '하나 둘'
    """
    marks = [place for place, link in enumerate(heading.iter("a")) if _is_permalink(link)]
    if marks:
        heading = copy(heading)
        links = list(heading.iter("a"))
        for place in marks:
            links[place].drop_tree()
    return collapse_spaces(_drop_unseen("".join(map(str, heading.itertext()))))


def collapse_spaces(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return a text for comparison: without spaces and characters without width, in one case."""
    return _drop_unseen("".join(text.split())).casefold()


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
            if text := words_of_heading(element):
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


def _is_main(heading: etree._Element) -> bool:
    """Whether a heading is neither in the frame of the site nor in navigation, a comment or a sidebar."""
    framed = _BRAND.search(f"{heading.get('class') or ''} {heading.get('id') or ''}") is not None
    for above in heading.iterancestors():
        kind = above.get("role") or above.tag
        if kind in ("article", "main"):
            return True
        if above.tag == "body":
            break
        quoting, _, framing, _, _ = classify_names(f"{above.get('class') or ''} {above.get('id') or ''}")
        if kind in ("nav", "aside", "footer", "navigation", "complementary", "contentinfo", "dialog") or quoting:
            return False
        framed = framed or framing or kind in ("header", "banner")
    return not framed


def _parts(title: str) -> Iterator[str]:
    """Yield the beginnings and ends of a title at its separators."""
    for cut in _PART.finditer(title):
        yield title[: cut.start()]
        yield _unwrap(title[cut.end() :])


def _unwrap(part: str) -> str:
    """Return a part of a title without the brackets around it."""
    part = part.strip()
    return part[1:-1].strip() if part[:1] + part[-1:] in ("[]", "()") else part


def _is_linked(tree: etree._Element, words: str, url: str) -> bool:
    """Whether a link to another page has these words."""
    want = fold(words)
    links = (link for link in tree.iter("a") if fold("".join(map(str, link.itertext()))) == want)
    return any(not (link.get("href") or "#").startswith("#") and leads_away(link, url) for link in links)


def _is_headed(tree: etree._Element, title: str) -> bool:
    """Whether a lower heading has the words of a title or of a part of it."""
    parts = {fold(title), *map(fold, _parts(title))}
    return any(fold("".join(map(str, heading.itertext()))) in parts for heading in tree.iter("h2", "h3", "h4"))


def _is_permalink(link: etree._Element) -> bool:
    if not (link.get("href") or "#").startswith("#"):
        return False
    return bool(_PERMALINK.search(link.get("class") or "")) or not _WORD.search("".join(map(str, link.itertext())))


def _drop_unseen(text: str) -> str:
    for character in () if text.isascii() else _UNSEEN:
        text = text.replace(character, "")
    return text


def _list_dates(
    seen: _Seen, articles: list[dict[str, Any]], title: str, only: etree._Element | None, url: str
) -> Iterator[str]:
    """Yield the dates that a page states, the most reliable first; `title` is folded, `only` its only main heading."""
    yield seen.meta.get("article:published_time", "")
    yield from _dates_of_articles(articles, title)
    yield from (seen.meta[name] for name in _DATE_META if name in seen.meta)
    if seen.dated:
        yield from page_date.own_dates(seen.dated, only, seen.articles, url)


def _dates_of_articles(articles: list[dict[str, Any]], title: str) -> list[str]:
    """Return the publication date in JSON-LD of the node with the page's title, or of an only one without a title."""
    dates: dict[str, list[str]] = {}
    for node in articles:
        kind = node.get("@type")
        value = iso_date(_string(node.get("datePublished")))
        if value and not any(other in (kind if isinstance(kind, list) else [kind]) for other in _OTHERS):
            dates.setdefault(value, []).append(fold(_string(node.get("headline")) or _string(node.get("name"))))
    own = [value for value, names in dates.items() if any(name and (name in title or title in name) for name in names)]
    return own[:1] or ([value for value, names in dates.items() if not any(names)] if len(dates) == 1 else [])


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
