"""Checks of telephone numbers, and of numbers whose digits are words, letters, circles or pictures."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import re2

from filters.pii_rules.candidate import Candidate, Match
from filters.pii_rules.digit_runs import ZERO_WIDTH, contains, matches, starts_with
from filters.pii_rules.labels import label_of
from filters.pii_rules.rule_table import compile_word, insert_words

# Prefix → lengths of the complete national number; telecommunications numbering plan of Korea (MSIT notice).
_NATIONAL: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("010", "011", "016", "017", "018", "019"), (10, 11)),
    "02": (9, 10),
    **{f"0{n}": (10, 11) for n in (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64, 70, 80)},
    **{f"050{n}": (11, 12) for n in range(2, 9)},
}

_PARTS: Final = re2.compile(
    "(?i)(?:^|[ ,|/\t])(?:품번|부품 ?번호|자재 ?번호|part ?no[.]?|lot(?:[ _]?(?:no|id)[.]?)?)(?:$|[ ,|/\t])"
)
_PERSONS: Final = re2.compile("(?i)이름|성명|성함|연락처|전화|휴대|주민|생년|고객|담당|name|phone|tel|birth|e-?mail")
_CELL: Final = re2.compile("[^ ,|/\t]+")
_TABLE_REACH = 2000  # code points before a value in which the headings of its table stand


def is_in_parts_table(candidate: Candidate) -> bool:
    """Whether the value is in a table with a column of part or lot numbers, and none of a person."""
    window = candidate.text[max(0, candidate.start - _TABLE_REACH) : candidate.start]
    for line in reversed(window.split("\n")[:-1]):
        if not line.strip():
            return False
        if _PARTS.search(line) is not None:
            return len(_CELL.findall(line)) > 2 and ":" not in line and _PERSONS.search(line) is None
        if not any(c.isdigit() for c in line):
            return False
    return False


def prefix_of(number: str) -> str:
    """Return the prefix of a complete national number, or "" if the numbering plan has none of that length.

    >>> prefix_of("01000001234"), prefix_of("0100000123456")
    ('010', '')
    """
    prefix = next((number[:size] for size in (3, 2, 4) if number[:size] in _NATIONAL), "")
    return prefix if prefix and len(number) in _NATIONAL[prefix] else ""


def is_complete(candidate: Candidate) -> bool:
    """Whether the digits are a complete national number."""
    return prefix_of(candidate.digits) != ""


def has_equal_gaps(candidate: Candidate) -> bool:
    """Whether the same word separates the three groups of digits: 010(하트)0000(하트)1234."""
    places = [i for i, c in enumerate(candidate.value) if c.isdigit()]
    gaps = [candidate.value[a + 1 : b].strip() for a, b in pairwise(places) if b > a + 1]
    return len(gaps) == 2 and gaps[0] == gaps[1]


_TABLE: Final = tomllib.loads(
    (Path(__file__).with_name("numbers") / "phones_spelled.toml").read_text(encoding="utf-8")
)["words"]
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_VALUE: Final = {c: str(i) for i, name in enumerate(_DIGITS) for c in str(i) + _TABLE[name].partition("[")[2][:-1]}
_WORDS: Final = {
    word: str(i)
    for i, name in enumerate(_DIGITS)
    for word in _TABLE[name].partition("|[")[0].replace("(?i:", "").replace(")", "").split("|")
}
_HEADS: Final = frozenset(c for w in _WORDS for c in (w[0], w[0].upper()))
_HYPHENS: Final = tuple(_TABLE["hyphen"].split("|"))
_SPOKEN: Final = (*_HYPHENS, "에", "의")
_ROW: Final = re2.compile(insert_words(r"{any}(?:(?:{gap}|\n)*{any}){6,}", _TABLE))
_CALLED: Final = compile_word("numbers/phones", "for_calls")
_MAX_GAP = 5  # code points between two digits
_PLAIN: Final = frozenset("0123456789０１２３４５６７８９")
_USUAL_MARKS: Final = frozenset(" -.()")
_USUAL: Final = dict.fromkeys(map(ord, "0123456789 -.()"))
_WEAK: Final = frozenset(",.:+")  # also separators in lists and sums
_SAID: Final = "(?:[공영빵일이삼사오육칠팔구]|하나|[둘셋넷]|다섯|여섯|일곱|여덟|아홉)"
_IN_DIGITS: Final = "[0-9]{2,7} ?(?:다시|하이픈|대시|에|의) ?[0-9]{2,7}"
_DICTATED: Final = re2.compile(f"(?:[0-9]|{_SAID})(?:(?: |-|, |다시|하이픈|대시|에 |에|의)*(?:[0-9]|{_SAID})){{8,18}}")
_A_DICTATION: Final = re2.compile(f"{_SAID}(?:(?: |-|, |다시|에 |에|의)*{_SAID}){{4}}|{_IN_DIGITS}")
_LENGTHS: Final = {  # by kind of label: the lengths and the kind of the number
    **dict.fromkeys(("rrn", "frn", "birth"), ((13,), "rrn")),
    "crn": ((13,), "crn"),
    "card": ((15, 16), "card"),
    **dict.fromkeys(("account", "bank", "bank-short"), (range(10, 17), "account")),
    "brn": ((10,), "brn"),
    "license": ((12,), "driver_license"),
    "health": ((11,), "health_insurance"),
}
Places = list[tuple[int, int]]  # start and end of each digit


def read_digits(value: str) -> str:
    """Return the digits that `value` spells.

    >>> read_digits("공일공-O1２③")
    '0100123'
    """
    return read_places(value, 0, len(value))[1]


def find_digit_rows(text: str, data: bytes) -> Iterator[tuple[Places, str]]:
    """Find every row of at least seven digits in any writing; yield the places and the digits."""
    for start, end in matches(_ROW, text, data):
        yield read_places(text, start, end)


def read_places(text: str, start: int, end: int) -> tuple[Places, str]:
    """Return the places of the digits in text[start:end], and the digits.

    >>> read_places("공하나공-1", 0, 6)
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


