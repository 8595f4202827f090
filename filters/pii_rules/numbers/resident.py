"""Resident numbers (rrn, 주민등록번호) and foreigner numbers (frn, 외국인등록번호): YYMMDD-GNNNNNN.

The seventh digit G is sex and century: 1–4 residents, 5–8 foreigners, 9 and 0 born before 1900.
"""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.text.checksums import (
    has_valid_barcode_checksum,
    has_valid_corporation_checksum,
    has_valid_foreigner_checksum,
    has_valid_resident_checksum,
    is_birth_date,
)
from filters.pii_rules.text.digit_runs import Window
from filters.pii_rules.text.labels import Label, person_before
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import name_length

SHAPES: Final = ((6, 7), (13,))
_NAME_CELL: Final = re2.compile("(?:^|[^가-힣])([가-힣]{2,4})[\"']?[ \u00a0]?[,|;/\t(（][ \u00a0]?[\"']?$")
_NAME_BEFORE: Final = re2.compile("(?:^|[^가-힣])([가-힣]{2,4})(?:[\"'], ?[\"'][A-Za-z가-힣_]{1,20}[\"']: ?[\"']?| )$")
_NAME_AFTER: Final = re2.compile("^[\"']?[,|;\\t] ?[\"']?([가-힣]{2,4})(?:[^가-힣]|$)")
_LABEL_BEHIND: Final = re2.compile("^ ?[(（\\[] ?(?:주민|외국인)(?:등록)? ?번호")
_OTHERS: Final = ("other", "account", "bank", "card", "corporation")
_SORTS: Final = frozenset("11 12 13 14 15 21 22 31 32 33 34 35 36 37 38 39 41 42 43 44 51 52 53 54 61 71 81".split())
_ASKED: Final = re2.compile("주민(?:등록)? ?번호")
_ASKED_REACH = 90  # code points before thirteen digits
OTHER_REACH = 16  # code points in which the label of a corporation overrides the format


def match_resident(window: Window) -> Match | None:
    """Match a resident or foreigner number, unless a label marks a corporation number.

    With a label, an impossible date matches too: a typing error does not hide the person. With a hyphen and a possible
    date no label is needed. The check digit raises the confidence; only bare forms may depend on it.
    """
    digits, label = window.digits, window.number_label
    joined = len(window.groups) == 1
    if window.is_continued_by("-." if joined else "-"):
        return None
    if not joined and window.separators[0] not in "-. /_":
        return None
    hyphen = not joined and window.separators[0] == "-"
    if (label.kind == "crn" and label.distance <= OTHER_REACH) or not digits.strip("0"):
        return None
    dated = is_birth_date(digits)
    corporate = not dated or digits[6] in "90" or has_valid_corporation_checksum(digits)
    if label.kind == "corporation" and label.distance <= OTHER_REACH and corporate:
        return None
    summed = has_valid_resident_checksum(digits) or has_valid_foreigner_checksum(digits)
    facts = ("possible" if dated else "impossible") + " date" + ("; check digit holds" if summed else "")
    found = _score_resident(window, label, hyphen, dated, summed)
    if found is None:
        return None
    confidence, reason = found
    return Match(window.start, window.end, kind_of(label.kind, digits[6]), confidence, f"{reason}; {facts}")


def _score_resident(window: Window, label: Label, hyphen: bool, dated: bool, summed: bool) -> tuple[float, str] | None:  # noqa: C901
    if label.kind in ("rrn", "frn"):
        return (0.99 if dated else 0.9), f"label {label.word} before"
    if _LABEL_BEHIND.match(window.text[window.end : window.end + 12]) is not None:
        return (0.95 if dated else 0.85), "label behind"
    person = person_before(window.text, window.start)
    if not dated:
        near = (
            hyphen and person.distance <= OTHER_REACH and label.kind not in _OTHERS and window.digits[6] in "12345678"
        )
        if not near and person.kind == "birth" and person.distance <= OTHER_REACH and len(window.groups) == 2:
            near = window.digits[6] in "12345678" and label.kind not in _OTHERS
        return (0.75, f"two groups; label {person.word} before") if near else None
    if hyphen:
        # People born before 1900 are dead; such a number is more likely a corporation number.
        if window.digits[6] in "90" and has_valid_corporation_checksum(window.digits):
            return None
        if window.char_before.isascii() and window.char_before.isalpha() and not summed:
            return None  # AB920715-…: a part number, unless the check digit is valid
        if _is_made_this_century(window.digits) and label.kind == "other" and label.distance <= 1:
            return None  # 주문번호 240115-1…, a date in January 2024
        return (0.97 if summed else 0.9), "canonical hyphenated form"
    if _is_asked_again(window):
        return 0.8, "word of resident numbers in the line before"
    if label.kind in _OTHERS:
        return None
    if person.distance <= OTHER_REACH and (summed or person.kind == "birth"):
        return (0.9 if summed else 0.75), f"label {person.word} before"
    if len(window.groups) == 2 and summed and window.is_standalone and window.digits[6] in "12345678":
        return 0.8, "two groups, six and seven digits"
    if window.digits[6] in "90" or not window.is_standalone:
        return None
    if window.separators == (" ",):
        return 0.8, "two groups; six and seven digits"
    if window.separators in ((), (".",)) and _is_behind_a_name(window):
        return 0.75, "in brackets behind a word"
    if window.separators == () and (
        is_beside_a_name(window.text, window.start, window.end, known=has_valid_barcode_checksum(window.digits))
        or (
            not has_valid_barcode_checksum(window.digits)
            and _is_in_a_row_of_a_person(window.text, window.start, window.end)
        )
    ):
        return 0.75, "in a cell beside a name"
    return None


