"""Where names stand: roles and labels before them, forms of address behind them, headings above them."""

from __future__ import annotations

from typing import Final

import re2

from filters.pii_rules.numbers import ZERO_WIDTH
from filters.pii_rules.surnames import TITLES

_Z: Final = ZERO_WIDTH
BLANKS: Final = f" \u00a0\u3000\t{_Z}"
_B: Final = f"[{BLANKS}]"
_MARK: Final = "[:：=|│>-]"
_S: Final = f"{_B}{{1,3}}"
_SPACED: Final = (
    f"(?:(?:남{_S}궁|황{_S}보|제{_S}갈|사{_S}공|선{_S}우|서{_S}문|독{_S}고)(?:{_S}[가-힣]){{1,2}}|"
    f"[가-힣](?:{_S}[가-힣]){{2}})"
)
_RUN: Final = "[가-힣]{2,12}"
_LATIN: Final = "[A-Z][A-Za-z'-]{1,20}(?: [A-Z][A-Za-z'-]{1,20}){1,3}"
_HAN: Final = "[\u4e00-\u9fff]{2,4}"


def _roles(words: str) -> str:
    """Alternatives, blanks allowed between the syllables of a form: 신 청 인."""
    return "|".join(f"{_B}{{0,4}}".join(word) for word in words.split())


