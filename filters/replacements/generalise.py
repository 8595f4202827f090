"""Generalise identifiers: keep the region of an address or the year of a birth date, which identify no person."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import re2

KINDS: Final = ("address", "birth_date")
_PROVINCE: Final = (
    "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주|충청북|충청남|전라북|전라남|"
    "경상북|경상남)(?:특별시|광역시|특별자치시|특별자치도|시|도)?"
)
_S: Final = "[ \u00a0\u3000\t\n]{1,3}"
# Province, city, county or district, then a township or quarter by law (법정동, 행정동), each a separate word.
_REGION: Final = re2.compile(
    f"^(?:{_PROVINCE}{_S})?(?:[가-힣]{{1,6}}(?:시|군|구){_S}){{0,2}}(?:[가-힣]{{1,6}}[0-9]{{0,2}}(?:읍|면|동|가){_S})?"
)
_YEAR: Final = re2.compile("^['’]?([0-9]{4}|[0-9]{2})[^0-9A-Za-z]+[0-9]{1,2}[^0-9A-Za-z]+[0-9]{1,2}[^0-9]*$")
_DIGITS: Final = re2.compile("^(?:([0-9]{4})[0-9]{4}|([0-9]{2})[0-9]{4})$")
_ENGLISH: Final = re2.compile("^[0-9A-Za-z., ]*[A-Za-z][0-9A-Za-z., ]*[ .,]((?:19|20)[0-9]{2})$")


@dataclass(frozen=True, slots=True)
class General:
    """A generalised value: its first `kept` code points, `text`, and a placeholder of this name."""

    kept: int
    text: str
    name: str


def generalise(kind: str, value: str) -> General | None:
    """Return the general form of a value of one of KINDS, or None if no part of the value may stay.

    >>> generalise("address", "부산 없는구 없는동 9, 1동 2호")
    General(kept=11, text='', name='상세주소')
    >>> generalise("birth_date", "1991년 3월 32일").text, generalise("birth_date", "910332").text
    ('1991년 ', '91년 ')
    """
    return (
        _generalise_address(value)
        if kind == "address"
        else _generalise_birth_date(value)
        if kind == "birth_date"
        else None
    )


def _generalise_address(value: str) -> General | None:
    match = _REGION.match(value)
    kept = len(match.group()) if match is not None else 0
    return General(kept, "", "상세주소") if 0 < kept < len(value) else None


def _generalise_birth_date(value: str) -> General | None:
    folded = unicodedata.normalize("NFKC", value)
    plain = "".join(c for c in folded if c.isprintable() and not c.isspace())
    match = _YEAR.match(plain) or _DIGITS.match(plain) or _ENGLISH.match(folded)
    year = next(filter(None, match.groups()), "") if match is not None else ""
    if len(year) == 4 and not "1900" <= year <= "2039":
        return None
    return General(0, f"{year}년 ", "월일") if year else None
