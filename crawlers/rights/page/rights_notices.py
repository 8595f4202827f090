"""Find short notices about rights in an item that are not the licence its source declares; each leads to a review.

A page that permits has one mark. Any other line that speaks of rights may say whom, what or how long the mark does
not cover, in words that no rule knows; so it is the line itself that leads to the review, and not what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import Run, list_item_runs, path, quote
from crawlers.rights.licence_fields import field_kind
from crawlers.rights.page.beside import is_beside
from crawlers.rights.page.declared_place import select
from crawlers.rights.prefilter import gate, may_match_any
from crawlers.rights.publisher_names import is_publisher
from crawlers.rights.rule_files import load, match_any
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.proofs import PROOFS
from malmoi.source import Item, Source

MAX_NOTICE = 60  # code points of a line; a longer one is prose, which may speak of rights
MIN_PROSE = 40  # code points of a run that is the text itself
_TITLES = frozenset("h1 h2 h3 h4 h5 h6 title caption".split())
_DATA, _compile = load("candidates.toml")
_RIGHTS = _compile([_DATA["rights"]["pattern"], _DATA["limits"]["pattern"]])
_CUSTOMARY, _HOLDER = _compile([_DATA["customary"]["pattern"], _DATA["holder"]["pattern"]])
_MENTIONED = re.compile(r"[‘'“\"「][^‘’'“”\"「」]{1,40}[’'”\"」]")
_may_speak = gate(*_RIGHTS)


def find(item: Item, page: Page, source: Source, found: Sequence[LicenceEvidence]) -> Iterator[Signal]:
    """Yield a signal `other-term` of effect `review` for each notice on a page with a proof among `found`.

    A notice is above or below the prose of the item, and neither a title nor the publisher's own claim of copyright.
    """
    rule, publisher = source.rule, source.publisher
    granted = {one.licence for one in found if one.kind in PROOFS}
    if not granted or not may_match_any(_may_speak, (run.text for run in page.runs)):
        return
    own = {one for place in select(page.tree, rule.selector, item.url) for one in place.iter()}
    read = _letters(" ".join(one.quote for one in found if one.licence in granted and one.kind != "words"))
    inside = list_item_runs(page.runs)
    notices = {number for number, run in enumerate(inside) if _is_notice(run, publisher)}
    prose = [number for number, run in enumerate(inside) if number not in notices and len(run.text) >= MIN_PROSE]
    for number in sorted(notices):
        run = inside[number]
        edge = not prose or not prose[0] < number < prose[-1]
        if not edge or _letters(run.text) in read or not own.isdisjoint(_list_elements(run)):
            continue
        if not is_beside(run.owner, item.url):
            yield Signal("other-term", "review", quote(run.text), f"notice: {path(run.owner)}", item.record)


def _is_notice(run: Run, publisher: str) -> bool:
    words = run.text
    if not words or len(words) > MAX_NOTICE or run.state.quoted or run.owner.tag in _TITLES or field_kind(words):
        return False
    if not match_any(_RIGHTS, _MENTIONED.sub("", words)) or _CUSTOMARY.fullmatch(words):
        return False
    holder = _HOLDER.fullmatch(words)
    return not (holder and publisher and is_publisher(holder["holder"], publisher))


def _letters(words: str) -> str:
    return re.sub(r"[\W_]+", "", words)


def _list_elements(run: Run) -> Iterator[object]:
    yield run.owner
    yield from (link.element for link in run.links)
    yield from (image for image, _ in run.images)
