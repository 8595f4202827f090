"""Recognise cards, posts, files and boxes of a page that are about something else than its text."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html

from crawlers.formats.html.runs import names
from crawlers.web.addresses import join_url
from malmoi.licensing.licences import licence_from_url

MAX_ABOVE = 8  # ancestors that may be a card or a box
MAX_CLIMB = 40  # ancestors whose microdata and RDFa are read
MAX_SIBLINGS = 6  # of an element on each side that may be of its kind
MAX_HEAD = 6  # elements at the beginning of a box that may be its heading
_BOXES = frozenset(("li", "article", "div", "section", "tr", "dl"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
MAX_BEFORE = 200  # elements of an entry before a mark that may be a link
_PAGE_TYPES = re.compile(
    r"/(?:\w*Article|BlogPosting|Report|Web(?:Page|Site)|CreativeWork|Blog|\w*Page|LearningResource|Legislation)$"
)
_BESIDE = frozenset(
    "related relate recommend prev previous next series widget card cards gallery banner feed recent popular attach "
    "attachment file files download thumb thumbnail slide slider carousel post-list tags author-bio promo popup layer "
    "modal map player review reviews font fonts audio video search".split()
)


def is_beside(element: html.HtmlElement, url: str = "", *, declared: bool = False) -> bool:
    """Whether an element is in a card, post or box about something else than the page at `url`.

    With `declared`, a sidebar or widget is no such box: the source says that the licence of its pages is there.
    Microdata, RDFa or the class of a box say so, a linked heading before it, or siblings with links or titles as well.
    """
    for number, above in enumerate(islice((element, *element.iterancestors()), MAX_CLIMB)):
        about = above.get("about") or above.get("resource") or ""
        if above.get("itemscope") is not None or about:
            type_ = (above.get("itemtype") or "").rstrip("/")
            other = about and not about.startswith("#") and join_url(url, about) != url
            return bool(other) or bool(type_ and not _PAGE_TYPES.search(type_))
        if number > MAX_ABOVE or above.tag in ("body", "html"):
            continue
        called = {part for name in names(above) for part in (name, *re.split(r"[-_]", name))}
        if declared and (above.tag == "aside" or "widget" in called):
            continue
        if not _BESIDE.isdisjoint(called) or above.tag in ("aside", "nav", "figure", "form"):
            return True
        if above.tag in ("li", "td", "dd") and _follows_link(element, above):
            return True  # beside a file or an entry
        if above.tag in _BOXES and (_is_card(above) or _is_teaser(above, url)):
            return True
    return False


def _is_card(element: html.HtmlElement) -> bool:
    """Whether an element and a sibling of the same tag and class both hold a link to another page, or a heading."""
    if element.tag == "div" and not element.get("class"):
        return False  # the frame of a site is made of such blocks
    sides = (element.itersiblings(element.tag), element.itersiblings(element.tag, preceding=True))
    near = sides[:1] if element.tag == "section" else sides  # a mark in the last section is that of the page
    alike = [one for side in near for one in islice(side, MAX_SIBLINGS) if one.get("class") == element.get("class")]
    return bool(alike) and any(test(element) and any(map(test, alike)) for test in (_leads_away, _has_heading))


def _is_teaser(element: html.HtmlElement, url: str) -> bool:
    """Whether a box begins with a heading that links to another page than `url`."""
    if element.tag == "tr" or not element.get("class"):
        return False
    heading = next((one for one in islice(element.iter(), MAX_HEAD) if one.tag in _HEADINGS), None)
    links = heading.iter("a") if heading is not None else ()
    return any(_leads_to_page(link) and join_url(url, link.get("href") or "") != url for link in links)


def _has_heading(element: html.HtmlElement) -> bool:
    return any(one.tag in _HEADINGS for one in islice(element.iter(), MAX_BEFORE))


def _follows_link(element: html.HtmlElement, above: html.HtmlElement) -> bool:
    """Whether a link to another page precedes `element` in the entry `above`: to a file, a post, a product."""
    for one in islice(above.iter(), MAX_BEFORE):
        if one is element:
            return False
        if one.tag == "a" and _leads_to_page(one) and not any(inside is element for inside in one.iter()):
            return True
    return False


def _leads_away(element: html.HtmlElement) -> bool:
    return any(one.tag == "a" and _leads_to_page(one) for one in islice(element.iter(), MAX_BEFORE))


def _leads_to_page(link: html.HtmlElement) -> bool:
    address = link.get("href") or ""
    if not address or address.startswith(("#", "javascript:", "mailto:")) or licence_from_url(address):
        return False
    return "kogl.or.kr" not in address and "creativecommons.org" not in address
