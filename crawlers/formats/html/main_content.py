"""Main-content extraction: find the element with a page's main content, and reduce the page to its visible text.

The element is one that the page names as such, or the deepest that still holds most of the text outside links.
The lines around it stay in the page: the model (`content_model`) decides, and the element is one of its features.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from itertools import islice

from lxml import html

from crawlers.formats.html import board_chrome
from crawlers.formats.html.class_names import classify_names
from crawlers.formats.html.code_blocks import mark_code
from crawlers.formats.html.content_model.line_features import squeeze
from crawlers.formats.html.content_model.page_core import Surroundings
from crawlers.formats.html.heading import FRAMES, HEADINGS, NEAR, NOT_TEXT, heading_of, is_foreign
from crawlers.formats.html.layout import GONE, OPENED, part_alternatives, strip, unwrap_tables
from crawlers.formats.html.visibility import show

SHARE = 0.75  # share of the text outside links; an element with at least so much holds the page's main content
PART = 0.1  # share of the text outside links; an element with less is not the main content, whatever its name
RUNNING = 10  # characters outside links; a box with so many holds running text
SIBLINGS = 1_000  # siblings of the holder that are inspected
# Names by which site builders mark the content; mostly those of trafilatura 2.3 (its xpaths.py, BODY_XPATH).
_NAMED = re.compile(
    r"^(?:post|entry|article|story|content|text|cell|postarea|Content)$|^(?:main|primary|article )"
    r"|(?:post|entry|page|text|article|art|story|theme|blog|section|single|main)[-_]{0,2}content|articleBody"
    r"|article(?:-|__)?body|post[-_](?:text|body|bodycopy)|content[-_]{1,2}(?:main|body)|main-column|fulltext|body-text"
)
_FRAMES_OF_SITES = ("nav", "header", "footer", "aside")
_PAGING = re.compile(
    r"prev[-_]?next|paging|pagination|pager|docnav|navheader|navfooter|(?:^|[ _-])btns?(?:$|[ _-])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A page reduced to its visible text.

    `body` is a copy without scripts, forms and layout tables, `box` the element in it that holds the main content,
    `heading` its heading ("" without one), `byline` the fields of a board (`board_chrome.py`), `links` the number of
    links in the box. `own` and `linked` are the characters of each element outside links and boilerplate, and inside
    links.
    """

    body: html.HtmlElement
    box: html.HtmlElement
    heading: str
    byline: str
    links: int
    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]


@dataclass(frozen=True, slots=True)
class _Weights:
    """Characters of text per element with its descendants: outside links and boilerplate, and in links."""

    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]


def prepare(tree: html.HtmlElement) -> Frame | None:
    """Return the frame of a page; None if the page has no <body>. `tree` is not changed.

    >>> page = html.document_fromstring("<div class=gnb><a>홈</a></div><div class=board_view><h2>고시</h2>본문</div>")
    >>> found = prepare(page)
    >>> found.heading, found.box.text_content()
    ('고시', '고시본문')
    """
    body = tree.find("body")
    if body is None:
        return None
    body = copy(body)
    body.tail = None
    for part in list(body.iter("script", "style", "a", "noscript", "button", "select")):
        _open_or_drop(part)
    strip(body)
    byline = board_chrome.clear(body)
    part_alternatives(body)
    mark_code(body)
    show(body)
    unwrap_tables(body)
    weights = _weigh(body)
    named = _find_named(body, weights.own)
    held = 0 if named is None else weights.own.get(named, 0)
    if held < SHARE * weights.own.get(body, 0) and _is_fragment(tree, body):
        named = _enclose(body, weights)
    box = _find_holder(body, weights.own) if named is None else named
    links = sum(1 for _ in box.iter("a"))
    heading = heading_of(box)
    _clear_paging(box, weights)
    return Frame(body, box, heading, byline, links, weights.own, weights.linked)


def surroundings(frame: Frame) -> Surroundings:
    """Return the facts of a page that the features of its lines need."""
    return Surroundings(frame.body, frame.box, frame.own, frame.linked, squeeze(frame.heading))


def _open_or_drop(part: html.HtmlElement) -> None:
    """Mark a part that a reader of the page does not see; a link target and the question of a folded answer stay."""
    if part.tag == "a":
        if part.get("href") is None:
            part.tag = OPENED  # a link target, not a link: it would be counted as a link
    elif part.tag == "button" and next(part.iterancestors(*HEADINGS), None) is not None:
        part.tag = OPENED
    else:
        part.tag = GONE


