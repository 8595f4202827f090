"""What names a value: the label before it (주민등록번호, 연락처, 국민은행 …), or the heading of its column."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import re2

from filters.pii_rules.digit_runs import ZERO_WIDTH, matches

REACH = 30  # code points before a number in which a label counts, without white space and punctuation
_SLICE = 48  # code points read to find it

_WORDS: Final = tomllib.loads((Path(__file__).with_name("text") / "labels.toml").read_text(encoding="utf-8"))
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


_BLANK: Final = " "  # between words
_BLANKS: Final = "  "  # at least two separate aligned columns
_WIDE: Final = "\u3000"  # full-width blanks, beside which one ASCII blank is between words
_DELIMITERS: Final = ("\t", "|", "│", "┃", ",", ";", " / ")
_TRIM: Final = " \u00a0\u3000\"'`" + ZERO_WIDTH
_TO_BLANKS: Final = dict.fromkeys(map(ord, "\u00a0\u3000\t\r"), " ")
_MAX_COLUMNS = 40  # bounds the work if a hostile row repeats the heading
_MAX_HEADING = 400  # code points
_MAX_CELL = 24
_NO_HEADINGS: Final = frozenset(":：=")  # 이름 : 홍길동 is a field, not a row of headings
_MAX_ROWS = 2_000
_MAX_ODD = 2  # consecutive lines that do not fit the table: wrapped cells


def find_cells(
    text: str, data: bytes, heading: re2._Regexp, wanted: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield start and end of every cell below a heading that `heading` matches completely.

    Rows are lines with enough delimiters to reach the column: tab, bar, comma, semicolon, slash, or blanks if the
    heading row has three words or more (or three cells that two blanks or more separate). A table ends at
    the third consecutive line that does not fit. `wanted`, if given, filters by the heading line.

    >>> text = "성명,은행\\n홍길동,우리"
    >>> [text[a:b] for a, b in find_cells(text, text.encode(), re2.compile("성명"))]
    ['홍길동']
    """
    if "\n" not in text:
        return
    table_end = header_end = columns = 0
    for start, end in matches(heading, text, data):
        if header_end <= start < table_end:
            continue  # a row of the previous table
        first = text.rfind("\n", max(0, start - _MAX_HEADING), start) + 1
        last = text.find("\n", end, end + _MAX_HEADING)
        if last < 0:
            continue
        if last != header_end:
            header_end, table_end, columns = last, last, 0
        columns += 1
        header = text[first:last] if last - first <= _MAX_HEADING else ""
        if wanted is not None and not wanted(header):
            continue
        mark = next((d for d in _DELIMITERS if d in header), "")
        mark = mark or next((m for m in (_WIDE, _BLANKS) if len(_split_row(header, m)) > 2), _BLANK)
        cells = _split_row(header, mark)
        column = _find_column(header, mark, cells, header[start - first : end - first].strip(_TRIM), start - first)
        if column < 0 or columns > _MAX_COLUMNS:
            continue
        stop = yield from _find_cells_below(text, last + 1, mark, column, len(cells))
        table_end = max(table_end, stop)


def _find_column(header: str, mark: str, cells: Sequence[tuple[int, int]], heading: str, start: int) -> int:
    """Return the index of the column with this heading at or behind `start`, or -1 if it is only part of a heading."""
    if mark == _BLANK and (len(cells) < 3 or any(b - a > 8 or header[a:b] in _NO_HEADINGS for a, b in cells)):
        return -1
    if mark in _DELIMITERS and any(len(cell) > _MAX_CELL for cell in header.split(mark)):
        return -1  # a sentence with commas
    first = header.find(heading, start)
    return cells.index((first, first + len(heading))) if (first, first + len(heading)) in cells else -1


def _find_cells_below(text: str, at: int, mark: str, column: int, width: int) -> Generator[tuple[int, int], None, int]:
    """Yield the cells of one column; return where the table ends."""
    odd, rows, begin = 0, 0, at
    for _ in range(_MAX_ROWS):
        if at >= len(text) or odd > _MAX_ODD:
            break
        last = text.find("\n", at, at + 4_000)
        last = last if last >= 0 else min(len(text), at + 4_000)
        cell = _find_cell(text, at, last, mark, column, width)
        odd = 0 if cell is not None else odd + 1
        if cell is not None and cell[0] < cell[1]:
            rows += 1
            yield cell
        if last == at and odd > 1:
            break
        at = last + 1
    return at if rows else begin  # a line of prose before a table has no rows


def _find_cell(text: str, at: int, last: int, mark: str, column: int, width: int) -> tuple[int, int] | None:
    row = text[at:last]
    cells = _split_row(row, mark)
    if mark in (_BLANKS, _WIDE) and len(cells) != width:  # the heading is aligned, the rows are not
        mark, cells = _BLANK, _split_row(row, _BLANK)
    if mark == _BLANK and any(row[a:b] in _NO_HEADINGS for a, b in cells):
        return None
    if len(cells) <= max(column, 1) or (mark not in _DELIMITERS and len(cells) != width):
        return None
    return at + cells[column][0], at + cells[column][1]


def _split_row(row: str, mark: str) -> list[tuple[int, int]]:
    """Return start and end of the cells of a row, without blanks and quotes around them.

    >>> _split_row("1   HONG GILDONG   M0  ", "  "), _split_row("1,,'a'", ",")
    ([(0, 1), (4, 16), (19, 21)], [(0, 1), (2, 2), (4, 5)])
    """
    places, at = list[tuple[int, int]](), 0
    delimited = mark in _DELIMITERS
    for part in (row if delimited or mark == _WIDE else row.translate(_TO_BLANKS)).split(mark):
        trim = _TRIM if delimited else _BLANK  # quotes between words belong to a sentence
        cell = part.strip(trim)
        if cell or delimited:
            start = at + len(part) - len(part.lstrip(trim))
            places.append((start, start + len(cell)))
        at += len(part) + len(mark)
    return places


def find_neighbours(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the cells above and below text[start:end], if it fills a cell and their rows are as wide.

    >>> text = "1|홍길동|가\\n2|다솜|나"
    >>> [text[a:b] for a, b in find_neighbours(text, 2, 5)]
    ['다솜']
    """
    right = end
    while text[right : right + 1] == " ":
        right += 1
    mark = text[right : right + 1]
    if mark not in _DELIMITERS:
        return
    first, last = _line_bounds(text, start)
    row = text[first:last]
    column = row.count(mark, 0, start - first)
    left = text.rfind(mark, first, start) + 1 or first
    if row.count(mark) < 2 or text[left:start].strip(_TRIM):
        return
    for near in (first - 1, last + 1):
        if not 0 <= near < len(text):
            continue
        above, below = _line_bounds(text, near)
        if text.count(mark, above, below) == row.count(mark):
            cell = _find_cell(text, above, below, mark, column, 0)
            if cell is not None and cell[0] < cell[1]:
                yield cell


def _line_bounds(text: str, at: int) -> tuple[int, int]:
    """Return start and end of the line that contains text[at], at most 400 code points on either side."""
    first = text.rfind("\n", max(0, at - _MAX_HEADING), at) + 1
    last = text.find("\n", at, at + _MAX_HEADING)
    return first or max(0, at - _MAX_HEADING), last if last >= 0 else min(len(text), at + _MAX_HEADING)
