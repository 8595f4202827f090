"""Names of what stands around a text, and the heading that is its own."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html

from crawlers.formats.html.layout import words_of

OPENING = 40  # characters; a block with so many is no category, path or date above the heading
NEAR = 3  # boxes up from the frame in which its heading is looked for
MUCH = 200  # code points; a footer with more may be the end of the text
# Boxes that may hold whole sentences and still are not the page's own text.
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
    """Whether an element is named as what may stand in the box of a text and is none: comments, sharing, consent."""
    attributes = element.attrib
    if element.tag not in FRAMES or not attributes:
        return False
    name = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
    return name != " " and bool(FOREIGN.search(name))


def heading_of(box: html.HtmlElement) -> str:
    """The words of the heading that stands first in the frame, or just above it; "" where text comes before it."""
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
    """A heading, or the one heading in a box that holds it and a date or so."""
    if box.tag in ("h1", "h2", "h3"):
        return box
    if box.tag not in ("div", "header", "section") or is_foreign(box) or not words_of(box, MUCH):
        return None
    found = list(islice(box.iter("h1", "h2", "h3"), 2))
    return found[0] if len(found) == 1 and next(box.iter("nav", "form", "li"), None) is None else None


def _is_text_start(element: html.HtmlElement) -> bool:
    """Running text begins here; a category or a date above the heading is none."""
    return element.tag in ("p", "pre", "table", "ul", "ol", "dl") and len(_words(element)) >= OPENING


def _words(element: html.HtmlElement) -> str:
    return " ".join("".join(map(str, element.itertext())).split())
