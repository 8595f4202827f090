"""Expressions for the context of names: roles and labels before, forms of address after, headings above."""

from __future__ import annotations

from typing import Final, TypeAlias

import re2

from filters.pii_rules.people.name_context import PRIVATE_ROLES, RANKS
from filters.pii_rules.text.digit_runs import ZERO_WIDTH

Pattern: TypeAlias = re2._Regexp
_Z: Final = ZERO_WIDTH
BLANKS: Final = f" \u00a0\u3000\t{_Z}"
_B: Final = f"[{BLANKS}]"
_MARK: Final = "[:：=|│>-]"
_TAGS: Final = f"(?:</?[a-z]{{1,6}}>{_B}?){{1,3}}"  # <th>성명</th><td>홍길동
_S: Final = f"{_B}{{1,3}}"
_SPACED: Final = (
    f"(?:(?:남{_S}궁|황{_S}보|제{_S}갈|사{_S}공|선{_S}우|서{_S}문|독{_S}고)(?:{_S}[가-힣]){{1,2}}|"
    f"[가-힣](?:{_S}[가-힣]){{2}}|"
    f"(?:[김박최윤권곽홍황허송백임]{_B}[가-힣]|(?:남궁|황보|제갈|사공|선우|서문|독고){_B})[가-힣]{{1,2}})"
)
_FIELD: Final = f"{_SPACED}|[가-힣]{_S}[가-힣]"  # 이 슬 as the value of a field; elsewhere these are any two words
_RUN: Final = "[가-힣]{2,12}"
_LATIN: Final = (
    "[A-Z]{2,16}/[A-Z]{2,20}(?: (?:MR|MS|MRS|MISS|MSTR))?|"
    "[A-Z][A-Za-zÀ-ž'-]{1,20}(?:,? [A-ZÀ-Ž][A-Za-zÀ-ž'-]{1,20}){1,3}"
)
_HAN: Final = "[\u4e00-\u9fff]{2,4}"


def _build_spaced_alternatives(words: str) -> str:
    """Return an alternation of form words with optional blanks between the syllables: 신 청 인."""
    # A star is one state of the automaton; each bound of a repetition would be many, in each of 300 places.
    return "|".join(f"{_B}*".join(word) for word in words.split())


