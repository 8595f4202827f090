"""Birth dates without a label: in answers to a question, next to a sex or an age, and in rows of lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.dates import DAY, SPOKEN, WHOLE, B, is_day, is_recent
from filters.pii_rules.text.digit_runs import DIGIT, matches
from filters.pii_rules.text.match import Match
from filters.pii_rules.text.name_model import name_length

_QUESTION: Final = f"생{B}?년{B}?월{B}?일|생일|생신|언제{B}태어|태어난{B}?(?:날|해)|앞{B}?(?:여섯{B}?|6{B}?)?자리"
_ASKED: Final = re2.compile(f"(?:{_QUESTION})")
_ASKING: Final = re2.compile(
    "말씀|알려|입력|적어|부탁|불러|확인|뭐|뭔|언제|어떻게|몇|주세요|주시|줘|[?？]|태어나|"
    "(?:일|신|리|날)(?:은|는|이)?요?$|자리 ?(?:만|를|요)?$"
)
_COUNT: Final = re2.compile("[68] ?자리")  # 8자리를 입력해 …
_LINE = 48  # code points from the question to the end of its line, and of the answer that are read
_DAY: Final = re2.compile(f"(?:{DAY})")
_SEX: Final = "(?:남자|여자|남성|여성|남|여)"
_BETWEEN: Final = f"{B}{{0,2}}[,/·|]{B}{{0,2}}"
_DATE: Final = f"(?:{WHOLE}|{DIGIT}{{8}}|{DIGIT}{{6}})"
SEX_BEHIND: Final = f"{_DATE}{B}?생?{B}{{0,2}}[,/·|(（]{B}{{0,2}}{_SEX}(?:[^가-힣]|$)"
SEX_BEFORE: Final = f"(?:^|[^가-힣]){_SEX}{_BETWEEN}{_DATE}"
AGE: Final = f"(?:만{B}?[0-9]{{1,3}}세?|[0-9]{{2}}세){B}?[,(（]{B}?{_DATE}{B}?생?[)）,]"
SHORT: Final = f"(?:^|[ \\n\\t(/|])생{B}?[:：]{B}?{_DATE}|[/|(,]{B}?생{B}{WHOLE}"
OF_YEAR: Final = f"(?:19|20)[0-9]{{2}}년생{B}?{DIGIT}{{1,2}}월{B}?{DIGIT}{{1,2}}일"
# 가 820230 010-…: a name, the date, a telephone number. A passport may also precede the date.
_SEPARATOR: Final = f"{B}{{0,2}}[,/|\t ]{B}{{0,2}}"
ROW: Final = f"[가-힣]{{2,4}}{_SEPARATOR}{_DATE}{_SEPARATOR}[(]?01[016789][-. )0-9]"
TRAVELLER: Final = (
    f"(?:여권|[Pp]assport|PASSPORT)[^0-9A-Za-z\n]{{0,6}}[A-Z][A-Z0-9]{{6,9}}{B}{{0,2}}[,/|]{B}{{0,2}}{WHOLE}"
)
CONTEXT_GATES: Final = (  # shorter forms of the expressions above
    f"[가-힣] ?[/|] ?{DIGIT}{{6}} ?[/|]",
    f"앞{B}?(?:여섯{B}?|6{B}?)?자리|년생|생{B}?[:：]|[/|(,]{B}?생{B}['’0-9]",
    f"[0-9０-９일.．생]{B}?{B}?[,/·|(（]{B}?(?:남|여)",
    f"(?:남|여|남자|여자|남성|여성){B}?[,/·|]{B}?['’0-9０-９]",
    f"(?:세|만{B}?[0-9]+){B}?[,(（]{B}?['’]?[0-9０-９]",
    "[0-9０-９일.．][ ,/|\t]+[(]?01[016789][-. )0-9]",
    "(?:여권|[Pp]assport|PASSPORT)[^가-힣\n]+[,/|][ \u00a0]?['’0-9]",
)
# 아무개 / 620930 / …: six digits that are a valid day, between slashes after a known name.
HALF: Final = f"[가-힣]{{2,4}} ?[/|] ?{DIGIT}{{6}} ?[/|]"
_HALVES: Final = re2.compile(HALF)
_IN_ROWS: Final = re2.compile("|".join((SEX_BEHIND, SEX_BEFORE, AGE, TRAVELLER, OF_YEAR, SHORT, ROW)))
_ANY: Final = re2.compile(f"(?:{WHOLE}|{SPOKEN}|{DIGIT}{{8}}|{DIGIT}{{6}})")


def find_unlabelled_birth_dates(text: str, data: bytes) -> Iterator[Match]:
    """Find dates that answer 생년월일이요? in the next line, or with a sex, an age, a name or a telephone number
    beside.
    """
    last = -1
    for _, end in matches(_ASKED, text, data) if b"\n" in data else ():
        line = text.find("\n", end, end + _LINE)
        if line < 0 or line == last:
            continue
        last = line
        rest = text[end:line]
        if (
            any(c.isdigit() for c in _COUNT.sub("", rest))
            or _ASKING.search(text[max(0, end - 4) : line].rstrip(" .!")) is None
        ):
            continue
        stop = text.find("\n", line + 1, line + 1 + _LINE)
        answer = text[line + 1 : stop if stop >= 0 else line + 1 + _LINE]
        item = _find_first_birth_date(text, line + 1, answer, _DAY, 0.92, "answer to a question for it")
        if item is not None:
            yield item
    for start, end in matches(_IN_ROWS, text, data):
        item = _find_first_birth_date(
            text, start, text[start:end], _ANY, 0.8, "beside a sex, an age, a name and a telephone, or so"
        )
        if item is not None:
            yield item
    for start, end in matches(_HALVES, text, data) if b"/" in data or b"|" in data else ():
        name = text[start:end].partition("/")[0].partition("|")[0].strip()
        item = _find_first_birth_date(
            text, start, text[start:end], _ANY, 0.8, "six digits between slashes behind a name"
        )
        if item is not None and name_length(name) == len(name) and text[start - 1 : start] < "가":
            yield item


def _find_first_birth_date(
    text: str, at: int, window: str, pattern: re2._Regexp, confidence: float, why: str
) -> Match | None:
    """Return the first plausible birth date of `window`, which begins at `at`, or None."""
    for match in pattern.finditer(window):
        start, end = at + match.start(), at + match.end()
        raw = text[start:end]
        if raw[-2:-1] == " " and text[end : end + 1].isdigit():  # 90.7.3 010-…: the next number begins
            end, raw = end - 2, raw[:-2]
        before, after = text[start - 1 : start], text[end : end + 1]
        if before.isdigit() or before in tuple("-.") or after.isdigit():
            continue
        if (after == "-" and text[end + 1 : end + 2].isdigit()) or (before.isascii() and before.isalpha()):
            continue
        if is_recent(raw) and not (raw.isdigit() and not is_day(raw)):
            return Match(start, end, "birth_date", confidence, why)
    return None
