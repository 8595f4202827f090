"""Partial telephone numbers: split over cells, lines or words, without area code, further numbers of a list, masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from filters.pii_rules.text.digit_runs import DIGIT, ZERO_WIDTH, matches
from filters.pii_rules.text.match import Match

_B: Final = f"[ \u00a0{ZERO_WIDTH}]{{0,3}}"
_MOBILE: Final = "[0０][1１][016789０１６７８９]"
_ODD: Final = f"{_B}[|│\\t\\n,.;]{_B}"
_USUAL: Final = f"{_B}[-–.]?{_B}"
_BAR: Final = "(?: ?[|│\t] ?|</td> ?<td>)"
SPLIT: Final = (
    f"{_MOBILE}(?:{_ODD}{DIGIT}{{3,4}}(?:{_ODD}|{_USUAL}){DIGIT}{{4}}|"
    f"{_USUAL}{DIGIT}{{3,4}}{_B}[|│\\t\\n]{_B}{DIGIT}{{4}}|"
    f"-?\n> ?{DIGIT}{{3,4}}-?{DIGIT}{{4}}"
    f"|-?{DIGIT}{{3,4}}-?\n(?:> ?|[가-힣]{{1,8}}: ?-){DIGIT}{{4}})|"  # lines of messages
    f"0{_BAR}1{_BAR}[016789](?:{_BAR}{DIGIT}){{7,8}}"  # one digit per cell
)
_SPLIT: Final = re2.compile(SPLIT)
# 02 | 000 | 1234 in a row with a telephone term
IN_CELLS: Final = f"0(?:2|[3-6][1-5]|70){_BAR}{DIGIT}{{3,4}}{_BAR}{DIGIT}{{4}}"
_IN_CELLS: Final = re2.compile(IN_CELLS)
_CALLS: Final = re2.compile("전화|통화|연락|팩스|휴대|핸드폰|(?i:tel|fax|phone)")
_ROW_REACH = 60  # code points before and after
_REST: Final = f"{DIGIT}{{3,4}}(?:[- .]| ?(?:에|다시|하이픈|대시|빼기) ?)?{DIGIT}{{4}}"
_LEFT_OUT: Final = "(?:을|를|은|는)? ?(?:붙|빼|뺀|생략|제외|다음|떼|이고|이구|하고|이며|으로 시작)"
_SAID: Final = "[공영일이삼사오육륙칠팔구]"
_NEXT: Final = ",? ?(?:그 ?)?다음에?(?:는|은)?,? ?"
# 010-0417 이고 뒷자리는 2296; 앞에 공일공 붙이시고 1417-2204
WORDED: Final = (
    f"{_MOBILE}[- .]?{DIGIT}{{3,4}}[^0-9０-９\\n]{{0,12}}(?:뒷|뒤|끝)[^0-9０-９\\n]{{0,12}}{DIGIT}{{4}}|"
    f"(?:010|공일공|영일영){_LEFT_OUT}[^0-9０-９\\n]{{0,14}}{_REST}|"
    f"(?:010|공일공|영일영){_NEXT}(?:{DIGIT}{{4}}|{_SAID}{{4}}){_NEXT}(?:{DIGIT}{{4}}|{_SAID}{{4}})"
)
_WORDED: Final = re2.compile(WORDED)
# 010(하트)0000(하트)1234: the same word twice.
_WORD_GAP: Final = "([(\\[<{（【가-힣][^0-9０-９\\n]{0,5})"
SAME_WORD: Final = f"{_MOBILE} ?[(\\[<{{（【가-힣][^0-9０-９\\n]{{0,5}}{DIGIT}{{3,4}} ?[(\\[<{{（【가-힣]"
_SAME_WORD: Final = re2.compile(f"{_MOBILE} ?{_WORD_GAP}{DIGIT}{{3,4}} ?{_WORD_GAP}{DIGIT}{{4}}")
_LAST: Final = re2.compile(f"{_REST}$")
_EXCHANGE: Final = "[02-9][0-9]{2,3}"
LOCAL: Final = (
    "(?:전화(?: ?번호)?|연락처|☎|☏|팩스|직통|자택|(?i:tel|fax)[.]?)[^0-9가-힣A-Za-z\\n]{0,5}"
    f"{_EXCHANGE}(?:[-.)]| - ){DIGIT}{{4}}"
)
_LOCAL: Final = re2.compile(LOCAL)
_AND: Final = " ?(?:[,/·]|및|또는) ?"
SECOND: Final = (
    f"0[0-9]{{1,2}}[-.)] ?[0-9]{{3,4}}[-.][0-9]{{4}}(?:{_AND}{_EXCHANGE}[-.][0-9]{{4}}|{_AND}[0-9]{{4}}){{1,4}}"
)
_SECOND: Final = re2.compile(SECOND)
_FIRST_OF_ROW: Final = re2.compile("^0[0-9]{1,2}[-.)] ?[0-9]{3,4}[-.][0-9]{4}")
_OTHERS_OF_ROW: Final = re2.compile(f"{_EXCHANGE}[-.][0-9]{{4}}|[0-9]{{4}}")
_MASKS: Final = "*＊●○xX#"
MASKED: Final = f"{_MOBILE}[- .]?[0-9*＊●○xX#]{{3,4}}[- .]?[0-9*＊●○xX#]{{4}}"
_MASKED: Final = re2.compile(MASKED)
MASKED_GATE: Final = f"{_MOBILE}[- .]?[0-9]{{0,4}}[- .]?[0-9]{{0,3}}[*＊●○xX#]"
# Prefilter expressions match rare parts only: counted repetition gives an automaton many states.
GATES: Final = (
    SAME_WORD,
    f"{_MOBILE}{_B}[|│\\t\\n,;.]{_B}{DIGIT}{{3}}",
    f"{_MOBILE}{_USUAL}{DIGIT}{{3,4}}{_B}[|│\\t\\n]{_B}{DIGIT}",
    "(?:뒷|뒤|끝) ?(?:자리|번호)",
    f"(?:010|공일공|영일영){_LEFT_OUT}",
    LOCAL,
    SECOND,
    MASKED_GATE,
    f"{_MOBILE}&(?:#|n)[0-9a-z]+;{DIGIT}",
    IN_CELLS,
    f"{_MOBILE}-?{DIGIT}*-?\n(?:>|[가-힣]+:)",
    f"0{_BAR}1{_BAR}[016789]{_BAR}",
)
_MOST_MASKS = 3  # of eight digits; with more masked, a number cannot be dialled
_COUNTED: Final = frozenset("년월일원명개건")
_CODED: Final = "&(?:#0?45|#8208|#8211|#x2[dD]|ndash|nbsp|#160);"  # separators as HTML entities
CODED: Final = f"{_MOBILE}{_CODED}{DIGIT}{{3,4}}{_CODED}{DIGIT}{{4}}"
_CODED_NUMBER: Final = re2.compile(CODED)


def find_partial_phones(text: str, data: bytes) -> Iterator[Match]:  # noqa: C901
    """Find matches of kind `phone`; linear in the length of `text`."""
    for start, end in matches(_SPLIT, text, data):
        apart = not text[start + 1].isdigit()
        if apart and _CALLS.search(text[max(0, start - _ROW_REACH) : start]) is None:
            continue  # a table of zeros and ones
        if _is_standalone(text, start, end) and not (text[start - 1 : start] in tuple(",.;-") and start):
            yield Match(start, end, "phone", 0.85, "mobile number over cells or lines")
    for start, end in matches(_IN_CELLS, text, data):
        row = (
            text[max(0, start - _ROW_REACH) : start].rpartition("\n")[2]
            + text[end : end + _ROW_REACH].partition("\n")[0]
        )
        if _is_standalone(text, start, end) and _CALLS.search(row) is not None:
            yield Match(start, end, "phone", 0.8, "number over cells; word of calls in its row")
    for start, end in matches(_WORDED, text, data):
        first = (
            start
            if text[start].isdigit() and text[end - 4 : end].isdigit() and _has_full_length(text, start, end)
            else -1
        )
        if not text[end - 1].isdigit():  # 공일공 다음에 공사육오 다음에 …
            first = start
        elif first < 0:
            last = _LAST.search(text[start:end])
            first = start + last.start() if last is not None else start
        if _is_standalone(text, first, end):
            yield Match(first, end, "phone", 0.85, "mobile number with words between")
    for start, end in matches(_SAME_WORD, text, data):
        gaps = _SAME_WORD.match(text[start:end])
        if gaps is not None and gaps.group(1).strip() == gaps.group(2).strip() and _is_standalone(text, start, end):
            yield Match(start, end, "phone", 0.85, "mobile number; one word twice between the groups")
    for start, end in matches(_LOCAL, text, data):
        first = next(i for i in range(start, end) if text[i].isdigit())
        counted = text[end : end + 1] in _COUNTED
        if _is_standalone(text, first, end) and not counted and not _is_year_range(text[first:end]):
            yield Match(first, end, "phone", 0.85, "label before; number without area code")
    for start, end in matches(_CODED_NUMBER, text, data) if b"&" in data else ():
        if _is_standalone(text, start, end):
            yield Match(start, end, "phone", 0.9, "mobile number with coded marks")
    for start, end in matches(_SECOND, text, data):
        yield from _find_further_numbers(text, start, end)
    for start, end in matches(_MASKED, text, data):
        hidden = sum(c in _MASKS for c in text[start:end])
        last = hidden == 4 and not any(c in _MASKS for c in text[start : end - 4])
        if (0 < hidden <= _MOST_MASKS or last) and _is_standalone(text, start, end):
            yield Match(start, end, "phone", 0.8, f"mobile number; {hidden} digits masked")


def _find_further_numbers(text: str, start: int, end: int) -> Iterator[Match]:
    """Find all numbers after the first: 042-000-1234, 000-1235, 1236."""
    whole = text[start:end]
    head = _FIRST_OF_ROW.match(whole)
    if head is None or text[start - 1 : start].isdigit():
        return
    for match in _OTHERS_OF_ROW.finditer(whole, len(head.group())):
        first, last = start + match.start(), start + match.end()
        follows = text[last : last + 1]
        if follows.isdigit() or follows in tuple("-~∼") or follows in _COUNTED or _is_year_range(match.group()):
            return
        yield Match(first, last, "phone", 0.85, "behind another number of the same exchange")


def _has_full_length(text: str, start: int, end: int) -> bool:
    """Whether the digits make a complete mobile number (10 or 11), so that the number begins at `start`."""
    return sum(c.isdigit() for c in text[start:end]) in (10, 11)


def _is_year_range(number: str) -> bool:
    groups = [g for g in (number[:4], number[-4:]) if g.isdigit()]
    return len(groups) == 2 and all(g[:2] in ("19", "20") for g in groups)


def _is_standalone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 2]
    if before.isdigit() or (before.isascii() and before.isalpha()) or (before in tuple("-_*") and before):
        return False
    return not (after[:1].isdigit() or after[:1] in tuple(_MASKS) or (after[:1] in ("-", "_") and after[1:].isdigit()))
