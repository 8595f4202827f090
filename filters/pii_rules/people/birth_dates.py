"""Birth dates: after a label, before 생, in a table column, and in statements of when a person was born."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.people.birth_dates_unlabelled import CONTEXT_GATES, find_unlabelled_birth_dates
from filters.pii_rules.text.dates import DATE, DAY, SPOKEN, WHOLE, B, is_day, is_recent
from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.table_columns import find_cells

_B: Final = B
_CALENDAR: Final = f"(?:[(（]?(?:서기|음력|양력|음|양)[)）]?{_B}?)?"
_LABEL: Final = (
    f"(?:생{_B}{{0,3}}년{_B}{{0,3}}월{_B}{{0,3}}일|生年月日|생일|생신|출생(?:년월일|연월일|일자|일)?|D[.]?O[.]?B[.]?|"
    f"[Dd]ate of [Bb]irth|"
    f"DATE OF BIRTH|(?:date_?of_?|dateOf)?[Bb]irth[ _]?(?:[Dd]ay|[Dd]ate|dt)?|"
    f"BIRTH[ _]?(?:DAY|DATE|DT)?|brth(?:dy)?|bday|"
    f"앞{_B}?(?:6{_B}?|여섯{_B}?)?자리)"
)
_TO_DAY: Final = (
    f"(?:/[A-Za-z ]{{2,16}})?(?:[은는이가]요?,?)?(?:{_B}?[(（]?[68여]섯?{_B}?자리[)）]?|[(（][가-힣 ]{{1,8}}[)）])?"
    f"{_B}{{0,3}}[)\\]]?[\"']?{_B}{{0,3}}(?:(?:</?[A-Za-z]{{1,8}}>){{1,4}}|[:：=>|"
    f"│,,-]{_B}{{0,3}}[\"']?{_B}{{0,3}})?\n?{_B}{{0,3}}{_CALENDAR}[(\"'「]?"
)
BIRTH: Final = f"{_LABEL}{_TO_DAY}{DAY}"
_HOUR: Final = (
    f"(?:{_B}(?:새벽|아침|오전|오후|낮|밤|저녁|정오|자정))?(?:{_B}[0-9]{{1,2}}시(?:{_B}?(?:[0-9]{{1,2}}분|반))?)?"
)
BORN: Final = (
    f"(?:{WHOLE}|{SPOKEN}|{DIGIT}{{8}}|{DIGIT}{{6}}){_B}?[)]?{_B}?"
    f"(?:생|{_HOUR}에?(?:{_B}[가-힣]{{1,10}}에서)?{_B}?태어|{_HOUR}{_B}?출생)"
)
HEADING: Final = (
    f"생{_B}?년{_B}?월{_B}?일|생일|생년월일[(（][^()\n]{{1,8}}[)）]|"
    "출생일자?|출생년월일|출생연월일|DOB|dob|[Bb]irth_?(?:[Dd]ate|[Dd]ay|dt)?|BIRTH"
)
# The prefilter is one automaton for many expressions: the words and adjacent characters suffice for it.
GATES: Final = (
    f"생{_B}{{0,3}}년{_B}{{0,3}}월|生年月日|생일|생신|언제{_B}?태어|태어난{_B}?(?:날|해)|D[.]?O[.]?B|dob|"
    "[Bb]irth|BIRTH|brth|bday",
    f"[0-9０-９일日.．)]{_B}?생|"
    f"출생(?:년월일|연월일|일자?)?[은는이가]?[\"' :：)\\]|│>,\n]*[0-9０-９'’(음양서일이천구]|출생(?:일|년|연)",
    f"[0-9０-９일日시분반.．)]{_B}*(?:에{_B}*)?(?:[가-힣]+에서{_B}*)?(?:태어|출생)|"
    f"(?:벽|침|전|후|낮|밤|녁|오|정)(?:에{_B}?태어|{_B}출생)",
    *CONTEXT_GATES,
)
_BIRTH: Final = re2.compile(BIRTH)
_BORN: Final = re2.compile(BORN)
_HEADING: Final = re2.compile(HEADING)
_DAY_HEAD: Final = re2.compile(f"^(?:{WHOLE}|{SPOKEN}|{DIGIT}{{8}}|{DIGIT}{{6}})")
_LABEL_HEAD: Final = re2.compile(f"^({_LABEL}){_TO_DAY}")
_MASKS: Final = "*＊●○■□◯Xx•※✕×#"
_BEHIND: Final = "이인입은을의으까부"  # 생인데, 생입니다, 생이고; not 생산, 생활
_SELVES: Final = re2.compile(
    "저는|나는|제가|내가|너는|넌|난|전 |우리|할머니|할아버지|아버지|어머니|엄마|아빠|누나|언니|오빠|형은|"
    "벗 |동무|집사람|매형|처남|시어머니|시아버지|장인|장모|며느리|사위|아기|애기|첫째|둘째|막내|쌍둥이|동생|아들|"
    "딸|아내|남편|아이|조카|손자|손녀|이모|삼촌|고모|친구|입니다[.]|민원인|신청인|환자|사용자|회원|글쓴이"
)
_PUBLIC: Final = re2.compile(  # people whose birthdays are public
    "가수|배우|감독|시인|소설가|작가|선수|의원|대통령|화가|정치인|정치가|작곡가|아나운서|장군|학자|국왕|황제|독립운동|"
    "코미디언|방송인|기업인|장관|총리|모델|아이돌|그룹|멤버|데뷔"
)
_DEATHS: Final = ("세상을 떠", "사망", "별세", "서거", "숨졌", "죽었")


def find_birth_dates(text: str, data: bytes) -> Iterator[Match]:
    """Find matches of kind `birth_date`; linear in the length of `text`.

    Births before 1900 are left alone: the dead have no personal data (PIPA art. 2). Without a label, the date must
    precede
    생, or a statement must say that a person other than a public figure was born.
    """
    for start, end in matches(_BIRTH, text, data):
        item = _match_labelled_date(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_BORN, text, data):
        item = _match_stated_birth(text, start, end)
        if item is not None:
            yield item
    yield from find_unlabelled_birth_dates(text, data)
    for start, end in find_cells(text, data, _HEADING):
        if end - start <= 24 and DATE.match(text[start:end]) is not None:
            yield Match(start, end, "birth_date", 0.93, "column of birth dates")


def _match_labelled_date(text: str, start: int, end: int) -> Match | None:
    """Match a date after 생년월일, valid or not; after 생일 and 출생 only one from 1900 on."""
    match = _LABEL_HEAD.match(text[start:end])
    if match is None:
        return None
    label = "".join(c for c in match.group(1) if not c.isspace() and c not in ZERO_WIDTH)
    value = start + len(match.group())
    after = text[end : end + 2]
    if after[:1].isdigit() or (after[:1] in tuple("-./") and after[1:2].isdigit()):
        return None  # the first half of a resident number, which has its own rule, or a longer number
    if after[:1] in ("-", "–") and after[1:2] and after[1:2] in _MASKS:
        return None
    bare = text[value:end].isdigit()
    if label.startswith("앞"):
        half = bare and end - value == 6 and is_day(text[value:end])
        return Match(value, end, "birth_date", 0.8, "first half of a resident number") if half else None
    exact = label.startswith(("생년월일", "生")) or (label[0].isascii() and not bare)
    if label[0].isascii() and text[start - 1 : start].isascii() and text[start - 1 : start].isalpha():
        return None  # rebirth
    if not exact:
        if "가" <= text[start - 1 : start] <= "힣" or not is_recent(text[value:end]):
            return None  # 기업출생 is not a birth
        if bare and not (end - value == 8 or ":" in match.group() or "：" in match.group() or label != "생일"):
            return None  # 생일 100000 is an amount
        if bare and not is_day(text[value:end]):
            return None
    if text[value - 1] in "'’" and text[end : end + 1] not in ("'", "’") and text[value + 2 : value + 3] in (".", "년"):
        value -= 1  # '91. 2. 3.
    value, end = _trim_full_stop(text, value, end)
    return Match(
        value, end, "birth_date", 0.95 if exact else 0.85, f"label {label[:8]} before; {end - value} characters"
    )


def _match_stated_birth(text: str, start: int, end: int) -> Match | None:
    whole = text[start:end]
    word = "태어" if whole.endswith("태어") else "출생" if whole.endswith("출생") else "생"
    day = _DAY_HEAD.match(whole)
    raw = day.group() if day is not None else whole
    last = start + len(raw.rstrip())
    if not is_recent(raw) or (text[start - 1 : start].isdigit()) or (raw.isdigit() and not is_day(raw)):
        return None
    after = text[end : end + 1]
    if word == "생":
        if "가" <= after <= "힣" and after not in _BEHIND:
            return None
        if _PUBLIC.search(text[max(0, start - 40) : start].rpartition("\n")[2]) is not None:
            return None
        return Match(start, end, "birth_date", 0.9, "생 behind")
    around = text[max(0, start - 90) : start].rpartition("\n")[2]
    public = any(d in text[end : end + 80] for d in _DEATHS)
    if word == "출생" and not public and _is_set_apart(text, start, end):
        return Match(start, end, "birth_date", 0.85, "출생 behind, in brackets or apart")
    own = _SELVES.search(around) is not None or (raw[0] in "'’" or _TWO_DIGITS.match(raw) is not None)
    if not own or public:
        return None
    stop = end if word == "출생" else last
    return Match(start, stop, "birth_date", 0.8, f"{word} behind; a person of the sentence's own")


_TWO_DIGITS: Final = re2.compile("^[0-9]{2}[^0-9]")


def _is_set_apart(text: str, start: int, end: int) -> bool:
    """Whether the date is separated as in lists and official papers: 표(2001. 2. 30. 출생), 표, 2001. 2. 30. 출생."""
    before, after = text[max(0, start - 2) : start].strip(), text[end : end + 1]
    if text[end : end + 4].strip()[:2] in ("(남", "(여"):
        return True
    return before[-1:] in tuple("(（,") and bool(before) and after in (")", "）", ",", "", "\n")


def _trim_full_stop(text: str, start: int, end: int) -> tuple[int, int]:
    """Drop the full stop of a sentence: from 1991. 3. 2. only at the end of the text, from 1991.03.02. in prose too."""
    raw = text[start:end]
    if raw[-1:] == "." and end == len(text):
        return start, end - 1
    closed = text[end : end + 1] in ("\n", ")", "）", ",", "/", "|")
    if (
        raw[-1:] in (".", "．")
        and not closed
        and not any(raw[i] in ".．" and raw[i + 1] in " \u00a0\u3000" for i in range(len(raw) - 1))
    ):
        return start, end - 1
    return start, end
