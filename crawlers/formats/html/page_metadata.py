"""Extract the metadata that a web page states (title, date, author, address) in one pass over its tree.

Only explicit statements about the page itself are used: nothing is guessed from the running text. The tab is written
for browsers and search engines: it names the site as well, or is the file name of a wiki page. The name of the site is
cut off where the page or its host shows that it is one; the only heading of the main content comes before a tab that
does not hold it. A theme shows dates everywhere, and often only elsewhere: beside comments, related posts, the previous
and the next post. A wrong date is worse than none. One pass costs a hundredth of a general date and author search.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree, html

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
# Where a part that is known as the title, and one that is known to name the site, may begin or end.
_PART = re.compile(rf"{_SEPARATOR.pattern}|\s*::+\s*|:\s+|\s+(?=\[)")
_NAME = re.compile(r"\s+[^\w\s]{1,3}\s+|\s*(?:::+|[|»›])\s*|[:_]\s+|\s+(?=[\[(])")
_UNSEEN = ("\u200b", "\ufeff", "\u2060", "\u00ad")  # characters without width, as permalinks hold
_BRAND = re.compile(r"(?:^|[\s_-])(?:logo|brand(?:ing)?|masthead|site[_-]?(?:title|name))(?:$|[\s_-])", re.IGNORECASE)
_PERMALINK = re.compile(r"anchor|headerlink|hash-?link|permalink", re.IGNORECASE)
_WORD = re.compile(r"\w")
_NUMERIC = re.compile(r"\s{0,20}(\d{4})\s?(?:[-./]|년)\s?(\d{1,2})\s?(?:[-./]|월)\s?(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"\s{0,20}(\d{4})(\d{2})(\d{2})(?:T?\d{4,6}Z?)?\s*$")
_OTHERS = ("Comment", "Review", "Answer", "VideoObject", "ImageObject", "Event")  # JSON-LD with dates of their own
NEAR = 200  # code points between the heading of a page and its date
PROSE = 40  # code points beside a date in its paragraph; with so many, the paragraph speaks of the date
ELEMENTS = 500  # of a page that are inspected between heading and date
DATES = 200  # of a page that are inspected; later ones are those of a list
CANDIDATES = 20  # dates that nothing around them rules out
LIST = 3  # different dates; so many are those of a list, whatever its markup
# By tag or role: parts of a page that are not its text, frames of the site or of an article, and items of lists.
_ASIDE = frozenset(("nav", "aside", "navigation", "complementary", "dialog", "blockquote", "figure", "template"))
_FRAME = frozenset(("header", "footer", "banner", "contentinfo"))
_ITEM = frozenset(("li", "tr", "dd"))
_INLINE = frozenset(("a", "abbr", "b", "bdi", "em", "i", "small", "span", "strong", "time"))
_TEASER = re.compile(
    r"(?:^|[\s_-])(?:comments?|repl(?:y|ies)|cmt|related|recent|latest|popular|ranking|recommend\w*|teasers?|cards?|prev"
    r"|next|pager|pagination|archives?|query|(?:posts?|articles?|news)[_-]?(?:list|grid|items?|template))(?:$|[\s_-])",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(r"publish|posted|created|entry-date|작성|등록|게시|발행|입력", re.IGNORECASE)
_REVISED = re.compile(r"updated|modified|edited|수정|갱신|편집|업데이트", re.IGNORECASE)
_DATED = re.compile(
    rf"{_PUBLISHED.pattern}|{_REVISED.pattern}|날짜|일자|일시|\bdate\b", re.IGNORECASE
)  # labels in a table
_SENTENCE = re.compile(r"[가-힣][.!?](?:\s|\Z)")
_HOME = frozenset(("", "index.html", "index.htm", "index.php", "index.do", "index.jsp", "main", "main.do"))
_IN_PATH = re.compile(r"/((?:19|20)\d\d)/(0?[1-9]|1[0-2])(?:/(0?[1-9]|[12]\d|3[01]))?(?=[/-]|\Z)")


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
    >>> stated = read(html.document_fromstring(page))
    >>> stated.title, stated.date
    ('식각 공정', '2026-03-02')
    """
    seen = _walk(tree, url)
    articles = [node for node in seen.nodes if "articleBody" in node or "headline" in node or "datePublished" in node]
    names = {seen.meta.get("og:site_name", ""), seen.meta.get("application-name", ""), *seen.home}
    names |= {_string(node.get("name")) for node in seen.nodes if node.get("@type") in ("WebSite", "Organization")}
    main = {element: words for element, words in seen.headings.items() if _is_main(element)}
    only = next(iter(main)) if len(main) == 1 else None
    title, heading = _title(seen, articles, set(map(fold, names)) - {""}, list(main.values()))
    dates = map(iso_date, _list_dates(seen, articles, fold(title), only, url))
    return Metadata(
        title=title,
        date=next((day for day in dates if day and not contradicts_address(day, url)), ""),
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


def find_title(
    stated: str, heading: str, text: str, tree: etree._Element, url: str, names: Collection[str] = ()
) -> str:
    """Return the title of a page: the part of `stated` that its heading or text repeats, or the heading, or `stated`.

    `heading` is the only heading of the main content ("" without one), `names` are the digests of what names the site
    (`digest_name`). A heading that a link to another page repeats is that of a section.
    """
    stated = _strip_names(stated, names)
    heading = "" if names and digest_name(heading) in names else heading
    first = [line for line in text.split("\n", FIRST_LINES)[:FIRST_LINES] if len(line) <= MAX_TITLE]
    lines = {fold(line) for line in first if not names or digest_name(line) not in names}
    if fold(stated) in lines or not text:
        return stated
    known = {*lines, fold(heading)} - {""}
    for part in sorted(_parts(stated), key=len, reverse=True):  # the name of a site is the shorter part
        if fold(part) in known and (stated.startswith(part) or not _is_linked(tree, part, url)):
            return part
    if fold(heading) not in known & lines or _is_linked(tree, heading, url):
        return stated
    parts = {fold(stated), *map(fold, _parts(stated))}
    is_headed = any(fold("".join(map(str, lower.itertext()))) in parts for lower in tree.iter("h2", "h3", "h4"))
    return stated if is_headed else heading


def words_of_heading(heading: html.HtmlElement) -> str:
    """Return the words of a heading without its permalink (¶, #, an icon, a zero-width space).

    >>> from lxml import html
    >>> words_of_heading(html.fragment_fromstring("<h1>하나<a class=header-anchor href='#a'>\u200b</a> 둘</h1>"))
    '하나 둘'
    """
    marks = [
        place
        for place, link in enumerate(heading.iter("a"))
        if (link.get("href") or "#").startswith("#")
        and (_PERMALINK.search(link.get("class") or "") or not _WORD.search("".join(map(str, link.itertext()))))
    ]
    if marks:
        heading = copy(heading)
        links = list(heading.iter("a"))
        for place in marks:
            links[place].drop_tree()
    return collapse_spaces(_drop_unseen("".join(map(str, heading.itertext()))))


def digest_name(name: str) -> str:
    """Return the digest under which the name of a site is stored: a template of a host holds no text."""
    return hashlib.sha256(fold(name).encode("utf-8", "replace")).hexdigest()[:16]


def has_name(title: str, names: Collection[str]) -> bool:
    """Whether a title or a part of it is one of the names, given as digests."""
    return any(digest_name(part) in names for part in (title, *split_names(title)))


def split_names(title: str) -> list[str]:
    """Return the parts of a title, each of which may name the site; [] of a title with one part.

    >>> split_names("안전 수칙 [공장 위키]"), split_names("memo | 안내서")
    (['안전 수칙', '공장 위키'], ['memo', '안내서'])
    """
    parts = [_unwrap(part) for part in _NAME.split(title)]
    return parts if len(parts) > 1 else []


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
                if leads_home(element, url):
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


def _strip_names(title: str, names: Collection[str]) -> str:
    """Cut the names of the site from the end and the beginning of a title, if anything remains."""
    if not names:
        return title
    for cut in reversed(list(_NAME.finditer(title))):
        if digest_name(_unwrap(title[cut.end() :])) not in names or not title[: cut.start()].strip():
            break
        title = title[: cut.start()]
    while (first := _NAME.search(title)) is not None and digest_name(_unwrap(title[: first.start()])) in names:
        title = title[first.end() :]
    return title


def _unwrap(part: str) -> str:
    """Return a part of a title without the brackets around it."""
    part = part.strip()
    return part[1:-1].strip() if part[:1] + part[-1:] in ("[]", "()") else part


def _is_linked(tree: etree._Element, words: str, url: str) -> bool:
    """Whether a link to another page has these words."""
    want = fold(words)
    links = (link for link in tree.iter("a") if fold("".join(map(str, link.itertext()))) == want)
    return any(not (link.get("href") or "#").startswith("#") and leads_away(link, url) for link in links)


def _drop_unseen(text: str) -> str:
    for character in () if text.isascii() else _UNSEEN:
        text = text.replace(character, "")
    return text


def _list_dates(
    seen: _Seen, articles: list[dict[str, Any]], title: str, only: etree._Element | None, url: str
) -> Iterator[str]:
    """Yield the dates that a page states, the most reliable first; `title` is folded, `only` its only main heading."""
    yield seen.meta.get("article:published_time", "")
    # In JSON-LD, the date of the node with the page's title, or of an only one without a title.
    published: dict[str, list[str]] = {}
    for node in articles:
        kind = node.get("@type")
        value = iso_date(_string(node.get("datePublished")))
        if value and not any(other in (kind if isinstance(kind, list) else [kind]) for other in _OTHERS):
            published.setdefault(value, []).append(fold(_string(node.get("headline")) or _string(node.get("name"))))
    own = [day for day, names in published.items() if any(name and (name in title or title in name) for name in names)]
    untitled = [day for day, names in published.items() if not any(names)] if len(published) == 1 else []
    yield from own[:1] or untitled
    yield from (seen.meta[name] for name in _DATE_META if name in seen.meta)
    if seen.dated:
        yield from own_dates(seen.dated, only, seen.articles, url)


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


def own_dates(
    dated: Sequence[etree._Element], heading: etree._Element | None, articles: Sequence[etree._Element], url: str
) -> list[str]:
    """Return the values of the elements with a date that belong to the page itself, the likeliest first.

    `dated` are <time> and <meta itemprop> in document order, `heading` is the heading of the page if it has only one,
    `articles` are the <article>. A date belongs to the page if it is marked as its publication or last revision, in its
    only article or close to its heading, and outside of navigation, comments, teasers, links and running text.

    >>> from lxml import html
    >>> page = html.document_fromstring("<h1>가</h1><p><time datetime=2026-03-02></time></p><p>나</p><ol><li>"
    ...     "<a href=/2>다</a> <time datetime=2026-11-01></time></ol>")
    >>> own_dates(list(page.iter("time")), page.find(".//h1"), [], "")
    ['2026-03-02']
    """
    outer = [article for article in islice(articles, DATES) if next(article.iterancestors("article"), None) is None]
    only = outer[0] if len(outer) == 1 else None
    around = set() if heading is None else {heading, *heading.iterancestors()}
    marked: list[str] = []
    plain: list[str] = []
    revised: list[str] = []
    near: list[str] = []
    for element in islice(dated, DATES):
        value = element.get("datetime") or element.get("content") or ""
        block = element.getparent()  # with the element in its line; None of <meta>, and beside all other blocks
        while block is not None and block.tag in _INLINE:
            block = block.getparent()
        if element.tag == "meta" or (block is not None and block.tag in ("body", "article", "main")):
            block = None
        words = [] if block is None else [block.text or "", *(child.tail or "" for child in block)]
        beside = " ".join(" ".join(words).split())
        if not value or len(beside) >= PROSE or _SENTENCE.search(beside) or not _is_in_text(element, around, only, url):
            continue
        row = next(element.iterancestors("tr", "dl"), None)
        if row is not None and not _DATED.search("".join(map(str, row.itertext()))[:NEAR]):
            continue  # a fact about the subject
        if len(marked) + len(plain) + len(revised) >= CANDIDATES:
            break
        is_near = _is_near(element, heading, around)
        near += [value] if is_near else []
        name = "" if block is None else block.get("class") or ""
        said = f"{element.get('itemprop') or ''} {element.get('class') or ''} {name} {beside}"
        if _REVISED.search(said) and not _PUBLISHED.search(said):
            revised.append(value)
        elif element.get("pubdate") is not None or _PUBLISHED.search(
            f"{element.get('itemprop') or ''} {element.get('class') or ''}"
        ):
            marked.append(value)
        elif is_near or (only is not None and only in element.iterancestors() and not _has_link(block, url)):
            plain.append(value)
    values = marked or plain or revised
    if len({value[:10] for value in values}) >= LIST:  # the posts of a thread, or a list of other pages
        values = [value for value in near if value in values][:1]
    return values


def contradicts_address(value: str, url: str) -> bool:
    """Whether the address of a page names another month or day (/2026/09/15/) than an ISO date, a day apart or more.

    >>> contradicts_address("2026-11-01", "https://a.kr/2026/09/b/"), contradicts_address("2026-08-31", "/2026/09/")
    (True, False)
    """
    stated = _IN_PATH.search(urlsplit(url).path)
    if stated is None:
        return False
    year, month, day = (int(part) if part else 0 for part in stated.groups())
    try:
        first = date(year, month, day or 1)
        last = first if day else date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        # A page near midnight has another day in another time zone.
        return not first - timedelta(days=1) <= date.fromisoformat(value) <= last + timedelta(days=1)
    except (ValueError, OverflowError):
        return False


def leads_away(link: etree._Element, url: str) -> bool:
    """Whether a link leads to another place than the beginning of the page `url` itself."""
    try:
        target, here = urlsplit(urljoin(url, link.get("href") or "")), urlsplit(url)
    except ValueError:
        return True
    return bool(target.fragment) or any(
        unquote(there).rstrip("/") != unquote(own).rstrip("/")
        for there, own in ((target.netloc, here.netloc), (target.path, here.path), (target.query, here.query))
    )


def leads_home(heading: etree._Element, url: str) -> bool:
    """Whether a heading links to the home page: it names the site."""
    link = next(heading.iter("a"), None)
    if link is None or (href := link.get("href")) is None:
        return False
    try:
        target = urlsplit(urljoin(url, href))
    except ValueError:
        return False
    is_home = not target.query and not target.fragment and target.path.strip("/").lower() in _HOME
    return href in ("./", "index.html") or "home" in (link.get("rel") or "").split() or (bool(href) and is_home)


def _has_link(block: etree._Element | None, url: str) -> bool:
    return block is not None and any(leads_away(link, url) for link in block.iter("a"))


def _is_in_text(element: etree._Element, around: set[etree._Element], only: etree._Element | None, url: str) -> bool:
    """Whether no element around it says that it belongs to something else; `around` are those of the heading."""
    framed = False
    item = None
    for above in element.iterancestors():
        if above in around or above is only or above.tag == "body":
            # The frame of an article holds its date, that of a page holds the date of today.
            return not framed or above is only or above.tag in ("article", "main")
        kind = (above.get("role") or above.tag).lower()
        name = f"{above.get('class') or ''} {above.get('id') or ''}"
        quoting, _, framing, _, _ = classify_names(name)
        if kind in _ASIDE or kind == "article" or quoting or _TEASER.search(name):
            return False
        if (kind == "a" and leads_away(above, url)) or (kind in _ITEM and item is None and _has_link(above, url)):
            return False
        if around and next(above.iter("h2", "h3"), None) is not None:
            return False  # it has a heading of its own
        item = above if kind in _ITEM else item
        framed = framed or framing or kind in _FRAME
    return True


def _is_near(element: etree._Element, heading: etree._Element | None, around: set[etree._Element]) -> bool:
    """Whether at most NEAR code points, and no sentence, lie between a date and the heading of the page."""
    shared = next((above for above in element.iterancestors() if above in around), None)
    if heading is None or shared is None:
        return False
    title = set(heading.iter())
    begun = False
    between = 0
    for part in islice(shared.iter(), ELEMENTS):
        if part is element or part is heading:
            if begun:
                return between <= NEAR
            begun = True
        words = f"{'' if part in title else part.text or ''} {'' if part in title - {heading} else part.tail or ''}"
        if begun and _SENTENCE.search(words):
            return False  # the text begins
        between += len(words.strip()) if begun else 0
    return False
