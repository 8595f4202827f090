"""Pick the proofs among the candidates of a page: those of the exact shape at the place that the source declares.

On a page that no source declares, a proof has the kind `web:<name>`: it counts only if the recipe trusts it by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

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
MAX_CLAUSE = 30  # code points of a line beside a licence that is a clause of it
_CHOICE = re.compile(r"또는|혹은|하나를|골라|선택|\beither\b|\bor\b|dual", re.I)
MAX_PLACE = 1_200  # code points of a declared place; a longer one is content
_TITLES = frozenset(("h1", "h2", "h3", "h4"))
_TEXT_LICENCES = ("CC", "LicenseRef-CC", "LicenseRef-KOGL")  # others are those of the software of a site


def find(item: Item, page: Page, rule: LicenceRule, publisher: str = "") -> tuple[LicenceEvidence, ...]:
    """Return the proofs, candidates and marks of *not free* on `page`, in document order, without duplicates."""
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    selected = select(page.tree, rule.selector, item.url)
    facts = list(kogl_block.find_facts(shown, titles_of(page.tree, item), publisher, item.date))
    loose = list(candidates.find(shown, item.url))
    head = list(head_metadata.find(page.tree, item.url))
    found = [
        *_prove_kogl(facts, selected, shown, rule, item.url),
        *_prove_links([*loose, *head], selected, shown, rule),
        *_prove_json_ld(head, selected, rule),
        *(stated := list(statutes.find(shown, item.url))),
        *(one for one in labelled_cells.find(shown, rule.fields, item.date) if not _is_statute(one, stated)),
    ]
    proven = {one.element for one in found}
    found += (
        candidates.lay_aside(kogl_block.candidate(fact), item.url) for fact in facts if fact.element not in proven
    )
    named = proven | {fact.element for fact in facts}
    head = [replace(one, kind="metadata") if one.kind == "json-ld" else one for one in head]
    found += (one for one in (*loose, *head) if one.element not in (named if one.licence == UNKNOWN else proven))
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in found:
        place, where = path_of(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, where, one.quote, place, item.record)
        out.setdefault((one.licence, one.kind, where, place), evidence)
    return tuple(out.values())


def select(tree: html.HtmlElement, selector: Sequence[tuple[str, str]], url: str) -> list[html.HtmlElement]:
    """Return the elements that the first selector whose address prefix covers `url` names."""
    css = next((css for prefix, css in selector if not prefix or covers(prefix, url)), "")
    return compile_selector(css)(tree) if css else []


@lru_cache(maxsize=256)
def compile_selector(css: str) -> Callable[[html.HtmlElement], list[html.HtmlElement]]:
    """Return the function that selects; raises cssselect.SelectorError if `css` is not a selector."""
    path = CSSSelector(css, translator="html")
    return lambda tree: list(path(tree))  # type: ignore[arg-type]


def titles_of(tree: html.HtmlElement, item: Item) -> tuple[str, ...]:
    """Return the titles of a page: of its item, its head and its headings."""
    said = [
        item.title,
        *(one.text_content() for one, _ in zip(tree.iter("title", "h1", "h2", "h3"), range(12), strict=False)),
    ]
    meta = (one.get("content") or "" for one in tree.iter("meta") if one.get("property") == "og:title")
    whole = [" ".join(one.split())[:300] for one in (*said, *meta)]
    parts = [part.strip() for one in whole for part in re.split(r"\s[|<>:·–-]\s", one)]
    return tuple(dict.fromkeys(filter(None, (*whole, *parts))))


def _is_statute(cell: PageEvidence, stated: Sequence[PageEvidence]) -> bool:
    """Whether an unread cell is the one in which a statute was read: an expired term names no licence."""
    return cell.licence == UNKNOWN and any(one.element is cell.element for one in stated)


def _is_inside(element: html.HtmlElement, places: Sequence[html.HtmlElement]) -> bool:
    return any(above is place for above in (element, *element.iterancestors()) for place in places)


def _prove_kogl(
    facts: Sequence[kogl_block.Fact],
    selected: Sequence[html.HtmlElement],
    shown: Sequence[Run],
    rule: LicenceRule,
    url: str,
) -> Iterator[PageEvidence]:
    if kogl_block.is_limited(facts, shown):
        return
    if "kogl-block" in rule.proofs:
        blocks = [here for place in selected if (here := [f for f in facts if _is_inside(f.element, [place])])]
        block = max(blocks, key=len, default=[])
        alone = bool(block) and len({id(fact) for here in blocks for fact in here}) == len(block)
        placed = alone and (not any(map(_is_wide, selected)) or _is_footer(block, shown))
        if placed and not any(_is_aside(fact.run, fact.element, url) for fact in block):
            yield from kogl_block.prove(block)
    elif not rule.proofs:
        here = [fact for fact in facts if fact.run.state.part != "site" and not is_beside(fact.element)]
        if here and _is_footer(here, shown):
            yield from kogl_block.prove(here, kind=f"{WEB}kogl-block")


def _is_wide(place: html.HtmlElement) -> bool:
    """Whether a declared place is the whole content of a page, where the tests for the open web hold."""
    return place.tag in ("article", "main", "body", "html") or len(place.text_content()) > MAX_PLACE


def _is_aside(run: Run, element: html.HtmlElement, url: str) -> bool:
    return run.state.furniture or is_beside(element, url)


def _is_footer(facts: Sequence[kogl_block.Fact], shown: Sequence[Run]) -> bool:
    """Whether the facts are one block in the main content, behind all of its prose and headings."""
    numbers = [number for number, run in enumerate(shown) if any(fact.run is run for fact in facts)]
    first, last = min(numbers), max(numbers)
    paged = any(run.state.part == "item" for run in shown)
    if paged and any(fact.run.state.part != "item" for fact in facts):
        return False
    if any(
        above.tag in ("td", "li", "dd") for fact in facts for above in (fact.element, *fact.element.iterancestors())
    ):
        return False
    after = [run for run in shown[last + 1 :] if run.state.part != "site"]
    return last - first <= MAX_BLOCK and not any(len(run.text) > MAX_AFTER or run.owner.tag in _TITLES for run in after)


def _prove_links(
    loose: Sequence[PageEvidence], selected: Sequence[html.HtmlElement], shown: Sequence[Run], rule: LicenceRule
) -> Iterator[PageEvidence]:
    links = [one for one in loose if one.kind == "link" and one.element.get("href") and one.licence != UNKNOWN]
    if "rel-license" in rule.proofs:
        here = [one for one in links if _is_inside(one.element, selected)]
        licence = _join_licences(here, shown)
        wide = any(_is_wide(place) for place in selected)
        speaks = all(_speaks_for_page(one, shown) if wide else _is_undisputed(one, shown) for one in here)
        if licence and speaks and (licence.startswith(_TEXT_LICENCES) or licence in rule.expected):
            agrees = all(_agrees(one, shown) for one in here)
            yield replace(here[0], kind="rel-license", licence=licence if agrees else UNKNOWN)
    elif not rule.proofs:
        here = [one for one in links if candidates.is_marked(one.element)]
        if len({one.licence for one in here}) == 1 and here[0].licence.startswith(_TEXT_LICENCES):
            yield from (replace(one, kind=f"{WEB}rel-license") for one in here[:1] if _speaks_for_page(one, shown))


def _join_licences(links: Sequence[PageEvidence], shown: Sequence[Run]) -> str:
    """Return the one licence of some links, or the expression of two in one line that lets choose; else ""."""
    names = sorted({one.licence for one in links})
    if len(names) == 2:
        runs = [run for run in shown if {id(link.element) for link in run.links} >= {id(one.element) for one in links}]
        return " OR ".join(names) if runs and _CHOICE.search(runs[0].text) else ""
    return names[0] if len(names) == 1 else ""


def _speaks_for_page(one: PageEvidence, shown: Sequence[Run]) -> bool:
    """Whether a link with rel=license is in the head, the frame or a mark block, without words about other things."""
    if one.element.tag == "link":
        return True
    run = next((run for run in shown if any(link.element is one.element for link in run.links)), None)
    if run is None or _is_quoted(one.element) or not _agrees(one, shown):
        return False
    beside: bool = one.state.part == "site" and run.state.part != "site"  # laid aside
    named = candidates.speaks_of_page(run.text)
    placed: bool = (
        run.state.part == "site" or run.state.mark is not None or len(run.text) > len(one.element.text_content() or "")
    )
    return bool(named and placed and not beside and not is_beside(one.element))


def _is_undisputed(one: PageEvidence, shown: Sequence[Run]) -> bool:
    """Whether no box about something else surrounds a link at a declared place, and no words about another work."""
    run = next((run for run in shown if any(link.element is one.element for link in run.links)), None)
    if run is None:
        return bool(one.element.tag == "link")
    (link,) = (link for link in run.links if link.element is one.element)
    about_other = candidates.OTHER_WORK.search(run.words_around(link)[0]) is not None
    return not about_other and not is_beside(one.element)


def _agrees(one: PageEvidence, shown: Sequence[Run]) -> bool:
    """Whether nothing in the run of a link, its pictures or a short neighbour forbids what its licence allows."""
    number = next((n for n, run in enumerate(shown) if any(link.element is one.element for link in run.links)), None)
    if number is None or (found := terms(one.licence)) is None or found.use == "exclude":
        return True
    run = shown[number]
    parent = run.owner.getparent()
    near = [other for other in shown[max(0, number - 1) : number + 2] if other.owner.getparent() is parent]
    words = [other.text for other in (run, *near) if other is run or len(other.text) <= MAX_CLAUSE]
    words += [
        f"{image.get('alt') or ''} {image.get('src') or ''}" for other in (run, *near) for image, _ in other.images
    ]
    return not any(candidates.is_closed(one) for one in words)


def _is_quoted(element: html.HtmlElement) -> bool:
    return any(is_quoting(above) for above in (element, *element.iterancestors()))


def _prove_json_ld(
    head: Sequence[PageEvidence], selected: Sequence[html.HtmlElement], rule: LicenceRule
) -> Iterator[PageEvidence]:
    nodes = [one for one in head if one.kind == "json-ld" and one.state.part == "item"]
    if len({one.licence for one in nodes}) != 1:
        return
    if "json-ld" in rule.proofs:
        scripts = [one for one in selected if one.tag in ("script", "head", "html")]
        if not scripts or any(_is_inside(one.element, scripts) for one in nodes):
            yield nodes[0]
    elif not rule.proofs:
        yield replace(nodes[0], kind=f"{WEB}json-ld")