_FORMS: Final = (
    "성명 이름 성함 고객 고객님 대표자 대표이사 대표 명의자 명의 작성자 담당자 회원명 회원 주문자 예약자 방문자 "
    "받는분 받는사람 받는이 보내는분 보내는사람 "
    "보낸사람 보내는이 보낸이 동의자 이용자 사용자 원아명 아동명 담당 받으실분 보내실분 연고자 "
    "신분증 학생증 빌리는사람 만든이 등기권리자"
)
_HEAD: Final = (
    f"(?:{_build_spaced_alternatives(PRIVATE_ROLES)}|실종된|{_build_spaced_alternatives('성명 성함 姓名')})"
    f"(?:{_B}?(?:명|성명|이름|성함|인적사항))?"
    f"(?:{_B}?[(（][가-힣\u4e00-\u9fff]{{2,6}}[)）])?(?:{_B}?{_MARK}?\n|"
    f"{_B}{{0,3}}[)\\]]?{_B}{{0,3}}{_MARK}{_B}{{0,3}}|{_TAGS}|{_B}{{1,6}}(?:[0-9][.)]{_B})?)[{_Z}(]?"
)
PRIVATE: Final = f"{_HEAD}(?:{_FIELD}|{_RUN}|{_LATIN}|{_HAN})"
PRIVATE_NAME: Final = re2.compile(PRIVATE)
PRIVATE_HEAD: Final = re2.compile(f"^{_HEAD}")
LATIN: Final = re2.compile(f"^(?:{_LATIN})")
PETS: Final = re2.compile("강아지|고양이|반려|애견|푸들|말티즈|진돗개|믹스견|앵무새")
TELLS: Final = ("인데", "인데요", "입니다", "이에요", "예요", "이고요")
VALUE: Final = re2.compile(f"^(?:{_FIELD}|{_RUN}|{_LATIN}|[A-Z]{{2,16}}|{_HAN})$")
_LABEL: Final = (
    f"(?:{_build_spaced_alternatives(_FORMS)}|{_build_spaced_alternatives(PRIVATE_ROLES)}|저는|전|저|나는|난|NAME|[Nn]ame|\\bnm\\b|NM|[Oo]wner|OWNER|[Hh]older|"
    f"HOLDER|[Cc]ustomer|[Pp]atient|[Rr]ecipient|[Bb]uyer|[Mm]ember|From|To[.:]|[Gg]iven names?|Surname|"
    f"receiver|sender|"
    f"총무|주민|독자|기사|회장|한자|漢字|부대표|학부모|"
    f"주주|손님|이웃|학부모회|가족|담임|매니저|지원하는|맡은)"
)
_TO_NAME: Final = (
    f"(?:{_B}?(?:명|성명|이름|칸에))?(?:{_B}?[(（][가-힣\u4e00-\u9fff]{{2,6}}[)）])?[은는이가]?[\"']?"
    f"(?:{_B}{{0,3}}[)\\]]?{_B}{{0,3}}{_MARK}{_B}{{0,3}}|{_TAGS}|[\"'] value=|"
    f"{_B}{{1,4}}|[?]?\n)[\"'(「]?[{_Z}]?"
)
LINKED_HEAD: Final = re2.compile(f"^{_LABEL}{_TO_NAME}")
LINKED: Final = re2.compile(f"{_LABEL}{_TO_NAME}(?:{_FIELD}|{_RUN}|{_LATIN}|[A-Z]{{2,16}}|{_HAN})")
LOOSE: Final = re2.compile(f"^{_B}{{1,3}}[가-힣](?:[^가-힣]|$)")
# A masked number or address no longer identifies a person itself, but still identifies the name next to it.
MASKED: Final = (
    "01[016789][ .-]?(?:[0-9]{1,4}[*]|[0-9]{3,4}[ .-]?[0-9]{0,3}[*]|[*]{2,4}[ .-]?[0-9]{2})[0-9*-]*|"
    "[A-Za-z0-9._-]+[*]{2,}[A-Za-z0-9*]*@[A-Za-z0-9*.-]+"
)
MASKED_CONTACT: Final = re2.compile(MASKED)
# The masks alone: an expression of a shared prefilter must be narrow.
STARRED: Final = "[*]{2}[A-Za-z0-9*]{0,8}@|01[016789][0-9 .-]{0,9}[*]"
HEADING: Final = re2.compile(
    "성명(?:[(][가-힣]{2}[)])?|이름|성함|신청인|민원인|환자명?|예금주|수취인|수령인|받는 ?(?:이|분|사람)|"
    "보내는 ?(?:이|분|사람)|대표자?|운전자|방문자|"
    "기사명?|원아명?|아동명?|원생|세입자|조합원|당사자|수강생|훈련생|교육생|직원|사원명?|강사명?|후원자|기부자|"
    "봉사자|대상자|"
    "가입자|계약자|피보험자|세대원|동거인|소유주|차주|견주|위임자|사용자|이용자|동의자|참가자|참석자|임차인|임대인|"
    "피해자|당첨자|학부모|배우자|주문자|구매자|예약자|입금자|영문 ?성?명|"
    "보호자|학생명?|고객명?|회원명?|소유자|직원명|입주자|담당자|세대주|내담자|수급자|신고인|등록자|명의자|보증인|채무자|채권자|수험생|응시자|지원자|입금인|[Nn]ame|NAME"
)
# A row of an office's telephone list: 총무과 | 과장 | 홍길동.
OFFICE_ROW: Final = re2.compile(
    f"[^\n]*?(?:^|[|,;\t ]|[가-힣]{{2}})(?:{'|'.join(RANKS)}|"
    "국장|주무관|사무관|서기관|주사보?|계장|교감|교장|교사|교수)(?:[^가-힣]|$)"
)
# 성함이 어떻게 되세요? The answer is in the next line, after the speaker.
ASKED: Final = (
    "(?:성함|성명|예금주|예약자|입금자|이름|영문명|총무|담당자)[^\n]{0,24}"
    "(?:어떻게|알려|말씀|입력|적어|불러|남겨|누구|뭐|[은는]요|으로 떠|부탁|[?？])[^\n]{0,16}\n"
)
ASKED_NAME: Final = re2.compile(ASKED)
ANSWER: Final = re2.compile(
    f"^(?:[A-Z나]{_B}|(?:[^\n:：>\\]]{{1,12}}[:：>\\]]{_B}{{0,2}}){{0,2}})(?:(?:아|네|예|넵|저는|제 이름은|"
    f"이름은)[,.]?{_B}){{0,2}}"
)
# 제 이름은 홍길동이고요.
SAID: Final = (
    f"(?:(?:이름|성함|예금주)[은는이가]|저는?{_B}){_B}?(?:[가-힣]{{2,4}}|{_SPACED}){_B}?"
    "(?:이에요|예요|이고요|이구요|고요|구요|입니다|이요|인데요|이라고 합니다|라고 합니다|맞으)"
)
SAID_NAME: Final = re2.compile(SAID)
SAID_HEAD: Final = re2.compile(f"^(?:(?:이름|성함|예금주)[은는이가]|저는?{_B}){_B}?")
# A column of names next to a column of personal data: 성명 | 연락처.
_CONTACTS: Final = (
    "연락처|전화|휴대|핸드폰|생년월일|주민|계좌|주소|이메일|차량|여권|면허|카드|[Pp]hone|[Ee]-?mail|tel|TEL"
)
_NAMES: Final = "성명|이름|성함|예금주|세대주|[Nn]ame|NAME|회원명|고객명|환자명|신청인|받는 ?(?:이|분|사람)"
TABLE: Final = (
    f"(?:{_NAMES})[\"']?{_B}?[|,;\t][^\n]*(?:{_CONTACTS})|(?:{_CONTACTS})[^\n]*[|,;\t]{_B}?[\"']?(?:{_NAMES})"
)
TABLE_HEAD: Final = re2.compile(TABLE)
OFFICE_HEAD: Final = re2.compile("직위|직급|직책|직함|보직|부서")
# 이름: 홍길동, with other form labels nearby.
NAMED: Final = f"(?:이름|성함)(?:{_B}?[:：]{_B}?|[은이]?{_B}{{1,2}})(?:{_SPACED}|[가-힣]{{2,9}})"
NAMED_HEAD: Final = re2.compile(f"^(?:이름|성함)(?:{_B}?[:：]{_B}?|[은이]?{_B}{{1,2}})")
# A possible personal number in any writing.
NUMBER: Final = re2.compile(
    "[0-9０-９][0-9０-９OoＯlI .,()|ㅡ*/_~-]{6,24}[0-9０-９]|"
    "[공영일이삼사오육칠팔구]{3}[^가-힣]?[공영일이삼사오육칠팔구]{3}"
)
NO_LATIN: Final = frozenset(  # words in capitals after a label that are not its value
    "VALUES WHERE SELECT SET NULL INSERT INTO FROM TABLE KEY INT VARCHAR CHAR TEXT AND OR AS LIKE IN IS MAC IP TEL "
    "FAX PHONE "
    "EMAIL ID PW PARENT NAME DATE BIRTH ADDR DOB SSID USB PC PIN OTP HP QR URL NO".split()
)
NAMED_NAME: Final = re2.compile(NAMED)
FORM: Final = re2.compile(f"(?:{_CONTACTS}|나이|생일|성별){_B}?(?:번호)?{_B}?[:：]")
AND: Final = frozenset(("·", ",", "/", "、", "ㆍ", "와", "과", "및", "・", "-", "&", "", "이랑", "하고", "→"))
_HAN_FAMILY: Final = (
    "金李朴崔鄭姜趙尹張林韓吳徐申權黃安宋全洪柳高文梁孫裵裴白許劉南沈盧河郭成車朱禹具羅田閔陳池嚴元蔡千方孔康玄咸"
    "卞廉楊邊呂秋魯都石蘇愼馬薛吉延魏表明奇房潘王琴玉陸印孟諸卓魚牟皇"
)
OTHERWISE: Final = re2.compile(
    f"(?:^|[^가-힣])(?:(?:부|모|처|자|녀|본인|배우자){_B}{{1,2}}[가-힣]{_B}[가-힣]{_B}[가-힣]|{_SPACED})|{_LATIN}|"
    f"[{_HAN_FAMILY}][\u4e00-\u9fff]{{1,3}}"
)
HAN: Final = frozenset(_HAN_FAMILY)
SURE: Final = ("성", "이름", "예금주", "받는", "보내는", "보낸", "NAME", "name", "Name")
NEXT_LABELS: Final = tuple(
    "연락처 전화 주소 생년월일 생일 주민 휴대 핸드폰 계좌 나이 성별 직업 소속 직위 이메일 번호".split()
)
CLOSERS: Final = ("", "\n", ",", ")", "|", "\t", "(", '"', "]", "/", "<", "'", ";")  # after a field of a form

