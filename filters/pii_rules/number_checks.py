"""Checks of resident (rrn), foreigner (frn) and corporation numbers (crn), cards, accounts and business numbers.

A resident number is YYMMDD-GNNNNNN. Its seventh digit G is sex and century: 1–4 residents, 5–8 foreigners, 9 and 0 born
before 1900.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.candidate import Candidate
from filters.pii_rules.labels import person_before
from filters.pii_rules.name_model import name_length
from filters.pii_rules.rule_table import compile_word, read_word_set

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
    digits, (_, dash, back) = _read_digits(candidate), candidate.plain.partition("-")
    back = back.strip()[:1]
    if len(digits) >= 13:
        sex = digits[6]
    elif dash and back.isdigit():  # a part is masked or missing
        sex = back
    elif len(digits) == 7 and not dash:
        sex = digits[0] if candidate.value[-1:].isdigit() else digits[6]
    else:
        sex = digits[6:7]
    if sex and sex in "12345678":
        return "frn" if sex in "5678" else "rrn"
    return "frn" if candidate.label.kind == "frn" else "rrn"


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
    return any(match is not None and name_length(match.group(1)) == len(match.group(1)) for match in found)


def has_corporation_checksum(candidate: Candidate) -> str | None:
    """Whether the check digit of a corporation holds; numbers issued since 2025 have none."""
    return "check digit holds" if has_valid_corporation_checksum(candidate.digits) else None


_TEST_CARDS: Final = read_word_set("numbers/finance", "test_cards")
_TESTS: Final = compile_word("numbers/finance", "test_words")
_IN_CELL: Final = re2.compile("[0-9０-９]{2,16}(?:[-－ ][0-9０-９]{1,8}){0,4}$")
_ACCOUNTS: Final = ("계좌", "통장번호", "account", "acct")


def has_luhn_checksum(candidate: Candidate) -> str | None:
    """Whether the check digit of a payment card holds."""
    return "Luhn holds" if has_valid_luhn_checksum(candidate.digits) else None


def is_test_card(candidate: Candidate) -> bool:
    """Whether the number is a published test card, and a word nearby says that it serves for tests."""
    if candidate.digits not in _TEST_CARDS:
        return False
    return _TESTS.search(candidate.read_before(160) + candidate.read_after(40)) is not None


def has_issuer(candidate: Candidate) -> bool:
    """Whether the first digits are of a card issuer (ISO/IEC 7812) and not every group is a round amount."""
    digits = candidate.digits
    if len(digits) == 15:
        return digits[:2] in ("34", "37")
    known = digits[0] in "4569" or digits[:2] == "35" or "2221" <= digits[:4] <= "2720"
    window = candidate.window
    return known and not (window is not None and all(group.endswith("00") for group in window.groups))


def is_apart(candidate: Candidate) -> bool:
    """Whether no other group is beside the value, or its own separators are hyphens and no hyphen goes on."""
    window = candidate.window
    return (
        window is None or window.is_standalone or (window.separators[:1] == ("-",) and not window.is_continued_by("-"))
    )


def has_business_checksum(candidate: Candidate) -> str | None:
    """Whether the check digit of a business number holds."""
    return "check digit holds" if has_valid_business_checksum(candidate.digits) else None


def is_date_or_book(candidate: Candidate) -> bool:
    """Whether the number begins as a date, a document number of a year or an ISBN does.

    A number in one piece directly behind 계좌, 통장번호 and the like counts as an account.
    """
    digits, first = candidate.digits, candidate.plain.replace(" ", "-").partition("-")[0]
    joined = first == digits
    book = first in ("978", "979") or (len(digits) == 13 and digits.startswith(("978", "979")))
    dated = "01" <= digits[4:6] <= "12" and "01" <= digits[6:8] <= "31"
    time = digits[:2] in ("19", "20") and (len(first) == 4 or (len(first) > 7 and dated))
    label = candidate.label
    return (book or time) and not (joined and label.distance == 0 and label.word.startswith(_ACCOUNTS))


def is_glued(candidate: Candidate) -> bool:
    """Whether it is part of something longer (소득46011-20123, /110-000-000000) without a label directly before it."""
    before, distance = candidate.read_before(1), candidate.label.distance
    return (before != "" and before in "./,_$#@" and distance > 0) or (is_hangul(before) and distance > 1)


def find_account_in_cell(candidate: Candidate) -> tuple[int, int] | None:
    """Return the place of the number at the end of a cell, before which a bank may stand."""
    match = _IN_CELL.search(candidate.value)
    return None if match is None else (candidate.start + match.start(), candidate.start + match.end())


def has_valid_iban_checksum(candidate: Candidate) -> bool:
    """Whether the check digits of an IBAN are valid: the rearranged number modulo 97 is 1 (ISO 13616-1)."""
    plain = "".join(c for c in candidate.value if c.isalnum())
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


# A constant instead of the clock, so that spans of a text do not change with time. Later births are rejected.
LATEST_BIRTH_YEAR = 2040
_CENTURY = {sex: year for sexes, year in (("90", 1800), ("1256", 1900), ("3478", 2000)) for sex in sexes}


@lru_cache(maxsize=256)  # several rules ask about the same number
def is_birth_date(digits: str) -> bool:
    """Whether the first seven digits (YYMMDD and the sex digit) contain a valid calendar date.

    >>> is_birth_date("0002299"), is_birth_date("0102299"), is_birth_date("0013019")
    (False, False, False)
    >>> is_birth_date("0401019")
    True
    """
    year = _CENTURY[digits[6]] + int(digits[:2])
    try:
        return date(year, int(digits[2:4]), int(digits[4:6])).year <= LATEST_BIRTH_YEAR
    except ValueError:
        return False


def has_valid_resident_checksum(digits: str) -> bool:
    """Whether the check digit is valid: (11 - sum mod 11) mod 10 of a resident number, 13 for 11 of a foreigner's.

    Numbers issued since October 2020 have no check digit, so an invalid sum proves nothing.

    >>> [has_valid_resident_checksum(f"991331000000{last}") for last in (0, 2, 9)]
    [True, True, False]
    """
    rest = sum(int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)) % 11
    return int(digits[12]) in ((11 - rest) % 10, (13 - rest) % 10)


def has_valid_corporation_checksum(digits: str) -> bool:
    """Whether the check digit of a corporation number (13 digits) is valid: weights 1, 2, 1, 2 …

    >>> has_valid_corporation_checksum("0000000000000"), has_valid_corporation_checksum("0000000000001")
    (True, False)
    """
    total = sum(int(d) * (1 + i % 2) for i, d in enumerate(digits[:12]))
    return int(digits[12]) == (10 - total % 10) % 10


def has_valid_business_checksum(digits: str) -> bool:
    """Whether the check digit of a business number (10 digits) is valid.

    >>> has_valid_business_checksum("0000000000"), has_valid_business_checksum("1234567890")
    (True, False)
    """
    total = sum(int(d) * w for d, w in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False))
    total += int(digits[8]) * 5 // 10
    return int(digits[9]) == (10 - total % 10) % 10


def has_valid_barcode_checksum(digits: str) -> bool:
    """Whether the check digit of an article number is valid (EAN-13, GS1 general specifications, 7.9).

    >>> has_valid_barcode_checksum("8800000000007"), has_valid_barcode_checksum("8800000000008")
    (False, True)
    """
    return sum(int(d) * (1 + 2 * (i % 2)) for i, d in enumerate(digits)) % 10 == 0


def has_valid_luhn_checksum(digits: str) -> bool:
    """Whether the check digit of a payment card is valid (ISO/IEC 7812-1, annex B).

    >>> has_valid_luhn_checksum("0000000000000000"), has_valid_luhn_checksum("0000000000000001")
    (True, False)
    """
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0
