"""Romanised addresses: 101-1203, 99 Eomneun-ro, Gangnam-gu, Seoul."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import matches
from filters.pii_rules.text.match import Match

_S: Final = "[ ,]{1,3}\n?"
_UNIT: Final = (
    "(?:(?:[#]?[A-Z]?-?[0-9]{1,4}(?:-[0-9]{1,4})?(?:ho|dong|F)?|(?:Apt|Unit|Room|Rm|Suite|No|Bldg|Building|Floor|Fl)[.]?"
    " ?[#]?[A-Z]?[0-9]{1,4}(?:-[0-9]{1,4})?|[0-9]{1,3}(?:st|nd|rd|th)? ?(?:F|FL|Floor|floor)[.]?|"
    "[A-Z][A-Za-z]{2,14}(?: [A-Z][A-Za-z]{2,14})? (?:Apt|Apartment|Villa|Bldg|Building|Tower|Officetel)[.]?)"
    f"{_S})"
)
_WORD: Final = "[A-Z][A-Za-z]{1,18}[0-9]{0,3}"
_STREET: Final = (
    f"[0-9]{{1,5}}(?:-[0-9]{{1,4}})?,?[ ]{_WORD}-?(?:daero|ro|gil)(?:[ -]?[0-9]{{1,4}}(?:beon)?-?(?:ga-?|na-?)?gil)?"
)
_LOT: Final = f"[0-9]{{1,5}}(?:-[0-9]{{1,4}})?,?[ ]{_WORD}-?(?:dong|ri|ga)"
_PART: Final = f"{_WORD}-(?:dong|ri|eup|myeon|gu|gun|si|do)"
_CITY: Final = (
    "(?:Seoul|Busan|Daegu|Incheon|Gwangju|Daejeon|Ulsan|Sejong|Jeju|Gyeonggi|Gangwon|Chungbuk|Chungnam|Jeonbuk|Jeonnam|"
    "Gyeongbuk|Gyeongnam|Suwon|Seongnam|Goyang|Yongin)(?:-si|-do)?"
)
_COUNTRY: Final = (
    f"(?:(?:{_S}[0-9]{{5}})?{_S}(?:Republic of |South |Rep[.] of |S[.] ?)?(?:Korea|KOREA)(?:{_S}[0-9]{{5}})?)?"
)
_ADDRESS: Final = re2.compile(
    f"{_UNIT}{{0,3}}(?:{_STREET}|{_LOT})(?:{_S}{_PART})*(?:{_S}(?:{_PART}|{_CITY}))(?:{_S}(?:{_CITY}|{_PART}))*{_COUNTRY}"
)
# Reversed order: Seoul, Gangnam-gu, Eomneun-ro 99, 101-1203
_REVERSED: Final = re2.compile(
    f"(?:{_CITY}{_S})(?:{_PART}{_S})+{_WORD}-?(?:daero|ro|gil|dong|ri)[ ,]{{1,2}}[0-9]{{1,5}}(?:-[0-9]{{1,4}})?"
    f"(?:{_S}[0-9]{{1,4}}-[0-9]{{3,4}})?"
)
GATE: Final = "[a-z0-9]-(?:gu|gun|si|dong|eup|myeon|ri)[ ,.\n]|-(?:ro|gil|daero)[ ,0-9]"


def find_romanised_addresses(text: str, data: bytes) -> Iterator[Match]:
    """Find number, street or quarter and at least one region, in either order, with unit and building before the
    number.
    """
    if b"-gu" not in data and b"-si" not in data and b"-gun" not in data and b"-ro" not in data and b"-gil" not in data:
        return
    for pattern in (_ADDRESS, _REVERSED):
        for start, end in matches(pattern, text, data):
            before = text[start - 1 : start]
            if not (before.isascii() and (before.isalnum() or before == "-")):
                yield Match(start, end, "address", 0.95, "street and region in Latin letters")
