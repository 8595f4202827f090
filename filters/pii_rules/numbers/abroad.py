"""Checks for numbers of other countries."""

from __future__ import annotations

from typing import Final

from filters.pii_rules.engine.candidate import Candidate

# Digits of the national number with its country code: ITU-T E.164 allows 15; shorter ones are seldom subscribers.
_E164: Final = range(9, 16)
_KOREA: Final = "82"  # has rules of its own
_NO_COUNTRY: Final = (
    "210",
    "214",
    "215",
    "217",
    "219",
    "28",
    "29",
    "37",
    "38",
    "42",
    "80",
    "83",
    "89",
    "96",
    "97",
    "99",
)
_ASSIGNED: Final = frozenset(
    "290 291 297 298 299 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 389 420 421 423 "
    "850 852 853 855 856 880 886 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 "
    "977 992 993 994 995 996 998".split()
)


def is_phone_abroad(candidate: Candidate) -> bool:
    """Whether the digits are a complete number of another country: an assigned country code and 9 to 15 digits.

    Source: ITU-T E.164, list of assigned country codes.
    """
    digits = candidate.digits
    if len(digits) not in _E164 or digits.startswith(_KOREA):
        return False
    return digits[:3] in _ASSIGNED or not digits.startswith(_NO_COUNTRY)


def has_valid_iban_checksum(candidate: Candidate) -> bool:
    """Whether the check digits of an IBAN are valid: the rearranged number modulo 97 is 1 (ISO 13616-1)."""
    plain = "".join(c for c in candidate.value if c.isalnum())
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
