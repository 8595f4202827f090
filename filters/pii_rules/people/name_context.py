"""Context of a name: a role before it, a form of address or an age after it, an adjacent identifier."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

from filters.korean.hangul import is_hangul
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, starts_with
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import is_particle

_B: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
NEAR: Final = 32  # code points between a name and its adjacent identifier
OPENERS: Final = frozenset("\n\t|│,;:：=(（[<\"'/·・>→-.?!▲△※○●◇■□▶*") | {""}
CLOSERS: Final = frozenset("\n\t|│,;)）]\"'/·・(（<→") | {""}

# Names of office holders and public figures are kept.
_OFFICES: Final = tuple(
    "저자 지은이 옮긴이 글쓴이 필자 엮은이 역자 대통령 총리 장관 차관 의원 시장 군수 구청장 도지사 지사 교육감 "
    "의장 면장 읍장 동장 국장 처장 청장 서장 총장 학장 교수 기자 에디터 Editor editor 특파원 앵커 "
    "판사 검사 재판관 대법관 선수 배우 가수 작가 시인 화백 대변인 주무관 사무관 서기관 정책관 담당관 "
    "감정인 감사관 조사관 기획관 심의관 심사관 수사관 소방관 경찰관 보좌관 비서관 행정관 연구관 장학사 경위 경장 "
    "경감 경정 순경 논설위원 평론가 소설가 교육장 교장 이사장 대사 장군 대령 박사 편집장 지휘자 변호사 "
    "변리사 피디 PD".split()
)
# Ranks of firms and offices: the name is kept unless a private identifier accompanies it.
RANKS: Final = "과장 팀장 실장 부장 본부장 소장 회장 사장 원장 단장 감독 코치 위원장 위원 이장".split()
_RANKS: Final = tuple(RANKS)
_IN_OFFICE: Final = ("과장", "실장", "부장", "소장")  # 건설과장: an office and a rank in one word
_AFTER_TITLE: Final = frozenset("은는이가을를의과와도께에님")

_CALLS: Final = ("씨", "님", "귀하", "드림", "올림", "배상", "어르신")
# Words that occur after a name as well as alone score less.
_ALSO_CALLS: Final = tuple(
    "어머니 아버지 어머님 아버님 엄마 아빠 할머니 할아버지 학생 고객 회원 선생 대리 주임 사원 매니저 어린이 환자 "
    "조합원 권사 집사 장로 성도 명의 학부모 보호자 군 양 앞 "
    "세대주 입주민 입주자 세입자 계약자 신청인 임차인 임대인 예약자 주문자 가입자 수강생 간호사 기사님 사장님 "
    "점주 여사 부부".split()
)
_AGES: Final = frozenset("123456789'’만남여男女")  # how an age or a date of birth begins; not a telephone number
_JOBS: Final = tuple(  # ranks that only firms have
    "대리 주임 사원 차장 이사 매니저 상무 전무 부사장 대표 디자이너 개발자 엔지니어 책임 선임 수석 점장 설계사 "
    "플래너 트레이너 강사 간사 총무 실무".split()
)
_SIGNED: Final = ("(인)", "(서명", "(날인", "(印)", "㊞")
_IN_NAME: Final = ("이름으로", "명의로")
_IS: Final = ("입니다", "이에요", "예요", "이요", "이고요", "이라고", "라고", "인데", "맞으", "맞아", "맞습", "맞고")
_AGE: Final = re2.compile(
    f"^{_B}?(?:[(（]{_B}?(?:['’]?[0-9]{{2,4}}{_B}?[.년/]|(?:19|20)[0-9]{{2}}-|[0-9]{{6,8}}{_B}?(?:출생|생|[)]))|"
    f"[(（]{_B}?(?:만{_B}?)?(?:[0-9]{{1,3}}{_B}?세?|[남여男女]|[0-9]{{2,4}}년?생)[,)）세· ]|"
    f",?{_B}?(?:만{_B}?)?[0-9]{{1,3}}{_B}?세)"
)
# After these, a name is personal data without any identifier.
PRIVATE_ROLES: Final = (
    "예금주 신청인 민원인 수취인 수령인 환자 피해자 피해학생 가해학생 가해자 보호자 피보험자 보험계약자 임대인 "
    "임차인 매도인 매수인 원고 피고 피고인 청구인 청원인 참고인 고소인 피고소인 위임인 수임인 발명자 출원인 "
    "고객명 소유자 후원자 운전자 지원자 촉탁인 상속인 세대주 가입자 계약자 실종자 신고인 신고자 학생 수험생 "
    "입주자 채무자 채권자 구매자 수강생 양도인 양수인 제보자 응시자 수급자 의뢰인 증인 용의자 피의자 유족 망인 "
    "입금자 송금인 피공탁자 공탁자 보증인 피상속인 요양자 피부양자 세입자 계좌주 피신청인 진술인 진정인 피진정인 "
    "고발인 피고발인 항소인 피항소인 상고인 피상고인 수령자 의뢰자 신청자 접수자 납부자 수하인 송하인 발송인 상대방 "
    "위임자 수임자 대리인 동의자 서약자 서약인 영수인 영수자 수진자 습득자 분실자 유실자 당첨자 응모자 투숙객 예약자 "
    "탑승자 참가자 대상아동 위탁아동 보호아동 피해아동 원아 영유아 영아 전학생 관련학생 신랑 신부 상주 미망인 "
    "사망자 부상자 목격자 입소자 혼주 입원자 내원자 내담자 차용인 대여인 연체자 체납자 후견인 피후견인 친권자 "
    "증여자 수증자 기부자 수혜자 수익자 청약자 전입자 매수자 매도자 구입자 반납자 대출자 대여자 열람자 수신인 "
    "발신인 근로자 구직자 퇴직자 봉사자 실습생 교육생 훈련생 원생 가입인 임차자 임대자 피고용인 면회인 방문인 "
    "사건본인 세대원 동거인"
)
ROLES: Final = frozenset(PRIVATE_ROLES.split()) | frozenset(
    "조교 명단 실명 본명 총무 간사 조장 반장 통장 견주 호주 세입자 집주인 건물주 회원 조합원 벗 친구 동생 형 누나 "
    "언니 오빠 동기 선배 후배 이웃 주민 어르신 할머니 할아버지 어머니 아버지 어머님 아버님 엄마 아빠 아내 남편 "
    "아들 딸 며느리 사위 손자 손녀 조카 삼촌 이모 고모 처남 형부 장남 차남 삼남 장녀 차녀 삼녀 신랑 신부 상주 "
    "고인 故 고 망 망인 유족 유가족 미망인 배우자 자녀 부친 모친 부 모 처 자 권사 집사 장로 성도 어린이 학생 "
    "학부모 강사 기사 배달원 조종사 운전사 고객 고객님 손님 승객 환자 보호자 간병인 간호사 상담원 상담사 직원 "
    "사원 대리 주임 매니저 점장 사장님 담당 당첨자 수상자 참가자 참석자 발표자 수령인 수취인 발신인 투숙객 탑승객 "
    "명의 계좌주 예금주 이름 이름은 이름이 성함 성함은 성함이 성명 저는 제가 본인 본인은 담당자 담당자는 대표 "
    "대표자 주인 사장 이용자 대상자 피부양자 피부양자는 재학생 졸업생 수강생 훈련생 동거인 세대원 가구주 소유주 "
    "차주 선주 점주 화주 업주".split()
)
_AFTER_ROLE: Final = ("은", "는", "이", "가")
_ROLE_ENDS: Final = ("자", "인", "주", "객", "님", "학생", "아동", "부모", "원아", "반장", "조장", "총무", "담당")
_VERBS: Final = ("분", "것", "때", "바랍", "바라", "중", "수 ", "줄", "곳", "뒤", "후", "아님", "아닙")
_LABELS: Final = frozenset(
    "주민등록번호 외국인등록번호 국내거소신고번호 거소신고번호 주민번호 등록번호 여권번호 여권 운전면허번호 "
    "면허번호 면허 생년월일 생일 출생 출생일 출생일자 전화번호 전화 연락처 휴대전화 휴대폰 핸드폰 손전화 비상연락처 "
    "안심번호 번호 이메일 메일 전자우편 주소 계좌번호 계좌 계좌로 차량번호 차량 카드번호 HP H.P H.P. TEL Tel T T. M "
    "M. E E. H H. P P. C.P E-mail Email email mobile phone Mobile DOB 예금주 입금주 받는 보내는 분 둘 다 댁 측 외 "
    "및 월일 생 호 번 농협 수협 신협 우체국 새마을금고 카뱅 토스 카카오뱅크 케이뱅크 국민 신한 우리 하나 기업 산업 "
    "부산 대구 경남 광주 전북 제주 씨티 카카오 농협은행 입니다 이고 로 으로 생년 년 월 일 hp tel nm name brth birth "
    "td th li br dd dt tr div span strong 주민등록증 면허증 신분증 학생증 국적 dob mailto addr address email mail "
    "acct account rrn "
    "ssn jumin no id key value val 남 여 男 女 입금 송금 이름 이름은 "
    "성명 성함 직통 자택 사무실 팩스 문자 카톡 연락 Passport passport PASSPORT Contact contact Cell cell MOBILE "
    "CELL Birth Address 영문성명 영문명 영문이름 한글성명 한글명 신분증 "
    "휴대전화번호 휴대폰번호 연락번호 네이버 블로그 인스타 인스타그램 카카오톡 텔레그램 트위터 페이스북 유튜브".split()
)
_BLANKS: Final = " \u00a0\u3000\t" + ZERO_WIDTH
_FENCES: Final = _BLANKS + "|,/"
_TO_TITLE: Final = _FENCES + ".:：=·"
_CREDITS: Final = tuple(
    "옮김 지음 엮음 감수 교수 작가 대통령 총리 의원 장관 연구원 연구소 변호사 위원 감독 기자".split()
)
_BYLINES: Final = frozenset("글 사진 그림 번역 취재 편집".split())
_MARKS: Final = " \u00a0\u3000\t\n()（）<>[],/|│:：=\"'·・{}「」『』【】〔〕~-–—→;☎☏✆📞📱♡★☆※●■" + ZERO_WIDTH
_MARK_SET: Final = frozenset(_MARKS)
_BETWEEN: Final = dict.fromkeys(map(ord, _MARKS), " ")


def is_public(text: str, start: int, end: int, *, behind_only: bool = False) -> bool:
    """Whether an office or profession next to the name text[start:end] makes it public.

    >>> is_public("구청장 홍길동", 4, 7), is_public("홍길동 총무", 0, 3)
    (True, False)
    """
    if _has_leading_title(text[end : end + 8].lstrip(_BLANKS), _OFFICES):
        return True
    if behind_only:
        return False
    before = text[max(0, start - 10) : start].rstrip(_TO_TITLE)
    return before.endswith(_OFFICES) or before[-2:].lstrip(_TO_TITLE) in _BYLINES or before[-3:].lstrip() in _BYLINES


def has_office_before(text: str, start: int) -> bool:
    """Whether an office and rank in one word precede a name: 건설과장 홍길동."""
    before = text[max(0, start - 10) : start].rstrip(_TO_TITLE)
    return before.endswith(_IN_OFFICE) and all(map(is_hangul, before[-4:-2])) and len(before) > 3


def has_rank_behind(text: str, end: int) -> bool:
    """Whether a rank follows a name: 홍길동 과장."""
    return _has_leading_title(text[end : end + 10].lstrip(_FENCES), _RANKS)


def has_rank_before(text: str, start: int) -> bool:
    """Whether a rank precedes a name: 과장 홍길동."""
    return text[max(0, start - 8) : start].rstrip(_FENCES).endswith(_RANKS)


def _has_leading_title(after: str, titles: tuple[str, ...]) -> bool:
    if not after.startswith(titles):
        return False
    rest = after[max(len(t) for t in titles if after.startswith(t)) :]
    return not rest or not is_hangul(rest[0]) or rest[0] in _AFTER_TITLE


def is_private(anchor: Match, text: str) -> bool:
    """Whether an identifier is private: not a land line, mailbox, address, company number or machine address."""
    if anchor.kind != "phone":
        return anchor.kind not in ("email", "address", "postcode", "brn", "crn", "ip", "mac")
    number = text[anchor.start : anchor.start + 3].lstrip("(+")
    return not number.startswith("0") or number.startswith(("01", "05", "070"))


def score_following_words(text: str, end: int) -> float:
    """Return the score of the words after a name.

    >>> (score_following_words("홍길동 님은", 3), score_following_words("홍길동(만 32세)", 3),
    ...  score_following_words("홍길동, 서울", 3))
    (4.0, 3.0, 0.0)
    """
    after = text[end : end + 14]
    if not after or after[0] in "\n;\"'":
        return 0.0
    if after[0] in "(（, " and after.lstrip("(（, ")[:1] in _AGES and starts_with(_AGE, after):
        return 3.0
    word = after[1:] if after[0] in _BLANKS or after[0] == ")" else after
    if word.startswith(_SIGNED):
        return 4.0
    if word.startswith(_CALLS):
        return 4.0
    if word[:1] == "앞" and (len(word) < 2 or word[1] in "\n,.)"):
        return 4.0
    if word.startswith(_IN_NAME):
        return 4.0
    if word.startswith(_ALSO_CALLS):
        return 4.0 if "님" in word[2:4] else 2.0
    if word.lstrip(_FENCES).startswith(_JOBS):
        return 3.0
    return 3.0 if word.startswith(_IS) else 0.0


def has_role_before(text: str, start: int) -> bool:
    """Whether the word before a name is a role of a person: 총무, 신청인, 세입자.

    >>> has_role_before("탈퇴 조합원 홍길동", 7), has_role_before("오늘 홍길동", 3)
    (True, False)
    """
    if text[start - 1 : start] not in _MARK_SET:
        return False
    return start > 0 and _is_role(_last_word(text, start, 14))


@lru_cache(maxsize=4096)  # words before names recur often
def _is_role(word: str) -> bool:
    if word in ROLES or (word[-1:] in _AFTER_ROLE and word[:-1] in ROLES):
        return True
    return len(word) > 2 and word.endswith(_ROLE_ENDS) and not word.endswith("적인") and is_hangul(word[0])


def _last_word(text: str, end: int, reach: int) -> str:
    """Return the last word before `end` without the marks after it; reads at most `reach` code points."""
    first = max(0, end - reach)
    while end > first and text[end - 1] in _MARK_SET:
        end -= 1
    start = end
    while start > first and text[start - 1] not in _MARK_SET:
        start -= 1
    return text[start:end]


@lru_cache(maxsize=4096)  # at most NEAR code points, mostly a mark and a label
def is_linked(between: str) -> bool:
    """Whether the text between a name and an identifier consists of marks, labels and short numbers only.

    >>> is_linked(" (연락처: "), is_linked("에게 오늘 ")
    (True, False)
    """
    if not between.strip(_MARKS):
        return True
    words = between.translate(_BETWEEN).split()
    return len(words) < 7 and (all(map(_is_filler_word, words)) or "".join(words) in _LABELS)


def _is_filler_word(word: str) -> bool:
    if word in _LABELS or word.lower() in _LABELS or word in ROLES or (word[0].isdigit() and len(word) < 16):
        return True
    if word in RANKS:
        return True
    if word.isascii() and (word.isupper() or "." in word):
        return True  # A: speaker in a chat; the same name in Latin letters; a host
    stem = word[:-1] if word[-1] in "은는이가의" else word
    return (
        stem in _LABELS
        or stem in ROLES
        or stem.endswith(("은행", "뱅크", "카드"))
        or (len(word) < 5 and is_particle(word))
        or not word[0].isalnum()
    )


def is_bounded(text: str, start: int, end: int, *, closed: bool = False) -> bool:
    """Whether a name fills its field: a cell, a line, a bracket, quotation marks. `closed`: the next text ends the
    field.
    """
    left = start - 1
    while left >= 0 and text[left] == " " and left > start - 4:
        left -= 1
    right = end
    while right < len(text) and text[right] == " " and right < end + 3:
        right += 1
    opens = left < 0 or text[left] in OPENERS or text[left].isdigit() or _has_label_before(text, left + 1)
    return opens and (closed or right == len(text) or text[right] in CLOSERS or text[right].isdigit())


def is_label(word: str) -> bool:
    """Whether a word is a label or a role: 국적, 신청인."""
    return word in _LABELS or word in ROLES


def _has_label_before(text: str, end: int) -> bool:
    """Whether the word that ends at `end` is a label or names a document: 운전면허증 홍길동."""
    word = _last_word(text, end, 10) if end and text[end - 1] not in _MARK_SET else ""
    return word in _LABELS or word.endswith(("증", "번호", "은행"))


def find_end_with_hanja(text: str, end: int) -> int:
    """Return the end of a name including Chinese characters in brackets after it.

    >>> find_end_with_hanja("홍길동(洪吉童)", 3)
    8
    """
    opens = end + (text[end : end + 1] == " ")
    if text[opens : opens + 1] not in ("(", "（"):
        return end
    close = max(text.find(")", opens, opens + 7), text.find("）", opens, opens + 7))
    whole = close > opens + 2 and all("\u4e00" <= c <= "\u9fff" for c in text[opens + 1 : close])
    return close + 1 if whole else end


def score_signature(text: str, start: int, end: int) -> float:
    """Return the score of a signature: a name after a dash at the end of its line or text: … 주세요. - 홍길동."""
    if text[end : end + 1] not in ("", "\n") or text[max(0, start - 2) : start] not in ("- ", "– ", "— "):
        return 0.0
    return 1.0 if text[end : end + 8].strip() else 3.0


def is_credit(text: str, end: int) -> bool:
    """Whether the rest of the line credits published work: … 옮김, (… 교수)."""
    after = text[end : end + 36].partition("\n")[0]
    return any(word in after for word in _CREDITS)


def has_verb_ending_behind(text: str, end: int) -> bool:
    """Whether the next word shows that a verb ends at `end`: 주우신 분, 오시기 바랍니다."""
    return text[end : end + 1] == " " and text[end + 1 : end + 4].startswith(_VERBS)
