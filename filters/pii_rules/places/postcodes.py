"""Postcodes of five digits (3-3 before 2015), after a label or next to an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH, fold_characters, matches
from filters.pii_rules.text.labels import column_above
from filters.pii_rules.text.match import Match

_BLANK: Final = f"[ \t\u00a0\u3000\n{ZERO_WIDTH}]"
_CODE: Final = (
    f"(?:(?:{DIGIT}[{ZERO_WIDTH}]?){{4}}{DIGIT}|{DIGIT}(?: {DIGIT}){{4}}|{DIGIT}{{3}} ?[-‐–—−] ?{DIGIT}{{3}})"
)
_LABEL: Final = (
    f"(?:우{_BLANK}?편{_BLANK}?번{_BLANK}?호|[(（\\[]{_BLANK}?우{_BLANK}?[)）\\]]?|우[)）:]|〒|"
    f"(?i:zip{_BLANK}?code|zip|post(?:al)?[ _]?code))"
)
_TAG: Final = "</?[A-Za-z]{1,8}>"
_BETWEEN: Final = f"(?:[^0-9０-９가-힣A-Za-z]|은|는|이|가|을|를|로|{_TAG}){{0,8}}"
_PROVINCE: Final = (
    "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충청[북남]|충[북남]|전라[북남]|전[북남]|경상[북남]|경[북남]|제주)"
    f"(?:특별자치도|특별자치시|특별시|광역시|도|시)?{_BLANK}{{1,3}}[가-힣]{{1,5}}(?:시|군|구|읍|면|동|로|길)"
)
_CELL: Final = f"[|,\t;\n][ \"']*{_CODE}[ \"']*(?:[|,\t;\n]|$)"
_SHORT_LABEL: Final = f"(?:^|[ \t\n(（,，])우[.]?{_BLANK}{{1,2}}"  # 우 12345
_SPEAKER: Final = "(?:\\[[^\\]\n]{1,14}\\] ?)?(?:[^\n:：0-9]{1,12}[:：] ?)?"
_ANSWERED: Final = re2.compile(f"우편{_BLANK}?번호[^\n0-9]{{0,24}}\n{_SPEAKER}[^\n0-9:]{{0,12}}{_CODE}")
_ASKED: Final = "answer to a question for it"
_ALONE: Final = re2.compile(f"\n[ \t]*{DIGIT}{{5}}[ \t]*(?:\n|$)")
_BEHIND: Final = re2.compile(f"(?:[0-9호층)）동][,，]? |, ?){DIGIT}{{5}}[ \t)]*(?:\n|$)")
_LATIN: Final = re2.compile(
    "(?:Seoul|Busan|Daegu|Incheon|Gwangju|Daejeon|Ulsan|Sejong|Jeju|Gyeonggi|Korea|-si|-do|-gu|-gun)"
    "(?:-si|-do)?,? {1,2}[0-9]{5}"
)
_OLD: Final = re2.compile(f"{DIGIT}{{3}} ?[-‐–—−] ?{DIGIT}{{3}}")
_OLD_REACH = 120  # code points after 우편번호 in which a 3-3 code counts as a postcode
_LOT: Final = re2.compile("[로길동리가읍면][ \u00a0]*(?:산 ?)?[0-9０-９]")
_LINES_ABOVE = 3  # lines of an address above a postcode on a line of its own
POSTCODE: Final = (
    f"{_LABEL}|{_SHORT_LABEL}{DIGIT}|{_LATIN.pattern}|{_ALONE.pattern}|{_BEHIND.pattern}|"
    f"{DIGIT}[)\\]）]?,?{_BLANK}{{1,3}}{_PROVINCE}|[(（\\[]{DIGIT}{{5}}[)）\\]]"
)
_LABELLED: Final = re2.compile(f"{_LABEL}{_BETWEEN}{_CODE}")
_SHORTLY: Final = re2.compile(f"{_SHORT_LABEL}{_CODE}")
_BEFORE_PROVINCE: Final = re2.compile(f"{_CODE}[)\\]）]?,?{_BLANK}{{1,3}}{_PROVINCE}")
_BRACKETS: Final = f"[(（\\[]{DIGIT}{{5}}[)）\\]]"
_IN_BRACKETS: Final = re2.compile(_BRACKETS)
_A_PROVINCE: Final = re2.compile(_PROVINCE)
_ADDRESS = 70  # code points between a province and the postcode after its address
_IN_CELL: Final = re2.compile(_CELL)
_VALUE: Final = re2.compile(_CODE)
_FIRST, _LAST = 1000, 63999  # 01000 north Seoul … 63644 Jeju


def find_postcodes(text: str, data: bytes) -> Iterator[Match]:
    """Find postcodes after 우편번호, (우), 〒 or zip, in a column so headed, and before or after an address."""
    for pattern, reason in (
        (_LABELLED, "label before"),
        (_SHORTLY, "label 우 before"),
        (_BEFORE_PROVINCE, "province behind"),
        (_LATIN, "behind an address"),
    ):
        for start, end in matches(pattern, text, data):
            found = _match_postcode(text, start, end, reason)
            if found is not None:
                yield found
    for start, end in matches(_IN_BRACKETS, text, data):
        line = text[max(text.rfind("\n", 0, start) + 1, start - _ADDRESS) : start]
        if _A_PROVINCE.search(line):
            found = _match_postcode(text, start, end, "behind an address")
            if found is not None:
                yield found
    yield from _find_below_address(text, data)
    if "우편번호" in text:
        for start, end in matches(_ANSWERED, text, data):
            found = _match_postcode(text, start, end, _ASKED)
            if found is not None:
                yield found
        for start, end in matches(_OLD, text, data):
            found = _match_postcode(text, start, end, "three and three digits, 우편번호 before")
            if found is not None and "우편번호" in text[max(0, start - _OLD_REACH) : start]:
                yield found
        for start, end in matches(_IN_CELL, text, data):
            found = _match_postcode(text, start, end, "head of the column")
            if found is not None and column_above(text, found.start).kind == "postcode":
                yield found


def _find_below_address(text: str, data: bytes) -> Iterator[Match]:
    """Find postcodes on their own line below an address, or at the end of an address line."""
    for start, end in matches(_ALONE, text, data):
        above = text[max(0, start - 2 * _ADDRESS) : start].split("\n")[-_LINES_ABOVE:]
        if any(_A_PROVINCE.search(line) and _LOT.search(line) for line in above):
            found = _match_postcode(text, start, end, "below an address")
            if found is not None:
                yield found
    for start, end in matches(_BEHIND, text, data):
        line = text[max(text.rfind("\n", 0, start) + 1, start - _ADDRESS) : start]
        if _A_PROVINCE.search(line):
            found = _match_postcode(text, start + 1, end, "behind an address")
            if found is not None:
                yield found


def _match_postcode(text: str, start: int, end: int, reason: str) -> Match | None:
    whole = text[start:end]
    match = _VALUE.search(whole)
    if match is None:
        return None
    first, last = start + match.start(), start + match.end()
    before, after = text[first - 1 : first], text[last : last + 1]
    if before.isdigit() or after.isdigit() or (before.isascii() and before.isalpha()):
        return None
    digits = "".join(c for c in fold_characters(text[first:last]) if c.isdigit())
    old = len(digits) == 6
    labelled = reason in ("label before", "head of the column", _ASKED)
    if not labelled and (before in tuple(".,-/") or (not old and not _FIRST <= int(digits) <= _LAST)):
        return None
    if (after and after in "건명개원") or (reason == "behind an address" and text[last : last + 2].lstrip().islower()):
        return None
    if after in ("-", "–") and text[last + 1 : last + 2].isdigit():
        return None
    return Match(first, last, "postcode", 0.95 if labelled else 0.9, f"{reason}; {len(digits)} digits")
