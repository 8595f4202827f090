"""Pick the proofs among the candidates of a page: those of the exact shape at the place that the source declares.

On a page that no source declares, a proof has the kind `web:<name>`: it counts only if the recipe trusts it by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from lxml import html
from lxml.cssselect import CSSSelector

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import PageEvidence, Run, is_quoting, scope
from crawlers.formats.html.runs import path as path_of
from crawlers.rights.page import candidates, head_metadata, kogl_block, labelled_cells, statutes
from crawlers.rights.page.beside import is_beside
from crawlers.web.addresses import covers
from malmoi.document import LicenceEvidence
from malmoi.licensing.proofs import WEB
from malmoi.licensing.rights_decision import UNKNOWN, terms
from malmoi.source import Item, LicenceRule

MAX_AFTER = 60  # code points of a run of the item that may follow a block in the footer of the item
MAX_BLOCK = 8  # runs of such a block
MAX_PLACES = 20  # elements that a selector may name on a page; more are a list
MAX_LINKS = 40  # licence links or facts at the places; more are a list
MAX_TITLES = 12  # headings of a page that are read
MAX_CLIMB = 40  # ancestors of a mark that are read
MAX_CLAUSE = 30  # code points of a line beside a licence that is a clause of it
_CHOICE = re.compile(r"또는|혹은|하나를|골라|선택|\beither\b|\bor\b|dual", re.I)
MAX_PLACE = 1_200  # code points of a declared place; a longer one is content
_TITLES = frozenset(("h1", "h2", "h3", "h4"))
_TEXT_LICENCES = ("CC", "LicenseRef-CC", "LicenseRef-KOGL")  # others are those of the software of a site


def find(item: Item, page: Page, rule: LicenceRule, publisher: str = "") -> tuple[LicenceEvidence, ...]:
    """Return the proofs, candidates and marks of *not free* on `page`, in document order, without duplicates."""
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    facts = list(kogl_block.find_facts(shown, titles_of(page.tree, item), publisher, item.date))
    loose = list(candidates.find(shown, item.url))
    head = list(head_metadata.find(page.tree, item.url))
    places = _Places(page, rule, item.url)
    stated = list(statutes.find(shown, item.url))
    found = [
        *places.prove_kogl(facts),
        *places.prove_links([*loose, *head]),
        *places.prove_json_ld(head),
        *stated,
        *(one for one in labelled_cells.find(shown, rule.fields, item.date) if not _is_statute(one, stated)),
    ]
    proven = {one.element for one in found}
    blocks = {one.licence.removesuffix("-AI") for one in found if one.kind == "kogl-block"}
    proven |= {
        fact.element for fact in facts if f"LicenseRef-KOGL-{fact.type}" in blocks and fact.element in places.place
    }
    named = proven | {fact.element for fact in facts}
    rest = [candidates.lay_aside(kogl_block.candidate(one), item.url) for one in facts if one.element not in proven]
    for one in (*loose, *(replace(one, kind="metadata") if one.kind == "json-ld" else one for one in head)):
        if one.element not in (named if one.licence == UNKNOWN else proven):
            rest.append(one)
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in (*found, *rest):
        place, where = path_of(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, where, one.quote, place, item.record)
        out.setdefault((one.licence, one.kind, where, place), evidence)
    return tuple(out.values())


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


def _is_statute(cell: PageEvidence, stated: Sequence[PageEvidence]) -> bool:
    """Whether an unread cell is the one in which a statute was read: an expired term names no licence."""
    return cell.licence == UNKNOWN and any(one.element is cell.element for one in stated)


class _Places:
    """The places on a page that its source declares, and what is a proof there or, without a source, on the web."""

    def __init__(self, page: Page, rule: LicenceRule, url: str) -> None:
        self.rule, self.url, self.shown = rule, url, page.runs
        places = select(page.tree, rule.selector, url)
        self.wide = any(map(_is_wide, places))
        # The outermost place of each element in one; a place inside another is a part of that.
        self.place = {one: number for number, place in reversed([*enumerate(places)]) for one in place.iter()}
        self.number = {link.element: number for number, run in enumerate(self.shown) for link in run.links}

    def prove_kogl(self, facts: Sequence[kogl_block.Fact]) -> Iterator[PageEvidence]:
        """Yield the proof of the only block at the places, or in the footer of the main content."""
        if kogl_block.is_limited(facts, self.shown):
            return
        if "kogl-block" in self.rule.proofs:
            here = [fact for fact in facts if fact.element in self.place]
            alone = len({self.place[fact.element] for fact in here}) == 1
            aside = any(fact.run.state.furniture or is_beside(fact.element, self.url) for fact in here[:MAX_LINKS])
            if alone and not aside and (not self.wide or self.is_footer(here)):
                yield from kogl_block.prove(here)
        elif not self.rule.proofs:
            here = [fact for fact in facts[:MAX_LINKS] if fact.run.state.part != "site"]
            here = [fact for fact in here if not is_beside(fact.element, self.url)]
            if here and self.is_footer(here):
                yield from kogl_block.prove(here, kind=f"{WEB}kogl-block")

    def is_footer(self, facts: Sequence[kogl_block.Fact]) -> bool:
        """Whether the facts are one block in the main content, behind all of its prose and headings."""
        own = {id(fact.run) for fact in facts}
        numbers = [number for number, run in enumerate(self.shown) if id(run) in own]
        first, last = min(numbers), max(numbers)
        paged = any(run.state.part == "item" for run in self.shown)
        listed = any(above.tag in ("td", "li", "dd") for fact in facts for above in _climb(fact.element))
        if listed or (paged and any(fact.run.state.part != "item" for fact in facts)) or last - first > MAX_BLOCK:
            return False
        before, after = ([run for run in part if run.state.part != "site"] for part in _split(self.shown, first, last))
        short = not any(len(run.text) > MAX_AFTER or run.owner.tag in _TITLES for run in after)
        return short and sum(len(run.text) for run in before) >= sum(len(run.text) for run in after)

    def prove_links(self, loose: Sequence[PageEvidence]) -> Iterator[PageEvidence]:
        """Yield the proof of the licence links at the places, or of the only link with rel=license of the page."""
        links = [one for one in loose if one.kind == "link" and one.element.get("href") and one.licence != UNKNOWN]
        if "rel-license" in self.rule.proofs:
            here = [one for one in links if one.element in self.place]
            speaks = self.speaks_for_page if self.wide else self.is_undisputed
            licence = self.join_licences(here) if len(here) <= MAX_LINKS else ""
            known = licence.startswith(_TEXT_LICENCES) or licence in self.rule.expected
            if licence and known and all(speaks(one) and self.agrees(one) for one in here):
                yield replace(here[0], kind="rel-license", licence=licence)
        elif not self.rule.proofs:
            here = [one for one in links if candidates.is_marked(one.element)]
            if len({one.licence for one in here}) == 1 and here[0].licence.startswith(_TEXT_LICENCES):
                yield from (replace(one, kind=f"{WEB}rel-license") for one in here[:1] if self.speaks_for_page(one))

    def join_licences(self, links: Sequence[PageEvidence]) -> str:
        """Return the one licence of some links, or the expression of two in one line that lets choose; else ""."""
        names = sorted({one.licence for one in links})
        numbers = {self.number.get(one.element) for one in links}
        if len(names) != 2 or len(numbers) != 1 or None in numbers:
            return names[0] if len(names) == 1 else ""
        return " OR ".join(names) if any(_CHOICE.search(self.shown[number or 0].text) for number in numbers) else ""

    def speaks_for_page(self, one: PageEvidence) -> bool:
        """Whether a link is in the head, the frame or a mark block, without words about other things."""
        if one.element.tag == "link":
            return True
        run = self.run_of(one)
        if run is None or not self.agrees(one) or any(map(is_quoting, _climb(one.element))):
            return False
        placed = run.state.part == "site" or run.state.mark is not None or len(run.text) > len(_words(one))
        return placed and candidates.speaks_of_page(run.text) and not is_beside(one.element, self.url)

    def is_undisputed(self, one: PageEvidence) -> bool:
        """Whether no box about something else surrounds a link at a declared place, and no words about another work."""
        if (run := self.run_of(one)) is None:
            return one.element.tag == "link"  # type: ignore[no-any-return]
        (link,) = (link for link in run.links if link.element is one.element)
        about_other = candidates.OTHER_WORK.search(run.words_around(link)[0]) is not None
        return not about_other and not is_beside(one.element, self.url, declared=True)

    def agrees(self, one: PageEvidence) -> bool:
        """Whether nothing in the run of a link, its pictures or a short neighbour forbids what its licence allows."""
        found = terms(one.licence)
        if (run := self.run_of(one)) is None or found is None or found.use == "exclude":
            return True
        number, parent = self.number[one.element], run.owner.getparent()
        near = [other for other in self.shown[max(0, number - 1) : number + 2] if other.state.part == run.state.part]
        near = [other for other in near if other is run or other.owner.getparent() is parent]
        words = [other.text for other in near if other is run or len(other.text) <= MAX_CLAUSE]
        words += [f"{image.get('alt') or ''} {image.get('src') or ''}" for other in near for image, _ in other.images]
        return not any(map(candidates.is_closed, words))

    def run_of(self, one: PageEvidence) -> Run | None:
        """Return the run of a link of the body, None for one of the head."""
        number = self.number.get(one.element)
        return None if number is None else self.shown[number]

    def prove_json_ld(self, head: Sequence[PageEvidence]) -> Iterator[PageEvidence]:
        """Yield the licence of the node that is the page, in any script or in those of the places."""
        nodes = [one for one in head if one.kind == "json-ld" and one.state.part == "item"]
        if len({one.licence for one in nodes}) != 1:
            return
        scripts = [one for one in self.place if one.tag == "script"]
        if "json-ld" in self.rule.proofs and (not scripts or any(one.element in scripts for one in nodes)):
            yield nodes[0]
        elif not self.rule.proofs:
            yield replace(nodes[0], kind=f"{WEB}json-ld")


def _is_wide(place: html.HtmlElement) -> bool:
    """Whether a declared place is the whole content of a page, where the tests for the open web hold."""
    return place.tag in ("article", "main", "body", "html") or len(place.text_content()) > MAX_PLACE


def _climb(element: html.HtmlElement) -> Iterator[html.HtmlElement]:
    return islice((element, *element.iterancestors()), MAX_CLIMB)


def _split(shown: Sequence[Run], first: int, last: int) -> tuple[Sequence[Run], Sequence[Run]]:
    return shown[:first], shown[last + 1 :]


def _words(one: PageEvidence) -> str:
    return one.element.text_content() or ""
