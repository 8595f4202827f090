"""Resident numbers (rrn, 주민등록번호) and foreigner numbers (frn, 외국인등록번호): YYMMDD-GNNNNNN.

The seventh digit G is sex and century: 1–4 residents, 5–8 foreigners, 9 and 0 born before 1900.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.checksums import (
    corporation_sum_holds,
    foreigner_sum_holds,
    is_birth_date,
    resident_sum_holds,
)
from filters.pii_rules.finding import Found
from filters.pii_rules.labels import label_before, person_before
from filters.pii_rules.numbers import DIGIT, SEPARATOR, Window, folded, matches

SHAPES: Final = ((6, 7), (13,))
_MASK: Final = "[*＊●○■□◯Xx•※✕×#]"
_MASKS: Final = "*＊●○■□◯Xx•※✕×#"
MASKED: Final = f"{DIGIT}{{6}}{SEPARATOR}{{0,3}}{DIGIT}{{0,5}}{_MASK}{{1,7}}"
_MASKED: Final = re2.compile(MASKED)
_OTHERS: Final = ("other", "account", "bank", "card", "corporation")
_OTHER_REACH = 16  # code points in which the label of a corporation wins over the shape


def resident(window: Window) -> Found | None:
    """A resident or foreigner number in `window`, unless a label says corporation.

    With a label even an impossible date is found: a typing error hides nobody. With a hyphen and
    a possible date no label is needed. The check digit raises the confidence and gates only
    the bare forms.
    """
    digits, label = window.digits, window.label
    joined = len(window.groups) == 1
    if window.continues("-." if joined else "-"):
        return None
    if not joined and window.separators[0] not in "-. ":
        return None
    hyphen = not joined and window.separators[0] == "-"
    if label.kind == "crn" and label.distance <= _OTHER_REACH:
        return None
    dated = is_birth_date(digits)
    if label.kind == "corporation" and label.distance <= _OTHER_REACH and (not dated or corporation_sum_holds(digits)):
        return None
    summed = resident_sum_holds(digits) or foreigner_sum_holds(digits)
    facts = ("possible" if dated else "impossible") + " date" + ("; check digit holds" if summed else "")
    found = _judged(window, hyphen, dated, summed)
    if found is None:
        return None
    confidence, reason = found
    return Found(window.start, window.end, _kind(label.kind, digits[6]), confidence, f"{reason}; {facts}")


def _judged(window: Window, hyphen: bool, dated: bool, summed: bool) -> tuple[float, str] | None:
    label = window.label
    if label.kind in ("rrn", "frn"):
        return (0.99 if dated else 0.9), f"label {label.word} before"
    person = person_before(window.text, window.start)
    if not dated:
        near = (
            hyphen and person.distance <= _OTHER_REACH and label.kind not in _OTHERS and window.digits[6] in "12345678"
        )
        return (0.75, f"hyphenated form; label {person.word} before") if near else None
    if hyphen:
        # Whoever was born before 1900 is dead; what looks so is rather a corporation's number.
        if window.digits[6] in "90" and corporation_sum_holds(window.digits):
            return None
        if window.char_before.isascii() and window.char_before.isalpha() and not summed:
            return None  # AB920715-…: the number of a part, unless the check digit speaks against it
        return (0.97 if summed else 0.9), "canonical hyphenated form"
    if label.kind in _OTHERS:
        return None
    if person.distance <= _OTHER_REACH and (summed or person.kind == "birth"):
        return (0.9 if summed else 0.75), f"label {person.word} before"
    if len(window.groups) == 2 and summed and window.stands_alone and window.digits[6] in "12345678":
        return 0.75, "two groups, six and seven digits"
    return None


def _kind(label: str, sex: str) -> str:
    if sex in "90":
        return "frn" if label == "frn" else "rrn"
    return "frn" if sex in "5678" else "rrn"


def masked(text: str, data: bytes) -> Iterator[Found]:
    """Partly masked numbers, such as 920715-2******: birthday and sex still stand there."""
    for start, end in matches(_MASKED, text, data):
        raw = folded(text[start:end])
        digits = "".join(c for c in raw if c.isdigit())
        masks = sum(c in _MASKS for c in raw)
        if not 4 <= masks <= 7 or not 5 <= len(digits) - 6 + masks <= 8:
            continue
        before = text[start - 1 : start]
        if before.isdigit() or (before.isascii() and before.isalnum()) or text[end : end + 1].isdigit():
            continue
        label = label_before(text, start)
        sex = digits[6:7]
        dated = is_birth_date(digits[:7]) if sex else is_birth_date(digits[:6] + "1") or is_birth_date(digits[:6] + "3")
        labelled = label.kind in ("rrn", "frn", "birth")
        if not labelled and (not dated or len(digits) - 6 + masks != 7 or label.kind in ("crn", "other")):
            continue
        reason = f"label {label.word} before" if labelled else "canonical form"
        facts = "possible date" if dated else "impossible date"
        yield Found(start, end, _kind(label.kind, sex or "1"), 0.95 if labelled else 0.85, f"{reason}; masked; {facts}")
