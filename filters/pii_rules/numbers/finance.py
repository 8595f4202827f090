"""Checks for payment cards, bank accounts and business registration numbers."""

from __future__ import annotations

from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import compile_word, read_word_set
from filters.pii_rules.text.checksums import has_valid_business_checksum, has_valid_luhn_checksum

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