def _is_asked_again(window: Window) -> bool:
    """Whether the number answers a repeated request: 주민번호 입력=72 … 재입력=7204121…."""
    before = window.text[max(0, window.start - _ASKED_REACH) : window.start]
    alone = window.separators == () and window.is_standalone and window.digits[6] not in "90"
    return alone and window.char_before in tuple("=:") and _ASKED.search(before) is not None


def _is_made_this_century(digits: str) -> bool:
    """Whether YYMMDD of a birth between 1915 and 1940 may be a date since 2015, as in order numbers."""
    return digits[6] in "12" and "15" <= digits[:2] <= "40"


def _is_behind_a_name(window: Window) -> bool:
    """Whether brackets after a name contain only the number: 아무개(6804171000000)."""
    left, right = window.text[max(0, window.start - 2) : window.start], window.char_after
    return left[-1:] in tuple("(（") and "가" <= left[:1] <= "힣" and right in tuple(")）")


def _is_in_a_row_of_a_person(text: str, start: int, end: int) -> bool:
    """Whether a listed name is next to the digits.

    '6804171000000','아무개'; {"name":"아무개","no":"680417…"}; 아무개 680417… 남
    """
    before = _NAME_BEFORE.search(text[max(0, start - 40) : start])
    after = _NAME_AFTER.search(text[end : end + 10])
    return any(m is not None and name_length(m.group(1)) == len(m.group(1)) for m in (before, after))


def is_beside_a_name(text: str, start: int, end: int, *, known: bool = False) -> bool:
    """Whether the cell before has two to four syllables: '아무개', '6804171000000'. `known`: they must be a listed
    name.
    """
    if text[end : end + 1] not in ("", *"'\",;|\t\n)）/ "):
        return False
    match = _NAME_CELL.search(text[max(0, start - 12) : start])
    return match is not None and (not known or name_length(match.group(1)) == len(match.group(1)))


def match_corporation_number(window: Window) -> Match | None:
    """Match a corporation number (crn, 법인등록번호): after its label, or with a valid type and check digit.

    Since 2025 numbers are issued without a check digit.
    """
    digits, label = window.digits, window.label
    joined = len(window.groups) == 1
    if window.is_continued_by("-." if joined else "-") or (not joined and window.separators[0] not in "- "):
        return None
    summed = has_valid_corporation_checksum(digits)
    facts = "check digit holds" if summed else "check digit fails"
    if label.kind == "crn" and label.distance <= OTHER_REACH:
        return Match(window.start, window.end, "crn", 0.98, f"label {label.word} before; {facts}")
    plain = joined or window.separators[0] != "-" or label.kind in ("rrn", "frn")
    if plain:
        return None
    if label.kind == "corporation" and label.distance <= OTHER_REACH and (summed or digits[6] in "90"):
        return Match(window.start, window.end, "crn", 0.93, f"label {label.word} before; {facts}")
    if not summed or (digits[6] in "12345678" and is_birth_date(digits)):
        return None
    # Four digits of the registry (1101 Seoul …), two of the corporation type (11 stock company …).
    if "1101" <= digits[:4] <= "2854" and digits[4:6] in _SORTS and label.kind not in _OTHERS[:4]:
        return Match(window.start, window.end, "crn", 0.85, f"canonical form; {facts}")
    return None


def kind_of(label: str, sex: str) -> str:
    """Return `rrn` or `frn`, by the seventh digit; for 9 and 0, by the kind of the label.

    >>> kind_of("", "6"), kind_of("frn", "9"), kind_of("", "9")
    ('frn', 'frn', 'rrn')
    """
    if sex in "90":
        return "frn" if label == "frn" else "rrn"
    return "frn" if sex in "5678" else "rrn"