_PRIVATE: Final = (
    "예금주 신청인 민원인 수취인 수령인 환자 피해자 피해학생 가해학생 가해자 보호자 피보험자 보험계약자 "
    "임대인 임차인 매도인 매수인 원고 피고 피고인 "
    "청구인 청원인 참고인 고소인 피고소인 위임인 수임인 발명자 출원인 고객명 소유자 후원자 운전자 지원자 "
    "촉탁인 상속인 세대주 가입자 계약자 실종자 "
    "신고인 신고자 학생 수험생 입주자 채무자 채권자 구매자 수강생 양도인 양수인 제보자 응시자 수급자 의뢰인 "
    "증인 용의자 피의자 유족 망인 입금자 송금인"
)
_FORMS: Final = (
    "성명 이름 성함 고객 고객님 대표자 대표이사 대표 명의자 명의 작성자 담당자 회원명 회원 주문자 예약자 방문자 "
    "받는분 받는사람 받는이 보내는분 보내는사람 "
    "보낸사람 빌리는사람 만든이 등기권리자"
)
_HEAD: Final = (
    f"(?:{_roles(_PRIVATE)}|실종된|{_roles('성명 성함')})(?:{_B}?(?:명|성명|이름|성함))?"
    f"(?:{_B}?{_MARK}?\n|{_B}{{0,3}}[)\\]]?{_B}{{0,3}}{_MARK}{_B}{{0,3}}|{_B}{{1,6}})[{_Z}(]?"
)
PRIVATE: Final = f"{_HEAD}(?:{_SPACED}|{_RUN}|{_LATIN}|{_HAN})"
PRIVATE_NAME: Final = re2.compile(PRIVATE)
PRIVATE_HEAD: Final = re2.compile(f"^{_HEAD}")
VALUE: Final = re2.compile(f"^(?:{_SPACED}|{_RUN}|{_LATIN}|[A-Z]{{2,16}}|{_HAN})$")
_LABEL: Final = (
    f"(?:{_roles(_FORMS)}|{_roles(_PRIVATE)}|저는|전|NAME|[Nn]ame|[Gg]iven names?|Surname|receiver|sender|"
    f"총무|주민|독자|기사|회장|부대표|학부모|"
    f"주주|손님|이웃|학부모회|가족|담임|매니저|지원하는|맡은)"
)
_TO_NAME: Final = (
    f"(?:{_B}?(?:명|성명|이름|칸에))?[은는]?[\"']?(?:{_B}{{0,3}}[)\\]]?{_B}{{0,3}}{_MARK}{_B}{{0,3}}|"
    f"{_B}{{1,4}}|[?]?\n)[\"'(「]?[{_Z}]?"
)
LINKED_HEAD: Final = re2.compile(f"^{_LABEL}{_TO_NAME}")
LINKED: Final = re2.compile(f"{_LABEL}{_TO_NAME}(?:{_SPACED}|{_RUN}|{_LATIN}|[A-Z]{{2,16}}|{_HAN})")
CALLED: Final = re2.compile(
    f"(?:(?:{_SPACED}|[가-힣]{{3,5}}){_B}?(?:씨|님|귀하)(?:[^가-힣]|[가-힣]{{1,3}}|$)|"
    f"[가-힣]{{3,5}}{_B}?(?:(?:군|양)(?:[^가-힣]|[은이의과을에]|$)|"
    f"(?:드림|올림|배상|어머니|아버지|엄마|아빠|어르신|앞|학생|고객)(?:[^가-힣]|[가-힣]{{1,3}}|$))|"
    "[가-힣]{3,4}(?:입니다|이에요))"
)
CALL: Final = re2.compile(
    f"{_B}?(?:씨|님|군|양|귀하|드림|올림|배상|어머니|아버지|엄마|아빠|어르신|앞|학생|고객|입니다|이에요)[가-힣]{{0,3}}[^가-힣]?$"
)
BETWEEN: Final = frozenset(f" \u00a0\u3000\t\n{_Z}()（）<>[],/|│:：=\"'·{{}}「」『』【】〔〕~-")
MAY_FOLLOW: Final = BETWEEN | {"생", "호"}
_BETWEEN: Final = "[" + re2.escape("".join(sorted(BETWEEN))) + "]"
_WORDS: Final = (
    "주민등록번호|외국인등록번호|국내거소신고번호|주민번호|등록번호|여권번호|여권|운전면허번호|면허번호|면허|"
    "생 ?년 ?월 ?일|생년 월일|생일|출생일자?|전화번호|전화|연락처|휴대전화|휴대폰|핸드폰|손전화|"
    "비상연락처|안심 ?번호|이메일|메일|전자우편|주소|계좌번호|계좌|차량번호|차량|카드번호|HP|H[.]P[.]?|TEL|"
    "Tel|T[.]|M[.]|E[.]|E-mail|DOB|예금주|받는 분|"
    "[가-힣A-Z]{1,6}은행|농협|수협|신협|우체국|새마을금고|카뱅|토스|카카오뱅크|케이뱅크|국민|신한|우리|하나|"
    "기업|둘 다|씨|님"
)
BEFORE: Final = re2.compile(
    f"({_SPACED}|{_RUN}|{_LATIN})(?:{_BETWEEN}{{1,4}}(?:{_WORDS})|(?:{_B}?(?:씨|님|엄마|아빠|어머니|"
    f"아버지))(?:[가은는이의])?)?{_BETWEEN}{{1,6}}(?:(?:{_WORDS})[은는이가의]?{_BETWEEN}{{1,4}})?$"
)
BEHIND: Final = re2.compile(f"^[생호]?{_BETWEEN}{{1,6}}(?:(?:{_WORDS}){_BETWEEN}{{1,4}})?({_SPACED}|{_RUN})")
LOOSE: Final = re2.compile(f"^{_B}{{1,3}}[가-힣](?:[^가-힣]|$)")
LABELS: Final = re2.compile(f"^[생호]?(?:{_WORDS}|엄마|아빠|어머니|아버지|월일)[은는이가의]?$")
HEADING: Final = re2.compile(
    "성명(?:[(][가-힣]{2}[)])?|이름|성함|신청인|민원인|환자명?|예금주|수취인|수령인|받는 ?(?:이|분|사람)|"
    "보내는 ?(?:이|분|사람)|대표자?|운전자|방문자|"
    "보호자|학생명?|고객명?|회원명?|소유자|직원명|입주자|담당자|세대주|[Nn]ame|NAME"
)
TITLE_BEFORE: Final = re2.compile(f"(?:{TITLES}){_B}{{0,2}}$")
TITLE_BEHIND: Final = re2.compile(f"^{_B}{{0,2}}(?:{TITLES})(?:[^가-힣]|[은는이가을를의과와도께]|$)")
CLOSERS: Final = ("", "\n", ",", ")", "|", "\t", "(", " ", ".", '"', "]")  # behind a field of a form

ROMANIZED: Final = frozenset(  # common family names as passports write them
    "KIM LEE YI RHEE PARK BAK CHOI JUNG JEONG CHUNG KANG GANG CHO JO YOON YUN JANG CHANG LIM IM RIM HAN OH "
    "SEO SUH SHIN SIN KWON "
    "HWANG AHN AN SONG JEON CHUN HONG YOO YU RYU GO KO KOH MOON MUN YANG SON SOHN BAE PAE BAEK PAIK BYEON "
    "HEO HUR NAM SIM SHIM NOH ROH "
    "HA KWAK GWAK SUNG SEONG CHA JOO JU WOO KU KOO GU MIN NA RA JIN JI CHI UM EOM CHAE WON CHEON BANG GONG "
    "HYUN HAM NGUYEN TRAN PHAM".split()
)
