"""Text around identifiers: which ranges to search for names, and which names are next to an identifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from filters.korean.hangul import is_hangul
from filters.pii_rules.people import name_context as context
from filters.pii_rules.text.match import Match
from malmoi.document import Morphemes

REACH: Final = 40  # code points between a name and the identifier it is linked to
_LABEL: Final = 20  # code points of a label before a name within reach
_LINE: Final = 160  # code points of an identifier's line read on either side
_LINK: Final = 2.0
_TIGHT: Final = 3.0  # only marks between
_OWN: Final = 4.0  # before a number that only a person has
_MAILBOX: Final = 5.0  # 홍길동 <hong@example.kr>
_HOLDER: Final = 3.0  # an account is usually followed by its holder
_MARKS: Final = frozenset(("(", "/", ",", "|", "=", ":", "[", "\t", "·", "-", '","', "','"))
_OF_PERSONS: Final = frozenset(("rrn", "frn", "passport", "driver_license", "health_insurance"))
_MACHINES: Final = frozenset(("ip", "mac"))  # they need a label: a name next to them may be a host
QUARTERS: Final = ("동", "읍", "면", "리", "가")


class Page(NamedTuple):
    """A text with its identifiers in order, and its morphological analysis or None."""

    text: str
    anchors: Sequence[Match]
    starts: list[int]  # of the anchors
    morphemes: Morphemes | None


def stretches(text: str, anchors: Sequence[Match]) -> Iterator[tuple[int, int]]:
    """Yield the lines of the identifiers and 40 code points around them, without overlap, in complete words."""
    start = stop = 0
    for anchor in anchors:
        line = text.rfind("\n", max(0, anchor.start - _LINE), anchor.start) + 1
        first = min(line or max(0, anchor.start - _LINE), max(0, anchor.start - REACH))
        first = max(first, anchor.start - _LINE)
        label = text.rfind("\n", max(0, first - _LABEL), first) + 1  # of a value that begins within reach
        first = label or first
        end = text.find("\n", anchor.end, anchor.end + _LINE)
        last = max(end if end >= 0 else anchor.end + _LINE, anchor.end + REACH)
        if first > stop:
            if stop > start:
                yield _extend_to_words(text, start, stop)
            start = first
        stop = max(stop, last)
    yield _extend_to_words(text, start, min(stop, len(text)))


def _extend_to_words(text: str, start: int, stop: int) -> tuple[int, int]:
    """Drop a partial word at the start of the range, and extend it to the end of its last word."""
    while 0 < start < stop and is_hangul(text[start - 1]) and is_hangul(text[start]):
        start += 1
    limit = min(len(text), stop + 12)
    while 0 < stop < limit and is_hangul(text[stop - 1]) and is_hangul(text[stop]):
        stop += 1
    return start, stop


def score_adjacency(page: Page, start: int, end: int, at: int) -> float:
    """Return the score of an identifier before or after a name, separated by marks and labels only."""
    text, anchors = page.text, page.anchors
    if at and anchors[at - 1].kind == "address" and start - anchors[at - 1].end < 3 and text[end - 1] in QUARTERS:
        return 0.0  # 대학로 291 (구성동)
    if at < len(anchors):
        first = anchors[at].start
        between = text[end:first]
        if len(between) <= context.NEAR and anchors[at].kind not in _MACHINES and context.is_linked(between):
            if anchors[at].kind == "email" and between.strip() in ("<", "[", "[mailto:", "<mailto:"):
                return _MAILBOX
            if anchors[at].kind in _OF_PERSONS:
                return _OWN
            return _TIGHT if between.strip() in _MARKS and between else _LINK
    if at == 0:
        return 0.0
    before = anchors[at - 1]
    far = not 0 < start - before.end <= context.NEAR
    if far or before.kind in _MACHINES or (before.kind == "address" and text[end - 1] in QUARTERS):
        return 0.0
    if not context.is_linked(text[before.end : start]):
        return 0.0
    return _HOLDER if before.kind == "account" else _LINK
