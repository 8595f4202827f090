"""Find the dates in the markup of a page that are its own: not those of a comment, a teaser or another page.

A theme shows dates everywhere, and often only elsewhere: beside comments, related posts, the previous and the next
post. A wrong date is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree

from crawlers.formats.html.runs import classify_names

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
        block = _block_of(element)
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


def _block_of(element: etree._Element) -> etree._Element | None:
    """Return the block with an element in its line; None of <meta>, and of an element beside all other blocks."""
    block = element.getparent()
    while block is not None and block.tag in _INLINE:
        block = block.getparent()
    return None if block is None or element.tag == "meta" or block.tag in ("body", "article", "main") else block


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
