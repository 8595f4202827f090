"""Apartment addresses without a street: 없는아파트 101동 1203호, 없는마을 7단지 704동 1203호, B동 1407호."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.places.regions import BLANKS, GAP, is_region
from filters.pii_rules.text.digit_runs import DIGIT, matches
from filters.pii_rules.text.match import Match

_HOUSES: Final = (
    "(?:아파트|빌라|오피스텔|맨션|맨숀|연립|주공|타운|자이|푸르지오|래미안|힐스테이트|더샵|롯데캐슬|e편한세상|편한세상|아이파크|"
    "센트럴|마을|단지|하이츠|기숙사|생활관|[가-힣]채|[가-힣]빌)"
)
_FLOOR: Final = f"(?:{DIGIT}{{1,2}}층{BLANKS})?"
_ROOM: Final = f"(?:지하{BLANKS}|[BbＢ]-?|비)?{DIGIT}{{1,4}}호"
DOOR: Final = f"[0-9０-９A-Za-z가-바]동{BLANKS},?{BLANKS}\n?{_FLOOR}{_ROOM}"
_DOOR: Final = re2.compile(f"(?:{DIGIT}{{1,4}}|[A-Za-z가나다라마바])동{BLANKS},?{BLANKS}\n?{_FLOOR}{_ROOM}(?:실)?")
# A room without a block, after a word used for residential buildings only.
_ROOMS: Final = "(?:빌라|오피스텔|맨션|맨숀|연립|원룸|고시원|고시텔|하이츠|아파트)"
ROOM: Final = f"[라텔션숀립룸원츠트]{BLANKS}{_ROOM}"
_ONLY_ROOM: Final = re2.compile(f"[가-힣A-Za-z0-9]{{1,14}}{_ROOMS}{BLANKS}{_ROOM}")
UNIT: Final = f"[트라텔션숀립공운이오안샵슬상을지크럴츠사관채빌성]{BLANKS}{DIGIT}{{3,4}}[-–]{DIGIT}{{3,4}}"
_UNIT: Final = re2.compile(
    f"(?:[가-힣A-Za-z0-9]{{1,14}}{_HOUSES}{GAP}{{1,2}})?[가-힣A-Za-z0-9]{{0,14}}{_HOUSES}{BLANKS}{DIGIT}{{3,4}}[-–]{DIGIT}{{3,4}}(?:호)?"
)
LABELLED: Final = f"동{BLANKS}[·/,및]?{BLANKS}호수?[^가-힣0-9]{{1,6}}{DIGIT}{{1,4}}(?:동{BLANKS}|[-–]){DIGIT}{{2,4}}"
_LABELLED: Final = re2.compile(f"{LABELLED}호?")
_LABEL: Final = re2.compile(f"^동{BLANKS}[·/,및]?{BLANKS}호수?[^가-힣0-9]{{1,6}}")
# The prefilter shares one automaton with many expressions: without counted repetition, which would make it large.
_DOOR_GATE: Final = (
    f"[0-9０-９A-Za-z가-바]동(?:{GAP}|[,\n])*(?:[0-9０-９]+층)?{GAP}*(?:지하{GAP}*|[BbＢ]-?|비)?[0-9０-９]+호"
)
_LABEL_GATE: Final = f"동{GAP}*[·/,및]?{GAP}*호수?[^가-힣0-9]+[0-9０-９]"
_ROOM_GATE: Final = f"[라텔션숀립룸원츠트]{GAP}*(?:지하{GAP}*|[BbＢ]-?|비)?[0-9０-９]+호"
GATES: Final = (_DOOR_GATE, _ROOM_GATE, UNIT, _LABEL_GATE)
_PLAIN: Final = re2.compile("^[가-힣A-Za-z0-9·(),，-]{1,16}$")
_MOST_WORDS = 6  # words between region and block
_NAME: Final = re2.compile(
    f"(?:^|[^가-힣A-Za-z0-9])((?:(?:[가-힣A-Za-z0-9]{{1,14}}{GAP}{{1,2}})?[가-힣A-Za-z0-9]{{0,14}}{_HOUSES}{BLANKS}"
    f"(?:{DIGIT}{{1,2}}(?:단지|차){BLANKS})?|[가-힣]{{2,10}}{GAP}{{1,2}}(?:{DIGIT}{{1,2}}(?:단지|차){BLANKS})?))$"
)
_REACH = 64  # code points before the block in which its region begins
# Words before a block that are not building names.
_NO_NAMES: Final = frozenset(
    "우리 저희 옆집 윗집 아랫집 세대 주소 현주소 집주소 동호수 호수 오늘 어제 내일 방금 아까 지금 현재 택배 배송 "
    "경비실 관리비 입주민 거주 그리고 혹시 아마 바로 당첨 계약 전입 이사 방문 연체 신고 사는 있는 받는 보낸 도착 "
    "신청 소유자 회원 대표 주민 위층 아래층 앞집 해당 특히 다만 또는 동호 장소 위치 대상 이번 지난 모두".split()
)
_NAMELESS: Final = re2.compile("^(?:OO|○○|◯◯|XX|ㅇㅇ)")  # OO 아파트: anonymised
_PARTICLES: Final = tuple("은는이가을를에의도와과로요고서면다며만")


def find_apartments(text: str, data: bytes) -> Iterator[Match]:
    """Find block and room, including the region or building name before them.

    Without a name before them, the room needs three digits or more.
    """
    for start, end in matches(_DOOR, text, data) if "호".encode() in data else ():
        if text[end : end + 1].isdigit() or _is_glued(text, start):
            continue
        named = _find_name_start(text, start)
        room = "".join(c for c in text[text.index("동", start) : end] if c.isdigit())
        year = text[start : start + 2] in ("19", "20") and text[start + 4 : start + 5] == "동"  # 2010동 1234호
        if (named == start and len(room) < 3) or year:
            continue
        if _NAMELESS.match(text[named:start]) is not None:
            continue
        facts = "block and door of a named complex" if named < start else "block and door"
        yield Match(named, end, "address", 0.8, facts)
    for start, end in matches(_ONLY_ROOM, text, data) if "호".encode() in data else ():
        if sum(c.isdigit() for c in text[end - 5 : end]) >= 2 and not text[end : end + 1].isdigit():
            yield Match(start, end, "address", 0.8, "room of a named house")
    for start, end in matches(_UNIT, text, data):
        if not text[end : end + 1].isdigit() and text[end : end + 1] not in tuple("-–명원개건년월%만억천"):
            yield Match(start, end, "address", 0.8, "block and door of a named complex")
    for start, end in matches(_LABELLED, text, data):
        match = _LABEL.match(text[start:end])
        if match is not None and not text[end : end + 1].isdigit():
            yield Match(start + len(match.group()), end, "address", 0.85, "label of block and door before")


def _is_glued(text: str, start: int) -> bool:
    """Whether the block is part of a longer word or number: 역삼동 101호, 1-3동, 12,3동."""
    before = text[start - 1 : start]
    if text[start].isdigit():
        return (
            before.isdigit()
            or before == "제"
            or (before in tuple("-.,") and text[start - 2 : start - 1].isdigit() and start > 1)
        )
    return before.isalnum()


def _find_name_start(text: str, start: int) -> int:
    """Return where the region or building name before the block at `start` begins, or `start` if neither is found."""
    left = text[max(0, start - _REACH) : start].rpartition("\t")[2]
    region = _region_length_before(left)
    if region:
        return start - region
    match = _NAME.search(left.rpartition("\n")[2])
    if match is None:
        return start
    name = match.group(1)
    words = name.split()
    known = _IS_HOUSE.search(name) is not None
    while words and (words[0] in _NO_NAMES or (words[0].endswith(_PARTICLES) and not _IS_HOUSE.search(words[0]))):
        name = name[name.index(words[0]) + len(words[0]) :].lstrip()
        words = words[1:]
    return start - len(name) if words or known else start


def _region_length_before(left: str) -> int:
    """Return the distance from a preceding region to the block in code points, or 0.

    Only plain words may separate them, at most `_MOST_WORDS`.
    """
    at, found = len(left), 0
    for word in reversed(left.split()[-_MOST_WORDS - 1 :]):
        at = left.rindex(word, 0, at)
        if _PLAIN.match(word) is None:
            break
        if is_region(word.strip("()（）,，")):
            found = len(left) - at - (len(word) - len(word.lstrip("(（")))
    return found


_IS_HOUSE: Final = re2.compile(_HOUSES)
