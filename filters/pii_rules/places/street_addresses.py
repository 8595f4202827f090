"""Addresses by street (도로명) or by lot (지번), down to the room, with or without a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.places import apartments
from filters.pii_rules.places.details import find_address_end
from filters.pii_rules.places.regions import (
    BLANKS,
    DISTRICTS,
    FOLD,
    GAP,
    PROVINCES,
    REGION,
    STEMS,
    find_region_start,
    has_district,
)
from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match

_DASH: Final = "[-\u2010-\u2015\u2212－]"
_D: Final = f"[{DIGIT[1:-1]}Oo]"  # O for zero, an OCR error
_SPELLED: Final = (
    f"[일이삼사오육칠팔구십백천]{{1,8}}(?:{BLANKS}번지|{BLANKS}다시{BLANKS}[일이삼사오육칠팔구십백]{{1,6}})"
)
_LOT: Final = (
    f"(?:지하{BLANKS})?(?:{DIGIT}{_D}{{0,4}}(?:{BLANKS}{_DASH}{BLANKS}{DIGIT}{_D}{{0,3}})?"
    f"(?:{BLANKS}번지(?:{BLANKS}의{BLANKS}{DIGIT}{{1,4}})?|의{BLANKS}{DIGIT}{{1,4}}(?:{BLANKS}번지)?)?|{_SPELLED})"
)
_LANE: Final = f"(?:{FOLD}{DIGIT}{{1,4}}(?:번|[가나다라마바])?{BLANKS}(?:안|가|나|다)?길)?"
_STREET: Final = f"[가-힣0-9·{ZERO_WIDTH}]{{1,12}}(?:로|길){_LANE}{FOLD}{_LOT}"
_QUARTER: Final = f"[가-힣]{{1,6}}(?:제?{DIGIT}{{1,2}})?(?:동|리|가)|[가-힣]{{1,5}}동{DIGIT}가"
_NUMBERED: Final = f"[가-힣]{{1,5}}(?:로|동){DIGIT}가{FOLD}{_LOT}"  # 종로1가 9
_PLOT: Final = f"(?:{_QUARTER}|[가-힣]{{1,6}}[읍면])(?:{BLANKS}산)?{FOLD}{_LOT}"
_VILLAGES: Final = f"(?:(?:[가-힣]{{1,6}}(?:제?{DIGIT}{{1,2}})?(?:읍|면|동|리|가){GAP}?{FOLD}){{0,2}})"
_ADDRESS: Final = re2.compile(f"({REGION}){_VILLAGES}(?:{_NUMBERED}|{_STREET}|{_PLOT})")
NUMBER: Final = (
    f"[가-힣0-9{ZERO_WIDTH}](?:로|길|동|리|가|읍|면){GAP}{{0,3}}(?:산{BLANKS})?\n?{BLANKS}(?:지하{BLANKS})?"
    f"(?:{DIGIT}|[일이삼사오육칠팔구십백천]{{1,8}}{BLANKS}(?:번지|다시))"
)
_AFTER_LABEL: Final = f"(?:{BLANKS}[)\\]\"']?{BLANKS}[:：=▶→\\]|│>]?{FOLD}[\"']?)"
_LABELS: Final = (
    f"(?:주{GAP}{{0,4}}소지?|주거지?|거주지|거{GAP}?소|본적지?|등록기준지|소재지|송달{GAP}?장소|배송지|배달지|수령지|"
    f"받(?:는|을|으실){GAP}?곳|보(?:낼|내실){GAP}?곳|사는{GAP}?곳|자택|사용본거지|(?i:addr(?:ess)?))"
)
_HEAD: Final = f"{_LABELS}{_AFTER_LABEL}(?:[(]?(?:우{BLANKS})?{DIGIT}{{5}}[)]?{BLANKS}[,]?{BLANKS})?"
LABELLED: Final = (
    f"{_HEAD}(?:"
    f"(?:[가-힣]{{1,5}}(?:특별자치시|특별자치도|특별시|광역시|시|도|군|구)|{PROVINCES})"
    f"(?:{GAP}{{1,2}}[가-힣0-9]{{1,10}}){{0,4}}?{GAP}{{0,2}}(?:{_STREET}|{_PLOT})|{_STREET}|[가-힣]{{2,6}}(?:동|리)(?:{BLANKS}산)?{FOLD}{_LOT})"
)
_LABELLED: Final = re2.compile(f"^{LABELLED}")
_LABEL_WORD: Final = re2.compile(_LABELS)
_LABEL_HEAD: Final = re2.compile(f"^{_HEAD}")
# 경 기 도 없 는 시 없 는 로 9 9: spaced letters, as in forms and scans.
APART: Final = "[시군구도] {1,2}(?:[가-힣] {1,2}){2,12}[로길동리가] {1,2}[0-9]"
_APART: Final = re2.compile(APART)
# The prefilter is one automaton for many expressions: without counted repetition, which would make it large.
_NUMBER_GATE: Final = (
    f"[가-힣0-9{ZERO_WIDTH}](?:로|길|동|리|가|읍|면){GAP}*(?:산{GAP}*)?\n?{GAP}*(?:지하{GAP}*)?"
    f"(?:{DIGIT}|[일이삼사오육칠팔구십백천]+{GAP}*(?:번지|다시))"
)
APART_GATE: Final = "[시군구도] +[가-힣] +[가-힣] .*[로길동리가] +[0-9]"
GATES: Final = (_NUMBER_GATE, *apartments.GATES)
_NUMBER: Final = re2.compile(NUMBER)
_LABEL: Final = re2.compile(
    f"(?:주{GAP}{{0,4}}소지?|주거지?|거주지|거{BLANKS}소|소재지|배송지|사는 곳|받는 곳|받을 곳|사업장|본적|등록기준지|"
    "송달할? ?(?:곳|장소)|위치|[Aa]ddr(?:ess)?|ADDR(?:ESS)?)[^가-힣]{0,8}$"
)
_ONLY_STREET: Final = re2.compile(
    f"(?:^|[^가-힣0-9])([가-힣]{{2,6}}(?:로|길)(?: ?{DIGIT}{{1,3}}번?[가나다]?길)? ?{DIGIT}{{1,4}}(?:-{DIGIT}{{1,3}})?)"
)
_LABELLED_REACH = 120  # code points from a label to the number after it
_BACK = 64  # code points before a number in which its region begins
_AHEAD = 40  # code points after the match in which the number ends
_UNITS: Final = "년월일시분초원명개번회건권점도위차장조항호만억천백%℃배세"  # after a lot number they mark a quantity
_PARTICLES: Final = "에로으의은는이을를와과입앞부까인예도쪽란요외"


def find_addresses(text: str, data: bytes) -> Iterator[Match]:
    """Find matches of kind `address`, from the region to the last detail; linear in the length of `text`.

    A listed district must precede the street or village, or a full province name with any district; Sejong is the only
    province without districts. Streets without a number and quantities (강남구로 3명) are left alone.
    """
    yield from _merge_overlaps(
        [*_find_by_lot_number(text, data), *_find_by_label(text, data), *apartments.find_apartments(text, data)]
    )


def find_spaced_addresses(text: str, data: bytes) -> Iterator[Match]:
    """Find addresses with spaced letters: 경 기 도 없 는 시 없 는 로 9 9."""
    last = -1
    for start, _ in matches(_APART, text, data) if b" " in data else ():
        if start > last:
            last = text.find("\n", start)
            last = last if last >= 0 else len(text)
            yield from _read_spaced_address(
                text, max(text.rfind("\n", 0, start) + 1, start - _BACK), min(last, start + 2 * _BACK)
            )


def _find_by_lot_number(text: str, data: bytes) -> Iterator[Match]:
    done = 0
    for start, end in matches(_NUMBER, text, data):
        if start < done:
            continue
        item = _read_address_around(text, start, end, done)
        if item is not None:
            done = item.end
            yield item


def _find_by_label(text: str, data: bytes) -> Iterator[Match]:
    """Find addresses with an unlisted region directly after a label: 주소, 주소지, 거주지."""
    for start, _ in matches(_LABEL_WORD, text, data):
        match = _LABELLED.match(text[start : start + _LABELLED_REACH])
        if match is None:
            continue
        end = start + len(match.group())
        head = _LABEL_HEAD.match(match.group())
        first = start + len(head.group()) if head else start
        inside = "가" <= text[start - 1 : start] <= "힣" and text[start] not in "주거본등"
        if text[first : first + 1].isdigit() or inside or first == start or _is_quantity(text, end, text[first:end]):
            continue
        yield Match(first, find_address_end(text, end), "address", 0.85, "label before; number of a door")


def _merge_overlaps(items: list[Match]) -> Iterator[Match]:
    """Merge overlapping matches: the region of one, the room of the other."""
    items.sort(key=lambda f: (f.start, -f.end))
    last: Match | None = None
    for item in items:
        if last is None or item.start >= last.end:
            if last is not None:
                yield last
            last = item
        elif item.end > last.end:
            last = Match(last.start, item.end, "address", max(last.confidence, item.confidence), last.why)
    if last is not None:
        yield last


def _read_address_around(text: str, start: int, end: int, done: int) -> Match | None:
    """Parse the address whose lot begins in text[start:end]; reads a bounded window only."""
    first = max(done, start - _BACK)
    data = text[first : end + _AHEAD].encode()
    least = len(text[first:end].encode())
    match = next((m for m in _ADDRESS.finditer(data) if m.end() >= least), None)
    if match is None:
        return _read_street_without_region(text, first, start, end) if "호" in text[end : end + _AHEAD] else None
    region = match.group(1).decode()
    skipped = find_region_start(region)
    begin = first + len(data[: match.start()].decode()) + skipped
    if skipped < 0 or begin > start or "가" <= text[begin - 1 : begin] <= "힣":
        return None
    stop = first + len(data[: match.end()].decode())
    if _is_quantity(text, stop, text[begin:stop]):
        return None
    region = region[skipped:].strip()
    begin -= _town_length_before(text, begin)
    last = find_address_end(text, stop)
    labelled = _LABEL.search(text[max(0, begin - 24) : begin]) is not None
    district = has_district(region)
    if not district and not labelled and "번지" not in text[begin:stop] and last == stop:
        return None
    reason = "label before" if labelled else "district of the gazetteer" if district else "province"
    facts = "door" if last > stop else "lot"
    return Match(begin, last, "address", 0.95 if labelled or last > stop else 0.9, f"{reason}; {facts}")


def _read_street_without_region(text: str, first: int, start: int, end: int) -> Match | None:
    """Parse street, number and room without a region: 없는로 7길 31-9, 401호."""
    for match in _ONLY_STREET.finditer(text[first : end + _AHEAD]):
        begin, stop = first + match.start(1), first + match.end(1)
        last = find_address_end(text, stop)
        roomy = text[last - 1] == "호" and last > stop
        if begin <= start < stop and roomy and not _is_quantity(text, stop, text[begin:stop]):
            return Match(begin, last, "address", 0.8, "street, number and room without a region")
    return None


def _read_spaced_address(text: str, first: int, last: int) -> Iterator[Match]:
    """Parse an address with spaced letters by removing the blanks."""
    kept = [i for i in range(first, last) if not text[i].isspace()]
    bare = "".join(text[i] for i in kept)
    match = _ADDRESS.search(bare)
    if match is None:
        return
    region = match.group(1)
    start = bare.index(match.group())
    end = find_address_end(bare, start + len(match.group()))
    known = _FIRST_REGION.search(region)
    if known is None:
        return
    start += region.index(known.group())
    yield Match(kept[start], kept[end - 1] + 1, "address", 0.9, "letters apart; region and lot")


def _town_length_before(text: str, begin: int) -> int:
    """Return the length of a city stem directly before the district, such as 성남 before 분당구, or 0."""
    word = text[max(0, begin - 8) : begin]
    last = word.split()[-1:] if word[-1:].isspace() else []
    return begin - text.rindex(last[0], 0, begin) if last and last[0] in STEMS else 0


_FIRST_REGION: Final = re2.compile(f"{PROVINCES}(?:[가-힣]{{1,4}}[시군구])?|(?:" + "|".join(sorted(DISTRICTS)) + ")")


def _is_quantity(text: str, stop: int, value: str) -> bool:
    """Whether the number is a quantity or a telephone number: 제주시 연동 3개, 서구로 10시, 강남구 역삼동 031-…."""
    lot = value.rstrip()
    after = text[stop : stop + 1]
    if after.isdigit() or (after.isascii() and after.isalpha()):
        return True
    if _ENDS_IN_FLOW.search(lot) is not None:
        return True
    if lot.endswith(("호", "층", "번지")) or not lot[-1:].isdigit():
        return False
    if after in tuple("-.,:/") and text[stop + 1 : stop + 2].isdigit():
        return True
    digits = lot[len(lot.rstrip("0123456789０１２３４５６７８９-–‐‑−")) :]
    head, _, rest = digits.partition("-")
    if len(head) == 4 and len(rest) == 4:
        return True  # 1588-…: a telephone number
    if _CALLED.match(digits) is not None and _MORE_DIGITS.match(text[stop : stop + 5]) is not None:
        return True  # 역삼동 02 000 …
    follows = text[stop : stop + 2].strip()[:1]
    if "가" <= after <= "힣":
        return after not in _PARTICLES
    return follows in tuple(_UNITS) and not text[stop : stop + 1].isspace()


_ENDS_IN_FLOW: Final = re2.compile(
    "(?:으로|므로|대로는|[이그저]리)[ \n]*[0-9-]+$|[읍면] ?(?:19|20)[0-9]{2}$"
)  # 앞으로 3, 그리고 …
_CALLED: Final = re2.compile("^(?:01[016789]|02|0[3-6][1-5]|070|080|050[0-9])(?:-|$)")
_MORE_DIGITS: Final = re2.compile("^[ )-]{1,2}[0-9]{2}")
