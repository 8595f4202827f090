"""Address details after the number: building, block, floor, room, quarter in brackets, further lots."""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.places.regions import BLANKS, FOLD, GAP
from filters.pii_rules.text.digit_runs import DIGIT

_D: Final = f"[{DIGIT[1:-1]}Oo]"
BUILDING: Final = (
    "(?:아파트|빌라|빌딩|빌|타운|타워|오피스텔|맨션|맨숀|연립|주택|하우스|상가|센터|마을|팰리스|캐슬|파크|단지|원룸|고시원|"
    "고시텔|기숙사|자이|푸르지오|래미안|힐스테이트|더샵|편한세상|아이파크|주공|스퀘어|프라자|플라자|하이츠|리버뷰|그린빌|"
    "스카이|공관|관사|생활관|별관|본관|회관|시장)"
)
_BLOCK: Final = f"(?:제?{DIGIT}{{1,4}}|[A-Za-z가나다라마바사]){BLANKS}동"
_FLOOR: Final = (
    f"(?:(?:지하{BLANKS}|지상{BLANKS})?(?:제?{DIGIT}{{1,3}}|[BbＢ]{DIGIT}{{1,2}}){BLANKS}층|지층|지하층|반지하|"
    "옥탑방?|지하)"
)
_ROOM: Final = (
    f"(?:지하{BLANKS}|[BbＢ]-?|비-?|제|[A-Z가나다라마바사]-?)?{_D}{{1,4}}(?:[-의]{DIGIT}{{1,3}})?{BLANKS}호실?"
)
_SPELLED_ROOM: Final = f"[일이삼사오육칠팔구십백천]{{1,8}}{BLANKS}(?:동|층|호)"
_UNIT: Final = f"(?:{DIGIT}{{1,3}}[FＦ]|[A-Z가나다라마바사]-?{DIGIT}{{2,4}}|{DIGIT}{{1,4}}[-–‐‑−]{DIGIT}{{3,4}})"
_ATOM: Final = (
    f"(?:{_BLOCK}|{_FLOOR}|{_ROOM}|{_SPELLED_ROOM}|{_UNIT}|{DIGIT}{{1,2}}{BLANKS}(?:단지|차)|"
    f"[가-힣A-Za-z0-9]{{1,14}}{BUILDING})"
)
_PLACE: Final = f"(?:{GAP}(?:복도|로비|현관|옥상|마당|주차장|사무실|안내데스크|경비실|관리사무소))"
_NEXT: Final = f"{BLANKS}[,，]?{FOLD}"
_QUARTER: Final = (
    f"{_NEXT}[(（\\[]{BLANKS}(?:[가-힣]{{1,6}}(?:제?{DIGIT}{{1,2}})?(?:동|가|리|읍|면)|[가-힣A-Za-z0-9·]{{1,14}}{BUILDING}|"
    f"[^()（）\n]{{0,12}}{_ATOM})(?:[,， ][^()（）\n]{{0,30}})?[)）\\]]"
)
_DOOR: Final = (
    f"{_NEXT}(?:[가-힣A-Za-z0-9·()]{{1,14}}{GAP}{{1,2}}){{0,2}}?[(（]?{_ATOM}[)）]?{_PLACE}?|"
    f"{GAP}/{GAP}{_BLOCK}{GAP}?{_ROOM}"
)
_FURTHER: Final = f"{BLANKS},?{BLANKS}외{BLANKS}{DIGIT}{{1,3}}{BLANKS}필지"
_BARE: Final = f"{BLANKS},?{GAP}{DIGIT}{{3,4}}"
DETAIL: Final = re2.compile(f"^(?:{_QUARTER}|{_FURTHER}|{_DOOR})")
_BARE_DOOR: Final = re2.compile(f"^{_BARE}")
_POSTCODE: Final = re2.compile("^[ ,]*[(（\\[]우")
_AN_AREA: Final = re2.compile("^[ ,，\n]*(?:01[016789]|02|0[3-6][1-5]|070|050[0-9]|1[568][0-9]{2})[-–‐‑−)]")
_REACH = 48  # code points in which one more detail ends
_MOST = 8  # details


def find_address_end(text: str, end: int) -> int:
    """Return the end of the address whose number ends at `end`, or `end` itself if no detail follows.

    >>> text = "없는로 9, 101동 1203호 (없는동)에"
    >>> text[find_address_end(text, 5):]
    '에'
    """
    bracket = False
    for _ in range(_MOST):
        window = text[end : end + _REACH]
        match = DETAIL.match(window)
        if (
            match is None
            or _POSTCODE.match(window) is not None
            or _AN_AREA.match(window) is not None
            or _is_part_of_longer_number(text, end + len(match.group()))
        ):
            break
        end += len(match.group())
        bracket = text[end - 1] in ")）]"
    if bracket:  # 없는로 9 (없는동) 402
        match = _BARE_DOOR.match(text[end : end + 12])
        if match is not None and not _is_continued(text, end + len(match.group())):
            end += len(match.group())
    return end


def _is_part_of_longer_number(text: str, end: int) -> bool:
    """Whether text[:end] ends inside a longer number (012-345-…) or before a unit."""
    after, last = text[end : end + 1], text[end - 1]
    if last.isdigit() and (after.isdigit() or (after in tuple("-–.") and text[end + 1 : end + 2].isdigit())):
        return True
    return last.isdigit() and after in tuple("년월일원명개건회번%㎡")


def _is_continued(text: str, end: int) -> bool:
    after = text[end : end + 1]
    return after.isalnum() or (after in tuple("-.,:/") and text[end + 1 : end + 2].isdigit())
