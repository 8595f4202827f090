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
from filters.pii_rules.labels import Label, label_before, person_before
from filters.pii_rules.numbers import DIGIT, SEPARATOR, Window, folded, matches

SHAPES: Final = ((6, 7), (13,))
_MASK: Final = "[*＊●○■□◯Xx•※✕×#]"
_MASKS: Final = "*＊●○■□◯Xx•※✕×#"
MASKED: Final = f"{DIGIT}{{6}}{SEPARATOR}{{0,3}}{DIGIT}{{0,5}}{_MASK}{{1,7}}"
_MASKED: Final = re2.compile(MASKED)
# 901231-1 alone still tells birthday and sex; the two halves may stand behind words of their own.
PARTIAL: Final = f"{DIGIT}{{6}} ?[-–—‐‑−－] ?[1-8１-８]"
_PARTIAL: Final = re2.compile(PARTIAL)
APART: Final = (
    f"앞 ?(?:자리|번호)[^0-9０-９]{{0,9}}{DIGIT}{{6}}[^0-9０-９]{{1,16}}"
    f"(?:뒷|뒤) ?(?:자리|번호)[^0-9０-９]{{0,9}}{DIGIT}{{7}}"
)
# Behind the label any mark parts the halves; elsewhere these marks part two values.
ODD: Final = f"{DIGIT}{{6}} ?[~:,|] ?{DIGIT}{{7}}"
_ODD: Final = re2.compile(ODD)
_APART: Final = re2.compile(APART)
_OTHERS: Final = ("other", "account", "bank", "card", "corporation")
_SORTS: Final = frozenset("11 12 13 14 15 21 22 31 32 33 34 35 36 37 38 39 41 42 43 44 51 52 53 54 61 71 81".split())
_OTHER_REACH = 16  # code points in which the label of a corporation wins over the shape


def resident(window: Window) -> Found | None:
    """A resident or foreigner number in `window`, unless a label says corporation.

    With a label even an impossible date is found: a typing error hides nobody. With a hyphen and
    a possible date no label is needed. The check digit raises the confidence and gates only
    the bare forms.
    """
    digits, label = window.digits, window.numbered_label
    joined = len(window.groups) == 1
    if window.continues("-." if joined else "-"):
        return None
    if not joined and window.separators[0] not in "-. /_":
        return None
    hyphen = not joined and window.separators[0] == "-"
    if label.kind == "crn" and label.distance <= _OTHER_REACH:
        return None
    dated = is_birth_date(digits)
    corporate = not dated or digits[6] in "90" or corporation_sum_holds(digits)
    if label.kind == "corporation" and label.distance <= _OTHER_REACH and corporate:
        return None
    summed = resident_sum_holds(digits) or foreigner_sum_holds(digits)
    facts = ("possible" if dated else "impossible") + " date" + ("; check digit holds" if summed else "")
    found = _judged(window, label, hyphen, dated, summed)
    if found is None:
        return None
    confidence, reason = found
    return Found(window.start, window.end, _kind(label.kind, digits[6]), confidence, f"{reason}; {facts}")


def _judged(window: Window, label: Label, hyphen: bool, dated: bool, summed: bool) -> tuple[float, str] | None:
    if label.kind in ("rrn", "frn"):
        return (0.99 if dated else 0.9), f"label {label.word} before"
    person = person_before(window.text, window.start)
    if not dated:
        near = (
            hyphen and person.distance <= _OTHER_REACH and label.kind not in _OTHERS and window.digits[6] in "12345678"
        )
        if not near and person.kind == "birth" and person.distance <= _OTHER_REACH and len(window.groups) == 2:
            near = window.digits[6] in "12345678" and label.kind not in _OTHERS
        return (0.75, f"two groups; label {person.word} before") if near else None
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
    if window.digits[6] in "90" or not window.stands_alone:
        return None
    if window.separators == (" ",):
        return 0.75, "two groups; six and seven digits"
    if window.separators in ((), (".",)) and _is_behind_a_name(window):
        return 0.75, "in brackets behind a word"
    return None


def _is_behind_a_name(window: Window) -> bool:
    """아무개(6804171000000) and nothing else in the brackets."""
    left, right = window.text[max(0, window.start - 2) : window.start], window.char_after
    return left[-1:] in tuple("(（") and "가" <= left[:1] <= "힣" and right in tuple(")）")


