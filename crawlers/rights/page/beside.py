"""Tell what stands beside the text of a page: cards, posts, files and boxes about something else."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html

from crawlers.formats.html.runs import names
from crawlers.web.addresses import join_url
from malmoi.licensing.licences import licence_from_url

MAX_ABOVE = 8  # ancestors that may be a card or a box
MAX_BEFORE = 200  # elements of an entry before a mark that may be a link
_PAGE_TYPES = re.compile(
    r"/(?:\w*Article|BlogPosting|Report|Web(?:Page|Site)|CreativeWork|Blog|\w*Page|LearningResource|Legislation)$"
)
_BESIDE = frozenset(
    "related relate recommend prev previous next series widget card cards gallery banner feed recent popular attach "
    "attachment file files download thumb thumbnail slide slider carousel post-list tags author-bio promo popup layer "
    "modal map player review reviews font fonts audio video search".split()
)


def is_beside(element: html.HtmlElement, url: str = "") -> bool:
    """Whether an element is in a card, post or box about something else than the page at `url`.

    Microdata, RDFa or the class of a box say so, or it is one of several alike that link or have titles.
    """
    for number, above in enumerate((element, *element.iterancestors())):
        about = above.get("about") or above.get("resource") or ""
        if above.get("itemscope") is not None or about:
            type_ = (above.get("itemtype") or "").rstrip("/")
            other = about and not about.startswith("#") and join_url(url, about) != url
            return bool(other) or bool(type_ and not _PAGE_TYPES.search(type_))
        if number > MAX_ABOVE or above.tag in ("body", "html"):
            continue
        called = {part for name in names(above) for part in (name, *re.split(r"[-_]", name))}
        if not _BESIDE.isdisjoint(called) or above.tag in ("aside", "nav", "figure", "form"):
            return True
        if above.tag in ("li", "td", "dd") and _follows_link(element, above):
            return True  # beside a file or an entry
        if above.tag in ("li", "article", "div", "section", "tr", "dl") and _is_card(above):
            return True
    return False


def _is_card(element: html.HtmlElement) -> bool:
    """Whether an element and a sibling of the same tag and class both hold a link to another page, or a heading."""
    sides = (element.itersiblings(element.tag), element.itersiblings(element.tag, preceding=True))
    near = sides[:1] if element.tag == "section" else sides  # a mark in the last section is that of the page
    alike = [one for side in near for one in islice((o for o in side if o.get("class") == element.get("class")), 2)]
    return bool(alike) and any(test(element) and any(map(test, alike)) for test in (_leads_away, _has_heading))


def _has_heading(element: html.HtmlElement) -> bool:
    return next(element.iter("h1", "h2", "h3", "h4"), None) is not None


def _follows_link(element: html.HtmlElement, above: html.HtmlElement) -> bool:
    """Whether a link to another page stands before `element` in the entry `above`: to a file, a post, a product."""
    for one in islice(above.iter(), MAX_BEFORE):
        if one is element:
            return False
        if one.tag == "a" and _leads_to_page(one) and not any(inside is element for inside in one.iter()):
            return True
    return False


def _leads_away(element: html.HtmlElement) -> bool:
    return any(map(_leads_to_page, islice(element.iter("a"), 5)))


def _leads_to_page(link: html.HtmlElement) -> bool:
    address = link.get("href") or ""
    if not address or address.startswith(("#", "javascript:", "mailto:")) or licence_from_url(address):
        return False
    return "kogl.or.kr" not in address and "creativecommons.org" not in address
