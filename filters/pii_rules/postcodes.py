"""Postcodes of five digits (of 3-3 before 2015), behind their label or before the name of a province."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.between import BETWEEN
from filters.pii_rules.finding import Found
from filters.pii_rules.labels import column_above
from filters.pii_rules.numbers import DIGIT, ZERO_WIDTH, folded, matches

_BLANK: Final = f"[ \t\u00a0\u3000\n{ZERO_WIDTH}]"
_CODE: Final = f"(?:(?:{DIGIT}[{ZERO_WIDTH}]?){{4}}{DIGIT}|{DIGIT}{{3}} ?[-‐–—−] ?{DIGIT}{{3}})"
_LABEL: Final = (
    f"(?:우{_BLANK}?편{_BLANK}?번{_BLANK}?호|[(（\\[]{_BLANK}?우{_BLANK}?[)）\\]]?|우[)）:]|(?:^|[^가-힣])우 |〒|"
    f"(?i:zip{_BLANK}?code|zip|post(?:al)?[ _]?code))"
)
_BETWEEN: Final = "(?:[^0-9０-９가-힣A-Za-z]|은|는|이|가|을|를|로){0,8}"
_PROVINCE: Final = (
    "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충청[북남]|충[북남]|전라[북남]|전[북남]|경상[북남]|경[북남]|제주)"
    f"(?:특별자치도|특별자치시|특별시|광역시|도|시)?{_BLANK}{{1,3}}[가-힣]{{1,5}}(?:시|군|구|읍|면|동|로|길)"
)
_CELL: Final = f"[|,\t;][ \"']*{_CODE}[ \"']*(?:[|,\t;\n]|$)"
# 우편번호는요?⏎고객: 00000이요
_ANSWER: Final = re2.compile(f"우편번호[^\\n0-9]{{0,16}}\\n[^\\n:：0-9]{{0,12}}[:：]?[^\\n0-9]{{0,6}}{_CODE}")
_FAR: Final = re2.compile(f"(?:우{_BLANK}?편{_BLANK}?번{_BLANK}?호|(?i:zip ?code)){BETWEEN}{_CODE}")
_DOOR_BEFORE: Final = re2.compile("(?:로|길|동|리|가|번지|호|층) ?[0-9-]*$")
_CITY: Final = "(?:Seoul|Busan|Daegu|Incheon|Gwangju|Daejeon|Ulsan|Sejong|Jeju|-(?:do|si|gun|gu))"
_AFTER_CITY: Final = re2.compile(f"{_CITY},? {DIGIT}{{5}}")
_ON_ITS_LINE: Final = re2.compile(f"\n{DIGIT}{{5}}(?:\n|$)")
POSTCODE: Final = (
    f"{_LABEL}|{_CITY},? {DIGIT}{{5}}|\n{DIGIT}{{5}}(?:\n|$)|"
    f"{DIGIT}[)\\]）]?,?{_BLANK}{{1,3}}{_PROVINCE}|[(（\\[]{DIGIT}{{5}}[)）\\]]"
)
_LABELLED: Final = re2.compile(f"{_LABEL}{_BETWEEN}{_CODE}")
_BEFORE_PROVINCE: Final = re2.compile(f"{_CODE}[)\\]）]?,?{_BLANK}{{1,3}}{_PROVINCE}")
_BRACKETS: Final = f"[(（\\[]{DIGIT}{{5}}[)）\\]]"
_IN_BRACKETS: Final = re2.compile(_BRACKETS)
_A_PROVINCE: Final = re2.compile(_PROVINCE)
_ADDRESS = 70  # code points between a province and the postcode behind its address
_IN_CELL: Final = re2.compile(_CELL)
_VALUE: Final = re2.compile(_CODE)
_FIRST, _LAST = 1000, 63999  # 01000 north Seoul … 63644 Jeju


def postcodes(text: str, data: bytes) -> Iterator[Found]:
    """Every postcode behind 우편번호, (우), 〒 or zip, in a column of that name, before or behind an address."""
    patterns = (
        (_LABELLED, "label before"),
        (_ANSWER, "label before"),
        (_FAR, "label before"),
        (_BEFORE_PROVINCE, "province behind"),
        (_AFTER_CITY, "city before"),
    )
    for pattern, reason in patterns:
        for start, end in matches(pattern, text, data):
            found = _value(text, start, end, reason)
            if found is not None and not _is_on_the_right(text, start, found.start):
                yield found
    for start, end in matches(_IN_BRACKETS, text, data):
        line = text[max(text.rfind("\n", 0, start) + 1, start - _ADDRESS) : start]
        if _A_PROVINCE.search(line):
            found = _value(text, start, end, "behind an address")
            if found is not None:
                yield found
    for start, end in matches(_ON_ITS_LINE, text, data):
        if _A_PROVINCE.search(text[max(0, start - _ADDRESS) : start]):
            found = _value(text, start, end, "on the line behind an address")
            if found is not None:
                yield found
    if "우편번호" in text:
        for start, end in matches(_IN_CELL, text, data):
            found = _value(text, start, end, "head of the column")
            if found is not None and column_above(text, found.start).kind == "postcode":
                yield found


def _is_on_the_right(text: str, start: int, value: int) -> bool:
    """좌 12345 우 67890: 우 alone is a label only at the head of a line or behind an address."""
    label = text[start:value].strip()
    if label[-1:] != "우" or label[:-1].strip("(（["):
        return False
    line = text[max(0, start - _ADDRESS) : start + 1].rstrip().removesuffix("우")
    at_head = not line.strip(" ") or line[-1] == "\n"
    return not at_head and not _A_PROVINCE.search(line) and not _DOOR_BEFORE.search(line.rstrip())


def _value(text: str, start: int, end: int, reason: str) -> Found | None:
    whole = text[start:end]
    match = _VALUE.search(whole)
    if match is None:
        return None
    first, last = start + match.start(), start + match.end()
    before, after = text[first - 1 : first], text[last : last + 1]
    if before.isdigit() or after.isdigit() or (before.isascii() and before.isalpha()):
        return None
    digits = "".join(c for c in folded(text[first:last]) if c.isdigit())
    old = len(digits) == 6
    labelled = reason in ("label before", "head of the column")
    if not labelled and (before in tuple(".,-/") or (not old and not _FIRST <= int(digits) <= _LAST)):
        return None
    if after in ("-", "–") and text[last + 1 : last + 2].isdigit():
        return None
    return Found(first, last, "postcode", 0.95 if labelled else 0.9, f"{reason}; {len(digits)} digits")
