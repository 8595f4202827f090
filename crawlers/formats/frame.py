"""Find the element that holds a page's own text where the page does not name it in English.

trafilatura knows the content of a page by names such as `article`, `main` or `post-content`. Where
it meets none of them, as on most Korean public pages (`board_view`, `substance`, `view_cont`), it
gathers paragraphs and tables only, and headings, lists and text set in <div> are lost. So the
element is found here by where the text lies, and given a name that it knows.
"""

from __future__ import annotations

import re
from copy import copy

from lxml import html

SHARE = 0.75  # of the text outside links; a part that holds at least so much of it holds the page's text
NAME = "articleContent"  # an id that trafilatura takes for the frame of an article
# Roughly the names by which trafilatura 2.3 finds the content (its xpaths.py, BODY_XPATH).
_NAMED = re.compile(
    r"^(?:post|entry|article|story|content|text|cell|postarea|Content)$|^(?:main|primary|article )"
    r"|(?:post|entry|page|text|article|art|story|theme|blog|section|single|main)[-_]{0,2}content|articleBody"
    r"|article(?:-|__)?body|post[-_](?:text|body|bodycopy)|content[-_]{1,2}(?:main|body)|main-column|fulltext|body-text"
)
_FRAMES = frozenset({"body", "div", "section", "td", "center", "form", "tr", "tbody", "table"})
_NOT_TEXT = frozenset(
    {"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "select", "button", "textarea", "a"}
)


def own_text(tree: html.HtmlElement) -> int:
    """Characters of text outside links and furniture: next to nothing on a page that only lists others."""
    body = tree.find("body")
    return _weights(body).get(body, 0) if body is not None else 0


def named(tree: html.HtmlElement) -> bool:
    """Whether the page itself marks where its text is: <article>, <main>, or a name that says so."""
    for element in tree.iter("article", "main", "div", "section"):
        if element.tag in ("article", "main"):
            return True
        get = element.get
        if any(value and _NAMED.search(value) for value in (get("id"), get("class"), get("itemprop"), get("role"))):
            return True
    return False


def prepare(tree: html.HtmlElement) -> html.HtmlElement:
    """A copy of the tree in which headings and marked words stand free and the element that holds the text has a name.

    >>> page = html.document_fromstring("<div class=gnb><a>홈</a></div><div class=board_view><h2>고시</h2>본문</div>")
    >>> [outer.get("class") for outer in prepare(page).get_element_by_id("articleContent").iterancestors("div")]
    ['board_view']
    """
    tree = copy(tree)
    for anchor in list(tree.iter("a")):
        if anchor.get("href") is None:
            anchor.drop_tag()  # the target of a link, not a link: it would count as one
    body = tree.find("body")
    if body is None:
        return tree
    for inline in body.iter("span", "b", "strong", "em", "i", "u", "font", "kbd", "code"):
        if inline.attrib and _in_a_sentence(inline):
            inline.attrib.clear()
    for heading in body.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        _free(heading)
    if not named(tree):
        frame = _holder(body)
        wrapper = frame.makeelement("div", {"id": NAME})
        wrapper.text, frame.text = frame.text, None
        wrapper.extend(list(frame))
        frame.append(wrapper)
    return tree


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


def _holder(body: html.HtmlElement) -> html.HtmlElement:
    """The deepest element that still holds most of the text outside links."""
    weights = _weights(body)
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


def _weights(body: html.HtmlElement) -> dict[html.HtmlElement, int]:
    """Characters of text outside links and furniture, for each element with all that is in it."""
    weights: dict[html.HtmlElement, int] = {}
    for element in reversed(list(body.iter())):  # children before their parents
        own = 0
        if element.tag not in _NOT_TEXT:
            own = weights.get(element, 0) + len((element.text or "").strip())
        weights[element] = own
        parent = element.getparent()
        if parent is not None:
            weights[parent] = weights.get(parent, 0) + own + len((element.tail or "").strip())
    return weights
