"""Matches of the rules, and resolution of overlapping matches."""

from __future__ import annotations

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
    order = sorted(found, key=lambda f: (-f.confidence, _RANK[f.kind], f.start - f.end, f.start))
    taken: list[Match] = []
    by_block: dict[int, list[Match]] = {}  # index by block, which avoids comparing each match with each
    for item in order:
        blocks = range(item.start // _BLOCK, (item.end - 1) // _BLOCK + 1)
        if any(item.start < t.end and t.start < item.end for b in blocks for t in by_block.get(b, ())):
            continue
        taken.append(item)
        for b in blocks:
            by_block.setdefault(b, []).append(item)
    return sorted(taken, key=_BY_START)


_BLOCK = 64  # code points; an identifier spans one or two blocks
