"""Recognise parts that are not main content by name, and find the heading of the main content."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html

from crawlers.formats.html.layout import words_of

OPENING = 40  # characters; a longer block is not a category, breadcrumb or date above the heading
NEAR = 3  # ancestors of the frame whose siblings are searched for its heading
MUCH = 200  # code points; a longer footer may be the end of the text
# Boxes that may hold whole sentences but are not the page's main content.
FOREIGN = re.compile(
    r"comment|reply|disqus|foot(?:er)?(?:$|[^n])|(?:^|[^a-z])nav|cookie|consent|byline|banner|newsletter|sns|social"
    r"|area[-_]?reply|box[-_]?reply|reply[-_]?(?:list|area|wrap|box)|cmt[-_]?(?:list|area|wrap|box)|(?:^|\s)toc(?:$|\s)"
    r"|(?:^|[^a-z])ads?(?:$|[^a-z])|outbrain|taboola|dable|copyright|infinite-?scroll",
    re.IGNORECASE,
)
FRAMES = frozenset({"body", "div", "section", "td", "center", "form", "tr", "tbody", "table"})
NOT_TEXT = frozenset(
    {"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "select", "button", "textarea", "a"}
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def is_foreign(element: html.HtmlElement) -> bool:
    """Whether the names of an element say that it is not main content: comments, sharing, consent."""
    attributes = element.attrib
    if element.tag not in FRAMES or not attributes:
        return False
    name = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
    return name != " " and bool(FOREIGN.search(name))


def heading_of(box: html.HtmlElement) -> str:
    """Return the first heading in the frame, or the one just above it; "" if text precedes it."""
    for element in box.iter():
        if element.tag in HEADINGS:
            if words := _words(element):
                return words
        elif element.tag not in NOT_TEXT and _is_text_start(element):
            break
    above = box
    for _ in range(NEAR):
        if above.tag == "body":
            break
        for sibling in above.itersiblings(preceding=True):
            if (found := _title_in(sibling)) is not None and (words := _words(found)):
                return words
        parent = above.getparent()
        if parent is None:
            break
        above = parent
    return ""


def _title_in(box: html.HtmlElement) -> html.HtmlElement | None:
    """Return the heading, or the only heading in a box that otherwise holds a date or similar."""
    if box.tag in ("h1", "h2", "h3"):
        return box
    if box.tag not in ("div", "header", "section") or is_foreign(box) or not words_of(box, MUCH):
        return None
    found = list(islice(box.iter("h1", "h2", "h3"), 2))
    return found[0] if len(found) == 1 and next(box.iter("nav", "form", "li"), None) is None else None


def _is_text_start(element: html.HtmlElement) -> bool:
    """Whether running text begins here; a category or a date above the heading is too short."""
    return element.tag in ("p", "pre", "table", "ul", "ol", "dl") and len(_words(element)) >= OPENING


def _words(element: html.HtmlElement) -> str:
    return " ".join("".join(map(str, element.itertext())).split())