# Words in capitals on passports and next to their numbers.
ON_PASSPORTS: Final = frozenset(
    "REPUBLIC OF KOREA PASSPORT NO DATE BIRTH NATIONALITY SEX TYPE CODE ISSUE EXPIRY ARC ID NAME".split()
)
ROMANIZED: Final = frozenset(  # common family names in passport spelling
    "KIM LEE YI RHEE PARK BAK CHOI JUNG JEONG CHUNG KANG GANG CHO JO YOON YUN JANG CHANG LIM IM RIM HAN OH "
    "SEO SUH SHIN SIN KWON "
    "HWANG AHN AN SONG JEON CHUN HONG YOO YU RYU GO KO KOH MOON MUN YANG SON SOHN BAE PAE BAEK PAIK BYEON "
    "HEO HUR NAM SIM SHIM NOH ROH "
    "HA KWAK GWAK SUNG SEONG CHA JOO JU WOO KU KOO GU MIN NA RA JIN JI CHI UM EOM CHAE WON CHEON BANG GONG "
    "BONG SEOK SEOL MAENG TAK PYO KI OK YOOK YUK MA DO SO SEON WI GIL KIL YEON YEO CHU BYUN EUN PYEON YONG PI TAE MOK "
    "BIN KUK GUK JEGAL NAMGUNG HWANGBO SUNWOO SEONU SEOMOON SEOMUN SAGONG DOKGO BOK "
    "HYUN HAM NGUYEN TRAN PHAM".split()
)
