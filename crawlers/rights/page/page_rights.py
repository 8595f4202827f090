"""Read the rights of a page: proofs and candidates, refusals, and signs of third parties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crawlers.formats.html.parsed_page import Page
from crawlers.formats.html.runs import MAX_QUOTE, Run, path, quote, scope
from crawlers.rights import excerpts, third_parties
from crawlers.rights.page import page_proofs, rights_notices
from crawlers.rights.refusals import is_about_work, may_refuse, refusal
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.rights_decision import NONE
from malmoi.source import Item, Source

_NOTICE = re.compile(r"all\s?rights?\s?reserved|copyright|\(c\)|©", re.I)  # by habit, also beside a licence


def read(item: Item, page: Page, source: Source) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals) of `page`, the page of `item` or the page made from its text."""
    found = page_proofs.find(item, page, source.rule, source.publisher)
    shown = page.runs
    paged = any(run.state.part == "item" for run in shown)
    refused = list(_refusals(shown, paged, item.record, any(one.scope == "item" for one in found), bool(found)))
    signs = (replace(one, record=item.record) for one in third_parties.find(shown, page.tree, source.publisher))
    granted = bool(found or item.evidence or source.claim or source.rule.fields)
    if not granted:
        return (*found, *refused), ()
    seen = (*excerpts.find(page, item.url, item.record), *rights_notices.find(item, page, source, found))
    return (*found, *refused), (*signs, *seen)


def _refusals(
    shown: Sequence[Run], paged: bool, record: str, granted: bool, licensed: bool
) -> Iterator[LicenceEvidence]:
    """Yield the refusals of a page: `licensed` pages have reserving notices that are part of their licence."""
    for run in shown if may_refuse(shown) else ():
        said = refusal(run)
        notice = licensed and bool(_NOTICE.search(run.text))
        if said == "reserved" and (granted or notice or run.state.part == "site"):
            continue
        if said == "limits" and not licensed and not is_about_work(run.text):
            continue
        if said and said != "training":
            yield LicenceEvidence(
                NONE, f"refusal-{said}", scope(run.state, paged), quote(run.text[:MAX_QUOTE]), path(run.owner), record
            )
