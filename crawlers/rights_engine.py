"""Decide one page from its bytes, headers and policy files: the rights engine as a library (docs/rights-library.md).

Needs lxml, but neither Scrapy nor Kiwi nor Prefect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crawlers import defaults
from crawlers.formats import ParsedItem
from crawlers.rights import policy_files
from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.proofs import find_trusted
from malmoi.licensing.rights_decision import Rights, decide
from malmoi.source import Item, LicenceRule, Site, Source


def make_source(rule: LicenceRule = LicenceRule(), publisher: str = "") -> Source:  # noqa: B008
    """Return a source of the given rule for pages that come from nowhere."""
    return Source(name="page", title="", publisher=publisher, access=Site((), ()), rule=rule)


def decide_item(
    item: Item,
    source: Source,
    *,
    robots: str = "",
    well_known: Mapping[str, str] | None = None,
    trust: Sequence[str] = (),
) -> Rights:
    """Return the rights of an item of `source`: a page, a text, a document or a row.

    `robots` is the text of the robots.txt of the host, `well_known` maps the names of its other policy files (ai.txt,
    tdmrep.json, license.xml) to their texts; `trust` names the proofs that count on a page of a source that declares
    none (`malmoi.licensing.proofs.OPEN_WEB`).

    >>> page = b'<p>\\xea\\xb0\\x80</p><a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY</a>'
    >>> item = Item("1", "https://a.kr/1", page, "text/html", "utf-8", "")
    >>> decide_item(item, make_source()).reason, decide_item(item, make_source(), trust=["rel-license"]).licence
    ('needs-review', 'CC-BY-4.0')
    """
    parsed = ParsedItem(item)
    found, signals = defaults.evidence_for(source, {})(parsed.complete(defaults.text(parsed)))
    files = policy_files.build_instruments(item.url, robots, well_known)
    signals = (*policy_files.resolve_terms(signals, item.url, files), *policy_files.find(item.url, files))
    return decide(trust_kinds(found, trust), signals)


def trust_kinds(found: Sequence[LicenceEvidence], trust: Sequence[str]) -> tuple[LicenceEvidence, ...]:
    """Return the evidence with the proofs of the open web that `trust` names also as proofs."""
    more = (replace(one, kind=kind) for one in found if (kind := find_trusted(one.kind, trust)))
    return (*found, *more)


__all__ = ["Rights", "Signal", "decide_item", "make_source", "trust_kinds"]
