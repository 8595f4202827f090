"""Cards, licences and business numbers split over table cells, masked or misread; card codes and expiry dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import DIGIT, fold_characters, matches
from filters.pii_rules.text.labels import label_of
from filters.pii_rules.text.match import Match

_BAR: Final = " {0,2}[|│\\t] {0,2}"
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
_ACCOUNT: Final = f"{DIGIT}{{3,6}}{_BAR}{DIGIT}{{2,6}}{_BAR}{DIGIT}{{3,6}}(?:{_BAR}{DIGIT}{{1,3}})?"
CELLS: Final = f"{_CARD}|{_LICENSE}|{_COMPANY}"
_CELLS: Final = re2.compile(CELLS)
_ACCOUNTS: Final = re2.compile(f"계좌(?: ?번호)?(?: ?[(（][^)）0-9\\n]{{1,8}}[)）])? {{0,2}}[|│\\t] {{0,2}}{_ACCOUNT}")
_SHAPES: Final = {16: "card", 15: "card", 12: "license", 10: "brn"}
_MASKS: Final = "*＊●○■□xX#"
_M: Final = f"[0-9{_MASKS}]"
MASKED: Final = (
    f"[0-9]{{2}}-[0-9]{{2}}-{_M}{{6}}-{_M}{{2}}|{_M}{{2}}-{_M}{{2}}-[0-9]{{6}}-[0-9]{{2}}|"
    f"[0-9]{{4}}[- ]?{_M}{{4}}[- ]?{_M}{{4}}[- ]?{_M}{{4}}"
)
_MASKED: Final = re2.compile(MASKED)
_MOST_MASKS = 8  # of the sixteen digits of a card; a licence can have six of twelve masked
BESIDE: Final = (
    "(?:CVC|CVV|cvc|cvv)2?[^0-9\\n]{0,8}[0-9]{3}|(?:유효 ?기간|만료일?|(?i:expiry|expires?|valid thru))[^0-9\\n]{0,6}"
    "(?:0[1-9]|1[0-2]) ?/ ?[0-9]{2}"
)
_BESIDE: Final = re2.compile(BESIDE)
_VALUE: Final = re2.compile("[0-9]{3}$|[0-9]{2} ?/ ?[0-9]{2}$")
_A_CARD: Final = re2.compile("[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{3,4}")
_NEAR = 4  # code points after a label in which letters are read as digits
_BESIDE_REACH = 80  # code points after a card in which its security code and expiry date may occur
_MASKED_GATE: Final = "[0-9]{2}[- ]?[*＊●○■□#]{2}|[0-9]{2}-[*＊●○■□xX#]|[*＊●○■□#]{2}-[0-9]{6}-|[0-9]{4}[- ][xX]{4}"
# 11O-123-…, 4579-72OO-…: OCR errors, letters for digits.
_R: Final = "[0-9OolI]"
MISREAD: Final = f"[0-9]{_R}*(?:[- ]{_R}{{2,7}}){{1,4}}"
_MISREAD: Final = re2.compile(MISREAD)
_MISREAD_GATE: Final = "[0-9][OolI]+[- ]?[0-9]|[0-9][- ][OolI]+[0-9]|[0-9][- ][OolI][OolI]|[0-9][- ][0-9]+[OolI]"
_A_MISREAD: Final = re2.compile(_MISREAD_GATE)
_MISREAD_LENGTHS: Final = {"account": range(10, 17), "bank": range(10, 17), "card": (15, 16), "brn": (10,)}
GATES: Final = (
    CELLS,
    _MASKED_GATE,
    "(?:CVC|CVV|cvc|cvv)|유효 ?기간|만료일?|(?i:valid thru|expir)",
    _MISREAD_GATE,
    "계좌[^0-9\\n]*[|│\\t] ?[0-9]+ ?[|│\\t] ?[0-9]",
)
_KINDS: Final = {"license": "driver_license", "bank": "account"}


def find_partial_numbers(text: str, data: bytes) -> Iterator[Match]:
    """Find `card`, `driver_license`, `account` and `brn` matches; linear in the length of `text`."""
    for start, end in matches(_CELLS, text, data):
        value = fold_characters(text[start:end])
        kind = _SHAPES.get(sum(c.isdigit() for c in value), "")
        if not _is_standalone(text, start, end):
            continue
        label = label_of(text, start, numbered=True)
        if label.kind == kind:
            yield Match(start, end, _KINDS.get(kind, kind), 0.9, f"label {label.word} before; over cells")
    for start, end in matches(_ACCOUNTS, text, data):
        first = next(i for i in range(start, end) if text[i].isdigit())
        if sum(c.isdigit() for c in text[first:end]) in range(10, 15) and _is_standalone(text, first, end):
            yield Match(first, end, "account", 0.85, "label before; over cells")
    for start, end in matches(_MASKED, text, data):
        masks = sum(c in _MASKS for c in text[start:end])
        if not 0 < masks <= _MOST_MASKS or not _is_standalone(text, start, end):
            continue
        label = label_of(text, start, numbered=True)
        kind = "license" if text[start + 2] == "-" else "card"
        behind = kind == "card" and text[end : end + 3].lstrip().startswith("카드")
        if label.kind == kind or behind:
            reason = "label behind" if behind else f"label {label.word} before"
            yield Match(start, end, _KINDS.get(kind, kind), 0.85, f"{reason}; {masks} masked")
    for start, end in matches(_MISREAD, text, data, _is_free_of_misreadings):
        size = sum(c in "0123456789OolI" for c in text[start:end])
        label = label_of(text, start, numbered=True)
        lengths = _MISREAD_LENGTHS.get(label.kind, ())
        if size in lengths and label.distance <= _NEAR and _is_standalone(text, start, end):
            reason = f"label {label.word} before; letters for digits"
            yield Match(start, end, _KINDS.get(label.kind, label.kind), 0.85, reason)
    for start, end in matches(_BESIDE, text, data):
        value_at = _VALUE.search(text[start:end])
        if value_at is None or text[end : end + 1].isdigit():
            continue
        if _A_CARD.search(text[max(0, start - _BESIDE_REACH) : start]) is not None:
            yield Match(start + value_at.start(), end, "card", 0.85, "code or last month of a card before it")


def _is_free_of_misreadings(raw: bytes) -> bool:
    """Whether the bytes contain no OCR error: no such letter, or words such as 0 lol."""
    letters = sum(raw.count(c) for c in (b"O", b"o", b"l", b"I"))
    return not 0 < letters <= 4 or _A_MISREAD.search(raw) is None


def _is_standalone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isalnum() or (before in tuple("-_.") and before):
        return False
    return not (after.isdigit() or after in tuple(_MASKS) or (after == "-" and text[end + 1 : end + 2].isdigit()))
