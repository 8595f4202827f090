"""Check digits and calendar rules of Korean identifiers. Arguments are strings of ASCII digits."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

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
