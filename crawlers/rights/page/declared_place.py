"""The place on a page that its source declares, and the proofs there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from lxml import html
from lxml.cssselect import CSSSelector

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import PageEvidence, Run, State, is_hidden, runs
from crawlers.rights.page import candidates, kogl_block, link_words
from crawlers.rights.page.beside import is_beside
from crawlers.web.addresses import covers
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.source import Item, LicenceRule

MAX_PLACES = 20  # elements that a selector may name on a page; more are a list
MAX_PLACE = 1_200  # code points of a place; a longer one is content
MAX_TITLES = 12  # headings of a page that are read
MAX_LABEL = 24  # code points of the label of a mark
_HEADS = frozenset(("head", "script", "link", "meta"))
_UNSEEN = frozenset(("template", "noscript", "dialog", "select", "textarea"))
_WHOLE = frozenset(("article", "main", "body", "html"))
_QUOTED = {"figure": "div", "figcaption": "div", "label": "span", "q": "span"}  # a mark may be in them at its own place
_TEXTS = ("CC", "LicenseRef-CC", "LicenseRef-KOGL")  # licences of texts; others must be expected


def select(tree: html.HtmlElement, selector: Sequence[tuple[str, str]], url: str) -> list[html.HtmlElement]:
    """Return the elements that the first selector whose address prefix covers `url` names, [] if too many."""
    css = next((css for prefix, css in selector if not prefix or covers(prefix, url)), "")
    found = compile_selector(css)(tree) if css else []
    return found if len(found) <= MAX_PLACES else []


@lru_cache(maxsize=256)
def compile_selector(css: str) -> Callable[[html.HtmlElement], list[html.HtmlElement]]:
    """Return the function that selects; raises cssselect.SelectorError if `css` is not a selector."""
    path = CSSSelector(css, translator="html")
    return lambda tree: list(path(tree))  # type: ignore[arg-type]


def titles_of(tree: html.HtmlElement, item: Item) -> tuple[str, ...]:
    """Return the titles of a page: of its item, its head and its headings."""
    headings = islice(tree.iter("title", "h1", "h2", "h3"), MAX_TITLES)
    meta = (one.get("content") or "" for one in tree.iter("meta") if one.get("property") == "og:title")
    said = (item.title, *(one.text_content() for one in headings), *islice(meta, 1))
    whole = [" ".join(one.split())[:300] for one in said]
    parts = [part.strip() for one in whole for part in re.split(r"\s[|<>:·–-]\s", one)]
    return tuple(dict.fromkeys(filter(None, (*whole, *parts))))


def find_place(page: Page, rule: LicenceRule, url: str) -> Place | None:
    """Return the only element in the body that the source declares for a page; None if there are none or several.

    Several are those of several works: a page lists them, and no mark there is known to be its own.
    """
    found = [one for one in select(page.tree, rule.selector, url) if one.tag not in _HEADS]
    outer = [one for one in found if not any(above in found for above in one.iterancestors())]
    if len(outer) != 1 or is_beside(outer[0], url, declared=True):
        return None
    if any(one.tag in _UNSEEN or is_hidden(one) for one in (outer[0], *outer[0].iterancestors())):
        return None
    return Place(outer[0], page.runs, url)


class Place:
    """A declared element with its own runs, in which figures and labels are read as well."""

    def __init__(self, element: html.HtmlElement, shown: Sequence[Run], url: str) -> None:
        self.element, self.shown, self.url = element, shown, url
        inside = set(element.iter())
        numbers = [number for number, run in enumerate(shown) if run.owner in inside]
        self.state = shown[numbers[0]].state if numbers else State("item")
        self.after = shown[numbers[-1] + 1 : numbers[-1] + 3] if numbers else []
        copy = deepcopy(element)
        copy.tail = None
        for one in copy.iter(*_QUOTED):
            one.tag = _QUOTED[one.tag]
            one.attrib.pop("class", None)
        self.runs = runs(copy)
        self.wide = element.tag in _WHOLE or sum(len(run.text) for run in self.runs) > MAX_PLACE

    def prove_kogl(self, titles: Sequence[str], publisher: str, date: str) -> Iterator[PageEvidence]:
        """Yield the proof of the block at the place."""
        facts = list(kogl_block.find_facts(self.runs, titles, publisher, date))
        facts = [fact for fact in facts if not is_beside(fact.element, self.url)] if self.wide else facts
        if self.wide and not (facts and kogl_block.is_last(facts, self.runs)):
            return
        if not self.is_of_part(facts) and not kogl_block.is_limited(facts, [*self.runs, *self.after]):
            yield from (replace(one, element=self.element, state=self.state) for one in kogl_block.prove(facts))

    def prove_links(self, expected: Sequence[str]) -> Iterator[PageEvidence]:
        """Yield the proof of the licence links at the place."""
        said = candidates.find(self.runs, self.url, plain=False)
        links = [one for one in said if one.kind == "link" and one.licence != UNKNOWN]
        words = link_words.LinkWords(self.runs)
        licence = words.join_licences(links)
        known = licence.startswith(_TEXTS) or licence in expected
        speaks = words.speaks_for_page if self.wide else words.is_undisputed
        labels = (run.text for run in self.runs if not run.links and len(run.text) <= MAX_LABEL)
        if (
            licence
            and known
            and not any(map(kogl_block.names_part, labels))
            and all(speaks(one, self.url) and words.agrees(one) for one in links)
        ):
            yield replace(links[0], kind="rel-license", licence=licence, element=self.element, state=self.state)

    def is_of_part(self, facts: Sequence[kogl_block.Fact]) -> bool:
        """Whether a label at the place gives the mark to a part, or another line there has other terms."""
        own = {id(fact.run) for fact in facts}
        others = [run.text for run in self.runs if id(run) not in own]
        labels = [text for text in others if len(text) <= MAX_LABEL]
        return any(map(kogl_block.names_part, labels)) or any(map(kogl_block.has_other_terms, others))
