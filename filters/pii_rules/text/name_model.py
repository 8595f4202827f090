"""Score how much a run of Hangul looks like a Korean name: family name, given name, what follows.

Word lists of bare facts: family names, given names of several generations, words that begin like a name.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Final

import re2


def _load_words(name: str) -> frozenset[str]:
    """Return the words of a list in this folder; its first line is a description."""
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return frozenset(word for line in lines[1:] for word in line.split())


FAMILY: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구나민진지엄채원천방공현함변염여추"
    "도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부가복태목형피두감음빈동온호범좌팽승간상시갈"
    "단견당류량려뢰리련림빙계화궉내대돈뇌묵만미옹탄초필엽곡궉춘척둔종흥순풍"
)
FAMILY_OF_TWO: Final = frozenset("남궁 황보 제갈 사공 선우 서문 독고 동방 망절 어금 소봉 장곡 강전".split())
STARTS: Final = FAMILY | {family[0] for family in FAMILY_OF_TWO}
GIVEN: Final = _load_words("given_names.txt")
_DISTRICTS: Final = _load_words("districts.txt")
STOP: Final = _load_words("no_names.txt") | _DISTRICTS
_BRANCHES: Final = frozenset(d[:2] + last for d in _DISTRICTS for last in "점역행발청")  # 강남점
_NOUNS: Final = _load_words("nouns.txt")
# A family name that also begins many words scores less.
_SURE: Final = frozenset("김박최윤권곽홍황허송손백임")
_COMMON: Final = frozenset("이정강조장오서신한안류유전고문양배남심노하성차주우구민나진엄채원천방공현함변염")
_SYLLABLES: Final = frozenset(  # syllables of given names
    "가각간갑강개건걸겨격견겸경계고곤공관광교구국권규균그극근금기길나난남내녀년노누눈늘늬니님다단달담대덕도돈동두"
    "둥득들듬등라락란람랑래레려론룡돌몽력련렬령례로록롬롱루룬류륜률름륭르른름리린림마만말매맑맹머명모목묘무문물미"
    "민바박반밝배백범별병보복본봄봉부분비빈빛사산삼상새샘서석선설섬섭성세소솔솜송수숙순술숲슬승시식신실심아안애양"
    "언얼여연열엽영예오옥온올완왕요용우욱운울웅원월위유육윤율은을음의이익인일임잎자잔잠장재전점정제조종주준중지진"
    "집차찬찰창채천철청초총추춘충치칠쾌타탁태택토파팔평포표풍필하학한할함해행향허헌혁현협형혜호홍화환황회효후훈휘"
    "휴희흰힘든벼롬곱귀겸숨샛솟봬빈뜰또미슬늘꽃찬끝쁨율결맘벗곳겨울가을여름날"
)
_SINGLE: Final = frozenset("건율솔찬현훈환혁준별봄샘열민진웅철석호영희린빈결숙옥란")  # given names of one syllable
_FIRST: Final = Counter(name[0] for name in GIVEN)
_LAST: Final = Counter(name[-1] for name in GIVEN if len(name) > 1)
_OFTEN: Final = 12  # listed names that share a syllable in one position
_NAME_LAST: Final = frozenset("숙희순옥솔늬슬봄담린룬율람림르환영철빈훈별빛결률랑샘례팔")  # rarely the end of a word
_NEVER_LAST: Final = frozenset("는를의에며다면게니요까고께로가과와만도을으")  # particles and verb endings
_VERB_LAST: Final = frozenset("하한할해함했합된될됨되들")  # verb endings and the plural
_WORD_LAST: Final = frozenset(
    "사실점료품집권증금비소부과장자인원생용법적상중전후내외별형제식차지대군구시면읍동리로길은이목일"
)
STOP_ENDS: Final = frozenset(
    "은행 번호 센터 회사 학교 병원 의원 약국 식당 학원 교회 상회 상사 조합 농협 수협 신협 금고 증권 보험 본점 지점 "
    "우편 서점 상점 구청 시청 군청 도청 세무 법원 검찰 경찰 공단 공사 재단 협회 학회 위원 상담 문의 예약 접수 안내 "
    "신청 전화 팩스 주소 계좌 메일 방법 합니 하는 하고 하여 했다 한다 하며 하지 되는 되어 된다 에서 으로 에게 까지 "
    "부터 이다 이며 니다 세요 어요 아요 해요 지만 면서 려고 려면 러스 이트 "
    "이맘 기사 선생 여사 주임 대리 과장 팀장 실장 부장 차장".split()
)
_PARTICLES: Final = frozenset("은는이가을를에의도만로와과")
_CALLS: Final = frozenset("씨님군양")
_GROUPS: Final = frozenset("회팀반점당")  # 한마음회
_LEFT_OUT: Final = frozenset("모씨")  # 김모 씨, 김씨
_NUMERALS: Final = frozenset("공영일이삼사오육칠팔구십")
_DATED: Final = frozenset("년월일")
_AFTER: Final = re2.compile(
    "^(?:씨|님|쌤|샘|군|양|귀하|선생님?|어르신|어머니|아버지|엄마|아빠|본인)?"
    "(?:은|는|이|가|을|를|의|과|와|도|만|에게서?|께서?는?|한테|에|로|으로|이랑|랑|네|하고|입니다|이고요?|고|이며|"
    "며|이에요|예요|이라고|라고|이란|이다|다|"
    "이라|임|일걸|으로|으?로부터|이?데이|이여|인데요?|이라서|이라는|이셨[가-힣]{1,3}|이네요|이요|요|이라며|이었|이신데?요?|이십니다|이시고|이시며|이세요|이셔서|쪽|앞|앞으로)?$"
)
BARE: Final = 4.0  # threshold for a run without a label or a form of address
CALLED: Final = 2.0
LABELLED: Final = 0.0


@lru_cache(maxsize=8192)  # words beside identifiers recur often
def score_name(run: str) -> tuple[int, float]:
    """Return the syllables of the name at the start of `run` and its score; (0, 0) if no name begins there.

    `run` is Hangul up to the next other character. After the name, only a form of address or a particle may follow.
    Seven points or more: a family name with a listed given name.

    >>> score_name("홍길동입니다"), score_name("남궁서율")[0], score_name("신한은행")[0]
    ((3, 9.0), 4, 0)
    """
    if run[:1] not in STARTS or run in STOP or run[:3] in STOP or run[:4] in STOP or run[:5] in STOP:
        return 0, 0.0
    if run[2:3] in _DATED and run[0] in _NUMERALS and run[1] in _NUMERALS:
        return 0, 0.0  # 공일년 유월
    double = run[:2] in FAMILY_OF_TWO
    best = 0, -99.0
    for length in (4, 3) if double else (3, 4, 2):
        if len(run) < length or not is_particle(run[length:]):
            continue
        if length == 2 and (run[1] in _PARTICLES or run[1] in _LEFT_OUT or (len(run) > 2 and run[2] not in _CALLS)):
            continue
        if not double and run[length - 2 : length] in STOP_ENDS:
            continue
        if length == 4 and not double and (run[3] in _GROUPS or not (run[1:3] in GIVEN or run[2:4] in GIVEN)):
            continue
        points = _name_points(run[:length], double, len(run) == length)
        if not double:
            return length, points
        best = max(best, (length, points), key=lambda b: b[1])
    return best if best[0] else (0, 0.0)


def _name_points(name: str, double: bool, whole: bool) -> float:
    """Return the score of a name; `whole` if it fills its run."""
    family = 3.0 if double or name[0] in _SURE else 2.0 if name[0] in _COMMON else 0.0
    given = name[2:] if double and len(name) > 3 else name[1:]
    if double:
        if len(name) == 4:
            return family + _score_given_name(given)
        return 0.0 if whole and name[2] in _PARTICLES else 5.0
    if len(given) == 3:
        return family + 1.0 - _word_points(name)  # 김빛나라; most such runs are two words
    points = family + _score_given_name(given) - _word_points(name)
    if whole and name[-1] == "하":
        return points + 5.0 * (name[:2] in _NOUNS)  # 고결하: no verb form ends there
    return points - 2.0 * (name[-1] in _VERB_LAST and given not in GIVEN)


def _score_given_name(given: str) -> float:
    if len(given) == 1:
        return 1.0 if given in _SINGLE else 0.0
    if given in GIVEN:
        return 5.0 if given[-1] in _NEVER_LAST else 6.0
    first, last = _FIRST[given[0]], _LAST[given[-1]]
    points = 2.0 if first >= _OFTEN else 1.0 if first or given[0] in _SYLLABLES else -2.0
    if last >= _OFTEN or given[-1] in _NAME_LAST:
        points += 2.0
    else:
        points += 1.0 if last else 0.0 if given[-1] in _SYLLABLES else -2.0
    return points - 3.0 * (given[-1] in _NEVER_LAST)


def _word_points(name: str) -> float:
    """Return the evidence for a word: it begins with a noun and continues as nouns do."""
    if name[:2] not in _NOUNS:
        return 5.0 if name in _BRANCHES else 0.0
    last = name[2:3]
    if not last or last in _VERB_LAST or last in _PARTICLES:
        return 6.0
    if last in _WORD_LAST or last in _NEVER_LAST:
        return 5.0
    return 1.0 if last in _NAME_LAST else 2.0 if name[1:] in GIVEN else 3.0


def name_length(run: str, least: float = LABELLED) -> int:
    """Return the syllables of a name at the start of `run` with a score of at least `least`, or 0.

    >>> name_length("홍길동입니다"), name_length("남궁서율"), name_length("신한은행"), name_length("전화번호")
    (3, 4, 0, 0)
    """
    length, points = score_name(run)
    return length if points >= least else 0


@lru_cache(maxsize=1024)  # particles recur often
def is_particle(run: str) -> bool:
    """Whether all of `run` is a form of address, a particle, or both.

    >>> is_particle("님께서"), is_particle("전화")
    (True, False)
    """
    return not run or _AFTER.match(run.encode()) is not None


def is_noun(run: str) -> bool:
    """Whether `run` is a form word rather than a name: 보험증번호, 주소지.

    >>> is_noun("보험증번호"), is_noun("응우옌반남")
    (True, False)
    """
    return run in STOP or run[:2] in _NOUNS or run[-2:] in STOP_ENDS
