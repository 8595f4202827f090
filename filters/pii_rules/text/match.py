"""What a rule has found, and which of two findings on the same stretch stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from malmoi.document import Span

# The more specific kind first: it wins where two rules are equally sure of one stretch.
PRECEDENCE = (
    "rrn",
    "frn",
    "key",
    "url_secret",
    "email",
    "mac",
    "ip",
    "card",
    "driver_license",
    "passport",
    "health_insurance",
    "brn",
    "crn",
    "phone",
    "messenger",
    "account",
    "vehicle",
    "birth_date",
    "postcode",
    "address",
    "name",
)

_RANK = {kind: rank for rank, kind in enumerate(PRECEDENCE)}


@dataclass(frozen=True, slots=True)
class Match:
    """One identifier; `end` is exclusive, `confidence` lies in 0..1, `why` holds no text of the document."""

    start: int
    end: int
    kind: str
    confidence: float
    why: str


def spans(found: Iterable[Match], text: str) -> tuple[Span, ...]:
    """Findings as marks of the document that `text` is of, in the order given."""
    return tuple(Span(f.start, f.end, "pii:" + f.kind, text[f.start : f.end], f.confidence, f.why) for f in found)


def resolve_overlaps(found: Iterable[Match]) -> list[Match]:
    """Findings in text order without overlap: the surer wins, then the more specific, the longer, the earlier.

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
    """Of findings that hang together those that stand, in text order."""
    order = sorted(found, key=lambda f: (-f.confidence, _RANK[f.kind], f.start - f.end, f.start))
    taken: list[Match] = []
    by_block: dict[int, list[Match]] = {}  # so that many findings need no comparison of each with each
    for item in order:
        blocks = range(item.start // _BLOCK, (item.end - 1) // _BLOCK + 1)
        if any(item.start < t.end and t.start < item.end for b in blocks for t in by_block.get(b, ())):
            continue
        taken.append(item)
        for b in blocks:
            by_block.setdefault(b, []).append(item)
    return sorted(taken, key=_BY_START)


_BLOCK = 64  # code points; an identifier touches one or two blocks
