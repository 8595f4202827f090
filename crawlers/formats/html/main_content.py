"""Find the element that holds a page's own text, and hand on nothing else.

trafilatura knows the content of a page by names such as `article`, `main` or `post-content`. Where
it meets none of them, as on most Korean public pages (`board_view`, `substance`, `view_cont`), it
gathers paragraphs and tables from the whole page, and headings, lists and text set in <div> are
lost. So the element is found here by where the text lies, given a name that trafilatura knows, and
freed of the names by which it would throw away running text.
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

SHARE = 0.75  # of the text outside links; a part that holds at least so much of it holds the page's text
NAME = "articleContent"  # an id that trafilatura takes for the frame of an article
RUNNING = 10  # characters outside links; a box with so many, and fewer inside links, holds running text
MANY = 1_000_000  # code points; trafilatura would hold ten copies of them
CROWD = 3_000  # elements in one; trafilatura takes quadratic time for the words between them
MANY_PARTS = 60_000  # elements; trafilatura takes seconds for so many
LINKED = 4  # times as many characters inside links as outside
SIBLINGS = 1_000  # boxes beside the holder that are looked at
# Roughly the names by which trafilatura 2.3 finds the content (its xpaths.py, BODY_XPATH).
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
    """A page cut down to its own text.

    `tree` is a copy that trafilatura may take apart, `box` the element in it that holds the text,
    `heading` the words above it ("" where none are its own), `own` the characters outside links,
    headings and furniture, `linked` those inside links, and `links` how many there are; `byline` what the fields
    of a board say (`boards.py`); `alone` whether nothing else is left of the page; `many`
    whether it is so large that only a walk over it is cheap; `aside` the
    parts of the box that are no text of its own: comments, sharing, lists of links.
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
    """Characters of text for each element with all that is in it: outside links and furniture, and in links."""

    own: dict[html.HtmlElement, int]
    linked: dict[html.HtmlElement, int]


def prepare(tree: html.HtmlElement) -> Frame | None:
    """The frame of a page; None where the page has no <body>. `tree` is left as it is.

    Headings and marked words stand free, layout tables are boxes, and what stands around the frame is gone.

    >>> page = html.document_fromstring("<div class=gnb><a>홈</a></div><div class=board_view><h2>고시</h2>본문</div>")
    >>> found = prepare(page)
    >>> found.heading, found.box.text_content()
    ('고시', '고시본문')
    """
    tree = copy(tree)
    for script in list(tree.iter("script", "style")):
        script.drop_tree()  # trafilatura would take an article of any JSON-LD, of others too
    for anchor in tree.iter("a"):
        if anchor.get("href") is None:
            anchor.tag = OPENED  # the target of a link, not a link: it would count as one
    body = tree.find("body")
    if body is None:
        return None
    for box in body.iter("noscript", "button", "select"):
        question = box.tag == "button" and next(box.iterancestors(*HEADINGS), None) is not None
        box.tag = OPENED if question else GONE  # the question of a folded answer stays
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
        _clear_around(body)  # the name may be that of a teaser: trafilatura looks through the rest as well
    many = crowded or own > MANY or len(weights.own) > MANY_PARTS
    aside = frozenset(part for part in box.iterdescendants(*_PARTS) if is_foreign(part) or _leads_away(part, weights))
    return Frame(tree, box, heading, said, linked, links, byline, alone, many, aside)


def _leads_away(part: html.HtmlElement, weights: _Weights) -> bool:
    """Whether next to nothing in it stands outside links."""
    return weights.linked.get(part, 0) > LINKED * weights.own.get(part, 0)


def _find_named(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement | None:
    """The element by which the page itself marks where its text is: <article>, <main>, or a name that says so."""
    articles = [element for element in body.iter("article") if next(element.iterancestors("article"), None) is None]
    best = max(articles, key=lambda element: own.get(element, 0), default=None)
    if best is not None and own.get(best, 0) >= SHARE * sum(own.get(element, 0) for element in articles):
        return best  # a thread has many, and is held by <main> or the page
    main = next(body.iter("main"), None)
    if main is not None or articles:
        return body if main is None else main
    return next((element for element in body.iter("div", "section") if _is_named(element)), None)


def _is_named(element: html.HtmlElement) -> bool:
    get = element.get
    return any(value and _NAMED.search(value) for value in (get("id"), get("class"), get("itemprop"), get("role")))


def _is_in_sentence(inline: html.HtmlElement) -> bool:
    """Text stands before or behind it: a class such as `menuitem` or `author` must not cut the sentence."""
    before = inline.getprevious()
    parent = inline.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else ""
    return bool((inline.tail or "").strip() or (text or "").strip())


def _strip_names(heading: html.HtmlElement) -> None:
    """Take the names off the boxes around nothing but this heading: by them it would be thrown away."""
    box = heading.getparent()
    while box is not None and box.tag == "div" and len(box) == 1 and not (box.text or "").strip():
        if (box[0].tail or "").strip():
            return
        box.attrib.clear()
        box = box.getparent()


def _strip_text_names(box: html.HtmlElement, weights: _Weights) -> None:
    """Take the names off what holds running text in the frame, and make boxes of words paragraphs.

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
                anchor.tag = OPENED  # a sentence is short, and trafilatura takes it for a list of links
        # Where a page has paragraphs as well, trafilatura passes over words that stand in boxes.
        if element.tag == "div":
            if is_run(element):
                element.tag = "p"
            elif _has_words(element):
                wrap_runs(element)


def _has_words(box: html.HtmlElement) -> bool:
    """Whether words stand in the box itself, between its parts."""
    return bool((box.text or "").strip()) or any((part.tail or "").strip() for part in box)


def _clear_paging(box: html.HtmlElement, weights: _Weights) -> None:
    """Take out the links to the page before, the page behind and the list."""
    for element in list(box.iterdescendants("a", "div", "dl", "ul", "p", "table")):
        name = f"{element.get('id') or ''} {element.get('class') or ''}"
        if name != " " and _PAGING.search(name) and weights.linked.get(element, 0) > weights.own.get(element, 0):
            element.drop_tree()


def _find_holder(body: html.HtmlElement, weights: dict[html.HtmlElement, int]) -> html.HtmlElement:
    """The deepest element that still holds most of the text outside links."""
    enough = weights.get(body, 0) * SHARE
    holder = body
    while enough:
        inner = max(holder, key=lambda child: weights.get(child, 0), default=None)
        if inner is None or inner.tag not in FRAMES or weights.get(inner, 0) < enough:
            break
        holder = inner
    holder = _widen_to_kind(holder, body, weights)
    # A <div> cannot stand between a table and its cells.
    while holder.tag in ("table", "tbody", "tr"):
        holder = holder.getparent()
    return holder


def _widen_to_kind(
    holder: html.HtmlElement, body: html.HtmlElement, own: dict[html.HtmlElement, int]
) -> html.HtmlElement:
    """The holder, or the box around it where other parts of the text stand beside it.

    Those are paragraphs, or boxes of the same name: editors write each paragraph, picture and quotation as a box.
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
    """A box with all that is in the frame, under the name that trafilatura knows."""
    wrapper = frame.makeelement("div", {"id": NAME})
    wrapper.text, frame.text = frame.text, None
    wrapper.extend(list(frame))
    frame.append(wrapper)
    return wrapper


def _isolate(box: html.HtmlElement, body: html.HtmlElement) -> html.HtmlElement:
    """The box as all that is left in the body: what is short is else filled up from headers and menus."""
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
    """Take out headers and footers with links: a masthead, what leads to editing or sharing."""
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
