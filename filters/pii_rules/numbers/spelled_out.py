"""Obfuscated or spoken numbers: 공일공 일이삼사 …, O1O-…, ⓪①⓪-…, 0️⃣1️⃣0️⃣, 공하나공 ….

The prefix identifies telephone numbers; other numbers need a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import re2

from filters.pii_rules.numbers.phones import BEHIND, prefix_of
from filters.pii_rules.text.digit_runs import ZERO_WIDTH, matches
from filters.pii_rules.text.labels import label_of
from filters.pii_rules.text.match import Match

# Characters read as each digit, 0 first.
_DIGITS: Final = (
    "0０⓪⓿⁰₀공영빵〇零OoＯㅇ🅾ⓞⓄοОо",
    "1１①❶⓵➀➊¹₁일一壹lIｌ⑴",
    "2２②❷⓶➁➋²₂이二貳⑵",
    "3３③❸⓷➂➌³₃삼三參⑶",
    "4４④❹⓸➃➍⁴₄사四⑷",
    "5５⑤❺⓹➄➎⁵₅오五⑸",
    "6６⑥❻⓺➅➏⁶₆육륙六⑹",
    "7７⑦❼⓻➆➐⁷₇칠七⑺",
    "8８⑧❽⓼➇➑⁸₈팔八⑻",
    "9９⑨❾⓽➈➒⁹₉구九⑼",
)
_STYLES: Final = range(0x1D7CE, 0x1D800, 10)  # mathematical digits: bold, double-struck, sans-serif …
_ROWS: Final = tuple(row + "".join(chr(style + i) for style in _STYLES) for i, row in enumerate(_DIGITS))
_VALUE: Final = {c: str(i) for i, row in enumerate(_ROWS) for c in row}
_WORDS: Final = {
    **{w: str(i) for i, w in enumerate("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉".split(), 1)},
    **{w: str(i) for i, w in enumerate("zero one two three four five six seven eight nine".split())},
}
_HEADS: Final = frozenset(c for w in _WORDS for c in (w[0], w[0].upper()))
_ASCII_MARKS: Final = " .,=_~*/+:()-^!"
_SYMBOLS: Final = "\u2010-\u2015\u20e3\u2190-\u245f\u2500-\u2bff\U0001f000-\U0001faff"  # dashes, arrows, pictures, keys
_MARK: Final = "[" + re2.escape(_ASCII_MARKS + "·ㆍㅡ에의－＊\u3000\u00a0\ufe0f" + ZERO_WIDTH) + _SYMBOLS + "]"
_HYPHENS: Final = ("다시", "하이픈", "대시", "빼기")  # spoken hyphens
_MAX_GAP = 5  # code points between two digits


def _digit_class(digits: str) -> str:
    return "[" + "".join(_ROWS[int(d)] for d in digits) + "]"


_GAP: Final = f"{_MARK}*"  # limited by `_MAX_GAP`: counted repetition makes the automaton large
_SAID_GAP: Final = f"(?:{_MARK}|다시|하이픈|대시|빼기)*"
_PREFIX: Final = (
    f"{_digit_class('0')}{_GAP}(?:{_digit_class('1')}{_GAP}{_digit_class('016789')}|{_digit_class('2')}|{_digit_class('3456')}{_GAP}{_digit_class('12345')}|"
    f"{_digit_class('78')}{_GAP}{_digit_class('0')}|{_digit_class('5')}{_GAP}{_digit_class('0')}{_GAP}{_digit_class('2345678')})"
)
_ANY: Final = _digit_class("0123456789")
SPELLED: Final = f"{_PREFIX}(?:{_GAP}{_ANY}){{7}}"
_SPELLED: Final = re2.compile(f"{_PREFIX}(?:{_GAP}{_ANY}){{7,9}}")
_WORD: Final = (
    "(?:" + "|".join(w for w in _WORDS if w[0] >= "가") + "|(?i:" + "|".join(w for w in _WORDS if w < "가") + "))"
)
_TOKEN: Final = f"(?:{_WORD}|{_ANY})"
WORDS: Final = (
    f"(?:[공영빵0]|(?i:zero)){_MARK}?(?:{_WORD}|일{_MARK}?(?:공|영|여섯|일곱|여덟|아홉))|(?i:zero){_MARK}?1[0-9]|"
    f"(?:{_ANY}|{_WORD}) ?(?:다시|하이픈|대시|빼기) ?(?:{_ANY}|{_WORD})"
)
_IN_WORDS: Final = re2.compile(f"(?:{_digit_class('0')}|(?i:zero)){_SAID_GAP}{_TOKEN}(?:{_SAID_GAP}{_TOKEN}){{7,9}}")
_SPOKEN: Final = "[공영빵일이삼사오육륙칠팔구]"
_SPOKEN_WORD: Final = "(?:" + "|".join(w for w in _WORDS if w[0] >= "가") + f"|{_SPOKEN})"
DICTATED: Final = f"(?:{_SPOKEN_WORD}(?: |-|, |다시|에 |에|의)*){{5}}"
# 910203에 1234567: in digits, with spoken separators
_SAID: Final = "(?: ?(?:다시|하이픈|대시|에|의) ?)"
IN_DIGITS: Final = f"[0-9]{{2,7}}{_SAID}[0-9]{{2,7}}"
_DICTATED: Final = re2.compile(
    f"(?:[0-9]|{_SPOKEN_WORD})(?:(?: |-|, |다시|하이픈|대시|에 |에|의)*(?:[0-9]|{_SPOKEN_WORD})){{8,18}}"
)
_ROW: Final = re2.compile(f"{_TOKEN}(?:(?:{_MARK}|\n|다시|하이픈|대시|빼기)*{_TOKEN}){{6,}}")
_A_WORD: Final = re2.compile(WORDS)
_A_DICTATION: Final = re2.compile(f"{DICTATED}|{IN_DIGITS}")
_NEXT = 40  # code points
_LENGTHS: Final = {
    "rrn": (13,),
    "frn": (13,),
    "crn": (13,),
    "birth": (13,),
    "card": (15, 16),
    "account": range(10, 17),
    "bank": range(10, 17),
    "bank-short": range(10, 17),
    "brn": (10,),
    "license": (12,),
    "health": (11,),
}
_KINDS: Final = {
    "birth": "rrn",
    "bank": "account",
    "bank-short": "account",
    "license": "driver_license",
    "health": "health_insurance",
}
_PLAIN: Final = frozenset("0123456789０１２３４５６７８９")
_WEAK: Final = frozenset(",.:+")  # also separators in lists and paths
Places = list[tuple[int, int]]  # start and end of each digit


def find_spelled_phones(text: str, data: bytes) -> Iterator[Match]:
    """Find numbers of the national plan with words, letters, circles or pictures for digits or separators."""
    for start, end in matches(_SPELLED, text, data, _is_usual):
        found = _match_spelled_phone(text, start, end)
        if found is not None:
            yield found
        if found is not None and found.end < end:  # the match ends with the first digits of the next number
            at = found.end
            again = _SPELLED.search(text[at : at + _NEXT])
            second = None if again is None else text.index(again.group(), at)
            item = None if second is None else _match_spelled_phone(text, second, second + len(again.group()))
            if item is not None:
                yield item


def find_worded_phones(text: str, data: bytes) -> Iterator[Match]:
    """Find the same with digits as words of several letters: 공하나공-…, zero one zero …"""
    for start, end in matches(_IN_WORDS, text, data, _has_no_word):
        found = _match_spelled_phone(text, start, end)
        if found is not None:
            yield found


def find_dictated_numbers(text: str, data: bytes) -> Iterator[Match]:
    """Find labelled resident numbers, cards and accounts in words: 주민번호 육공일이일일 다시 일구이오일일팔."""
    for start, end in matches(_DICTATED, text, data, _is_not_dictated):
        places, number = _read_places(text, start, end)
        label = label_of(text, start, numbered=True)
        label = label if label.kind else label_of(text, start)
        lengths = _LENGTHS.get(label.kind, ())
        ended = text[end - 1 : end] == "이" and "가" <= text[end : end + 1] <= "힣"  # 이에요: a particle, not two
        sizes = (len(number) - 1, len(number)) if ended else (len(number), len(number) - 1)
        size = next((n for n in sizes if n in lengths), 0)
        if not size or (prefix_of(number) and label.kind not in ("rrn", "frn", "card")):
            continue
        kind = _KINDS.get(label.kind, label.kind)
        if kind in ("rrn", "frn"):
            kind = "frn" if number[6] in "5678" else "rrn"
        yield Match(start, places[size - 1][1], kind, 0.95, f"label {label.word} before; {size} digits in words")


def read_digits(value: str) -> str:
    """Return the digits that `value` spells.

    >>> read_digits("공일공-O1２③")
    '0100123'
    """
    return _read_places(value, 0, len(value))[1]


def find_digit_rows(text: str, data: bytes) -> Iterator[tuple[Places, str]]:
    """Find every row of at least seven digits in any writing; yield the places and the digits."""
    for start, end in matches(_ROW, text, data):
        yield _read_places(text, start, end)


def _is_usual(raw: bytes) -> bool:
    """Whether the bytes are ASCII digits and telephone separators only, which another rule handles."""
    return not raw.translate(None, b"0123456789 -.()")


def _has_no_word(raw: bytes) -> bool:
    return _A_WORD.search(raw) is None


def _is_not_dictated(raw: bytes) -> bool:
    return _A_DICTATION.search(raw) is None


def _match_spelled_phone(text: str, start: int, end: int) -> Match | None:
    places, number = _read_places(text, start, end)
    size = next((n for n in (12, 11, 10, 9) if n <= len(number) and prefix_of(number[:n])), 0)
    if not size:
        return None
    places, number = places[:size], number[:size]
    if any(b[0] - a[1] > _MAX_GAP for a, b in pairwise(places)):
        return None
    end = places[-1][1]
    while text[end : end + 1] in ("\ufe0f", "\u20e3"):  # the rest of 9️⃣
        end += 1
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isdigit() or after.isdigit() or (before.isascii() and (before.isalpha() or before in tuple("-_."))):
        return None
    gaps = [text[a[1] : b[0]] for a, b in pairwise(places)]
    marks = set("".join(gaps))
    spoken_hyphens = sum(any(h in gap for h in (*_HYPHENS, "에", "의")) for gap in gaps)
    mobile = number.startswith("01")
    said = label_of(text, start).kind == "phone" or BEHIND.match(text[end : end + 12]) is not None
    letters = sum(text[a] not in _PLAIN for a, _ in places)
    if not letters:
        odd = marks - set(" -.()" + ZERO_WIDTH)
        if before == "/" and odd <= {"/"} and not said:
            return None  # a path: img/010/0000/1234.png
        if not odd or not mobile or (odd & _WEAK and not said) or not _is_grouped(places, size):
            return None
    elif (not mobile and not said and spoken_hyphens < 2) or (letters <= 2 and _is_word_continued(text, end, after)):
        return None
    reason = f"{letters} digits written otherwise" if letters else "marks between the groups"
    return Match(start, end, "phone", 0.93 if said else 0.9, f"{reason}; prefix {prefix_of(number)}")


def _is_word_continued(text: str, end: int, after: str) -> bool:
    """Whether the last digit is the first syllable of a word: 010-2404-17(사내."""
    return "가" <= text[end - 1] <= "힣" and "가" <= after <= "힣"


def _read_places(text: str, start: int, end: int) -> tuple[Places, str]:
    """Return the places of the digits in text[start:end], and the digits.

    >>> _read_places("공하나공-1", 0, 6)
    ([(0, 1), (1, 3), (3, 4), (5, 6)], '0101')
    """
    places: Places = []
    number = ""
    at = start
    while at < end:
        if text.startswith(_HYPHENS, at):  # the 하이 of 하이픈 does not contain the digit two
            at += 2 + (text[at] == "하")
            continue
        word = next((w for w in _WORDS if text[at : at + len(w)].lower() == w), "") if text[at] in _HEADS else ""
        value = _WORDS[word] if word else _VALUE.get(text[at], "")
        if value:
            places.append((at, at + (len(word) or 1)))
            number += value
        at += len(word) or 1
    return places, number


def _is_grouped(places: Places, size: int) -> bool:
    """Whether separators are at the group boundaries of a mobile number (3-4-4), or between all digits."""
    gaps = {i for i in range(1, size) if places[i][0] > places[i - 1][1]}
    return {3, size - 4} <= gaps and (len(gaps) == 2 or len(gaps) == size - 1)
