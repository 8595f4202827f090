"""Hold the evidence of a document against what its source declares: proofs, fields, boards, author, licences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from malmoi.document import LicenceEvidence, Signal
from malmoi.licensing.proofs import PROOFS
from malmoi.licensing.rights_decision import NONE, terms
from malmoi.prefilter import compile_linear
from malmoi.source import LicenceRule

_CANDIDATE = {  # kind of a proof that the source does not declare
    "field": "cell",
    "kogl-block": "image",
    "rel-license": "link",
    "json-ld": "metadata",
    "licence-file": "claim",
    "dump-claim": "claim",
    "project-licence": "claim",
    "statute": "words",
}


def enforce(
    rule: LicenceRule, url: str, author: str, found: Sequence[LicenceEvidence]
) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
    """Return (evidence, signals): undeclared proofs become candidates; what is outside the rule needs a review.

    >>> rule = LicenceRule(proofs=("field",), fields=("KoglType",), boards=("/news/",))
    >>> mark = LicenceEvidence("LicenseRef-KOGL-1", "field", "item", "1", "KoglType", "r")
    >>> [one.kind for one in enforce(rule, "https://a.kr/news/1", "", [mark])[0]]
    ['field']
    >>> [one.name for one in enforce(rule, "https://a.kr/board/1", "", [mark])[1]]
    ['outside-boards']
    """
    kept = tuple(one if one.kind not in PROOFS else _demote(rule, one) for one in found)
    proofs = [one for one in kept if one.kind in PROOFS and one.licence != NONE]
    if not proofs:
        return kept, ()
    return kept, tuple(
        Signal(name, "review", words[:300], place, proofs[0].record)
        for name, holds, words, place in (
            ("outside-boards", is_matched(rule.boards, url), url, "address"),
            ("author", is_matched((rule.author,) if rule.author else (), author), author or "no author", "author"),
            ("unexpected-licence", _is_expected(rule, proofs), proofs[0].licence, proofs[0].place),
        )
        if not holds
    )


def _demote(rule: LicenceRule, one: LicenceEvidence) -> LicenceEvidence:
    declared = one.kind in rule.proofs and (one.kind != "field" or _is_declared_field(rule, one))
    return one if declared else replace(one, kind=_CANDIDATE[one.kind])


def _is_declared_field(rule: LicenceRule, one: LicenceEvidence) -> bool:
    """Whether the source names the field, by its name or by that of the whole place: `KoglType`, `Item/KoglType`."""
    last = re.split(r"[/.]", one.place)[-1].strip()
    # The reader of labelled cells has compared the label, and gives the path of the element as the place.
    return not rule.fields or " > " in one.place or one.place in rule.fields or last in rule.fields


def is_matched(patterns: Sequence[str], text: str) -> bool:
    """Whether one of these patterns, if there are any, is found in an address or an author."""
    if not patterns:
        return True
    words = text.encode("utf-8", "replace").decode()  # RE2 takes no surrogates
    return any(compile_linear(pattern).search(words) for pattern in patterns)


def _is_expected(rule: LicenceRule, proofs: Sequence[LicenceEvidence]) -> bool:
    """Whether every licence that permits is one that the source expects; a closed one needs no review."""
    if not rule.expected:
        return True
    known = {found.expression for name in rule.expected if (found := terms(name))}
    open_ = (found.expression for one in proofs if (found := terms(one.licence)) and found.use != "exclude")
    return all(expression in known or expression.removesuffix("-AI") in known for expression in open_)
