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

from lxml import html

from crawlers.formats import boards
from crawlers.formats.layout import is_run, part_alternatives, unwrap_tables, wrap_runs

SHARE = 0.75  # of the text outside links; a part that holds at least so much of it holds the page's text
NAME = "articleContent"  # an id that trafilatura takes for the frame of an article
RUNNING = 10  # characters outside links; a box with so many, and fewer inside links, holds running text
OPENING = 40  # characters; a block with so many is no category, path or date above the heading
NEAR = 3  # boxes up from the frame in which its heading is looked for
# Roughly the names by which trafilatura 2.3 finds the content (its xpaths.py, BODY_XPATH).
_NAMED = re.compile(
    r"^(?:post|entry|article|story|content|text|cell|postarea|Content)$|^(?:main|primary|article )"
    r"|(?:post|entry|page|text|article|art|story|theme|blog|section|single|main)[-_]{0,2}content|articleBody"
    r"|article(?:-|__)?body|post[-_](?:text|body|bodycopy)|content[-_]{1,2}(?:main|body)|main-column|fulltext|body-text"
)
# Boxes that may hold whole sentences and still are not the page's own text.
_FOREIGN = re.compile(
    r"comment|reply|disqus|foot(?:er)?(?:$|[^n])|(?:^|[^a-z])nav|cookie|consent|byline|banner|newsletter|sns|social"
    r"|(?:^|[^a-z])ads?(?:$|[^a-z])|outbrain|taboola|dable|copyright|infinite-?scroll",
    re.IGNORECASE,
)
_PAGING = re.compile(
    r"prev[-_]?next|paging|pagination|pager|docnav|navheader|navfooter|(?:^|[ _-])btns?(?:$|[ _-])", re.IGNORECASE
)
_FRAMES = frozenset({"body", "div", "section", "td", "center", "form", "tr", "tbody", "table"})
_NOT_TEXT = frozenset(
    {"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "select", "button", "textarea", "a"}
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_INLINE = ("span", "b", "strong", "em", "i", "u", "font", "kbd", "code")


@dataclass(frozen=True, slots=True)
class Frame:
    """A page cut down to its own text.

    `tree` is a copy that trafilatura may take apart, `box` the element in it that holds the text,
    `heading` the words above it ("" where none are its own), `own` the characters outside links,
    headings and furniture, `linked` those inside links, and `links` how many there are; `byline` what the fields
    of a board say (`boards.py`).
    """

    tree: html.HtmlElement
    box: html.HtmlElement
    heading: str
    own: int
    linked: int
    links: int
    byline: str = ""


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
    for anchor in list(tree.iter("a")):
        if anchor.get("href") is None:
            anchor.drop_tag()  # the target of a link, not a link: it would count as one
    body = tree.find("body")
    if body is None:
        return None
    for box in list(body.iter("noscript", "button", "select")):
        if box.tag == "button" and next(box.iterancestors(*_HEADINGS), None) is not None:
            box.drop_tag()  # the question of a folded answer
        else:
            box.drop_tree()
    byline = boards.clear(body)
    part_alternatives(body)
    unwrap_tables(body)
    for inline in body.iter(*_INLINE):
        if inline.attrib and _in_a_sentence(inline):
            inline.attrib.clear()
    for heading in body.iter(*_HEADINGS):
        _free(heading)
    weights = _weigh(body)
    named = _named(body, weights.own)
    box = _holder(body, weights.own) if named is None else named
    heading = _heading(box)
    own, linked = weights.own.get(box, 0), weights.linked.get(box, 0)
    links = sum(1 for _ in box.iter("a"))
    said = own - sum(weights.own.get(title, 0) for title in box.iter(*_HEADINGS))
    _free_text(box, weights)
    _clear_paging(box, weights)
    if named is None:
        box = _alone(_wrapped(box), body)
    elif own >= SHARE * weights.own.get(body, 0):
        box = _alone(box, body)
    else:
        _clear_around(body)  # the name may be that of a teaser: trafilatura looks through the rest as well
    return Frame(tree, box, heading, said, linked, links, byline)


def _named(body: html.HtmlElement, own: dict[html.HtmlElement, int]) -> html.HtmlElement | None:
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


def _in_a_sentence(inline: html.HtmlElement) -> bool:
    """Text stands before or behind it: a class such as `menuitem` or `author` must not cut the sentence."""
    before = inline.getprevious()
    parent = inline.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else ""
    return bool((inline.tail or "").strip() or (text or "").strip())


def _free(heading: html.HtmlElement) -> None:
    """Take the names off the boxes around nothing but this heading: by them it would be thrown away."""
    box = heading.getparent()
    while box is not None and box.tag == "div" and len(box) == 1 and not (box.text or "").strip():
        if (box[0].tail or "").strip():
            return
        box.attrib.clear()
        box = box.getparent()


def _free_text(box: html.HtmlElement, weights: _Weights) -> None:
    """Take the names off what holds running text in the frame, and make boxes of words paragraphs.

    A box called `embedded` or `slide` may be the body of the page.
    """
    for element in list(box.iterdescendants()):
        name = f"{element.get('id') or ''} {element.get('class') or ''}"
        own = weights.own.get(element, 0)
        if own < RUNNING or own <= weights.linked.get(element, 0) or _FOREIGN.search(name) or _is_named(element):
            continue
        element.attrib.pop("id", None)
        element.attrib.pop("class", None)
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


def _heading(box: html.HtmlElement) -> str:
    """The words of the heading that stands first in the frame, or just above it; "" where text comes before it."""
    for element in box.iter():
        if element.tag in _HEADINGS:
            if words := _words(element):
                return words
        elif element.tag not in _NOT_TEXT and _starts(element):
            break
    above = box
    for _ in range(NEAR):
        if above.tag == "body":
            break
        for sibling in above.itersiblings(preceding=True):
            if sibling.tag in ("h1", "h2", "h3") and (words := _words(sibling)):
                return words
        parent = above.getparent()
        if parent is None:
            break
        above = parent
    return ""


def _starts(element: html.HtmlElement) -> bool:
    """Running text begins here; a category or a date above the heading is none."""
    return element.tag in ("p", "pre", "table", "ul", "ol", "dl") and len(_words(element)) >= OPENING


def _words(element: html.HtmlElement) -> str:
    return " ".join("".join(map(str, element.itertext())).split())


def _holder(body: html.HtmlElement, weights: dict[html.HtmlElement, int]) -> html.HtmlElement:
    """The deepest element that still holds most of the text outside links."""
    enough = weights.get(body, 0) * SHARE
    holder = body
    while enough:
        inner = max(holder, key=lambda child: weights.get(child, 0), default=None)
        if inner is None or inner.tag not in _FRAMES or weights.get(inner, 0) < enough:
            break
        holder = inner
    # A <div> cannot stand between a table and its cells.
    while holder.tag in ("table", "tbody", "tr"):
        holder = holder.getparent()
    return holder


def _wrapped(frame: html.HtmlElement) -> html.HtmlElement:
    """A box with all that is in the frame, under the name that trafilatura knows."""
    wrapper = frame.makeelement("div", {"id": NAME})
    wrapper.text, frame.text = frame.text, None
    wrapper.extend(list(frame))
    frame.append(wrapper)
    return wrapper


def _alone(box: html.HtmlElement, body: html.HtmlElement) -> html.HtmlElement:
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
    """Take out headers with links: a masthead, not the head of an article."""
    for header in list(box.iter("header")):
        if header is not box and next(header.iter("a", "nav", "form"), None) is not None:
            header.drop_tree()


def _weigh(body: html.HtmlElement) -> _Weights:
    own: dict[html.HtmlElement, int] = {}
    linked: dict[html.HtmlElement, int] = {}
    for element in reversed(list(body.iter())):  # children before their parents
        inside = own.get(element, 0) + len((element.text or "").strip())
        links = linked.get(element, 0)
        if element.tag in _NOT_TEXT:
            links = links + inside if element.tag == "a" else 0
            inside = 0
        own[element], linked[element] = inside, links
        parent = element.getparent()
        if parent is not None:
            own[parent] = own.get(parent, 0) + inside + len((element.tail or "").strip())
            linked[parent] = linked.get(parent, 0) + links
    return _Weights(own, linked)
