"""Decide how one document may be used, from its licence evidence and signals.

Pure; standard library only. Rules in order: an explicit opt-out excludes; the nearest scope with a proof or a refusal
decides (item, then site, then source); a refusal, an unknown licence or two different licences in that scope exclude;
then the table decides. Only proofs permit (malmoi/licensing/proofs.py): another statement of a licence, a contradiction
and a signal of effect `review` lead to `needs-review`, and the decision of a person then counts in place of proofs.
Without any evidence the document is excluded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from malmoi.document import LicenceEvidence, Scope, Signal, Use
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.licences import LICENCES, Licence, find_licence_id, licence_from_url, table_digest
from malmoi.licensing.proofs import REVIEW, WEB, is_proof

__all__ = [
    "LICENCES",
    "REASONS",
    "RULES_VERSION",
    "Licence",
    "Rights",
    "Terms",
    "decide",
    "explain",
    "family",
    "licence_from_text",
    "licence_from_url",
    "table_digest",
    "terms",
]

RULES_VERSION = 2  # increment it when `decide` or `terms` change their results; it is part of the keys of stages
NONE = "none"  # evidence of an explicit refusal
UNKNOWN = "unknown"  # evidence of a licence that could not be read; never an id of the table
SCOPES: tuple[Scope, ...] = ("item", "site", "source")  # nearest first
REASONS = {
    "no-licence": "no evidence allows any use",
    "refused": "the words nearest to the text forbid its use",
    "conflict": "different licences, or a licence and a refusal, in one scope",
    "unknown-licence": "the licence is not in the table",
    "restricted-licence": "the licence allows neither publication nor training",
    "needs-review": "a person must look before the text may be used",
    "opt-out": "an explicit statement reserves the use, whatever the licence",
    "inferred-opt-out": "robots.txt turns training crawlers away, and no open licence is on the item itself",
}
MAX_WORDS = 60  # ids, operators and brackets of one expression; longer ones are unknown
_USES: tuple[Use, ...] = ("redistribute", "train-only", "exclude")  # from free to closed
_FAMILIES = ("open", "share-alike", "copyleft", "ai-training", "review", "non-commercial", "no-derivatives")
_AI = "LicenseRef-KOGL-AI"
_WEAK = frozenset(("words",))  # kinds of candidates that speak of something else, or of nothing in particular
_READABLE = frozenset(("metadata", "cell", "link"))  # kinds whose value is the name or the address of a licence
_OPEN_DATA = "LicenseRef-KR-OpenData-Unrestricted"
_TYPE = re.compile(r"LicenseRef-KOGL-([1-4])(?:-AI)?")


@dataclass(frozen=True, slots=True)
class Terms:
    """The combined conditions of a licence or a licence expression."""

    expression: str
    use: Use
    attribution: bool
    share_alike: bool
    family: str


@dataclass(frozen=True, slots=True)
class Rights:
    """The decision for one document, with its inputs."""

    use: Use
    licence: str  # id or expression; "" if undecided
    attribution: bool
    share_alike: bool
    evidence: tuple[LicenceEvidence, ...] = ()
    signals: tuple[Signal, ...] = ()
    conflicts: tuple[str, ...] = ()
    reason: str = ""  # a key of REASONS; "" if the table alone decided


def decide(evidence: Sequence[LicenceEvidence], signals: Sequence[Signal] = ()) -> Rights:
    """Return the rights of a document with this `evidence` and these `signals`.

    >>> def said(licence, kind="field", scope="item"):
    ...     return LicenceEvidence(licence, kind, scope, "", "", "")
    >>> decide([said("LicenseRef-KOGL-1"), said("none", "refusal-copying", "site")]).use
    'redistribute'
    >>> decide([said("LicenseRef-KOGL-1", "image")]).reason
    'needs-review'
    >>> decide([said("LicenseRef-KOGL-1"), said("LicenseRef-KOGL-4")]).reason
    'conflict'
    >>> decide([]).reason
    'no-licence'
    """
    scope, found, conflicts, reason = _decide_licence(evidence)
    loud = [s for s in signals if s.effect == "opt-out"]
    quiet = [s for s in signals if s.effect == "inferred-opt-out"]
    granted = found is not None and found.use != "exclude" and not reason
    if found is not None and granted and not any(e.kind == REVIEW for e in evidence):
        contradicted = _contradictions(found, evidence)
        if contradicted or any(s.effect == "review" for s in signals):
            conflicts, reason = (*conflicts, *contradicted), "needs-review"
    if loud:
        reason = "opt-out"
    elif quiet and reason in ("", "needs-review") and not (scope == "item" and (granted or reason)):
        reason = "inferred-opt-out"
    if found is not None and granted:
        conflicts += tuple(sorted({f"{signal.name} against {found.expression}" for signal in loud}))
    if found is not None and not reason and found.use == "exclude":
        reason = "needs-review" if found.family == "review" else "restricted-licence"
    return Rights(
        use="exclude" if reason or found is None else found.use,
        licence=found.expression if found else "",
        attribution=found.attribution if found else False,
        share_alike=found.share_alike if found else False,
        evidence=tuple(evidence),
        signals=tuple(signals),
        conflicts=conflicts,
        reason=reason,
    )


def explain(rights: Rights) -> str:
    """Explain a decision in a sentence: the rule, and the marks or signals because of which it applied.

    >>> image = LicenceEvidence("LicenseRef-KOGL-1", "image", "item", "", "/html/body/img", "")
    >>> explain(decide([image]))
    'a person must look before the text may be used: no proof, only LicenseRef-KOGL-1 by image'
    >>> explain(decide([LicenceEvidence("none", "refusal-copying", "item", "", "", "")]))
    'the words nearest to the text forbid its use: refusal-copying'
    """
    said = REASONS.get(rights.reason) or f"{rights.licence} permits {rights.use}"
    signals = sorted({s.name for s in rights.signals if s.effect in ("opt-out", "inferred-opt-out", "review")})
    if rights.conflicts or signals:
        return f"{said}: {', '.join(rights.conflicts or signals)}"
    kinds: dict[str, list[str]] = {}
    for one in rights.evidence:
        kinds.setdefault(one.licence, []).append(one.kind)
    found = {licence: ", ".join(dict.fromkeys(by)) for licence, by in kinds.items()}
    marks = ", ".join(by if licence == NONE else f"{licence} by {by}" for licence, by in found.items())
    is_proved = any(is_proof(one.kind) for one in rights.evidence)
    if rights.reason == "needs-review" and marks and not is_proved:
        return f"{said}: no proof, only {marks}"
    return f"{said}: {marks}" if rights.reason and marks else said


def _decide_licence(evidence: Sequence[LicenceEvidence]) -> tuple[str, Terms | None, tuple[str, ...], str]:
    """Return (deciding scope, its terms, contradictions, reason to exclude), before signals are considered."""
    reviewed = any(e.kind == REVIEW for e in evidence)  # a person who has read the proofs decides in their place
    proofs = [e for e in evidence if (e.kind == REVIEW if reviewed else is_proof(e.kind))]
    decisive = [*proofs, *(e for e in evidence if e.licence.strip() == NONE)]
    # Without a proof, a candidate on the item is nearer than a refusal of the site, and a person decides.
    scope = next((s for s in SCOPES if any(e.scope == s for e in (decisive if proofs else evidence))), "")
    if not any(e.scope == scope for e in decisive):
        return _judge_candidates(evidence)
    said = {e.licence.strip() for e in decisive if e.scope == scope}
    read = {name: terms(name) for name in said - {NONE}}
    if NONE in said:
        against = tuple(f"{scope}: {NONE} against {name}" for name in sorted(read))
        return scope, None, against, "refused"
    if any(found is None for found in read.values()):
        unread = {UNKNOWN if found is None else found.expression for found in read.values()}
        return scope, None, _describe_conflict(scope, unread), "unknown-licence"
    chosen = _merge_types({found.expression: found for found in read.values() if found})
    if len(chosen) > 1:
        return scope, None, _describe_conflict(scope, set(chosen)), "conflict"
    (found,) = chosen.values()
    if found.expression == _OPEN_DATA:  # a refusal or a licence of any scope may forbid what this statement allows
        for name in sorted({e.licence.strip() for e in evidence}):
            other = terms(name)
            if other is None or other.use != "redistribute":
                return scope, None, (f"{_OPEN_DATA} against {name}",), "conflict"
    return scope, found, (), ""


def _judge_candidates(evidence: Sequence[LicenceEvidence]) -> tuple[str, Terms | None, tuple[str, ...], str]:
    """Return the result for a document without proof: a closed licence excludes, anything else a person must read.

    Candidates of the nearest scope count; several licences there are left to the person, too.
    """
    scope = next((s for s in SCOPES if any(e.scope == s for e in evidence)), "")
    names = {e.licence.strip() for e in evidence if e.scope == scope}
    read = [terms(name) for name in sorted(names)]
    closed = bool(read) and all(found and found.use == "exclude" and found.family != "review" for found in read)
    one = read[0] if len(read) == 1 else None
    return scope, one, (), "restricted-licence" if closed else "needs-review" if read else "no-licence"


def _contradictions(found: Terms, evidence: Sequence[LicenceEvidence]) -> tuple[str, ...]:
    """Return the other licences that candidates name on the item.

    Unreadable sentences do not contradict; unreadable values of fields and addresses of licences do. Words that do
    not speak of the text itself never contradict.
    """
    parts = {found.expression, *found.expression.split(" AND ")}
    near = (e for e in evidence if e.scope == "item" and e.kind not in _WEAK and not e.kind.startswith(WEB))
    others = {e.licence.strip() for e in near if not is_proof(e.kind)}
    named = {other.expression for name in others if (other := terms(name))} - parts - {_AI}
    same = {name for name in named if found.expression == f"{name}-AI"}
    unread = any(e.licence == UNKNOWN and e.kind in _READABLE and e.scope == "item" for e in evidence)
    others = (named - same) | ({UNKNOWN} if unread else set())
    return _describe_conflict("item", {found.expression, *others}) if others else ()


def _describe_conflict(scope: str, names: set[str]) -> tuple[str, ...]:
    return (f"{scope}: {' against '.join(sorted(names))}",) if len(names) > 1 else ()


def _merge_types(found: dict[str, Terms]) -> dict[str, Terms]:
    """Return the licences found in one scope, with the AI type merged into the type beside it."""
    types = {match[1] for name in found if (match := _TYPE.fullmatch(name))}
    ai = any(name.startswith("LicenseRef-KOGL-") and name.endswith("AI") for name in found)
    if ai and len(types) == 1:
        both = f"LicenseRef-KOGL-{types.pop()}-AI"
        rest = {name: t for name, t in found.items() if not _TYPE.fullmatch(name) and name != _AI}
        found = {**rest, both: _terms_of(LICENCES[both])}
    # Data "without restriction" takes the mark of its record if that mark requires at most attribution.
    if _OPEN_DATA in found and found.keys() - {_OPEN_DATA} in ({"LicenseRef-KOGL-1"}, {"LicenseRef-KOGL-0"}):
        found = {name: t for name, t in found.items() if name != _OPEN_DATA}
    return found


def terms(expression: str) -> Terms | None:
    """Return the terms of an id or SPDX expression, or None if any part of it is unknown.

    `A OR B` takes the freer one: by use, then without share-alike, then without attribution,
    then by name. `A AND B` takes the most restrictive of each condition.

    >>> terms("GFDL-1.3-or-later OR CC-BY-SA-4.0").expression
    'CC-BY-SA-4.0'
    >>> terms("MIT AND CC-BY-NC-4.0").use
    'exclude'
    >>> terms("MIT WITH something") is None
    True
    """
    words = re.findall(r"[()]|[^\s()]+", expression)
    if len(words) > MAX_WORDS:
        return None
    found, rest = _parse_or(words)
    return found if found and not rest else None


_Parsed = tuple[Terms | None, list[str]]


def _parse_or(words: list[str]) -> _Parsed:
    left, rest = _parse_and(words)
    while rest[:1] == ["OR"]:
        right, rest = _parse_and(rest[1:])
        if left is None or right is None:
            return None, rest
        left = min(left, right, key=lambda t: (_USES.index(t.use), t.share_alike, t.attribution, t.expression))
    return left, rest


def _parse_and(words: list[str]) -> _Parsed:
    left, rest = _parse_operand(words)
    while rest[:1] == ["AND"]:
        right, rest = _parse_operand(rest[1:])
        if left is None or right is None:
            return None, rest
        parts = sorted({*left.expression.split(" AND "), *right.expression.split(" AND ")})
        left = Terms(
            expression=" AND ".join(parts),
            use=max(left.use, right.use, key=_USES.index),
            attribution=left.attribution or right.attribution,
            share_alike=left.share_alike or right.share_alike,
            family=max(left.family, right.family, key=_FAMILIES.index),
        )
    return left, rest


def _parse_operand(words: list[str]) -> _Parsed:
    if words[:1] == ["("]:
        found, rest = _parse_or(words[1:])
        return (found, rest[1:]) if rest[:1] == [")"] else (None, rest)
    id_ = find_licence_id(words[0]) if words else None
    return (_terms_of(LICENCES[id_]) if id_ else None), words[1:]


def _terms_of(row: Licence) -> Terms:
    return Terms(row.id, row.use, row.attribution, row.share_alike, row.family)


def family(licence: str) -> str:
    """Return the family of a licence, which decides its release configuration; "unknown" if the licence is unknown.

    `open`, `share-alike`, `copyleft`, `ai-training`; the others are never released:
    `review`, `non-commercial`, `no-derivatives`.

    >>> family("CC-BY-SA-4.0"), family("LicenseRef-KOGL-1"), family("LicenseRef-KOGL-4-AI"), family("")
    ('share-alike', 'open', 'ai-training', 'unknown')
    """
    found = terms(licence)
    return found.family if found else UNKNOWN