def _find_named(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement | None:
    """Return the element that the page marks as main content: <article>, <main>, or an element named so."""
    articles = [element for element in body.iter("article") if next(element.iterancestors("article"), None) is None]
    best = max(articles, key=lambda element: own.get(element, 0), default=None)
    if best is not None and own.get(best, 0) >= SHARE * sum(own.get(element, 0) for element in articles):
        return best  # a thread has several, inside <main> or the page
    main = next(body.iter("main"), None)
    if main is not None or articles:
        return body if main is None else main
    least = PART * own.get(body, 0)
    named = (element for element in body.iter("div", "section") if _is_named(element))
    first = next((element for element in named if own.get(element, 0) >= least), None)
    if first is None:
        return None
    # Parts of a text are named so as well: `<div class="content">` around each listing or note of a chapter.
    name = first.get("class")
    alike = (one for one in body.iter(first.tag) if one.get("class") == name and _is_named(one))
    whole = sum(own.get(one, 0) for one in alike if first not in one.iterancestors())
    return first if own.get(first, 0) >= SHARE * whole else None


def _is_fragment(tree: html.HtmlElement, body: html.HtmlElement) -> bool:
    """Whether the markup is a part of a page, as an API or a site generator stores a text: all of it is content."""
    if any(tree.find(f"head/{name}") is not None for name in ("title", "meta", "link")):
        return False
    for element in body.iter(*_FRAMES_OF_SITES, *HEADINGS, "p", "pre", "div", "ul", "td", "section"):
        if element.tag in _FRAMES_OF_SITES:
            return False  # a page begins with its frame
        if element.tag in HEADINGS or element.tag in ("p", "pre"):
            break
        if classify_names(f"{element.get('class') or ''} {element.get('id') or ''}")[2]:
            return False
    return True


def _enclose(body: html.HtmlElement, weights: _Weights) -> html.HtmlElement:
    """Put the content of the body of a fragment into an <article>, and return that."""
    article: html.HtmlElement = body.makeelement("article")
    article.text, body.text = body.text, None
    article.extend(list(body))
    body.append(article)
    weights.own[article], weights.linked[article] = weights.own.get(body, 0), weights.linked.get(body, 0)
    return article


def _is_named(element: html.HtmlElement) -> bool:
    get = element.get
    return any(value and _NAMED.search(value) for value in (get("id"), get("class"), get("itemprop"), get("role")))


def _clear_paging(box: html.HtmlElement, weights: _Weights) -> None:
    """Remove the links to the previous and next page and to the list."""
    for element in list(box.iterdescendants("a", "div", "dl", "ul", "p", "table")):
        name = f"{element.get('id') or ''} {element.get('class') or ''}"
        if name != " " and _PAGING.search(name) and weights.linked.get(element, 0) > weights.own.get(element, 0):
            element.drop_tree()


def _find_holder(body: html.HtmlElement, weights: dict[html.HtmlElement, int]) -> html.HtmlElement:
    """Return the deepest element that still holds most of the text outside links."""
    enough = weights.get(body, 0) * SHARE
    holder = body
    while enough:
        inner = max(holder, key=lambda child: weights.get(child, 0), default=None)
        if inner is None or inner.tag not in FRAMES or weights.get(inner, 0) < enough:
            break
        holder = inner
    holder = _widen_to_kind(holder, body, weights)
    # A <div> is not allowed between a table and its cells.
    while holder.tag in ("table", "tbody", "tr"):
        holder = holder.getparent()
    return holder


def _widen_to_kind(
    holder: html.HtmlElement, body: html.HtmlElement, own: dict[html.HtmlElement, int]
) -> html.HtmlElement:
    """Return the holder, or its parent if siblings hold further parts of the text.

    Those are paragraphs, or boxes with the same class: editors make each paragraph, picture and quotation a box.
    """
    for _ in range(NEAR):
        parent = holder.getparent()
        if parent is None or parent.tag not in FRAMES or holder is body:
            break
        kind = (holder.get("class") or "").split()[:1]
        beside = [part for part in islice(parent, SIBLINGS) if part is not holder and own.get(part, 0) >= RUNNING]
        if not any(_is_text_part(part, holder.tag, kind) for part in beside):
            break
        holder = parent
    return holder


def _is_text_part(part: html.HtmlElement, tag: str, kind: list[str]) -> bool:
    if part.tag in ("p", "blockquote", "pre"):
        return not is_foreign(part)
    return bool(kind) and part.tag == tag and (part.get("class") or "").split()[:1] == kind and not is_foreign(part)


def _weigh(body: html.HtmlElement) -> _Weights:
    own: dict[html.HtmlElement, int] = {}
    linked: dict[html.HtmlElement, int] = {}
    for element in reversed(list(body.iter())):  # children before their parents
        inside = own.get(element, 0) + len((element.text or "").strip())
        links = linked.get(element, 0)
        if element.tag in NOT_TEXT:
            links = links + inside if element.tag == "a" else 0
            inside = 0
        own[element], linked[element] = inside, links
        parent = element.getparent()
        if parent is not None:
            own[parent] = own.get(parent, 0) + inside + len((element.tail or "").strip())
            linked[parent] = linked.get(parent, 0) + links
    return _Weights(own, linked)