def corporation(window: Window) -> Found | None:
    """A corporation's number (crn, 법인등록번호): behind its label, or with the sign of its kind and its sum.

    Since 2025 numbers are issued without a check digit.
    """
    digits, label = window.digits, window.label
    joined = len(window.groups) == 1
    if window.continues("-." if joined else "-") or (not joined and window.separators[0] not in "- "):
        return None
    summed = corporation_sum_holds(digits)
    facts = "check digit holds" if summed else "check digit fails"
    if label.kind == "crn" and label.distance <= _OTHER_REACH:
        return Found(window.start, window.end, "crn", 0.98, f"label {label.word} before; {facts}")
    plain = joined or window.separators[0] != "-" or label.kind in ("rrn", "frn")
    if plain:
        return None
    if label.kind == "corporation" and label.distance <= _OTHER_REACH and (summed or digits[6] in "90"):
        return Found(window.start, window.end, "crn", 0.93, f"label {label.word} before; {facts}")
    if not summed or (digits[6] in "12345678" and is_birth_date(digits)):
        return None
    # Four digits of the registry (1101 Seoul …), two of the sort of corporation (11 stock company …).
    if "1101" <= digits[:4] <= "2854" and digits[4:6] in _SORTS and label.kind not in _OTHERS[:4]:
        return Found(window.start, window.end, "crn", 0.85, f"canonical form; {facts}")
    return None


def _kind(label: str, sex: str) -> str:
    if sex in "90":
        return "frn" if label == "frn" else "rrn"
    return "frn" if sex in "5678" else "rrn"


def partial(text: str, data: bytes) -> Iterator[Found]:
    """The first seven digits behind their label, and the halves of a number that words part: 앞자리 …, 뒷자리 …."""
    for start, end in matches(_PARTIAL, text, data):
        around = text[start - 1 : start] + text[end : end + 1]
        if any(c.isdigit() or c in _MASKS + "-" or (c.isascii() and c.isalpha()) for c in around):
            continue
        label = label_before(text, start)
        digits = "".join(c for c in folded(text[start:end]) if c.isdigit())
        if label.kind in ("rrn", "frn", "birth") and label.distance <= _OTHER_REACH and is_birth_date(digits):
            yield Found(start, end, _kind(label.kind, digits[6]), 0.9, f"label {label.word} before; seven digits")
    for start, end in matches(_ODD, text, data):
        label = label_before(text, start)
        alone = not text[start - 1 : start].isdigit() and not text[end : end + 1].isdigit()
        if alone and label.kind in ("rrn", "frn") and label.distance <= _OTHER_REACH:
            yield Found(start, end, _kind(label.kind, folded(text[end - 7])), 0.9, f"label {label.word} before")
    for start, end in matches(_APART, text, data):
        halves = _digit_groups(text, start, end)
        sex = folded(text[halves[-1][0]])
        for first, last in halves:
            if last - first in (6, 7) and not text[last : last + 1].isdigit():
                yield Found(first, last, _kind("", sex), 0.93, "words 앞자리 and 뒷자리 before the halves")


def _digit_groups(text: str, start: int, end: int) -> list[tuple[int, int]]:
    groups: list[tuple[int, int]] = []
    for i in range(start, end):
        if text[i].isdigit():
            if groups and groups[-1][1] == i:
                groups[-1] = (groups[-1][0], i + 1)
            else:
                groups.append((i, i + 1))
    return groups


def masked(text: str, data: bytes) -> Iterator[Found]:
    """Partly masked numbers, such as 920715-2******: birthday and sex still stand there."""
    for start, end in matches(_MASKED, text, data):
        raw = text[start:end]
        digits = "".join(c for c in folded(raw) if c.isdigit())
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
        if not labelled and (
            not dated or len(digits) - 6 + masks != 7 or (label.kind in ("crn", "other") and label.distance <= 8)
        ):
            continue
        reason = f"label {label.word} before" if labelled else "canonical form"
        facts = "possible date" if dated else "impossible date"
        yield Found(start, end, _kind(label.kind, sex or "1"), 0.95 if labelled else 0.85, f"{reason}; masked; {facts}")
