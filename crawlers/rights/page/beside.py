"""Recognise cards, posts, files and boxes of a page that are about something else than its text."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html

from crawlers.formats.html.runs import classify_names, names
from crawlers.rights.rule_files import load
from crawlers.web.addresses import join_url
from malmoi.licensing.licences import licence_from_url

MAX_ABOVE = 8  # ancestors that may be a card or a box
MAX_CLIMB = 40  # ancestors whose microdata and RDFa are read
MAX_SIBLINGS = 6  # of an element on each side that may be of its kind
MAX_HEAD = 6  # elements at the beginning of a box that may be its heading
MAX_TITLE = 24  # code points of a heading that announces other pages
_DATA, _compile = load("candidates.toml")
(_RELATED,) = _compile([_DATA["related"]["pattern"]])
_FRAMES = frozenset(("main", "article", "header", "nav", "footer"))
_LABELS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "caption", "legend", "summary", "dt"))
_BOXES = frozenset(("li", "article", "div", "section", "tr", "dl"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
MAX_BEFORE = 200  # elements of an entry before a mark that may be a link
_PAGE_TYPES = re.compile(
    r"/(?:\w*Article|BlogPosting|Report|Web(?:Page|Site)|CreativeWork|Blog|\w*Page|LearningResource|Legislation)$"
)
_BESIDE = frozenset(
    "related relate recommend prev previous next series widget card cards gallery banner feed recent popular attach "
    "attachment file files download thumb thumbnail slide slider carousel post-list tags author-bio promo popup layer "
    "modal map player review reviews prenext prevnext nextprev pager font fonts audio video search".split()
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
        if not _BESIDE.isdisjoint(called) or above.tag in ("aside", "nav", "figure", "form", "details"):
            return True
        if above.tag in ("li", "td", "dd") and (_follows_link(element, above) or _is_labelled_other(above)):
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
    """Whether a box begins with a heading that links to another page than `url`, or that announces other pages."""
    inside = list(islice(element.iter(), MAX_HEAD))
    if any(one.tag in _FRAMES or _is_frame(one) for one in inside):
        return False
    heading = next((one for one in inside if one.tag in _LABELS), None)
    words = " ".join((heading.text_content() or "").split()) if heading is not None else ""
    if words and len(words) <= MAX_TITLE and _RELATED.search(words):
        return True
    if heading is None or heading.tag not in _HEADINGS or not element.get("class"):
        return False
    links = heading.iter("a")
    return any(_leads_to_page(link) and join_url(url, link.get("href") or "") != url for link in links)


def _is_frame(element: html.HtmlElement) -> bool:
    """Whether the class or id of an element is that of the frame of a site."""
    return isinstance(element.tag, str) and classify_names(" ".join(names(element)))[2]


def _has_heading(element: html.HtmlElement) -> bool:
    """Whether an element has a heading that is one of a text, not of comments or links."""
    headings = (one for one in islice(element.iter(), MAX_BEFORE) if one.tag in _HEADINGS)
    return any(not _RELATED.search(one.text_content()[:MAX_TITLE]) for one in headings)


def _is_labelled_other(cell: html.HtmlElement) -> bool:
    """Whether the label before a cell announces other pages: 이전글, 관련 자료."""
    before = cell.getprevious()
    return (
        before is not None and before.tag in ("dt", "th") and bool(_RELATED.search(before.text_content()[:MAX_TITLE]))
    )


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
