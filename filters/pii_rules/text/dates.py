"""Expressions for birth dates: 1991. 2. 30., '91.2.30, 1991年 2月 30日, 30 FEB 1991, 구십일년 이월 삼십일."""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH

B: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
_D: Final = DIGIT
_DOT: Final = "[.．\\-\u2010-\u2015\u2212－/]"
_Y: Final = f"['’]?(?:{_D}{B}?{_D}{B}?{_D}{B}?{_D}|{_D}{B}?{_D})"
_M: Final = f"{_D}(?:{B}?{_D})?"
_YEARS: Final = f"(?:{_Y}{B}{{0,2}}[년年]생?{B}{{0,2}}{_M}{B}{{0,2}}[월月]{B}{{0,2}}{_M}(?:{B}{{0,2}}[일日])?"
WHOLE: Final = f"{_YEARS}|{_Y}{B}?{_DOT}{B}{{0,2}}{_M}{B}?{_DOT}{B}{{0,2}}{_M}[.．]?)"
_DAY_FIRST: Final = f"{_D}{{1,2}}[./-]{_D}{{1,2}}[./-](?:19|20){_D}{{2}}"
_ENGLISH: Final = (
    f"(?:{_D}{{1,2}}{B}[A-Z][A-Za-z]{{2,8}}[.]?{B}(?:19|20){_D}{{2}}|"
    f"[A-Z][a-z]{{2,8}}[.]?{B}{_D}{{1,2}},{B}?(?:19|20){_D}{{2}})"
)
_N: Final = "[일이삼사오육칠팔구십]"
SPOKEN: Final = (
    f"(?:천구백{_N}{{1,5}}|이천{_N}{{0,4}}|[영공일이삼사오육칠팔구]{{2}}|{_N}{{2,4}}){B}?년생?{B}?"
    f"(?:정|동짓|섣|유|시|육|{_N}{{1,2}})[월달]{B}?"
    f"(?:초하루|초하룻날|초이틀|초사흘|초나흘|초닷새|초엿새|초이레|초여드레|초아흐레|열흘|보름|그믐|스무날|{_N}{{1,4}}일)"
)
_SPACED: Final = f"(?:19|20){_D}{{2}}{B}{{1,2}}{_D}{{1,2}}{B}{{1,2}}{_D}{{1,2}}"
DAY: Final = f"(?:{_DAY_FIRST}|{_SPACED}|{WHOLE}|{_ENGLISH}|{SPOKEN}|{_D}{{8}}|{_D}{{6}})"
_NARROW: Final = {0xFF10 + i: str(i) for i in range(10)}


def is_recent(raw: str) -> bool:
    """Whether the year is in the 20th or 21st century or has two digits.

    >>> is_recent("1899년 2월 30일"), is_recent("'91.2.30"), is_recent("30/2/1991")
    (False, True, True)
    """
    raw = raw.translate(_NARROW)
    digits = "".join(c for c in raw if c.isdigit())
    for mark in ("년", "年", ".", "．", "-", "/"):
        head = raw.partition(mark)[0]
        if head != raw:
            digits = "".join(c for c in head if c.isdigit())
            break
    return len(digits) not in (4, 8) or "1900" <= digits[:4] <= "2039"


def is_day(digits: str) -> bool:
    """Whether six or eight digits end in month and day; eight must begin with a year from 1900 to 2039."""
    narrow = digits.translate(_NARROW)
    tail = narrow[-4:]
    recent = len(narrow) != 8 or "1900" <= narrow[:4] <= "2039"
    return recent and 1 <= int(tail[:2]) <= 12 and 1 <= int(tail[2:]) <= 31


DATE: Final = re2.compile(f"^(?:{DAY})$")
