"""Compare the licences of the documents of a probe with those that the source declares, and say why they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flows.plurals import tally
from flows.probing.probe_records import Check, State
from flows.probing.read_items import MAX_WORDS, ReadDocument
from malmoi.document import LicenceEvidence
from malmoi.licensing import rights_decision
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import UNKNOWN, Rights, decide
from malmoi.source import LicenceRule

UNEXPECTED = "unexpected-licence"  # signal of crawlers/rights/declared.py


def check_licences(rule: LicenceRule, read: Sequence[ReadDocument]) -> Iterator[Check]:
    """Yield the check of licences: a source with proofs must prove one, and name none that it does not expect."""
    decided = [(one, decide(one.document.evidence, one.document.signals)) for one in read]
    granted = [rights.licence for _, rights in decided if _is_granted(rule, rights)]
    others = [explain(one, rights) for one, rights in decided if not _is_granted(rule, rights)]
    says = f"{tally(granted)} in {len(granted):,} of {len(read):,}; not granted" if granted else "no item is granted"
    says = f"{says}: {tally(others, '; ')}" if others else says.removesuffix("; not granted")
    if not rule.proofs:
        yield Check("licence", "unknown", f"the source declares no proof: each item needs a review; {says}")
        return
    if others:
        says += f". Expected: {', '.join(rule.expected) or 'any licence of docs/rights.md'}"
    strange = any(_is_strange(one) for one in read)
    state: State = "differs" if strange or not granted else "partly" if others else "holds"
    yield Check("licence", state, says)


def _is_granted(rule: LicenceRule, rights: Rights) -> bool:
    """Whether the use is open, or the one that the source expects, such as training alone."""
    return rights.use == "redistribute" or (rights.use == "train-only" and rights.licence in rule.expected)


def _is_strange(one: ReadDocument) -> bool:
    """Whether a proof has an unknown value, or names a licence that the source does not expect."""
    unknown = any(found.licence == UNKNOWN and found.kind in PROOFS for found in one.document.evidence)
    return unknown or any(signal.name == UNEXPECTED for signal in one.document.signals)


def explain(one: ReadDocument, rights: Rights) -> str:
    """Explain why a document is not granted: the value that was found, or that its place is empty."""
    doc = one.document
    proofs = [found for found in doc.evidence if found.kind in PROOFS]
    if unknown := [found for found in proofs if found.licence == UNKNOWN]:
        return f"unknown value: {_quote(unknown[0])}"
    if signal := next((signal for signal in doc.signals if signal.name == UNEXPECTED), None):
        return f"{_quote(proofs[0])} is {signal.quote}, which is not expected"
    said = rights_decision.explain(rights)
    if named := proofs or doc.evidence:
        said += f" ({_quote(named[0])})"
    return "; ".join(filter(None, (said, one.place)))


def _quote(found: LicenceEvidence) -> str:
    return f"{found.quote[:MAX_WORDS]!r} at {found.place}" if found.quote else f"at {found.place}"
