"""Main-content extraction: find the element with a page's main content and pass only that to trafilatura.

trafilatura finds the main content by names such as `article`, `main` or `post-content`. Without
them, as on most Korean public pages (`board_view`, `substance`, `view_cont`), it
collects paragraphs and tables from the whole page, and headings, lists and text in <div> are
lost. So this module finds the element by text density, gives it a name that trafilatura knows, and
removes the names by which trafilatura would discard running text.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from itertools import islice

from lxml import html

from crawlers.formats.html import board_chrome
from crawlers.formats.html.heading import FOREIGN, FRAMES, HEADINGS, MUCH, NEAR, NOT_TEXT, heading_of, is_foreign
from crawlers.formats.html.layout import (
    GONE,
    OPENED,
    is_run,
    part_alternatives,
    strip,
    unwrap_tables,
    words_of,
    wrap_runs,
)
from crawlers.formats.html.visibility import show

SHARE = 0.75  # share of the text outside links; an element with at least so much holds the page's main content
NAME = "articleContent"  # an id that trafilatura recognises as main content
RUNNING = 10  # characters outside links; a box with so many, and fewer inside links, holds running text
MANY = 1_000_000  # code points; trafilatura would hold ten copies of them
CROWD = 3_000  # child elements of one element; trafilatura takes quadratic time for the text between them
MANY_PARTS = 60_000  # elements; trafilatura takes seconds for so many
LINKED = 4  # times as many characters inside links as outside
SIBLINGS = 1_000  # siblings of the holder that are inspected
# Approximately the names by which trafilatura 2.3 finds the content (its xpaths.py, BODY_XPATH).
_NAMED = re.compile(
    r"^(?:post|entry|article|story|content|text|cell|postarea|Content)$|^(?:main|primary|article )"
    r"|(?:post|entry|page|text|article|art|story|theme|blog|section|single|main)[-_]{0,2}content|articleBody"
    r"|article(?:-|__)?body|post[-_](?:text|body|bodycopy)|content[-_]{1,2}(?:main|body)|main-column|fulltext|body-text"
)
_PAGING = re.compile(
    r"prev[-_]?next|paging|pagination|pager|docnav|navheader|navfooter|(?:^|[ _-])btns?(?:$|[ _-])", re.IGNORECASE
)
_PARTS = ("div", "section", "ul", "ol", "dl", "table", "form", "td", "tr")
_SENTENCES = frozenset({"p", "dd", "blockquote"})
_INLINE = ("span", "b", "strong", "em", "i", "u", "font", "kbd", "code")


@dataclass(frozen=True, slots=True)
class Frame:
    """A page reduced to its main content.

    `tree` is a copy that trafilatura may modify, `box` the element in it that holds the text,
    `heading` its heading ("" without one), `own` the characters outside links,
    headings and boilerplate, `linked` those inside links, and `links` the number of links; `byline` the fields
    of a board (`board_chrome.py`); `alone` whether the rest of the page was removed; `many`
    whether it is so large that only a linear pass is affordable; `aside` the
    parts of the box that are not main content: comments, sharing, lists of links.
    """

    tree: html.HtmlElement
    box: html.HtmlElement
    heading: str
    own: int
    linked: int
    links: int
    byline: str = ""
    alone: bool = True
    many: bool = False
    aside: frozenset[html.HtmlElement] = frozenset()


@dataclass(frozen=True, slots=True)
class _Weights:
    """Characters of text per element with its descendants: outside links and boilerplate, and in links."""

    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]


def prepare(tree: html.HtmlElement) -> Frame | None:
    """Return the frame of a page; None if the page has no <body>. `tree` is not changed.

    Headings and inline elements are unwrapped, layout tables become boxes, and everything around the frame is removed.

    >>> page = html.document_fromstring("<div class=gnb><a>홈</a></div><div class=board_view><h2>고시</h2>본문</div>")
    >>> found = prepare(page)
    >>> found.heading, found.box.text_content()
    ('고시', '고시본문')
    """
    tree = copy(tree)
    for script in list(tree.iter("script", "style")):
        script.drop_tree()  # trafilatura would take any article of JSON-LD, also another one
    for anchor in tree.iter("a"):
        if anchor.get("href") is None:
            anchor.tag = OPENED  # a link target, not a link: it would be counted as a link
    body = tree.find("body")
    if body is None:
        return None
    for box in body.iter("noscript", "button", "select"):
        question = box.tag == "button" and next(box.iterancestors(*HEADINGS), None) is not None
        box.tag = OPENED if question else GONE  # keep the question of a collapsed answer
    strip(body)
    crowded = any(len(part) > CROWD for part in body.iter("p", "div", "td", "li", "pre", "span"))
    byline = board_chrome.clear(body)
    part_alternatives(body)
    show(body)
    unwrap_tables(body)
    for inline in body.iter(*_INLINE):
        if inline.attrib and _is_in_sentence(inline):
            inline.attrib.clear()
    for heading in body.iter(*HEADINGS):
        _strip_names(heading)
    weights = _weigh(body)
    named = _find_named(body, weights.own)
    box = _find_holder(body, weights.own) if named is None else named
    heading = heading_of(box)
    own, linked = weights.own.get(box, 0), weights.linked.get(box, 0)
    links = sum(1 for _ in box.iter("a"))
    said = own - sum(weights.own.get(title, 0) for title in box.iter(*HEADINGS))
    _strip_text_names(box, weights)
    _clear_paging(box, weights)
    strip(body)
    alone = named is None or own >= SHARE * weights.own.get(body, 0)
    if alone:
        box = _isolate(_wrap(box) if named is None else box, body)
    else:
        _clear_around(body)  # the name may be that of a teaser: trafilatura also searches the rest
    many = crowded or own > MANY or len(weights.own) > MANY_PARTS
    aside = frozenset(part for part in box.iterdescendants(*_PARTS) if is_foreign(part) or _leads_away(part, weights))
    return Frame(tree, box, heading, said, linked, links, byline, alone, many, aside)


def _leads_away(part: html.HtmlElement, weights: _Weights) -> bool:
    """Whether nearly all of its text is in links."""
    return weights.linked.get(part, 0) > LINKED * weights.own.get(part, 0)


def _find_named(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement | None:
    """Return the element that the page marks as main content: <article>, <main>, or an element named so."""
    articles = [element for element in body.iter("article") if next(element.iterancestors("article"), None) is None]
    best = max(articles, key=lambda element: own.get(element, 0), default=None)
    if best is not None and own.get(best, 0) >= SHARE * sum(own.get(element, 0) for element in articles):
        return best  # a thread has several, inside <main> or the page
    main = next(body.iter("main"), None)
    if main is not None or articles:
        return body if main is None else main
    return next((element for element in body.iter("div", "section") if _is_named(element)), None)


def _is_named(element: html.HtmlElement) -> bool:
    get = element.get
    return any(value and _NAMED.search(value) for value in (get("id"), get("class"), get("itemprop"), get("role")))


def _is_in_sentence(inline: html.HtmlElement) -> bool:
    """Whether text surrounds the element: a class such as `menuitem` or `author` must not cut the sentence."""
    before = inline.getprevious()
    parent = inline.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else ""
    return bool((inline.tail or "").strip() or (text or "").strip())


def _strip_names(heading: html.HtmlElement) -> None:
    """Remove the names of boxes that hold only this heading: trafilatura would discard it by them."""
    box = heading.getparent()
    while box is not None and box.tag == "div" and len(box) == 1 and not (box.text or "").strip():
        if (box[0].tail or "").strip():
            return
        box.attrib.clear()
        box = box.getparent()


def _strip_text_names(box: html.HtmlElement, weights: _Weights) -> None:
    """Remove the names of elements with running text in the frame, and turn boxes of words into paragraphs.

    A box called `embedded` or `slide` may be the body of the page.
    """
    for element in list(box.iterdescendants()):
        name = f"{element.get('id') or ''} {element.get('class') or ''}"
        own = weights.own.get(element, 0)
        if own < RUNNING or own <= weights.linked.get(element, 0) or FOREIGN.search(name) or _is_named(element):
            continue
        element.attrib.pop("id", None)
        element.attrib.pop("class", None)
        if element.tag in _SENTENCES:
            for anchor in element.iterchildren("a"):
                anchor.tag = OPENED  # trafilatura would take a short sentence with links for a list of links
        # On a page that also has paragraphs, trafilatura skips text directly inside boxes.
        if element.tag == "div":
            if is_run(element):
                element.tag = "p"
            elif _has_words(element):
                wrap_runs(element)


def _has_words(box: html.HtmlElement) -> bool:
    """Whether the box has text of its own, between its children."""
    return bool((box.text or "").strip()) or any((part.tail or "").strip() for part in box)


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


def _wrap(frame: html.HtmlElement) -> html.HtmlElement:
    """Wrap the content of the frame in a box with the id that trafilatura knows."""
    wrapper = frame.makeelement("div", {"id": NAME})
    wrapper.text, frame.text = frame.text, None
    wrapper.extend(list(frame))
    frame.append(wrapper)
    return wrapper


def _isolate(box: html.HtmlElement, body: html.HtmlElement) -> html.HtmlElement:
    """Remove everything else from the body; trafilatura would complete a short text from headers and menus."""
    if box is not body:
        box.tail = None
        body[:] = [box]
        body.text = None
        _clear_headers(box)
    return box


def _clear_around(body: html.HtmlElement) -> None:
    for box in [box for tag in ("nav", "aside", "footer") for box in body.iter(tag)]:
        box.drop_tree()
    _clear_headers(body)


def _clear_headers(box: html.HtmlElement) -> None:
    """Remove headers and footers with links: a masthead, links to editing or sharing."""
    for header in list(box.iter("header", "footer")):
        if header is box or next(header.iter("a", "nav", "form"), None) is None:
            continue
        if header.tag == "header" or words_of(header, MUCH):
            header.drop_tree()


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
