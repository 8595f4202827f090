"""Telephone numbers written to slip past filters: 공일공 일이삼사 …, O1O-…, ⓪①⓪-…, 010📱1234📱5678."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import re2

from filters.pii_rules.finding import Found
from filters.pii_rules.labels import label_of
from filters.pii_rules.numbers import ZERO_WIDTH, matches
from filters.pii_rules.phones import prefix_of

# What is read as each digit, 0 first.
_DIGITS: Final = (
    "0０⓪⓿공영빵〇零OoＯ",
    "1１①❶일一壹lIｌ",
    "2２②❷이二貳",
    "3３③❸삼三參",
    "4４④❹사四",
    "5５⑤❺오五",
    "6６⑥❻육륙六",
    "7７⑦❼칠七",
    "8８⑧❽팔八",
    "9９⑨❾구九",
)
_VALUE: Final = {c: str(i) for i, row in enumerate(_DIGITS) for c in row}
_ASCII_MARKS: Final = " .,=_~*/+:()-"
_SYMBOLS: Final = "\u2010-\u2015\u2190-\u245f\u2500-\u2bff\U0001f000-\U0001faff"  # dashes, arrows, shapes, pictures
_MARK: Final = "[" + re2.escape(_ASCII_MARKS + "·ㆍㅡ에의\u3000\u00a0\ufe0f" + ZERO_WIDTH) + _SYMBOLS + "]"
_MAX_GAP = 4  # code points between two digits


def _of(digits: str) -> str:
    return "[" + "".join(_DIGITS[int(d)] for d in digits) + "]"


_GAP: Final = f"{_MARK}*"  # bounded below: a counted one makes the automaton large
_PREFIX: Final = (
    f"{_of('0')}{_GAP}(?:{_of('1')}{_GAP}{_of('016789')}|{_of('2')}|{_of('3456')}{_GAP}{_of('12345')}|"
    f"{_of('78')}{_GAP}{_of('0')}|{_of('5')}{_GAP}{_of('0')}{_GAP}{_of('2345678')})"
)
SPELLED: Final = f"{_PREFIX}(?:{_GAP}{_of('0123456789')}){{7}}"
_SPELLED: Final = re2.compile(f"{_PREFIX}(?:{_GAP}{_of('0123456789')}){{7,9}}")
_PLAIN: Final = frozenset("0123456789０１２３４５６７８９")
_WEAK: Final = frozenset(",.:+")  # they also stand between the values of a list or a path


def spelled(text: str, data: bytes) -> Iterator[Found]:
    """Numbers of the national plan in which words, letters, circles or pictures stand for digits or marks."""
    for start, end in matches(_SPELLED, text, data, _is_usual):
        found = _judged(text, start, end)
        if found is not None:
            yield found


def _is_usual(raw: bytes) -> bool:
    """Plain digits and the marks of telephone numbers: those have a rule of their own."""
    return not raw.translate(None, b"0123456789 -.()")


def _judged(text: str, start: int, end: int) -> Found | None:
    places = [i for i in range(start, end) if text[i] in _VALUE]
    number = "".join(_VALUE[text[i]] for i in places)
    size = next((n for n in (12, 11, 10, 9) if n <= len(number) and prefix_of(number[:n])), 0)
    if not size:
        return None
    places, number = places[:size], number[:size]
    if any(b - a > _MAX_GAP + 1 for a, b in pairwise(places)):
        return None
    end = places[-1] + 1
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isdigit() or after.isdigit() or (before.isascii() and (before.isalpha() or before in tuple("-_."))):
        return None
    marks = {c for c in text[start:end] if c not in _VALUE}
    mobile = number.startswith("01")
    said = label_of(text, start).kind == "phone"
    if all(text[i] in _PLAIN for i in places):
        odd = marks - set(" -.()" + ZERO_WIDTH)
        if before == "/" and odd <= {"/"} and not said:
            return None  # a path: img/010/0000/1234.png
        if not odd or not mobile or (odd & _WEAK and not said) or not _grouped(places, size):
            return None
    elif not mobile and not said:
        return None
    letters = sum(text[i] not in _PLAIN for i in places)
    reason = f"{letters} digits written otherwise" if letters else "marks between the groups"
    return Found(start, end, "phone", 0.93 if said else 0.9, f"{reason}; prefix {prefix_of(number)}")


def _grouped(places: list[int], size: int) -> bool:
    """Whether a mark stands where groups of a mobile number meet (3-4-4), or between all digits."""
    gaps = {i for i in range(1, size) if places[i] - places[i - 1] > 1}
    return {3, size - 4} <= gaps and (len(gaps) == 2 or len(gaps) == size - 1)
