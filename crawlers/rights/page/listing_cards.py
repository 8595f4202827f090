"""Separate the marks of a page from those of the entries that it lists: cards, rows of a board, search results.

A card is one of several siblings with the same tag and class that begins with a link to another page; marks in it
apply to the linked page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from lxml import html

from crawlers.formats.html.runs import PageEvidence, Run
from malmoi.licensing.licences import licence_from_url

MAX_LEAD = 30  # code points that may precede the link of a card
MAX_SHARE = 0.5  # of the shown text of a page; an element with more is the page itself
MAX_SIBLINGS = 200  # that are examined
_TAGS = frozenset(("li", "tr", "article", "section", "div", "dl", "dd"))
_NAMED_ONLY = frozenset(("div", "section", "dd"))  # without a class they are too common to be cards
_ABOUT_MARKS = re.compile(r"kogl\.or\.kr|creativecommons\.org|^#|^javascript:|^mailto:|^tel:", re.I)
_FILE = re.compile(r"\.(?:hwpx?|pdf|docx?|xlsx?|pptx?|zip|jpe?g|png)(?:$|[?#])|(?:^|[/?&=_])(?:down|file)", re.I)


def drop_cards(found: Sequence[PageEvidence], shown: Sequence[Run]) -> list[PageEvidence]:
    """Return `found` without the evidence inside cards; evidence in the site frame and in the head is kept."""
    inside = [one for one in found if one.state.part != "site" and one.element.tag not in ("link", "meta", "script")]
    if not inside:
        return list(found)
    length = sum(len(run.text) for run in shown)
    known: dict[html.HtmlElement, bool] = {}
    dropped = {id(one) for one in inside if _is_in_card(one.element, known, length)}
    return [one for one in found if id(one) not in dropped]


def _is_in_card(element: html.HtmlElement, known: dict[html.HtmlElement, bool], length: int) -> bool:
    passed, inside = [], False
    for above in chain((element,), element.iterancestors()):
        if above in known:
            inside = known[above]
            break
        passed.append(above)
        named = above.tag in _TAGS and (above.tag not in _NAMED_ONLY or above.get("class"))
        if named and _is_card(above, length):
            inside = True
            break
    known |= dict.fromkeys(passed, inside)  # the ancestors that were searched have the same answer
    return inside


def _is_card(element: html.HtmlElement, length: int) -> bool:
    parent = element.getparent()
    if parent is None or not _leads_elsewhere(element):
        return False
    alike = (
        other
        for _, other in zip(range(MAX_SIBLINGS), parent.iterchildren(element.tag), strict=False)
        if other is not element and other.get("class") == element.get("class") and _leads_elsewhere(other)
    )
    return next(alike, None) is not None and len(" ".join("".join(element.itertext()).split())) <= MAX_SHARE * length


def _leads_elsewhere(element: html.HtmlElement) -> bool:
    """Whether an element begins with a link to another page that is neither a licence nor a file."""
    before = 0
    for one in element.iter():
        address = (one.get("href") or "") if one.tag == "a" else ""
        if address and not _ABOUT_MARKS.search(address) and not licence_from_url(address):
            return not _FILE.search(address)
        if not isinstance(one.tag, str) or one.tag in ("script", "style"):
            continue
        before += len((one.text or "").strip())
        if before > MAX_LEAD:
            return False
    return False