def is_spelled_mobile(candidate: Candidate) -> str | None:
    """Return how a mobile number is written otherwise than with digits, hyphens and blanks, or None."""
    letters, gaps = _read_spelled(candidate)
    if letters or not gaps:
        return f"{letters} digits written otherwise" if gaps else None
    odd = set("".join(gaps)) - _USUAL_MARKS
    if odd == {"/"} and candidate.read_before(1) == "/":
        return None  # a path
    unseen = not odd.isdisjoint(ZERO_WIDTH)
    filled = {i for i, gap in enumerate(gaps, 1) if gap}
    grouped = {3, len(gaps) - 3} <= filled and len(filled) in (2, len(gaps))  # 3-4-4, or between all digits
    if not unseen and not (odd and grouped and (odd.isdisjoint(_WEAK) or _is_called(candidate))):
        return None
    return "marks between the groups"


def is_spelled_line(candidate: Candidate) -> str | None:
    """Return how another telephone number is written otherwise, if something says that it is one; else None."""
    letters, gaps = _read_spelled(candidate)
    spoken = sum(any(word in gap for word in _SPOKEN) for gap in gaps)
    return f"{letters} digits written otherwise" if letters and (spoken >= 2 or _is_called(candidate)) else None


def _read_spelled(candidate: Candidate) -> tuple[int, list[str]]:
    """Return how many digits of a complete number are no figures, and what is between the digits; else 0 and []."""
    value = candidate.value
    places, number = read_places(value, 0, len(value)) if value.translate(_USUAL) else ([], "")
    gaps = [value[a[1] : b[0]] for a, b in pairwise(places)]
    if not prefix_of(number) or max(map(len, gaps)) > _MAX_GAP:
        return 0, []
    letters = sum(value[a] not in _PLAIN for a, _ in places)
    # The last digit may be the first syllable of a word: 010-2404-17(사내
    cut = 0 < letters <= 2 and "가" <= value[-1] <= "힣" and "가" <= candidate.read_after(1) <= "힣"
    return (0, []) if cut else (letters, gaps)


def find_dictated_numbers(text: str, data: bytes) -> Iterator[Match]:
    """Find labelled resident numbers, cards and accounts in words: 주민번호 육공일일일 다시 일구이오일일팔."""
    for start, end in matches(_DICTATED, text, data):
        if not contains(_A_DICTATION, text[start:end]):
            continue
        places, number = read_places(text, start, end)
        label = label_of(text, start, numbered=True)
        label = label if label.kind else label_of(text, start)
        lengths, kind = _LENGTHS.get(label.kind, ((), ""))
        ended = text[end - 1 : end] == "이" and "가" <= text[end : end + 1] <= "힣"  # 이에요: a particle, not two
        sizes = (len(number) - 1, len(number)) if ended else (len(number), len(number) - 1)
        size = next((n for n in sizes if n in lengths), 0)
        if not size or (prefix_of(number) and label.kind not in ("rrn", "frn", "card")):
            continue
        if kind == "rrn" and number[6] in "5678":
            kind = "frn"
        yield Match(start, places[size - 1][1], kind, 0.95, f"label {label.word} before; {size} digits in words")


def _is_called(candidate: Candidate) -> bool:
    return candidate.label.kind == "phone" or starts_with(_CALLED, candidate.read_after(12))
