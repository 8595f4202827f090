"""What Korean names are made of, and whether a run of Hangul reads as one: family name, given name, what follows.

Lists of bare facts: family names and the syllables common in given names, Sino-Korean and native.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import re2


def _words(name: str) -> frozenset[str]:
    """The words of a list beside this file; its first line says what they are."""
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return frozenset(word for line in lines[1:] for word in line.split())


FAMILY: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구나민진지엄채원천방공현함변염여추도소석선설마길연위표명기반"
    "라왕금옥육인맹제모탁국어은편용예경봉사부가복태목형피두감음빈동온호범좌팽승간상시갈단견당류량려뢰리련림빙계화궉내대돈뇌묵만미"
)
FAMILY_OF_TWO: Final = (
    "남궁",
    "황보",
    "제갈",
    "사공",
    "선우",
    "서문",
    "독고",
    "동방",
    "망절",
    "어금",
    "소봉",
    "장곡",
    "강전",
)
_GIVEN: Final = frozenset(
    "가각간갑강개건걸겨격견겸경계고곤공관광교구국권규균그극근금기길나난남내녀년노누눈늘늬니님다단달담대덕도돈동두둥득들듬등라락란람랑래레려론룡돌몽"
    "력련렬령례로록롬롱루룬류륜률름륭르른름리린림마만말맑매맹머명모목묘무문물미민바박반밝배백범별병보복본봄봉부분비빈빛사산삼상새"
    "샘서석선설섬섭성세소솔솜송수숙순술숲슬승시식신실심아안애양언얼여연열엽영예오옥온올완왕요용우욱운울웅원월위유육윤율은을음의이익인일"
    "임잎자잔잠장재전점정제조종주준중지진집차찬찰창채천철청초총추춘충치칠쾌타탁태택토파평포표풍필하학한할함해행향허헌혁현협형혜호홍화환"
    "황회효후훈휘휴희흰힘든벼롬곱귀겸숨샛솟봬빈뜰또미슬늘꽃찬끝쁨율결맘벗곳겨울가을여름날"
)
_COMMON: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구나민진지엄채원천방공현함변염여추도소석선설마길연위표명기반"
    "왕금옥육인맹제모탁국어은편용예경봉사부복태목형피두감빈온호류사라팽빙범좌승당궉봉해"
)
_RARE_ENDS: Final = frozenset(
    "가를에의만고요와과도로물차부께실회"
)  # far more often a particle or the end of another noun
_NAME_ENDS: Final = frozenset("숙희순옥솔늬슬봄담린룬율람림르환영철빈훈별빛결")  # hardly ever the end of another noun
_PARTICLE_ENDS: Final = frozenset("은을이")
_BEFORE_PARTICLE_ENDS: Final = frozenset(
    "다가예지주채하서시나소혜성정재희경미영아세태도효라조노새여고"
)  # 다은, 가을, 노을
_NOUNS: Final = _words("nouns.txt")
STOP: Final = _words("no_names.txt")
_STOP_ENDS: Final = (
    "은행 번호 센터 회사 학교 병원 의원 약국 식당 학원 교회 상회 상사 조합 농협 수협 신협 금고 증권 보험 "
    "본점 지점 구청 시청 "
    "군청 도청 세무 법원 검찰 경찰 공단 공사 재단 협회 학회 위원 상담 문의 예약 접수 안내 신청 전화 팩스 "
    "주소 계좌 메일 방법 "
    "합니 하는 하고 하여 했다 한다 하며 하지 되는 되어 된다 에서 으로 에게 까지 부터 이다 이며 니다 세요 "
    "어요 아요 해요 지만 "
    "면서 려고 려면 러스 이트"
).split()
_AFTER: Final = re2.compile(
    "^(?:씨|님|군|양|귀하|선생님?|어르신|어머니|아버지|엄마|아빠|본인)?"
    "(?:은|는|이|가|을|를|의|과|와|도|만|에게서?|께서?는?|한테|에|로|으로|이랑|랑|하고|입니다|이고|고|이며|"
    "며|이에요|예요|이라고|라고|이란|이다|다|"
    "이라|임|인데|이라서|이라는|이네요|이요|요|이라며|쪽|앞|앞으로)?$"
)
TITLES: Final = (
    "저자|지은이|옮긴이|역자|대통령|총리|장관|차관|의원|시장|군수|구청장|도지사|지사|교육감|위원장|위원|의장|"
    "면장|읍장|동장|이장|국장|과장|팀장|실장|처장|청장|서장|"
    "방서장|소방서장|경찰서장|총장|학장|교수|기자|에디터|[Ee]ditor[.:]?|특파원|앵커|판사|검사|재판관|대법관|감독|코치|선수|배우|"
    "가수|작가|시인|화백|대변인|주무관|사무관|"
    "서기관|논설위원|평론가|소설가|교육장|교장|원장|이사장|회장|사장|대사|장군|대령|박사|편집장|소장|본부장|"
    "부장|단장|지휘자"
)


def name_length(run: str, *, strict: bool = True, short: bool = False, alone: bool = False) -> int:
    """How many syllables of `run`, Hangul up to the next other character, are a name; 0 if none.

    What follows the name must be a form of address or a particle. `strict` asks of every syllable
    that given names have it; `short` lets one syllable be the given name; `alone` is for runs that
    no label and no form of address calls a name: nouns and endings that are particles are none.

    >>> name_length("홍길동입니다"), name_length("남궁서율"), name_length("신한은행"), name_length("전화번호")
    (3, 4, 0, 0)
    """
    double = run.startswith(FAMILY_OF_TWO)
    if not double and run[:1] not in FAMILY:
        return 0
    if run[:5] in STOP or run[:4] in STOP or run[:3] in STOP or run in STOP:
        return 0
    for length in (4, 3) if double else (3, 2) if short else (3,):
        given = run[2 if double else 1 : length]
        if len(run) < length or (strict and not all(c in _GIVEN for c in given)):
            continue
        if run[:length] in STOP or (length == 3 and run[1:3] in _STOP_ENDS) or not is_particle(run[length:]):
            continue
        if length == 2 and len(run) > 2 and run[2] not in "씨님군양":
            continue
        if strict and not double and run[:2] in _NOUNS and run[length - 1] in _RARE_ENDS | _PARTICLE_ENDS:
            continue
        if alone and not double and not _stands_alone(run, length):
            continue
        return length
    return 0


def _stands_alone(run: str, length: int) -> bool:
    last = run[length - 1]
    if run[0] not in _COMMON or run[:2] in _NOUNS or last in _RARE_ENDS:
        return last in _NAME_ENDS and (len(run) == length or last not in "별빛결")  # 지역별로
    return last not in _PARTICLE_ENDS or run[1] in _BEFORE_PARTICLE_ENDS or len(run) > length


@lru_cache(maxsize=1024)  # particles come again and again
def is_particle(run: str) -> bool:
    """Whether a form of address or a particle, or both, make up the whole of `run`.

    >>> is_particle("님께서"), is_particle("전화")
    (True, False)
    """
    return not run or _AFTER.match(run.encode()) is not None


def is_noun(run: str) -> bool:
    """Whether `run` is a word of forms rather than a name: 보험증번호, 주소지.

    >>> is_noun("보험증번호"), is_noun("응우옌반남")
    (True, False)
    """
    return run in STOP or run[:2] in _NOUNS or run[-2:] in _STOP_ENDS
