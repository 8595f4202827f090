"""What stands behind a label of a form: birth dates, names of account holders and applicants, home addresses.

Without its label none of them is looked for: a date, three syllables or a street are most often public.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import DIGIT, matches

_MARK: Final = "[:：=|│]"
_BLANK: Final = "[ \u00a0\u3000\t]"
_TO_VALUE: Final = f"{_BLANK}*(?:[)\\]]{_BLANK}*)?(?:{_MARK}{_BLANK}*)"  # 성명 : … and (예금주) : …
_D: Final = DIGIT
_DAY: Final = (
    f"(?:['’]?(?:{_D}{{4}}|{_D}{{2}}){_BLANK}?년{_BLANK}?{_D}{{1,2}}{_BLANK}?월{_BLANK}?{_D}{{1,2}}{_BLANK}?일?"
    f"|['’]?(?:{_D}{{4}}|{_D}{{2}}){_BLANK}?[.\\-–/]{_BLANK}?{_D}{{1,2}}{_BLANK}?[.\\-–/]{_BLANK}?{_D}{{1,2}}"
    f"|{_D}{{8}}|{_D}{{6}})"
)
BIRTH: Final = (
    f"(?:생{_BLANK}?년{_BLANK}?월{_BLANK}?일|생일|출생(?:년월일|일자|일)?)[은는이가]?"
    f"(?:{_TO_VALUE}|{_BLANK}*[(]?){_DAY}"
)
NAME: Final = (
    f"(?:예{_BLANK}?금{_BLANK}?주|성{_BLANK}{{0,4}}명|신{_BLANK}?청{_BLANK}?인|민{_BLANK}?원{_BLANK}?인|"
    f"수{_BLANK}?취{_BLANK}?인)명?(?:{_TO_VALUE}|{_BLANK}{{1,3}})(?:[가-힣]{{2,9}}|[가-힣](?: [가-힣]){{2}})"
)
_REGION: Final = (
    "(?:[가-힣]{1,5}(?:특별자치시|특별자치도|특별시|광역시|시|도|군|구)|"
    "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
)
_LOT: Final = f"{_D}{{1,5}}(?:-{_D}{{1,4}})?"
_STREET: Final = f"[가-힣0-9·]{{1,10}}(?:로|길){_BLANK}?{_LOT}(?:번길{_BLANK}?{_LOT})?"
_PLOT: Final = f"[가-힣0-9]{{1,8}}(?:동|리|가){_BLANK}?(?:산{_BLANK}?)?{_LOT}(?:번지)?"
_DOOR: Final = (
    f"{_BLANK}?[,(]?{_BLANK}?(?:[가-힣A-Za-z0-9]{{1,12}}{_BLANK})?"
    f"(?:{_D}{{1,4}}동{_BLANK}?)?(?:지하{_BLANK}?)?{_D}{{1,4}}[층호]"
)
ADDRESS: Final = (
    f"(?:주{_BLANK}{{0,4}}소지?|거주지|거{_BLANK}?소)(?:{_TO_VALUE}|{_BLANK}{{1,3}})(?:[(]?{_D}{{5}}[)]?{_BLANK}?)?"
    f"{_REGION}(?:{_BLANK}[가-힣0-9]{{1,10}}){{0,4}}?{_BLANK}?(?:{_STREET}|{_PLOT})(?:{_DOOR})*"
)
_BIRTH: Final = re2.compile(BIRTH)
_NAME: Final = re2.compile(NAME)
_ADDRESS: Final = re2.compile(ADDRESS)
_LABEL_END: Final = re2.compile("^[^0-9０-９'’]*")

# Common family names and those of two syllables; a list of bare facts, not checked against a census.
_FAMILY: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구나민진지엄채원천방공현함변염여추도소석선설마길연위표명기반"
    "라왕금옥육인맹제모탁국어은편용예경봉사부가복태목형피두감음빈동온호범좌팽승간상시갈단견당"
)
_FAMILY_OF_TWO: Final = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방", "망절")
# Words of forms and of sentences that begin like a family name.
_NO_NAMES: Final = frozenset(
    (
        "주소 전화 전화번호 연락처 소속 성별 성명 서명 국적 나이 전공 학교 학년 번호 한글 한자 영문 "
        "국문 기재 기재란 기관 기관명 기타 이름 이메일 주민 주민번호 신청 신청인 신청서 신분 민원 "
        "민원인 대표 대표자 담당 담당자 공란 공동 생략 미상 없음 동일 본인 상동 법인 법인명 단체 "
        "단체명 회사 회사명 상호 사업자 고객 고객명 고유 금액 계좌 은행 은행명 비고 구분 연번 순번 "
        "서울 부서 부서명 현직 경력 연도 연령 임원 이하 정보 정정 방법 조건 제출 유의 전원 전체 남자 "
        "여자 도장 날인 지장 표기 변경 개명 명의 명의자 예금주 수취인 수령인 보호자 대리인 위임인 가족 "
        "관계 직위 직급 직책 직업 학번 사번 사유 사항 여부 여러분 이상 이의 이용 이용자 인감 인적 "
        "인증 인원 입력 장애인 접수 정확 정확히 조회 지원 지원자 참가자 추가 표시 필수 현황 확인 환자 "
        "주식회사 유한회사 재단 협회 학회 국세청 시청 구청 군청 우체국 도서관 박물관 주민센터 견본 예시 "
        "보기 선택 기입 "
    ).split()
)
_ENDS: Final = ("입니다", "이며", "이고", "이라고", "귀하", "님", "씨")  # behind a name


def labelled(text: str, data: bytes) -> Iterator[Found]:
    """Birth dates, names and addresses that stand right behind their label."""
    for start, end in matches(_BIRTH, text, data):
        found = _birth(text, start, end)
        if found is not None:
            yield found
    for start, end in matches(_NAME, text, data):
        found = _name(text, start, end)
        if found is not None:
            yield found
    for start, end in matches(_ADDRESS, text, data):
        found = _address(text, start, end)
        if found is not None:
            yield found


def _birth(text: str, start: int, end: int) -> Found | None:
    """A date behind 생년월일, possible or not; behind 생일 and 출생 only one of this century or the last."""
    match = _LABEL_END.match(text[start:end])
    value = start + len(match.group()) if match else start
    label = "".join(text[start:value].split())
    after = text[end : end + 2]
    if after[:1].isdigit() or (after[:1] in ("-", ".", "/") and after[1:2].isdigit()):
        return None  # the first half of a resident number, which has a rule of its own, or a longer number
    if after[:1] in ("-", "–") and after[1:2] and after[1:2] in "*＊●○■□◯Xx•※✕×#":
        return None
    exact = label.startswith("생년월일")
    digits = "".join(c for c in text[value:end] if c.isdigit())
    if not exact:
        if _is_hangul(text[start - 1 : start]) or text[value:end].isdigit():
            return None  # 생일 100000 is an amount, 기업출생 no birth
        year = text[value:end].lstrip("'’")[:4]
        if year.isdigit() and not "1900" <= year <= "2099":
            return None  # the dead have no personal data (PIPA art. 2)
    word = "생년월일" if exact else label[:2]
    return Found(value, end, "birth_date", 0.95 if exact else 0.8, f"label {word} before; {len(digits)} digits")


def _name(text: str, start: int, end: int) -> Found | None:
    """Two to four syllables that begin with a family name; behind a mere blank only three, and only where they end."""
    if _is_hangul(text[start - 1 : start]):
        return None  # 공동성명, 재신청인
    whole = text[start:end]
    spaced = len(whole) > 5 and whole[-2] == " " and whole[-4] == " " and _is_hangul(whole[-5])
    value = _spaced_or_run(whole, spaced)
    between = whole[: len(whole) - len(value)]
    marked = any(c in ":：=|│" for c in between)
    label = "".join(c for c in between if _is_hangul(c))
    if _is_hangul(text[end : end + 1]):
        return None  # nine syllables and more: a sentence
    name = value.replace(" ", "")
    if not spaced:
        name = _without_end(name)
    double = name.startswith(_FAMILY_OF_TWO)
    fits = len(name) in ((3, 4) if double else (2, 3))
    if not fits or not (double or name[0] in _FAMILY) or name in _NO_NAMES or name[:2] in _NO_NAMES:
        return None
    if not marked and (len(name) != 3 or spaced or not _stands_as_name(text, start, end, label)):
        return None
    first = end - len(value)
    last = end if spaced else first + len(name)
    return Found(first, last, "name", 0.9 if marked else 0.75, f"label {label} before; {len(name)} syllables")


def _spaced_or_run(whole: str, spaced: bool) -> str:
    if spaced:
        return whole[-5:]
    at = len(whole)
    while at and _is_hangul(whole[at - 1]):
        at -= 1
    return whole[at:]


def _without_end(name: str) -> str:
    """홍길동님께서 → 홍길동."""
    return next((name[:i] for i in (2, 3, 4) if name.startswith(_ENDS, i)), name)


def _stands_as_name(text: str, start: int, end: int, label: str) -> bool:
    """예금주 홍길동 stands beside a number; other labels open their line, and the name closes the field."""
    closes = text[end : end + 1] in ("", "\n", ",", ")", "|", "/", "\t", "(")
    if label.startswith("예금주"):
        return closes or text[end : end + 1] in (" ", ".")
    line = text.rfind("\n", 0, start) + 1
    return label.startswith("성명") and closes and start - line <= 3


def _address(text: str, start: int, end: int) -> Found | None:
    """A street with its number, or a lot, behind 주소 and 거주지; a street alone names nobody's door."""
    if text[end : end + 1].isdigit():
        return None
    whole = text[start:end]
    at = next((i for i, c in enumerate(whole) if c in " \u00a0\u3000\t:：=|│)]" and _value_begins(whole, i)), None)
    if at is None:
        return None
    first = start + at
    while not _is_hangul(text[first]):  # a postcode
        first += 1
    return Found(first, end, "address", 0.85, f"label {''.join(whole[:at].split())[:3]} before; number of a door")


def _value_begins(whole: str, at: int) -> bool:
    """Whether the label is complete before `at`: 주 소 has a blank inside."""
    return "".join(whole[:at].split()) in ("주소", "주소지", "거주지", "거소")


def _is_hangul(char: str) -> bool:
    return "가" <= char <= "힣"
