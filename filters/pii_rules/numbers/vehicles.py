"""Number plates: 12가3456, 123가 4567, 서울 31바 0417, and old plates of motorcycles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH, matches
from filters.pii_rules.text.labels import column_above
from filters.pii_rules.text.match import Match

_PRIVATE: Final = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"
_USES: Final = _PRIVATE + "바사아자배하허호육해공국합"  # for hire, parcels, rent, the armed forces
_REGION: Final = "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
_GAP: Final = f"[ \u00a0\u3000‐‑‒–—−·{ZERO_WIDTH}-]{{0,3}}"
_PLATE: Final = (
    f"{_REGION}{_GAP}(?:{DIGIT}{_GAP}){{1,3}}[{_USES}]{_GAP}(?:{DIGIT}{_GAP}){{3}}{DIGIT}|"
    f"(?:(?:{DIGIT}[{ZERO_WIDTH}]?){{2,3}}|{DIGIT}(?: {DIGIT}){{1,2}})[ {ZERO_WIDTH}]?[-‐–·]?[ ]?"
    f"[{_USES}]{_GAP}\n?(?:{DIGIT}[ {ZERO_WIDTH}]?){{3}}{DIGIT}"
)
# Motorcycles: region, district and one syllable. Diplomats: a word and two groups.
_OTHER: Final = (
    f"{_REGION}{_GAP}[가-힣]{{2,3}}{_GAP}[가나다라마바사아자차카타파하]{_GAP}{DIGIT}{{4}}|"
    f"(?:외교|영사|준외|준영|국기|협정|대표){_GAP}{DIGIT}{{3}}-{DIGIT}{{3}}"
)
# 육십오 더 공이삼사
_SPOKEN: Final = (
    f"(?:[일이삼사오육칠팔구]{{0,3}}십[일이삼사오육칠팔구]?|{DIGIT}{{2,3}}|"
    f"[공영일이삼사오육칠팔구]{{2,3}}) ?[{_USES}],? ?[공영일이삼사오육칠팔구]{{4}}"
)
VEHICLE: Final = f"{DIGIT}{_GAP}[{_USES}]{_GAP}\n?{DIGIT}|{_OTHER}|[{_USES}],? ?[공영일이삼사오육칠팔구]{{4}}"
_ANY: Final = re2.compile(f"{_PLATE}|{_OTHER}|{_SPOKEN}")
_OTHER_ONLY: Final = re2.compile(f"^(?:{_OTHER})$")
_VEHICLES: Final = re2.compile(
    "차량|자동차|승용|승합|화물|트럭|택시|버스|주차|차주|번호판|견인|운전|면허|렌터카|렌트|오토바이|이륜차|대포차|범퍼|세차|"
    "중고차|배달|퀵|탁송|기사님|운전자|정비|배차|입차|출차|공회전|경적|뺑소니|정기권|무사고|연식|블랙박스|하이패스|전조등|라이트|신호위반|과속|불법주차|"
    "카니발|쏘나타|소나타|그랜저|아반떼|모닝|스타렉스|포터|제네시스|스포티지|싼타페|투싼|쏘렌토|셀토스|스파크|티볼리|코란도|"
    "렉스턴|K[3-9]|SM[3567]|QM[36]|EV[3-9]|레이|캐스퍼|코나|니로|아이오닉|말리부|트랙스|쉐보레|르노|폭스바겐|혼다|토요타|팰리세이드|벤츠|아우디|테슬라|렉서스|볼보|봉고|마티즈|라세티|카렌스|액센트|SUV|BMW|세단|오너|"
    "(?i:(?:^|[^a-z])car[\"' ]{0,2}[:=]|car_?no|car_?num|plate|vehicle)|호차|캠핑카|[0-9]년식|타고 (?:온|간|다니)|몰고|"
    "(?:^|[^가-힣])(?:내|제|우리|이|그|앞|뒤|옆|상대)? ?차(?:[^가-힣]|는|가|를|도|에|와|의|로|요|야|임|입|번호|종)"
)
_NOT_HERE: Final = re2.compile("판결|선고|사건|대법원|고등법원|지방법원|지법|고법|결정|참조|심판|재판")
_MONEY: Final = frozenset("원억만천백조개명대년월일배톤권장위쪽건")
# Without a vehicle term nearby, a quantity, a floor or a rank: 12조 3456, 101호 1203, 3도 2000.
_ALSO_UNITS: Final = frozenset("조도호주배구부사수국합대하해공육자로")
# Type syllables of court cases: 97다1234, 98도1234, 96누1234, 99허1234.
_ALSO_CASES: Final = frozenset("가나다라마바사아자고구노누도두모부서수오우주저조하허호버머더러로소보거너어")
_EXAMPLE: Final = re2.compile("^[\"'’”」]?(?:과|와) 같은 (?:꼴|형식|형태)")
_HOTLINES: Final = frozenset("110 111 112 113 117 118 119 120 125 129 131 132 182".split())  # 129나 1339
_BEFORE = 220  # code points in which a vehicle term counts
_BEHIND = 24
_BESIDE = 40  # code points between two plates of a list
_MOST_WAITING = 4
_CASES_REACH = 40


def find_plates(text: str, data: bytes) -> Iterator[Match]:
    """Find plates supported by a region, a vehicle term nearby or the format of 2019 (three digits).

    Case numbers (97다1234), amounts (12조 3456억) and rooms (101호 1203) are left alone.
    """
    last_plate = -_BEFORE - 1
    waiting: list[tuple[int, int]] = []  # candidates that a plate after them may confirm
    for start, end in matches(_ANY, text, data):
        found = _match_plate(text, start, end, start - last_plate <= _BEFORE)
        if found is None:
            waiting = [*waiting[-_MOST_WAITING:], (start, end)]
            continue
        for first, last in waiting:
            earlier = _match_plate(text, first, last, True) if start - last <= _BESIDE else None
            if earlier is not None:
                yield earlier
        waiting = []
        last_plate = found.end
        yield found


def _match_plate(text: str, start: int, end: int, beside_another: bool) -> Match | None:
    plate = text[start:end]
    in_column = text[start - 1 : start] == "," and column_above(text, start).kind == "vehicle"
    if _is_part_of_longer_number(text, start, end) and not in_column:
        return None
    if _EXAMPLE.match(text[end : end + 12]) is not None:
        return None  # '12가3456'과 같은 꼴로
    region = not plate[0].isdigit()
    near = bool(_VEHICLES.search(text[max(0, start - 40) : start])) or bool(_VEHICLES.search(text[end : end + _BEHIND]))
    if plate[-1] in "공영일이삼사오육칠팔구":
        return Match(start, end, "vehicle", 0.85, "word of vehicles near; in words") if near else None
    if _OTHER_ONLY.match(plate):
        return Match(start, end, "vehicle", 0.85, "word of vehicles near; motorcycle or diplomat") if near else None
    use, front = _read_use_syllable(plate)
    court = bool(_NOT_HERE.search(text[max(0, start - _CASES_REACH) : end + 12]))
    if region:
        return Match(start, end, "vehicle", 0.95, "region before") if front <= 2 or near else None
    if (
        near
        and not (use in _ALSO_UNITS and text[end : end + 1] in tuple("번부"))
        and not (court and use in _ALSO_CASES and front == 2)
    ):
        return Match(start, end, "vehicle", 0.93, "word of vehicles near")
    if court or (use in _ALSO_UNITS and text[end : end + 1] in tuple("번부")):
        return None
    if beside_another or column_above(text, start).kind == "vehicle":
        return Match(start, end, "vehicle", 0.9, "beside another plate or under the head of a column")
    if _VEHICLES.search(text[max(0, start - _BEFORE) : start]) and use not in _ALSO_UNITS:
        return Match(start, end, "vehicle", 0.85, "word of vehicles before")
    whole = " " not in plate[: plate.index(use) + 1]
    if front == 3 and whole and plate[:3] not in _HOTLINES and use not in _ALSO_UNITS:
        return Match(start, end, "vehicle", 0.8, "three digits, a sign of use, four digits")
    return None


def _read_use_syllable(plate: str) -> tuple[str, int]:
    """Return the syllable for the use of the vehicle, and the number of digits before it.

    >>> _read_use_syllable("서울 31바 0417"), _read_use_syllable("123가4567")
    (('바', 2), ('가', 3))
    """
    digits = 0
    for char in plate:
        if char.isdigit():
            digits += 1
        elif digits and "가" <= char <= "힣":
            return char, digits
    return "", digits


def _is_part_of_longer_number(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isdigit() or after.isdigit() or (after == "." and text[end + 1 : end + 2].isdigit()):
        return True
    if (before and before in "_제") or (before and before in ".,-/" and text[start - 2 : start - 1].isdigit()):
        return text[start].isdigit() or before in "_제"
    if before.isascii() and before.isalnum():
        return True
    return (after in _MONEY and bool(after)) or (after in ("%", "㎡", "㎞") and bool(after))
