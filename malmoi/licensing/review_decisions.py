"""Decisions of a person about documents that need a review: what was found, who decided, and the evidence of it.

A decision targets a shape (what was found, and where), one item, or addresses. It grants only documents that `decide`
calls `needs-review`; it denies whatever it targets. malmoi/licensing/review_file.py stores decisions. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from malmoi.document import Document, LicenceEvidence, Signal
from malmoi.licensing.proofs import CANDIDATES, REVIEW, WEB, is_proof
from malmoi.licensing.rights_decision import NONE, SCOPES, decide
from malmoi.prefilter import compile_linear

FILE: Final = "reviews.jsonl"  # in a workspace; part of the place of the evidence
# `clear` is about finds of the second detector of personal data (malmoi/releases/cleared_finds.py).
Verdict: TypeAlias = Literal["grant", "deny", "clear"]
CLEAR: Final = "clear"
Target: TypeAlias = Literal["item", "addresses", "shape"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)  # the narrowest first: an item overrides addresses, and so on
BETWEEN: Final = " | "  # the parts of the key of a shape
MAX_PLACE: Final = 160  # code points of a place in a key
_ENDS = "/?#&="  # characters that end a segment or a parameter of an address
_NUMBER = re.compile(r"[0-9]+")
_UNSAFE = re.compile(r"[\s|\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Shape:
    """Kind, place and licence of what was found: documents of one shape can be decided together."""

    source: str
    reasons: tuple[str, ...]  # names of review signals, "conflict A against B", "no-proof"; sorted
    kind: str  # of the strongest evidence
    place: str  # of the strongest evidence, numbers replaced by #
    licence: str  # that the evidence names; "" if it names several, or none of the table

    @property
    def key(self) -> str:
        """Return the shape as one line for people and files; different shapes have different keys.

        >>> Shape("kocca", ("no-proof",), "link", "footer > a", "CC-BY-4.0").key
        'kocca | no-proof | link | footer > a | CC-BY-4.0'
        """
        return BETWEEN.join((self.source, ",".join(self.reasons), self.kind, self.place, self.licence or "?"))


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of a person; malmoi/licensing/review_file.py says what a valid one is."""

    id: str  # its target and eight letters, "item-bcdfghjk"
    verdict: Verdict
    target: Target
    value: str  # key of a shape, id of a document, or a prefix or (from ^ on) a regular expression of addresses
    source: str
    licence: str  # that is granted; "" if denied
    reviewer: str
    date: str  # of the decision, 2026-11-24
    reason: str
    found: str = ""  # of a cleared document: digest of its text and finds, as the person saw them
    revoked: str = ""  # the day from which it has no effect
    revoked_by: str = ""
    revoked_reason: str = ""


def shape_of(source: str, evidence: Sequence[LicenceEvidence], signals: Sequence[Signal]) -> Shape | None:
    """Return the shape of a document of `source`, or None if it does not need a review.

    Earlier decisions among the evidence are ignored.

    >>> link = LicenceEvidence("CC-BY-4.0", "link", "item", "", "div[12] > a", "")
    >>> shape_of("a", [link], []).key
    'a | no-proof | link | div[#] > a | CC-BY-4.0'
    >>> shape_of("a", [], []) is None
    True
    """
    found = [one for one in evidence if one.kind != REVIEW]
    rights = decide(found, signals)
    strongest = find_strongest(found)
    if rights.reason != "needs-review" or strongest is None:
        return None
    reasons = {one.name for one in signals if one.effect == "review"}
    reasons |= {f"conflict {said.partition(': ')[2]}" for said in rights.conflicts}  # which licences contradict
    reasons |= set() if any(is_proof(one.kind) for one in found) else {"no-proof"}
    place = _make_safe(_NUMBER.sub("#", strongest.place))
    if len(place) > MAX_PLACE:
        place = f"{place[:MAX_PLACE]}…{hashlib.sha256(place.encode()).hexdigest()[:12]}"
    return Shape(
        _make_safe(source),
        tuple(sorted(map(_make_safe, reasons))),
        _make_safe(strongest.kind),
        place,
        _make_safe(rights.licence),
    )


def find_strongest(evidence: Iterable[LicenceEvidence]) -> LicenceEvidence | None:
    """Return the evidence that a reviewer looks at first: a proof before a candidate, the item before its site."""

    def rank(one: LicenceEvidence) -> tuple[object, ...]:
        order = CANDIDATES.index(one.kind) if one.kind in CANDIDATES else -1
        web = one.kind.startswith(WEB)
        return not is_proof(one.kind), not web, SCOPES.index(one.scope), order, one.place, one.licence, one.quote

    return min((one for one in evidence if one.kind != REVIEW), key=rank, default=None)


def _make_safe(text: str) -> str:
    """Return words from a page without what could end a part of a key, or steer a terminal."""
    return _UNSAFE.sub(" ", text).strip()


def evidence_of(decisions: Sequence[Decision], doc: Document) -> tuple[LicenceEvidence, ...]:
    """Return the evidence that the decisions in effect add to a document; () if none applies.

    Of the decisions that match, those with the narrowest target count; among these, a denial counts alone. Grants of
    different licences contradict each other: the document is excluded as a conflict.

    >>> from malmoi.document import Provenance
    >>> link = LicenceEvidence("CC-BY-4.0", "link", "item", "", "footer > a", "r1")
    >>> doc = Document("a/1", "", Provenance("a", "", "", "", ""), evidence=(link,))
    >>> one = Decision("item-bcdfghjk", "grant", "item", "a/1", "a", "CC-BY-4.0", "Kim", "2026-11-24", "asked")
    >>> evidence_of([one], doc)[0].place
    'reviews.jsonl#item-bcdfghjk: Kim, 2026-11-24'
    """
    source = doc.provenance.source
    mine = [one for one in decisions if one.source == source and not one.revoked and one.verdict != CLEAR]
    if not mine:
        return ()
    shape = shape_of(source, doc.evidence, doc.signals)
    matching = []
    for one in mine:
        if one.target == "addresses":
            applies = covers(one.value, doc.provenance.url)
        else:
            applies = one.value == (doc.id if one.target == "item" else shape and shape.key)
        if applies:
            matching.append(one)
    narrowest = next((target for target in TARGETS if any(one.target == target for one in matching)), "")
    chosen = [one for one in matching if one.target == narrowest]
    chosen = [one for one in chosen if one.verdict == "deny"] or chosen
    if any(one.verdict == "grant" for one in chosen) and shape is None:
        return ()
    strongest = find_strongest(doc.evidence)
    record = strongest.record if strongest else doc.provenance.record
    return tuple(
        LicenceEvidence(
            one.licence or NONE, REVIEW, "item", one.reason, f"{FILE}#{one.id}: {one.reviewer}, {one.date}", record
        )
        for one in sorted(chosen, key=lambda one: (one.date, one.id))
    )


def covers(pattern: str, url: str) -> bool:
    """Whether `url` begins with a prefix, at the end of a segment or parameter, or matches an expression (from ^ on).

    >>> covers("https://a.kr/part", "https://a.kr/part/1"), covers("https://a.kr/part", "https://a.kr/partner")
    (True, False)
    >>> covers("^https://a[.]kr/board/[0-9]+$", "https://a.kr/board/7")
    True
    """
    if pattern.startswith("^"):
        return compile_linear(pattern).match(url) is not None
    rest = url[len(pattern) :]
    return url.startswith(pattern) and (not rest or pattern[-1:] in _ENDS or rest[0] in _ENDS)
