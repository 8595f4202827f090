"""Checks for resident numbers (rrn), foreigner numbers (frn) and corporation numbers (crn): YYMMDD-GNNNNNN.

The seventh digit G of a person is sex and century: 1–4 residents, 5–8 foreigners, 9 and 0 born before 1900.
"""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.text.checksums import (
    has_valid_barcode_checksum,
    has_valid_corporation_checksum,
    has_valid_resident_checksum,
    is_birth_date,
)
from filters.pii_rules.text.labels import person_before
from filters.pii_rules.text.name_model import name_length

_NEAR: Final = 16  # code points in which a word for a person, or the label of a corporation, counts
_SAMPLES: Final = ("1234561234567",)  # of forms
_MISREAD: Final = str.maketrans("OolI", "0011")
_LATEST: Final = range(15, 41)  # years since 2015, which birth dates of 1915 to 1940 look like
_NAME_CELL: Final = re2.compile("(?:^|[^가-힣])([가-힣]{2,4})[\"']?[ \u00a0]?[,|;/\t(（][ \u00a0]?[\"']?$")
_CELL_ENDS: Final = ("", *"*'\",;|\t\n)）/ ")
_NAME_BEFORE: Final = re2.compile("(?:^|[^가-힣])([가-힣]{2,4})(?:[\"'], ?[\"'][A-Za-z가-힣_]{1,20}[\"']: ?[\"']?| )$")
_NAME_AFTER: Final = re2.compile("^[\"']?[,|;\\t] ?[\"']?([가-힣]{2,4})(?:[^가-힣]|$)")


def read_kind(candidate: Candidate) -> str:
    """Return `rrn` or `frn`, by the seventh digit if it can be read; else by the label."""
    sex = _find_sex(candidate)
    if sex and sex in "12345678":
        return "frn" if sex in "5678" else "rrn"
    return "frn" if candidate.label.kind == "frn" else "rrn"


def _find_sex(candidate: Candidate) -> str:
    """Return the digit of sex and century, also where a part is masked or missing; "" if it cannot be read."""
    digits = _read_digits(candidate)
    if len(digits) >= 13:
        return digits[6]
    _, dash, back = candidate.plain.partition("-")
    if dash and back.strip()[:1].isdigit():
        return back.strip()[0]
    if len(digits) == 7 and not dash:
        return digits[0] if candidate.value[-1:].isdigit() else digits[6]
    return digits[6:7]


def _read_digits(candidate: Candidate) -> str:
    if candidate.window is not None:
        return candidate.digits
    return "".join(c for c in candidate.plain.translate(_MISREAD) if c.isdigit())


def has_possible_date(candidate: Candidate) -> str | None:
    """Whether the first six digits are a date; without the digit of the century, of any century."""
    digits = _read_digits(candidate)
    fronts = (digits[:7],) if len(digits) > 6 else (digits[:6] + "1", digits[:6] + "3")
    return "possible date" if len(digits) > 5 and any(map(is_birth_date, fronts)) else None


def is_born_since_1900(candidate: Candidate) -> bool:
    """Whether the thirteen digits begin with a date and the seventh is a sex of this or the last century."""
    return candidate.digits[6] in "12345678" and is_birth_date(candidate.digits)


def has_checksum(candidate: Candidate) -> str | None:
    """Whether the check digit holds; numbers issued since October 2020 have none."""
    digits = _read_digits(candidate)
    return "check digit holds" if len(digits) == 13 and has_valid_resident_checksum(digits) else None


def has_digits(candidate: Candidate) -> bool:
    """Whether six digits are readable and are neither zeros nor a sample of forms (123456-1234567)."""
    digits = _read_digits(candidate)
    return len(digits) >= 6 and bool(digits.strip("0")) and digits not in _SAMPLES


def is_barcode(candidate: Candidate) -> bool:
    """Whether the check digit of an article number is valid."""
    return has_valid_barcode_checksum(candidate.digits)


def is_order_number(candidate: Candidate) -> bool:
    """Whether another label is directly before, and the front may be a date since 2015: 주문번호 240115-1…"""
    digits, label = candidate.digits, candidate.number_label
    return label.kind == "other" and label.distance <= 1 and int(digits[:2]) in _LATEST and digits[6] in "12"


def is_labelled_corporation(candidate: Candidate) -> bool:
    """Whether the label is 법인등록번호, or 법인 or 주식회사 and the check digit holds."""
    label = candidate.number_label
    if label.distance > _NEAR or label.kind not in ("crn", "corporation"):
        return False
    return label.kind == "crn" or has_valid_corporation_checksum(candidate.digits)


def has_person_label(candidate: Candidate) -> str | None:
    """Whether a word for a person or a birth date is shortly before."""
    person = person_before(candidate.text, candidate.start)
    return f"label {person.word} before" if person.distance <= _NEAR else None


def has_birth_label(candidate: Candidate) -> str | None:
    """Whether the nearest word for a person asks for a birth date: 생년월일, 주민, 신분증 …"""
    person = person_before(candidate.text, candidate.start)
    return f"label {person.word} before" if person.kind == "birth" and person.distance <= _NEAR else None


def is_beside_a_name(candidate: Candidate) -> bool:
    """Whether the cell before or after contains a listed name.

    Before thirteen digits that are not an article number, any two to four syllables do: '아무개','6804171000000'.
    """
    plain = len(candidate.digits) == 13 and not is_barcode(candidate)
    found = [_NAME_CELL.search(candidate.read_before(12)) if candidate.read_after(1) in _CELL_ENDS else None]
    if plain and found[0] is not None:
        return True
    if plain:  # {"name":"아무개","no":"680417…"}; 아무개 680417… 남
        found = [_NAME_BEFORE.search(candidate.read_before(40)), _NAME_AFTER.search(candidate.read_after(10))]
    return any(match is not None and _is_name(match.group(1)) for match in found)


def _is_name(word: str) -> bool:
    return name_length(word) == len(word)


def has_corporation_checksum(candidate: Candidate) -> str | None:
    """Whether the check digit of a corporation holds; numbers issued since 2025 have none."""
    return "check digit holds" if has_valid_corporation_checksum(candidate.digits) else None
