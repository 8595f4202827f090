"""Label words before a number that say what it is: 주민등록번호, 연락처, 계좌, 국민은행, 문서번호 …"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import re2

REACH = 30  # code points before a number in which a label counts, without white space and punctuation
_SLICE = 48  # code points read to find it

_WORDS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PERSON: Final = ("birth", "person")
_OF_PERSON: Final = ("주민", "주민증", "생년월일", "실명")
NOT_NUMBERED: Final = ("phone", "bank-short")
_LONGEST_HEAD = 400  # code points of the first line of a table
_LONGEST_CELL = 24
_LONGEST_ROW = 2000  # code points before a cell in its row
_THIN: Final = " \"'(「[{\u200b\u200c\u200d\u2060\ufeff\u00ad"
_CELLS: Final = ("|", "│", "┃", "\t", ",", ";", "\n")
_BORDERS: Final = frozenset("─━┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋═╔╗╚╝╠╣╦╩╬+-=|: ")  # a line of these separates the rows of a table


def _compile_reversed(kinds: tuple[str, ...]) -> tuple[re2._Regexp, dict[bytes, tuple[str, str]]]:
    """Compile an expression over reversed text, whose leftmost longest match is the nearest longest label."""
    words = {word[::-1].encode(): (kind, word) for kind in kinds for word in _WORDS[kind].split()}
    options = re2.Options()
    options.longest_match = True
    return re2.compile(b"|".join(map(re2.escape, sorted(words))), options), words


_LABELS: Final = _compile_reversed(tuple(kind for kind in _WORDS if kind != "person"))
_NUMBERED: Final = _compile_reversed(tuple(kind for kind in _WORDS if kind not in ("person", *NOT_NUMBERED)))
_PERSONS: Final = _compile_reversed(_PERSON)
# 주민(법인)등록번호, 주민등록번호 또는 사업자등록번호: a word for a person directly before one for a company
_OF_COMPANIES: Final = ("crn", "brn", "corporation")
_OR_PERSON: Final = re2.compile(
    "^(?:는또|은혹|및|ro)?(?:" + "|".join(re2.escape(w[::-1]) for w in (*_WORDS["rrn"].split(), *_OF_PERSON)) + ")"
)
# Registry and type of a corporation, as in resident.toml
_REGISTERED: Final = re2.compile("^(?:1[0-9]|2[0-8])[0-9]{2}(?:1[1-5]|2[12]|3[1-9]|4[1-4]|5[1-4]|61|71|81)")
_DROPPED: Final = dict.fromkeys(
    map(
        ord,
        " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff\u00ad:：-–·.,，()（）[]{}*|/\"'“”‘’=_<>「」#+"
        "［］【】〔〕〈〉《》『』│┃☎☏✆📞※▶▷→○●■□◆◇★☆◦•∙ㆍ",
    )
)


@dataclass(frozen=True, slots=True)
class Label:
    """The nearest word before a number: its kind ("" = none), the word, and the distance from its end to the number."""

    kind: str
    word: str
    distance: int  # code points, without white space and punctuation
    or_person: bool = False  # of a company, directly behind a word for a resident number


NO_LABEL: Final = Label("", "", REACH + 1)


def person_before(text: str, start: int) -> Label:
    """Return the nearest word that refers to a person: 성명, 생년월일, 환자 …

    >>> person_before("환자 아무개 0", 7).word
    '환자'
    """
    return _find_nearest_label(text, start, _PERSONS)


def _find_nearest_label(text: str, start: int, labels: tuple[re2._Regexp, dict[bytes, tuple[str, str]]]) -> Label:
    """Return the nearest label that ends before `start`; of two with the same end, the longer."""
    pattern, words = labels
    left = squeeze_text(text[max(0, start - _SLICE) : start])[::-1].encode("utf-8", "replace")
    match = pattern.search(left)
    if match is None:
        return NO_LABEL
    distance = len(left[: match.start()].decode())
    kind, word = words[match.group()]
    or_person = kind in _OF_COMPANIES and _OR_PERSON.match(left[match.end() :]) is not None
    return Label(kind, word, distance, or_person) if distance <= REACH else NO_LABEL


@lru_cache(maxsize=256)  # many rules and windows of digits ask for the same place
def label_of(text: str, start: int, *, numbered: bool = False) -> Label:
    """Return the label of the value at `start`: the heading of its table column, else the nearest label before it.

    `numbered` skips telephone words, which occur in any sentence with a request.

    A label for a person or a company is that of the number that follows.

    >>> label_of("사업자 등록 번호 : 0", 12).kind, label_of("주소 0", 3) == NO_LABEL
    ('brn', True)
    >>> label_of("주민(법인)등록번호 391203", 11).kind, label_of("주민(법인)등록번호 110111", 11).kind
    ('rrn', 'crn')
    """
    left = text[max(0, start - 4) : start].rstrip(_THIN)
    label = column_above(text, start) if left[-1:] in _CELLS or not left else NO_LABEL
    if not label.kind:
        label = _find_nearest_label(text, start, _NUMBERED if numbered else _LABELS)
    person = label.or_person and text[start : start + 6].isdecimal() and not _REGISTERED.match(text[start : start + 6])
    return Label("rrn", label.word, label.distance) if person else label


def column_above(text: str, start: int) -> Label:
    """Return the heading of the column of the cell at `start`, or NO_LABEL outside a table.

    A table is a series of lines with a common delimiter (| │ tab , ;); its first line is the heading.

    >>> column_above("성명|면허번호\\n아무개|0", 13).kind
    'license'
    """
    tops, marks = _find_tables(text)
    at = bisect_right(tops, start) - 1
    if at < 0 or not marks[at]:
        return NO_LABEL
    mark, top = marks[at], tops[at]
    line = text.rfind("\n", max(top, start - _LONGEST_ROW), start) + 1
    if line <= top:
        return NO_LABEL
    head = text[top : top + _LONGEST_HEAD].partition("\n")[0].split(mark)
    column = text.count(mark, line, start)
    if column >= len(head) or len(head[column]) > _LONGEST_CELL:
        return NO_LABEL
    return _find_nearest_label(head[column], len(head[column]), _LABELS)


@lru_cache(maxsize=1)
def _find_tables(text: str) -> tuple[list[int], list[str]]:
    """Return the offset and the cell delimiter of each table; delimiter "" marks the end of a table."""
    tops: list[int] = []
    marks: list[str] = []
    at, mark = 0, ""
    for line in text.split("\n"):
        if (not mark or mark not in line) and not (line and _BORDERS.issuperset(line)):
            was, mark = mark, next((m for m in "|│┃\t,;" if m in line), "")
            if mark or was:
                tops.append(at)
                marks.append(mark)
        at += len(line) + 1
    return tops, marks


def squeeze_text(text: str) -> str:
    """Return `text` in lower case without white space and punctuation: "주 민 번 호 :" becomes 주민번호."""
    return text.translate(_DROPPED).lower()
