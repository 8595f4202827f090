"""Birth dates: behind their label, before 생, in the column of a table, and where somebody says when they were born."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.between import BETWEEN
from filters.pii_rules.finding import Found
from filters.pii_rules.numbers import DIGIT, ZERO_WIDTH, matches
from filters.pii_rules.tables import cells

_B: Final = f"[ \u00a0\u3000\t{ZERO_WIDTH}]"
_D: Final = DIGIT
_DOT: Final = "[.．\\-\u2010-\u2015\u2212－/]"
_Y: Final = f"['’]?(?:{_D}{_B}?{_D}{_B}?{_D}{_B}?{_D}|{_D}{_B}?{_D})"
_M: Final = f"{_D}(?:{_B}?{_D})?"
_YEARS: Final = f"(?:{_Y}{_B}{{0,2}}[년年]{_B}{{0,2}}{_M}{_B}{{0,2}}[월月]{_B}{{0,2}}{_M}(?:{_B}{{0,2}}[일日])?"
_WHOLE: Final = f"{_YEARS}|{_Y}{_B}?{_DOT}{_B}{{0,2}}{_M}{_B}?{_DOT}{_B}{{0,2}}{_M}[.．]?)"
_ENGLISH: Final = (
    f"(?:{_D}{{1,2}}{_B}[A-Z][A-Za-z]{{2,8}}[.]?{_B}(?:19|20){_D}{{2}}|"
    f"[A-Z][a-z]{{2,8}}[.]?{_B}{_D}{{1,2}},{_B}?(?:19|20){_D}{{2}})"
)
_DAY: Final = f"(?:{_WHOLE}|{_ENGLISH}|{_D}{{8}}|{_D}{{6}})"
_LABEL: Final = (
    f"(?:생{_B}{{0,3}}년{_B}{{0,3}}월{_B}{{0,3}}일|生年月日|생일|출생(?:년월일|연월일|일자|일)?|D[.]?O[.]?B[.]?|"
    f'(?i:date[ _]?of[ _]?birth|(?:birth|brth)[ _]?(?:day|date|dt|ymd|dy)?|brdt|dob)"?)'
)
_TO_DAY: Final = (
    f"(?:/[A-Za-z ]{{2,16}})?[은는이가]?{_B}{{0,3}}[)\\]]?[\"']?{_B}{{0,3}}(?:[:：=>|"
    f"│,,-][\"']?{_B}{{0,3}})?\n?{_B}{{0,3}}[(\"'「]?(?:서기{_B})?"
)
BIRTH: Final = f"{_LABEL}{_TO_DAY}{_DAY}"
_DIGITS: Final = f"(?:(?:19|20){_D}{{6}}|{_D}{{6}})"
BORN: Final = (
    f"(?:{_WHOLE}|{_DIGITS}){_B}?[)]?{_B}?(?:생|(?:{_B}(?:새벽|아침|오전|오후|낮|밤|"
    f"저녁))?(?:{_B}{_D}{{1,2}}시)?(?:{_B}{_D}{{1,2}}분)?에{_B}?태어|출생)"
)
# 생년월일을 말씀해 주세요.⏎고객: 19930206 입니다
ANSWER: Final = (
    f"(?:생년월일|생일)[^\n0-9]{{0,14}}(?:{_D}자리)?[^\n0-9]{{0,24}}\n"
    f"[^\n:：0-9]{{0,12}}[:：]?[^\n:：0-9]{{0,10}}{_DAY}"
)
_ANSWER: Final = re2.compile(ANSWER)
# 변재욱 820417 010-…: between a name and a telephone number
LISTED: Final = f"[가-힣]{{2,4}}[ ,|/\t]{{1,3}}{_DIGITS}[ ,|/\t]{{1,3}}01[016789]"
_LISTED: Final = re2.compile(LISTED)
# 만 32세(1990.03.05.), 1990. 3. 5.(만 32세)
AGED: Final = f"세{_B}?[(,（]{_B}?{_WHOLE}|{_WHOLE}{_B}?[(,（]{_B}?만?{_B}?{_D}{{1,3}}세"
_AGED: Final = re2.compile(AGED)
_FAR_LABEL: Final = (
    f"(?:생{_B}{{0,3}}년{_B}{{0,3}}월{_B}{{0,3}}일|生年月日|생일|출생일|(?i:birth|brth|dob)[A-Za-z_]{{0,5}})"
)
_FAR: Final = re2.compile(f"{_FAR_LABEL}{BETWEEN}{_DAY}")
_CLOSED: Final = re2.compile("^[.．]?[ \u00a0]?(?:[)）,]|생)")
_OWN_DAY: Final = re2.compile(f"{_DAY}$")
_FIRST_DAY: Final = re2.compile(_WHOLE)
_BARE_DAY: Final = re2.compile(_DIGITS)
HEADING: Final = f"생{_B}?년{_B}?월{_B}?일|생일|출생일자?|DOB|birth_?(?:date|day)?"
GATES: Final = (BIRTH, BORN, HEADING)
# Gates need only what is rare: an automaton that counts code points has many states.
TOLD: Final = (
    _FAR_LABEL,
    f"{_D}{{6}}[ ,|/\t]{{1,3}}01[016789]",
    f"세{_B}?[(,（]{_B}?['’]?{_D}|[(,（]{_B}?만?{_B}?{_D}{{1,3}}세",
)
_BIRTH: Final = re2.compile(BIRTH)
_BORN: Final = re2.compile(BORN)
_HEADING: Final = re2.compile(HEADING)
_DAY_HEAD: Final = re2.compile(f"^{_WHOLE}")
_CELL: Final = re2.compile(f"^(?:{_DAY})$")
_LABEL_HEAD: Final = re2.compile(f"^({_LABEL}){_TO_DAY}")
_MASKS: Final = "*＊●○■□◯Xx•※✕×#"
_BEHIND: Final = "이인입은을의으까부"  # 생인데, 생입니다, 생이고; not 생산, 생활
_SELVES: Final = re2.compile(
    "저는|나는|제가|내가|너는|넌|난|전 |우리|할머니|할아버지|아버지|어머니|엄마|아빠|누나|언니|오빠|형은|"
    "동생|아들|딸|아내|남편|"
    "벗|아이|조카|손자|손녀|이모|삼촌|고모|친구|입니다[.]|민원인|신청인|환자"
)
_IN_BRACKETS: Final = re2.compile("[가-힣]{2,4} ?[(（]$")
_PUBLIC: Final = re2.compile(  # whose birthdays are public
    "가수|배우|감독|시인|소설가|작가|선수|의원|대통령|화가|정치인|정치가|작곡가|아나운서|장군|학자|국왕|황제|독립운동|"
    "코미디언|방송인|기업인|장관|총리|모델|아이돌|그룹|멤버|데뷔"
)
_DEATHS: Final = ("세상을 떠", "사망", "별세", "서거", "숨졌", "죽었")


def found(text: str, data: bytes) -> Iterator[Found]:
    """Findings of kind `birth_date`; linear in the length of `text`.

    Births before 1900 stay: the dead have no personal data (PIPA art. 2). Without a label the
    date must stand before 생, or somebody must be said to be born who is no public figure.
    """
    for start, end in matches(_BIRTH, text, data):
        item = _labelled(text, start, end)
        if item is not None:
            yield item
    for start, end in matches(_BORN, text, data):
        item = _born(text, start, end)
        if item is not None:
            yield item
    for start, end in cells(text, data, _HEADING):
        if end - start <= 24 and _CELL.match(text[start:end]) is not None:
            yield Found(start, end, "birth_date", 0.93, "column of birth dates")


def told(text: str, data: bytes) -> Iterator[Found]:
    """Dates in the answer to a question, between name and telephone number, and beside an age."""
    for pattern, day, reason in (
        (_ANSWER, _OWN_DAY, "asked for in the line before"),
        (_FAR, _OWN_DAY, "label before"),
        (_LISTED, _BARE_DAY, "between a name and a telephone number"),
        (_AGED, _FIRST_DAY, "beside an age"),
    ):
        for start, end in matches(pattern, text, data):
            match = day.search(text[start:end])
            if match is None or (text[end : end + 1].isdigit() and pattern in (_ANSWER, _FAR)):
                continue
            before = text[start - 1 : start]
            if pattern is _FAR and ("가" <= before <= "힣" or (before.isascii() and before.isalpha())):
                continue  # 기업출생일
            if pattern is not _AGED and match.group().isdigit() and not _is_day(match.group()):
                continue
            first, last = _trimmed(text, start + match.start(), start + match.end())
            if pattern is _AGED and match.end() == end - start and _CLOSED.match(text[last : last + 4]) is None:
                continue  # 60세(2009. 2. 4. 전에 …): a day of the law
            if text[last : last + 1] not in ("-", "–"):
                yield Found(first, last, "birth_date", 0.85, reason)


def _labelled(text: str, start: int, end: int) -> Found | None:
    """A date behind 생년월일, possible or not; behind 생일 and 출생 only one of this century or the last."""
    match = _LABEL_HEAD.match(text[start:end])
    if match is None:
        return None
    label = "".join(c for c in match.group(1) if not c.isspace() and c not in ZERO_WIDTH)
    if label[0].isascii() and text[start - 1 : start].isascii() and text[start - 1 : start].isalpha():
        return None
    value = start + len(match.group())
    after = text[end : end + 2]
    if after[:1].isdigit() or (after[:1] in tuple("-./") and after[1:2].isdigit()):
        return None  # the first half of a resident number, which has a rule of its own, or a longer number
    if after[:1] in ("-", "–") and after[1:2] and after[1:2] in _MASKS:
        return None
    bare = text[value:end].isdigit()
    exact = label.startswith(("생년월일", "生")) or (label[0].isascii() and not bare)
    if not exact:
        if "가" <= text[start - 1 : start] <= "힣" or not _is_recent(text[value:end]):
            return None  # 기업출생 is no birth
        if bare and not (end - value == 8 or ":" in match.group() or "：" in match.group() or label != "생일"):
            return None  # 생일 100000 is an amount
        if bare and not _is_day(text[value:end]):
            return None
    if text[value - 1] in "'’" and text[end : end + 1] not in ("'", "’") and text[value + 2 : value + 3] in (".", "년"):
        value -= 1  # '91. 2. 3.
    value, end = _trimmed(text, value, end)
    return Found(
        value, end, "birth_date", 0.95 if exact else 0.85, f"label {label[:8]} before; {end - value} characters"
    )


def _born(text: str, start: int, end: int) -> Found | None:
    word = "태어" if text[start:end].endswith("태어") else text[start:end].rstrip()[-2:]
    stop = end - (2 if word in ("태어", "출생") else 1)
    raw = text[start:stop].rstrip(" \u00a0\u3000\t)" + ZERO_WIDTH)
    if word == "태어":
        day = _DAY_HEAD.match(raw)
        raw = day.group() if day is not None else raw
    last = start + len(raw)
    if not _is_recent(raw) or text[start - 1 : start].isdigit():
        return None
    after = text[end : end + 1]
    if word not in ("태어", "출생"):
        if "가" <= after <= "힣" and after not in _BEHIND:
            return None
        if raw.isdigit() and (not _is_day(raw) or text[start - 1 : start] in tuple("-./,")):
            return None
        if _PUBLIC.search(text[max(0, start - 40) : start].rpartition("\n")[2]) is not None:
            return None
        first, last = _trimmed(text, start, last)
        return Found(first, last, "birth_date", 0.9, "생 behind")
    sentence = text[max(0, start - 60) : start].rpartition("\n")[2]
    around = sentence + text[end : end + 40].partition("\n")[0]
    if word == "출생" and _IN_BRACKETS.search(sentence) is not None and _PUBLIC.search(around) is None:
        first, last = _trimmed(text, start, last)
        return Found(first, last, "birth_date", 0.8, "출생 behind; in brackets behind a name")
    if _SELVES.search(sentence) is None or any(d in text[end : end + 80] for d in _DEATHS):
        return None
    first, last = _trimmed(text, start, last)
    return Found(first, last, "birth_date", 0.8, f"{word} behind; a person of the sentence's own")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the full stop of the sentence: 1991.03.02. ends before it, 1991. 3. 2. only where the text ends."""
    raw = text[start:end]
    if raw[-1:] == "." and end == len(text):
        return start, end - 1
    if raw[-1:] in (".", "．") and not any(
        raw[i] in ".．" and raw[i + 1] in " \u00a0\u3000" for i in range(len(raw) - 1)
    ):
        return start, end - 1
    return start, end


def _is_recent(raw: str) -> bool:
    """Whether the year is of this century or the last, or has two digits."""
    digits = "".join(c for c in raw.translate(_NARROW) if c.isdigit())
    for mark in ("년", ".", "．", "-", "/"):
        head = raw.translate(_NARROW).partition(mark)[0]
        if head != raw.translate(_NARROW):
            digits = "".join(c for c in head if c.isdigit())
            break
    return len(digits) not in (4, 8) or "1900" <= digits[:4] <= "2039"


def _is_day(digits: str) -> bool:
    tail = digits.translate(_NARROW)[-4:]
    return 1 <= int(tail[:2]) <= 12 and 1 <= int(tail[2:]) <= 31


_NARROW: Final = {0xFF10 + i: str(i) for i in range(10)}
