"""Decide what may be done with one document, from the licence evidence and the signals found for it.

Pure; standard library only. The order of the rules: an explicit opt-out ends everything; the
nearest scope with evidence speaks (item, then site, then source); a refusal, an unknown licence or
two different licences in that scope exclude; then the table decides. Nothing found is excluded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from malmoi.document import LicenceEvidence, Scope, Signal, Use
from malmoi.licensing.licence_words import licence_from_text
from malmoi.licensing.licences import LICENCES, Licence, find_licence_id, licence_from_url, table_digest

__all__ = [
    "LICENCES",
    "REASONS",
    "RULES_VERSION",
    "Licence",
    "Rights",
    "Terms",
    "decide",
    "family",
    "licence_from_text",
    "licence_from_url",
    "table_digest",
    "terms",
]

RULES_VERSION = 1  # raise it when `decide` or `terms` decide otherwise; it is part of the keys of stages
NONE = "none"  # evidence of an explicit refusal
UNKNOWN = "unknown"  # evidence of a licence that could not be read; never an id of the table
SCOPES: tuple[Scope, ...] = ("item", "site", "source")  # nearest first
REASONS = {
    "no-licence": "nothing was found that allows any use",
    "refused": "the words nearest to the text forbid its use",
    "conflict": "different licences, or a licence and a refusal, stand in one place",
    "unknown-licence": "a licence is named that the table does not have",
    "restricted-licence": "the licence allows neither publication nor training",
    "needs-review": "a person has to look before the text may be used",
    "opt-out": "its use is reserved by an explicit statement, whatever licence stands beside it",
    "inferred-opt-out": "training crawlers are turned away, and no open licence stands on the item itself",
}
MAX_WORDS = 60  # ids, operators and brackets of one expression; longer ones are unknown
_USES: tuple[Use, ...] = ("redistribute", "train-only", "exclude")  # from free to closed
_FAMILIES = ("open", "share-alike", "copyleft", "ai-training", "review", "non-commercial", "no-derivatives")
_AI = "LicenseRef-KOGL-AI"
_OPEN_DATA = "LicenseRef-KR-OpenData-Unrestricted"
_TYPE = re.compile(r"LicenseRef-KOGL-([1-4])(?:-AI)?")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence or an expression of licences comes to."""

    expression: str
    use: Use
    attribution: bool
    share_alike: bool
    family: str


@dataclass(frozen=True, slots=True)
class Rights:
    """The decision for one document, with all that it was made from."""

    use: Use
    licence: str  # id or expression; "" where none could be decided
    attribution: bool
    share_alike: bool
    evidence: tuple[LicenceEvidence, ...] = ()
    signals: tuple[Signal, ...] = ()
    conflicts: tuple[str, ...] = ()
    reason: str = ""  # a key of REASONS; "" where the table alone decided


def decide(evidence: Sequence[LicenceEvidence], signals: Sequence[Signal] = ()) -> Rights:
    """The rights of a document with this `evidence` and these `signals`.

    >>> def said(licence, scope="item"):
    ...     return LicenceEvidence(licence, "kogl-link", scope, "", "", "")
    >>> decide([said("LicenseRef-KOGL-1"), said("none", "site")]).use
    'redistribute'
    >>> decide([said("LicenseRef-KOGL-4"), said("LicenseRef-KOGL-AI")]).use
    'train-only'
    >>> decide([said("LicenseRef-KOGL-1"), said("LicenseRef-KOGL-4")]).reason
    'conflict'
    >>> decide([]).reason
    'no-licence'
    """
    scope, found, conflicts, reason = _decide_licence(evidence)
    loud = [s for s in signals if s.effect == "opt-out"]
    quiet = [s for s in signals if s.effect == "inferred-opt-out"]
    granted = found is not None and found.use != "exclude" and not reason
    if loud:
        reason = "opt-out"
    elif quiet and not reason and not (granted and scope == "item"):
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


