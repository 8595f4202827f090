"""Addresses down to the door, with or without a label: by street (도로명) and by lot (지번)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import re2

from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import DIGIT, ZERO_WIDTH, matches

_GAP: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
_B: Final = f"{_GAP}{{0,3}}"
_FOLD: Final = f"{_B}\n?{_B}"  # cells of tables fold between words and before the number
_DASH: Final = "[-\u2010-\u2015\u2212－]"
_PROVINCES: Final = (
    "서울(?:특별시|시)?|(?:부산|대구|인천|광주|대전|울산)(?:광역시|시)?|세종(?:특별자치시|시)?|경기도?|"
    "강원(?:특별자치도|도)?|충청[남북]도|충[남북]|전라[남북]도|전북특별자치도|전[남북]|경상[남북]도|경[남북]|"
    "제주(?:특별자치도|도)?"
)
_DISTRICTS: Final = tuple(
    sorted(
        {
            word
            for line in Path(__file__).with_name("districts.txt").read_text("utf-8").splitlines()
            if not line.startswith("#")
            for word in line.split()
        },
        key=lambda word: (-len(word), word),
    )
)
_DISTRICT: Final = "(?:" + "|".join(_DISTRICTS) + ")"
# 경기 성남 분당 …: behind a province the district may lack its last syllable.
_SHORT: Final = "(?:" + "|".join(sorted({d[:-1] for d in _DISTRICTS if len(d) > 2 and d[-1] in "시군구"})) + ")"
_VILLAGE: Final = f"(?:[가-힣]{{1,6}}[읍면]{_FOLD})?"
_LOT: Final = f"(?:지하{_B})?{DIGIT}{{1,5}}(?:{_DASH}{DIGIT}{{1,4}})?(?:{_B}번지)?"
_Z: Final = f"[{ZERO_WIDTH}]?"
_STREET: Final = (
    f"[가-힣0-9·{ZERO_WIDTH}]{{1,14}}(?:로|길){_Z}(?:{_GAP}?{DIGIT}{{1,4}}(?:번|[가나다라])?길)?{_FOLD}{_LOT}"
)
_ON_AVENUE: Final = f"[가-힣]{{1,6}}로{DIGIT}가{_FOLD}{_LOT}"  # 을지로3가 is a village that is called after a street
_PLOT: Final = f"(?:[가-힣]{{1,6}}[0-9]{{0,2}}(?:동|리|가)|[가-힣]{{1,6}}[읍면])(?:{_B}산)?{_FOLD}{_LOT}"
# A building, bare or in brackets, then block, floor and flat: (한울타운) 나동 113호, 지하층 비01호, 101동⏎1203호.
_DOOR: Final = (
    f"(?:{_FOLD}[,，]?{_FOLD}(?:[(（][가-힣A-Za-z0-9 ,·]{{1,20}}[)）]{_FOLD}[,，]?{_FOLD})?[(（]?"
    f"(?:[가-힣A-Za-z0-9·]{{1,14}}{_GAP}{{1,2}}){{0,2}}?"
    f"(?:(?:[A-Za-z가-힣]|{DIGIT}{{1,4}}){_Z}동{_B}[,，]?{_FOLD})?(?:지하?층{_B}|(?:지하{_B})?{DIGIT}{{1,2}}층{_B}[,，]?{_B})?"
    f"(?:지하{_B}|[A-Za-z비]-?|제)?{DIGIT}{{1,4}}[층호])"
)
# 한울마을 417-1201: block and flat without their words.
_FLAT: Final = re2.compile(
    f"^{_B}[,，]?{_B}(?:([가-힣A-Za-z0-9]{{2,14}}){_GAP}{{0,2}})?[1-9]{DIGIT}{{2,3}}{_DASH}[1-9]{DIGIT}{{2,3}}호?"
)
# (역삼동), (서교동, 한울빌딩): the village a street runs through.
_THROUGH: Final = f"(?:{_B}[(（][가-힣0-9]{{1,8}}[동리가읍면](?:,[가-힣A-Za-z0-9 ]{{1,16}})?[)）])?"
_REGION: Final = (
    f"(?:(?:{_PROVINCES}){_FOLD}(?:{_DISTRICT}{_FOLD}){{0,2}}(?:{_SHORT}{_GAP}{{1,3}}){{0,2}}|"
    f"(?:{_SHORT}{_GAP}{{1,3}})?{_DISTRICT}{_FOLD}(?:{_DISTRICT}{_FOLD})?)"
)
_ADDRESS: Final = re2.compile(f"({_REGION}){_VILLAGE}(?:{_ON_AVENUE}|{_STREET}|{_PLOT}){_DOOR}*{_THROUGH}")
NUMBER: Final = f"[가-힣0-9]{_Z}(?:로|길|동|리|가|읍|면){_GAP}{{0,3}}(?:산{_B})?\n?(?:지하{_B})?{DIGIT}"
_AFTER_LABEL: Final = f"(?:{_B}[)\\]]?{_B}[:：=|│>]?{_FOLD}[\"']?)"
_NAMED: Final = (
    f"(?:주{_GAP}{{0,4}}소지?|거주지|주거지?|거{_GAP}?소|본적지?|등록기준지|배송지|받는 ?곳|사는 ?곳|소재지|"
    "[Aa]ddr(?:ess)?[12]?[\"']?)"
)
LABELLED: Final = (
    f"{_NAMED}{_AFTER_LABEL}(?:[(]?{DIGIT}{{5}}[)]?{_B})?(?:"
    f"(?:[가-힣]{{1,5}}(?:특별자치시|특별자치도|특별시|광역시|시|도|군|구)|{_PROVINCES})"
    f"(?:{_GAP}[가-힣0-9]{{1,10}}){{0,4}}?{_GAP}?(?:{_STREET}|{_PLOT})|{_STREET}){_DOOR}*"
)
_LABELLED: Final = re2.compile(LABELLED)
_LABEL_HEAD: Final = re2.compile(f"^{_NAMED}{_AFTER_LABEL}(?:[(]?{DIGIT}{{5}}[)]?{_B})?")
# 세종 한빛동 하늘마을 1102동 1701호: a village, any name, block and flat.
_IN_VILLAGE: Final = re2.compile(
    f"(?:{_REGION}|(?:{_PROVINCES}){_GAP}{{1,3}})?[가-힣]{{1,6}}[0-9]{{0,2}}[동읍면리가]{_GAP}{{1,3}}"
    f"[가-힣A-Za-z0-9]{{2,14}}{_GAP}{{1,3}}(?:{DIGIT}{{1,2}}단지{_B})?{DIGIT}{{1,4}}동{_FOLD}{DIGIT}{{1,4}}호"
)
_HOUSES: Final = "아파트|빌라|오피스텔|맨션|연립|주공"
FLATS: Final = f"(?:{_HOUSES}){_B}[1-9]{DIGIT}{{2,3}}{_DASH}[1-9]{DIGIT}{{2,3}}호?"
_BY_DASH: Final = re2.compile(f"[가-힣A-Za-z0-9]{{1,14}}{FLATS}")
# 103-1502, 418 Eunbangul-gil, Mapo-gu, Seoul
_ROAD: Final = "[A-Z][A-Za-z0-9-]{1,30}(?:-ro|-gil|daero|-dong|-ri)"
ENGLISH: Final = "[0-9],? [A-Z][A-Za-z0-9-]+(?:-ro|-gil|daero|-dong|-ri)[ ,]"
_ENGLISH: Final = re2.compile(
    "(?:(?:#|No[.] ?|Apt[.]? ?|Unit |Room )?[A-Z]?[0-9]{1,5}(?:-[0-9]{1,5})?(?:-?(?:dong|ho|F))?[, ]{1,2}){1,4}"
    f"(?:[A-Z][A-Za-z]+ (?:Apt[.]?|Apartment|Bldg[.]?|Building|Tower)[, ]{{1,2}})?{_ROAD}"
    "(?: ?[0-9]{1,3}(?:beon)?-?gil)?(?:,? ?(?:[A-Z][A-Za-z]+-(?:gu|si|gun|do|dong|eup|myeon|ri)|"
    "Seoul|Busan|Daegu|Incheon|Gwangju|Daejeon|Ulsan|Sejong|Jeju))+"
)
_COMPLEX: Final = re2.compile(
    f"[가-힣A-Za-z0-9]{{1,14}}(?:아파트|빌라|오피스텔|맨션|연립|주공|타운|자이|푸르지오|래미안|힐스테이트|"
    f"더샵|롯데캐슬|e편한세상)"
    f"{_B}(?:{DIGIT}{{1,2}}단지{_B})?{DIGIT}{{1,4}}동{_B}{DIGIT}{{1,4}}호"
)
COMPLEX: Final = f"[가-힣A-Za-z0-9]{_B}{DIGIT}{{1,4}}동{_FOLD}{DIGIT}{{1,4}}호"
_NUMBER: Final = re2.compile(NUMBER)
_LABEL: Final = re2.compile(
    f"(?:주{_GAP}{{0,4}}소지?|거주지|거{_B}소|소재지|배송지|사는 곳|받는 ?곳|사업장|본적|등록기준지|"
    f"송달할? ?(?:곳|장소)|[Aa]ddr(?:ess)?|"
    f"ADDR(?:ESS)?)[^가-힣]{{0,8}}$"
)
_BACK = 64  # code points before a number in which its region begins
_AHEAD = 64  # code points behind in which the door ends
_CALLS: Final = ("전화", "연락", "핸드", "휴대", "팩스", "문의", "우편", "TEL", "Tel", "tel", "FAX")
_UNITS: Final = "년월일시분초원명개번회건권점도위차장조항호만억천백%℃배세"  # behind a lot they make it a quantity
_PARTICLES: Final = "에로으의은는이을를와과입앞부까인예도쪽란"


def found(text: str, data: bytes) -> Iterator[Found]:
    """Findings of kind `address`, from the region to the last number; linear in the length of `text`.

    A district of the gazetteer must stand before the street or village; of the provinces only
    Sejong has none below it. Streets without a number and quantities (강남구로 3명) stay.
    """
    done = 0
    for start, end in matches(_NUMBER, text, data):
        if start < done:
            continue
        item = _around(text, start, end, done)
        if item is not None:
            done = item.end
            yield item


def labelled(text: str, data: bytes) -> Iterator[Found]:
    """Addresses behind their label, in a region that no list knows."""
    for start, end in matches(_LABELLED, text, data):
        item = _behind_label(text, start, end)
        if item is not None:
            yield item


def complexes(text: str, data: bytes) -> Iterator[Found]:
    """Block and flat behind the name of a complex, or behind any name in a village."""
    for pattern, reason in ((_COMPLEX, "a named complex"), (_IN_VILLAGE, "a village")):
        for start, end in matches(pattern, text, data):
            if not text[end : end + 1].isdigit() and not "가" <= text[start - 1 : start] <= "힣":
                yield Found(start, end, "address", 0.8, f"block and door of {reason}")


def flats(text: str, data: bytes) -> Iterator[Found]:
    """한울아파트 101-1203: block and flat of houses, parted by a hyphen."""
    for start, end in matches(_BY_DASH, text, data):
        if not text[end : end + 1].isdigit() and text[end : end + 1] != "-":
            yield Found(start, end, "address", 0.8, "houses; block and flat")


def english(text: str, data: bytes) -> Iterator[Found]:
    """103-1502, 418 Eunbangul-gil, Mapo-gu, Seoul."""
    for start, end in matches(_ENGLISH, text, data):
        if not text[start - 1 : start].isalnum():
            yield Found(start, end, "address", 0.9, "road and district in Latin letters")


def _behind_label(text: str, start: int, end: int) -> Found | None:
    """An address whose region no gazetteer knows, right behind 주소, 주소지, 거주지 or 거소."""
    if "가" <= text[start - 1 : start] <= "힣":
        return None
    head = _LABEL_HEAD.match(text[start:end])
    first = start + len(head.group()) if head else start
    if _is_quantity(text, end, text[first:end]) or first == start:
        return None
    return Found(first, end, "address", 0.85, "label before; number of a door")


def _around(text: str, start: int, end: int, done: int) -> Found | None:
    """The address whose lot begins in text[start:end]; only a bounded window is read."""
    first = max(done, start - _BACK)
    data = text[first : end + _AHEAD].encode()
    least = len(text[first:end].encode())
    match = next((m for m in _ADDRESS.finditer(data) if m.end() >= least), None)
    if match is None:
        return None
    begin = first + len(data[: match.start()].decode())
    if begin > start:
        return None
    stop = _with_flat(text, begin + len(match.group().decode()))
    region = match.group(1).decode()
    value = text[begin:stop]
    if "가" <= text[begin - 1 : begin] <= "힣":
        return None
    if _is_quantity(text, stop, value):
        return None
    labelled = _LABEL.search(text[max(0, begin - 24) : begin]) is not None
    district = region.rstrip().endswith(("시", "군", "구")) or len(region.split()) > 1
    if not district and not labelled and "번지" not in value and value[-1:] not in ("호", "층"):
        return None
    door = value.endswith(("호", "층"))
    reason = "label before" if labelled else "district of the gazetteer" if district else "province"
    return Found(begin, stop, "address", 0.95 if labelled or door else 0.9, f"{reason}; {'door' if door else 'lot'}")


def _with_flat(text: str, stop: int) -> int:
    """Where an address ends whose last part is the name of its houses and two bare numbers."""
    match = _FLAT.match(text[stop : stop + 30])
    if match is None or (match.group(1) or "").startswith(_CALLS):
        return stop
    end = stop + len(match.group())
    return stop if text[end : end + 1].isdigit() or text[end : end + 1] in tuple("-–.") else end


def _is_quantity(text: str, stop: int, value: str) -> bool:
    """제주시 연동 3개, 서구로 10시, 강남구 역삼동 031-…: numbers that count or are called."""
    lot = value.rstrip()
    after = text[stop : stop + 1]
    if after.isdigit() or (after.isascii() and after.isalpha()):
        return True
    if lot.endswith(("호", "층", "번지")):
        return False
    if after in tuple("-.,:/") and text[stop + 1 : stop + 2].isdigit():
        return True
    tail = lot[-12:]
    digits = tail[len(tail.rstrip("0123456789０１２３４５６７８９-–‐‑−")) :]
    if digits.startswith("0"):
        return True
    head, _, rest = digits.partition("-")
    if len(head) == 4 and len(rest) == 4:
        return True  # 1588-…: a number to call
    follows = text[stop : stop + 2].strip()[:1]
    if "가" <= after <= "힣":
        return after not in _PARTICLES
    return follows in tuple(_UNITS) and not text[stop : stop + 1].isspace()
