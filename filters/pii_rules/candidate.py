"""Candidates, which conditions judge; matches, which a rule returns; and which of overlapping matches win."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from filters.pii_rules.digit_runs import Window, fold_characters
from filters.pii_rules.labels import NOT_NUMBERED, Label, label_of
from malmoi.document import Span


class Candidate:
    """text[start:end] is the value; offsets are code points. The rest is computed when a condition asks for it."""

    __slots__ = ("_label", "_number_label", "end", "match_start", "start", "text", "value", "window")

    def __init__(
        self, text: str, start: int, end: int, window: Window | None = None, match_start: int | None = None
    ) -> None:
        self.text, self.start, self.end, self.window = text, start, end, window
        self.value = text[start:end]  # as written
        self._label: Label | None = None
        self._number_label: Label | None = None
        self.match_start = start if match_start is None else match_start  # of the whole match, which may have a label

    @property
    def lead(self) -> str:
        """The part of the match before the value: label and marks."""
        return self.text[self.match_start : self.start]

    @property
    def plain(self) -> str:
        """The value with ASCII digits and one kind of dash, dot and blank; same length."""
        return self.value if self.value.isascii() else fold_characters(self.value)

    @property
    def digits(self) -> str:
        """The decimal digits of the value, as ASCII."""
        if self.window is not None:
            return self.window.digits
        return "".join(c for c in self.plain if c.isdigit())

    @property
    def label(self) -> Label:
        """The heading of the table column of the value, else the nearest label before it."""
        if self._label is None:
            self._label = label_of(self.text, self.start)
        return self._label

    @property
    def number_label(self) -> Label:
        """The same without telephone words and short names of banks, which occur in any sentence."""
        if self._number_label is None:
            numbered = self.label.kind in NOT_NUMBERED
            self._number_label = label_of(self.text, self.start, numbered=True) if numbered else self.label
        return self._number_label

    def read_before(self, reach: int) -> str:
        """Return at most `reach` code points before the value."""
        return self.text[max(0, self.start - reach) : self.start]

    def read_after(self, reach: int) -> str:
        """Return at most `reach` code points after the value."""
        return self.text[self.end : self.end + reach]


def begins_word(candidate: Candidate) -> bool:
    """Whether the label begins a word or a part in capitals: serviceKey and AWS_SECRET_KEY, not mytoken."""
    before = candidate.text[candidate.match_start - 1 : candidate.match_start] if candidate.match_start else ""
    return not (before.isascii() and before.isalnum() and candidate.lead[:1].islower())


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
        if at == first + 1:
            taken.append(waiting[first])
            continue
        chain: list[Match] = []  # the winners among matches that overlap in a chain, in text order
        for item in sorted(waiting[first:at], key=lambda f: (-f.confidence, _RANK[f.kind], f.start - f.end, f.start)):
            place = bisect_left(chain, item.start, key=_BY_START)
            if (not place or chain[place - 1].end <= item.start) and (
                place == len(chain) or item.end <= chain[place].start
            ):
                chain.insert(place, item)
        taken += chain
    return taken


_BY_START: Final = attrgetter("start")
