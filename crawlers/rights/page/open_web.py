"""Proofs on pages that no source declares, with kinds `web:…`: they count only if a recipe trusts them by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from crawlers.formats.html.runs import PageEvidence, Run
from crawlers.rights.page import candidates, kogl_block, link_words
from crawlers.rights.page.beside import is_beside
from malmoi.licensing.proofs import WEB
from malmoi.licensing.rights_decision import UNKNOWN

MAX_FACTS = 40  # facts of a page that are read; more are a list
_TEXT_LICENCES = ("CC", "LicenseRef-CC", "LicenseRef-KOGL")  # others are those of the software of a site


def prove_kogl(facts: Sequence[kogl_block.Fact], shown: Sequence[Run], url: str) -> Iterator[PageEvidence]:
    """Yield the proof of a block in the footer of the main content."""
    if not facts or kogl_block.is_limited(facts, shown):
        return
    here = [fact for fact in facts[:MAX_FACTS] if fact.run.state.part != "site" and not is_beside(fact.element, url)]
    paged = any(run.state.part == "item" for run in shown)
    placed = here and not (paged and any(fact.run.state.part != "item" for fact in here))
    if placed and not any(map(_is_listed, here)) and kogl_block.is_last(here, shown):
        yield from kogl_block.prove(here, kind=f"{WEB}kogl-block")


def _is_listed(fact: kogl_block.Fact) -> bool:
    return any(above.tag in ("td", "li", "dd") for above in (fact.element, *fact.element.iterancestors()))


def prove_links(loose: Sequence[PageEvidence], shown: Sequence[Run], url: str) -> Iterator[PageEvidence]:
    """Yield the proof of the only licence that links with rel=license name."""
    links = [one for one in loose if one.kind == "link" and one.element.get("href") and one.licence != UNKNOWN]
    here = [one for one in links if candidates.is_marked(one.element)]
    alone = len({one.licence for one in here}) == 1 and here[0].licence.startswith(_TEXT_LICENCES)
    if alone and link_words.LinkWords(shown).speaks_for_page(here[0], url):
        yield replace(here[0], kind=f"{WEB}rel-license")


def prove_json_ld(head: Sequence[PageEvidence]) -> Iterator[PageEvidence]:
    """Yield the licence of the JSON-LD node that is the page."""
    nodes = [one for one in head if one.kind == "json-ld" and one.state.part == "item"]
    if len({one.licence for one in nodes}) == 1:
        yield replace(nodes[0], kind=f"{WEB}json-ld")
