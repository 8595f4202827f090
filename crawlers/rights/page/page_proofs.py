"""Pick the proofs among what a page says: those of the exact shape at the place that the source declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lxml import html

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import PageEvidence, scope
from crawlers.formats.html.runs import path as path_of
from crawlers.rights.page import candidates, head_metadata, kogl_block, labelled_cells, open_web, statutes
from crawlers.rights.page.declared_place import find_place, select, titles_of
from malmoi.document import LicenceEvidence
from malmoi.licensing.rights_decision import UNKNOWN
from malmoi.source import Item, LicenceRule


def find(item: Item, page: Page, rule: LicenceRule, publisher: str = "") -> tuple[LicenceEvidence, ...]:
    """Return the proofs, candidates and marks of *not free* on `page`, in document order, without duplicates."""
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    titles = titles_of(page.tree, item)
    facts = list(kogl_block.find_facts(shown, titles, publisher, item.date))
    loose = list(candidates.find(shown, item.url))
    head = list(head_metadata.find(page.tree, item.url))
    stated = list(statutes.find(shown, item.url, rule))
    found: list[PageEvidence]
    if rule.proofs:
        place = find_place(page, rule, item.url)
        found = [*_prove_json_ld(head, rule), *_prove_head(head, select(page.tree, rule.selector, item.url), rule)]
        if place is not None and "kogl-block" in rule.proofs:
            found += place.prove_kogl(titles, publisher, item.date)
        if place is not None and "rel-license" in rule.proofs:
            found += place.prove_links(rule.expected)
    else:
        found = [*open_web.prove_kogl(facts, shown, item.url), *open_web.prove_links([*loose, *head], shown, item.url)]
        found += open_web.prove_json_ld(head)
    cells = labelled_cells.find(shown, rule.fields, item.date)
    found += [*stated, *(one for one in cells if not _is_statute(one, stated))]
    proven = {inside for one in found if one.kind != "field" for inside in one.element.iter()}
    said = {fact.element for fact in facts}
    head = [replace(one, kind="metadata") if one.kind == "json-ld" else one for one in head]
    rest = [candidates.lay_aside(kogl_block.candidate(fact), item.url) for fact in facts]
    rest += [one for one in (*loose, *head) if one.licence != UNKNOWN or one.element not in said]
    licences = " ".join(one.licence for one in found)
    rest = [one for one in rest if one.element not in proven or one.licence not in f"{licences} {UNKNOWN}"]
    out: dict[tuple[str, str, str, str], LicenceEvidence] = {}
    for one in (*found, *rest):
        where, at = path_of(one.element), scope(one.state, paged)
        evidence = LicenceEvidence(one.licence, one.kind, at, one.quote, where, item.record)
        out.setdefault((one.licence, one.kind, at, where), evidence)
    return tuple(out.values())


def _is_statute(cell: PageEvidence, stated: Sequence[PageEvidence]) -> bool:
    """Whether an unread cell is the one in which a statute was read: an expired term names no licence."""
    return cell.licence == UNKNOWN and any(one.element is cell.element for one in stated)


def _prove_json_ld(head: Sequence[PageEvidence], rule: LicenceRule) -> Iterator[PageEvidence]:
    nodes = [one for one in head if one.kind == "json-ld" and one.state.part == "item"]
    if "json-ld" in rule.proofs and len({one.licence for one in nodes}) == 1:
        yield nodes[0]


def _prove_head(
    head: Sequence[PageEvidence], places: Sequence[html.HtmlElement], rule: LicenceRule
) -> Iterator[PageEvidence]:
    """Yield the licence of `link rel=license` in the head, if the source declares the head or the link."""
    links = [one for one in head if one.kind == "link" and one.element.tag == "link" and one.licence != UNKNOWN]
    declared = [one for one in links if any(above in places for above in (one.element, *one.element.iterancestors()))]
    if "rel-license" in rule.proofs and len({one.licence for one in declared}) == 1:
        yield replace(declared[0], kind="rel-license")
