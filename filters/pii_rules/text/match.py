"""Matches of the rules, and resolution of overlapping matches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from malmoi.document import Span

# Most specific kind first: it wins where two matches of equal confidence overlap.
PRECEDENCE: Final = tuple(
    "rrn frn key url_secret email mac ip card driver_license passport health_insurance brn crn phone messenger account "
    "vehicle birth_date postcode address name".split()
)
_RANK = {kind: rank for rank, kind in enumerate(PRECEDENCE)}


@dataclass(frozen=True, slots=True)
class Match:
    """One identifier; `end` is exclusive, `confidence` is in 0..1, `why` contains no text of the document."""

    start: int
    end: int
    kind: str
    confidence: float
    why: str


def spans(found: Iterable[Match], text: str) -> tuple[Span, ...]:
    """Convert matches to spans of the document with this text, in the given order."""
    return tuple(Span(f.start, f.end, "pii:" + f.kind, text[f.start : f.end], f.confidence, f.why) for f in found)


def resolve_overlaps(found: Iterable[Match]) -> list[Match]:
    """Return matches in text order without overlap. Priority: confidence, specific kind, length, position.

    >>> [f.kind for f in resolve_overlaps([Match(0, 9, "account", 0.8, ""), Match(0, 13, "phone", 0.9, "")])]
    ['phone']
    """
    waiting = sorted(found, key=_BY_START)
    taken: list[Match] = []
    at = 0
    while at < len(waiting):
        first, end = at, waiting[at].end
        at += 1
        while at < len(waiting) and waiting[at].start < end:
            end = max(end, waiting[at].end)
            at += 1
        taken += waiting[first:at] if at == first + 1 else _choose_best(waiting[first:at])
    return taken


_BY_START: Final = attrgetter("start")


def _choose_best(found: list[Match]) -> list[Match]:
    """Choose the winners among matches that overlap in a chain; returns them in text order."""
    taken: list[Match] = []  # in text order
    for item in sorted(found, key=lambda f: (-f.confidence, _RANK[f.kind], f.start - f.end, f.start)):
        at = bisect_left(taken, item.start, key=_BY_START)
        if (not at or taken[at - 1].end <= item.start) and (at == len(taken) or item.end <= taken[at].start):
            taken.insert(at, item)
    return taken
