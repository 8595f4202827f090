"""Label words before a number that say what it is: 주민등록번호, 연락처, 계좌, 국민은행, 문서번호 …"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import re2

REACH = 30  # code points before a number in which a label counts, without white space and punctuation
_SLICE = 48  # code points read to find it

_WORDS: Final[dict[str, str]] = {
    "rrn": "주민등록번호 주민등록 주민번호 민증번호 주민등록증 주민등록증번호 실명번호 "
    "주민등록no 주민no juminno jumin ssn residentno residentnumber rrn residentregistrationnumber registrationno",
    "birth": "주민 민번 생년월일 신분증 본인확인 실명확인 등본 초본 제번호 내번호 출원인",
    # They show that the text is about a person, not what the number is.
    "person": "성명 이름 환자 신청인 민원인 고객명 세대주 가입자 피보험자 임차인 임대인 매도인 매수인 원고 피고 주소",
    "frn": "외국인등록번호 외국인등록 외국인등록증 외국인등록증번호 외국인번호 외등번호 "
    "국내거소신고번호 거소신고번호 국내거소 "
    "거소번호 외국인 frn aliennumber "
    "arcno alienregistrationnumber alienregistrationno alienno foreignerno",
    "passport": "여권번호 여권 ppno passport passportno passportnumber psprtno passno",
    "license": "운전면허번호 운전면허증번호 운전면허증 운전면허 면허번호 면허증번호 면허증의번호 면허증 면허 "
    "driverlicense driverslicense driverlicenseno "
    "licenseno driverlicensenumber driverslicensenumber drvlicno drvlicenseno drvlcno dlno 면허no",
    "health": "건강보험증번호 건강보험증 건강보험번호 건강보험 보험증번호 보험증 증번호 의료보험증 healthinsurance "
    "건보번호 건보증번호 nhisno healthinsuranceno insuranceno",
    "vehicle": "차량번호 차량등록번호 자동차등록번호 자동차번호 번호판 "
    "plate 차량 차량no 차번호 차번 등록차량 carno carnumber vehicleno vhclno plateno platenumber",
    "postcode": "우편번호 postcode postalcode zipcode zip zipno zonecode postno 우편no",
    "crn": "법인등록번호 법인번호 법인등기번호 법인등기 등기번호 corporateregistrationnumber "
    "corpno corpregno corpregistno crno jurirno",
    "corporation": "법인 주식회사",
    "brn": "사업자등록번호 사업자등록 사업자번호 사업자 고유번호 납세번호 brn businessregistrationnumber "
    "bizno bizregno bizrno businessno businessregno saupno 사업자no",
    "phone": "전화번호 전화 연락처 휴대폰 핸드폰 휴대전화 휴대번호 폰번호 손전화 모바일 연락 문의 문자 팩스 직통 자택 "
    "안심번호 수신번호 발신번호 인입 tel hp phone mobile fax 사무실 상담 예약 제보 신고 "
    "telno cellphone cellno hpno mobileno mbltelno mblno phoneno contact",
    "card": "카드번호 신용카드 체크카드 법인카드 카드 cardnumber cardno creditcard card cardnum crdno crdnum",
    "account": "계좌번호 계좌 입금 송금 예금주 통장 통장번호 이체 account "
    "accountno accountnumber acct acctno acntno bankaccount bankacct 계좌no",
    "bank": "은행 농협 뱅크 수협 우체국 새마을금고 신협 저축은행 카뱅 케뱅 축협 증권 국민은행 신한은행 우리은행 "
    "하나은행 기업은행 산업은행 sc제일 씨티 카카오뱅크 토스뱅크 케이뱅크 im뱅크",
    # Also everyday words: they count only directly before the number.
    "bank-short": "국민 신한 우리 하나 기업 대구 부산 경남 광주 전북 제주 토스 카카오 새마을 kb nh ibk",
    "other": "문서번호 사건번호 사건 주문번호 송장번호 운송장 운송장번호 송장 특허 출원번호 출원 공개번호 등록번호 "
    "허가번호 승인번호 모델 모델명 모델번호 버전 version 제품번호 제품코드 품번 일련번호 접수번호 관리번호 고시 "
    "공고 훈령 예규 isbn issn 바코드 시리얼 serial timestamp 타임스탬프 좌표 위도 경도 청구번호 분류번호 코드 "
    "판례 결정 "
    "심사번호 과제번호 물품번호 학번 사번 등기번호 발송번호 uuid id doi 국제표준도서번호 해시 값 유통번호 부품번호 "
    "상품번호 인증번호 lot번호 로트번호 lotno 과제고유번호 매물번호 "
    "등록증번호 회원증번호 학생증번호 자격증번호 사원증번호 출입증번호",
}
_PERSON: Final = ("birth", "person")
NOT_NUMBERED: Final = ("phone", "bank-short")
_BANK_BEHIND: Final = re2.compile(
    "^(?:입니다|이에요|예요|이고|로|으로|을|를)?[ \n(\\[,/'\"]{0,4}(?:"
    "(?:국민|신한|우리|하나|기업|산업|부산|경남|광주|전북|제주|대구|외환|한국씨티|SC제일|[Kk][Bb]|[Ii][Bb][Kk]|[Nn][Hh]|iM)"
    "(?:국민|기업|농협)?(?:은행|뱅크)?(?:으로|로|[^가-힣A-Za-z]|$)|"
    "카카오뱅크|카뱅|토스뱅크|토스|케이뱅크|케뱅|(?:[Nn][Hh])?농협|수협|신협|우체국|새마을금고|SC제일)"
)
_PAID: Final = tuple(f"{to}{verb}" for to in ("로", "으로") for verb in ("입금", "송금", "이체", "보내", "부쳐"))
_LONGEST_HEAD = 400  # code points of the first line of a table
_LONGEST_CELL = 24
_LONGEST_ROW = 2000  # code points before a cell in its row
_THIN: Final = " \"'(「[{\u200b\u200c\u200d\u2060\ufeff\u00ad"
_CELLS: Final = ("|", "\t", ",", ";", "\n")


def _compile_reversed(kinds: tuple[str, ...]) -> tuple[re2._Regexp, dict[bytes, tuple[str, str]]]:
    """Compile an expression over reversed text, whose leftmost longest match is the nearest longest label."""
    words = {word[::-1].encode(): (kind, word) for kind in kinds for word in _WORDS[kind].split()}
    options = re2.Options()
    options.longest_match = True
    return re2.compile(b"|".join(map(re2.escape, sorted(words))), options), words


_LABELS: Final = _compile_reversed(tuple(kind for kind in _WORDS if kind != "person"))
_NUMBERED: Final = _compile_reversed(tuple(kind for kind in _WORDS if kind not in ("person", *NOT_NUMBERED)))
_PERSONS: Final = _compile_reversed(_PERSON)
_DROPPED: Final = dict.fromkeys(
    map(
        ord,
        " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff\u00ad:：-–·.,，()（）[]{}*|/\"'“”‘’=_<>「」#+"
        "☎☏✆📞※▶▷→○●■□◆◇★☆◦•∙ㆍ",
    )
)


@dataclass(frozen=True, slots=True)
class Label:
    """The nearest word before a number: its kind ("" = none), the word, and the distance from its end to the number."""

    kind: str
    word: str
    distance: int  # code points, without white space and punctuation


NO_LABEL: Final = Label("", "", REACH + 1)


def label_before(text: str, start: int) -> Label:
    """Return the nearest label that ends before `start`; of two with the same end, the longer.

    >>> label_before("사업자 등록 번호 : 0", 12).kind
    'brn'
    >>> label_before("주소 0", 3)
    Label(kind='', word='', distance=31)
    """
    return _find_nearest_label(text, start, _LABELS)


def person_before(text: str, start: int) -> Label:
    """Return the nearest word that refers to a person: 성명, 생년월일, 환자 …

    >>> person_before("환자 아무개 0", 7).word
    '환자'
    """
    return _find_nearest_label(text, start, _PERSONS)


def _find_nearest_label(text: str, start: int, labels: tuple[re2._Regexp, dict[bytes, tuple[str, str]]]) -> Label:
    pattern, words = labels
    left = squeeze_text(text[max(0, start - _SLICE) : start])[::-1].encode("utf-8", "replace")
    match = pattern.search(left)
    if match is None:
        return NO_LABEL
    distance = len(left[: match.start()].decode())
    kind, word = words[match.group()]
    return Label(kind, word, distance) if distance <= REACH else NO_LABEL


def label_of(text: str, start: int, *, numbered: bool = False) -> Label:
    """Return the label of the value at `start`: the heading of its table column, else the nearest label before it.

    `numbered` skips telephone words, which occur in any sentence with a request.
    """
    left = text[max(0, start - 4) : start].rstrip(_THIN)
    if left[-1:] in _CELLS or not left:
        above = column_above(text, start)
        if above.kind:
            return above
    return _find_nearest_label(text, start, _NUMBERED) if numbered else label_before(text, start)


def column_above(text: str, start: int) -> Label:
    """Return the heading of the column of the cell at `start`, or NO_LABEL outside a table.

    A table is a series of lines with a common delimiter (| tab , ;); its first line is the heading.

    >>> column_above("성명|면허번호\\n아무개|0", 13).kind
    'license'
    """
    tops, marks = _find_tables(text)
    at = bisect_right(tops, start) - 1
    if at < 0 or not marks[at]:
        return NO_LABEL
    mark, top = marks[at], tops[at]
    line = text.rfind("\n", max(top, start - _LONGEST_ROW), start) + 1
    if line <= top:
        return NO_LABEL
    head = text[top : top + _LONGEST_HEAD].partition("\n")[0].split(mark)
    column = text.count(mark, line, start)
    if column >= len(head) or len(head[column]) > _LONGEST_CELL:
        return NO_LABEL
    return _find_nearest_label(head[column], len(head[column]), _LABELS)


@lru_cache(maxsize=1)
def _find_tables(text: str) -> tuple[list[int], list[str]]:
    """Return the offset and the cell delimiter of each table; delimiter "" marks the end of a table."""
    tops: list[int] = []
    marks: list[str] = []
    at, mark = 0, ""
    for line in text.split("\n"):
        if not mark or mark not in line:
            was, mark = mark, next((m for m in "|\t,;" if m in line), "")
            if mark or was:
                tops.append(at)
                marks.append(mark)
        at += len(line) + 1
    return tops, marks


def has_owner_after(text: str, end: int) -> bool:
    """Whether an account holder or bank directly follows a number: 예금주, (국민은행), 신한으로 …

    >>> has_owner_after("0 (예금주: 아무개)", 1), has_owner_after("0 (국민은행)", 1), has_owner_after("0 은행나무", 1)
    (True, True, False)
    """
    right = squeeze_text(text[end : end + 40])[:REACH]
    return "예금주" in right or "계좌" in right[:12] or right.startswith(_PAID) or has_bank_after(text, end)


def has_bank_after(text: str, end: int) -> bool:
    """Whether a bank name directly follows a number.

    >>> has_bank_after("0 카뱅 아무개", 1), has_bank_after("0 신한으로", 1), has_bank_after("0 우리가", 1)
    (True, True, False)
    """
    return _BANK_BEHIND.match(text[end : end + 24]) is not None


def squeeze_text(text: str) -> str:
    """Return `text` in lower case without white space and punctuation: "주 민 번 호 :" becomes 주민번호."""
    return text.translate(_DROPPED).lower()
