"""Cards, licences and companies' numbers over the cells of a table or partly masked, and what stands beside a card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.finding import Found
from filters.pii_rules.labels import label_of
from filters.pii_rules.numbers import DIGIT, folded, matches

_CELL: Final = " {0,2}[|│\\t\\n] {0,2}"
_TO: Final = f"(?:{_CELL}| ?[-–] ?)"
_CARD: Final = (
    f"{DIGIT}{{4}}{_CELL}{DIGIT}{{4}}{_CELL}{DIGIT}{{4}}{_CELL}{DIGIT}{{4}}|"
    f"{DIGIT}{{4}}{_CELL}{DIGIT}{{6}}{_CELL}{DIGIT}{{5}}"
)
_LICENSE: Final = (
    f"{DIGIT}{{2}}{_TO}{DIGIT}{{2}}{_CELL}{DIGIT}{{6}}{_TO}{DIGIT}{{2}}|"
    f"{DIGIT}{{2}}{_CELL}{DIGIT}{{2}}-{DIGIT}{{6}}-{DIGIT}{{2}}"
)
_COMPANY: Final = f"{DIGIT}{{3}}{_CELL}{DIGIT}{{2}}{_CELL}{DIGIT}{{5}}"
CELLS: Final = f"{_CARD}|{_LICENSE}|{_COMPANY}"
_CELLS: Final = re2.compile(CELLS)
_SHAPES: Final = {16: "card", 15: "card", 12: "license", 10: "brn"}
_MASKS: Final = "*＊●○■□xX#"
_M: Final = f"[0-9{_MASKS}]"
MASKED: Final = (
    f"[0-9]{{2}}-[0-9]{{2}}-{_M}{{6}}-{_M}{{2}}|{_M}{{2}}-{_M}{{2}}-[0-9]{{6}}-[0-9]{{2}}|"
    f"[0-9]{{4}}[- ]?{_M}{{4}}[- ]?{_M}{{4}}[- ]?{_M}{{4}}"
)
_MASKED: Final = re2.compile(MASKED)
_MOST_MASKS = 8  # of the sixteen digits of a card, six of the twelve of a licence
BESIDE: Final = (
    "(?:CVC|CVV|cvc|cvv)2?[^0-9\\n]{0,8}[0-9]{3}|(?:유효 ?기간|만료일?|(?i:exp(?:iry|ires)?|valid thru))[^0-9\\n]{0,6}"
    "(?:0[1-9]|1[0-2]) ?/ ?[0-9]{2}"
)
_BESIDE: Final = re2.compile(BESIDE)
_VALUE: Final = re2.compile("[0-9]{3}$|[0-9]{2} ?/ ?[0-9]{2}$")
_A_CARD: Final = re2.compile("[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{3,4}")
_BESIDE_REACH = 80  # code points behind a card in which its code and its last month stand
_MASKED_GATE: Final = "[0-9]{2}[- ]?[*＊●○■□#]{2}|[*＊●○■□#]{2}-[0-9]{6}-|[0-9]{4}[- ][xX]{4}"
GATES: Final = (CELLS, _MASKED_GATE, BESIDE)
_KINDS: Final = {"license": "driver_license"}


def found(text: str, data: bytes) -> Iterator[Found]:
    """Findings of kind `card`, `driver_license` and `brn`; linear in the length of `text`."""
    for start, end in matches(_CELLS, text, data):
        value = folded(text[start:end])
        kind = _SHAPES.get(sum(c.isdigit() for c in value), "")
        if not _stands_alone(text, start, end):
            continue
        label = label_of(text, start, numbered=True)
        if label.kind == kind:
            yield Found(start, end, _KINDS.get(kind, kind), 0.9, f"label {label.word} before; over cells")
    for start, end in matches(_MASKED, text, data):
        masks = sum(c in _MASKS for c in text[start:end])
        if not 0 < masks <= _MOST_MASKS or not _stands_alone(text, start, end):
            continue
        label = label_of(text, start, numbered=True)
        kind = "license" if text[start + 2] == "-" else "card"
        if label.kind == kind:
            yield Found(start, end, _KINDS.get(kind, kind), 0.85, f"label {label.word} before; {masks} masked")
    for start, end in matches(_BESIDE, text, data):
        value_at = _VALUE.search(text[start:end])
        if value_at is None or text[end : end + 1].isdigit():
            continue
        if _A_CARD.search(text[max(0, start - _BESIDE_REACH) : start]) is not None:
            yield Found(start + value_at.start(), end, "card", 0.85, "code or last month of a card before it")


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isalnum() or (before in tuple("-_.") and before):
        return False
    return not (after.isdigit() or after in tuple(_MASKS) or (after == "-" and text[end + 1 : end + 2].isdigit()))