def _decide_licence(evidence: Sequence[LicenceEvidence]) -> tuple[str, Terms | None, tuple[str, ...], str]:
    """(scope that speaks, its terms, contradictions, reason to exclude) before signals are asked."""
    scope = next((s for s in SCOPES if any(e.scope == s for e in evidence)), "")
    if not scope:
        return "", None, (), "no-licence"
    said = {e.licence.strip() for e in evidence if e.scope == scope}
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
    if found.expression == _OPEN_DATA and (other := _find_stricter(evidence)):
        return scope, None, (f"{_OPEN_DATA} against {other}",), "conflict"
    return scope, found, (), ""


def _describe_conflict(scope: str, names: set[str]) -> tuple[str, ...]:
    return (f"{scope}: {' against '.join(sorted(names))}",) if len(names) > 1 else ()


def _merge_types(found: dict[str, Terms]) -> dict[str, Terms]:
    """What stands in one place, with the AI type added to the type beside it."""
    types = {match[1] for name in found if (match := _TYPE.fullmatch(name))}
    ai = any(name.startswith("LicenseRef-KOGL-") and name.endswith("AI") for name in found)
    if ai and len(types) == 1:
        both = f"LicenseRef-KOGL-{types.pop()}-AI"
        rest = {name: t for name, t in found.items() if not _TYPE.fullmatch(name) and name != _AI}
        found = {**rest, both: _terms_of(LICENCES[both])}
    # Data "without restriction" carries the mark of its record where that asks for no more than a source.
    if _OPEN_DATA in found and found.keys() - {_OPEN_DATA} in ({"LicenseRef-KOGL-1"}, {"LicenseRef-KOGL-0"}):
        found = {name: t for name, t in found.items() if name != _OPEN_DATA}
    return found


def _find_stricter(evidence: Sequence[LicenceEvidence]) -> str:
    """A refusal or a licence of any scope that forbids what the open-data statement allows, or ""."""
    for name in sorted({e.licence.strip() for e in evidence}):
        found = terms(name)
        if found is None or found.use != "redistribute":
            return name
    return ""


def terms(expression: str) -> Terms | None:
    """What an id or an SPDX expression of ids comes to, or None where any part of it is unknown.

    Of `A OR B` the freer is chosen: by use, then without share-alike, then without attribution,
    then by name. `A AND B` asks for the most restrictive of each.

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
        left = min(left, right, key=_freedom)
    return left, rest


def _parse_and(words: list[str]) -> _Parsed:
    left, rest = _parse_operand(words)
    while rest[:1] == ["AND"]:
        right, rest = _parse_operand(rest[1:])
        if left is None or right is None:
            return None, rest
        left = _combine_terms(left, right)
    return left, rest


def _parse_operand(words: list[str]) -> _Parsed:
    if words[:1] == ["("]:
        found, rest = _parse_or(words[1:])
        return (found, rest[1:]) if rest[:1] == [")"] else (None, rest)
    id_ = find_licence_id(words[0]) if words else None
    return (_terms_of(LICENCES[id_]) if id_ else None), words[1:]


def _terms_of(row: Licence) -> Terms:
    return Terms(row.id, row.use, row.attribution, row.share_alike, row.family)


def _combine_terms(a: Terms, b: Terms) -> Terms:
    parts = sorted({*a.expression.split(" AND "), *b.expression.split(" AND ")})
    return Terms(
        expression=" AND ".join(parts),
        use=max(a.use, b.use, key=_USES.index),
        attribution=a.attribution or b.attribution,
        share_alike=a.share_alike or b.share_alike,
        family=max(a.family, b.family, key=_FAMILIES.index),
    )


def _freedom(t: Terms) -> tuple[int, bool, bool, str]:
    return _USES.index(t.use), t.share_alike, t.attribution, t.expression


def family(licence: str) -> str:
    """The family of a licence: what may stand in one configuration of a release; "unknown" where it is not known.

    `open`, `share-alike`, `copyleft`, `ai-training`; the rest is never released:
    `review`, `non-commercial`, `no-derivatives`.

    >>> family("CC-BY-SA-4.0"), family("LicenseRef-KOGL-1"), family("LicenseRef-KOGL-4-AI"), family("")
    ('share-alike', 'open', 'ai-training', 'unknown')
    """
    found = terms(licence)
    return found.family if found else UNKNOWN
