"""Find runs of digits and split them into groups, the input of all rules for numbers.

`010-0000-1234`, `０１０ 0000 1234` and `010<zero width>0000-1234` give digits, offsets and separators in the same
form, so that rules need not handle character widths or kinds of dashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import re2

ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SPACES: Final = " \u00a0\u2002\u2003\u2009\u202f\u3000"
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u30fc\u2500·ㆍ・•∙⋅‧"
_DOTS: Final = ".．․"
DIGIT: Final = "[0-9０-９]"
SEPARATOR: Final = "[" + re2.escape(_SPACES + _DASHES + _DOTS + "()（）/_\n" + ZERO_WIDTH) + "]"
MIN_DIGITS = 10  # the shortest number that rules describe by groups: a business number
RUN: Final = f"{DIGIT}(?:{SEPARATOR}{{0,6}}{DIGIT}){{{MIN_DIGITS - 1},}}"
_RUN: Final = re2.compile(RUN)
RUN_GATE: Final = f"{DIGIT}(?:{SEPARATOR}*{DIGIT}){{{MIN_DIGITS - 1}}}"  # without counting separators: fewer states

_FOLD: Final = {
    **{ord(c): "\u200b" for c in ZERO_WIDTH},
    **{ord(c): " " for c in _SPACES},
    **{ord(c): "-" for c in _DASHES},
    **{ord(c): "." for c in _DOTS},
    ord("（"): "(",
    ord("）"): ")",
    **{0xFF10 + i: str(i) for i in range(10)},
}
_LOOSE: Final = "~"  # a dash between blanks: inside a number or between two numbers
WRAP: Final = "^"  # a dash at a line end: inside a number, or the bullet of the next one
LINE: Final = "\n"  # a line end without a dash
_TO_BLANKS: Final = {ord(c): " " for c in " -.()/_\n\u200b"}  # all that `fold_characters` leaves between digits
_DASHED: Final = {_LOOSE: "-", WRAP: "-"}
BREAK: Final = "|"  # separates numbers, not parts of one number
SLASHED: Final = ("/", "_")  # inside a number only after a label
_ENDS: Final = (BREAK, LINE, *SLASHED)
_SEPARATORS: Final = {
    **dict.fromkeys(("-", " -", "- ", "--"), "-"),
    " - ": _LOOSE,
    " . ": ".",
    **dict.fromkeys((" ", "  "), " "),
    **dict.fromkeys((")", ") ", ")-", " )"), ")"),
    **dict.fromkeys(("(", " (", "-("), "("),
    ".": ".",
    "/": "/",
    "_": "_",
    "..": ".",
}


@dataclass(frozen=True, slots=True)
class Run:
    """Groups of digits in reading order; `separators[i]` precedes group i, the last one follows all groups."""

    groups: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    separators: tuple[str, ...]  # "-", "~", "^", " ", ".", "(", ")", "/", "_", LINE or BREAK; one more than groups


class Window:
    """Groups `first` to `last` (exclusive) of a run; `start` and `end` are code points of the text."""

    __slots__ = ("digits", "end", "first", "groups", "last", "run", "separators", "start", "text")

    def __init__(self, text: str, run: Run, first: int, last: int) -> None:
        self.text, self.run, self.first, self.last = text, run, first, last
        self.groups = run.groups[first:last]
        self.digits = "".join(self.groups)  # of all groups, without separators
        self.separators = tuple(_DASHED.get(s, s) for s in run.separators[first + 1 : last])  # between the groups
        self.start, self.end = run.starts[first], run.ends[last - 1]

    @property
    def is_standalone(self) -> bool:
        """Whether the run has no further groups on either side."""
        return self.run.separators[self.first] in _ENDS and self.run.separators[self.last] in _ENDS

    def is_continued_by(self, marks: str) -> bool:
        """Whether one of `marks` connects the window to a further group."""
        return self.run.separators[self.first] in marks or self.run.separators[self.last] in marks


def fold_characters(text: str) -> str:
    """Return `text` with ASCII digits and one kind of dash, dot, space and zero-width mark; same length.

    >>> fold_characters("０１０–０")
    '010-0'
    """
    return text.translate(_FOLD)


def matches(pattern: re2._Regexp, text: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield spans of `pattern` in `text`, in code points; `data` is `text` in UTF-8."""
    return ((start, end) for _, start, end in find_groups(pattern, 0, text, data))


def find_groups(pattern: re2._Regexp, group: int, text: str, data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each match of `pattern`, and start and end of its group, in code points."""
    wide = len(data) != len(text)
    seen_bytes = seen = 0
    for match in pattern.finditer(data):
        start, (first, last) = match.start(), match.span(group)
        if first < 0:
            continue
        if not wide:
            yield start, first, last
            continue
        begin = seen + len(data[seen_bytes:start].decode())
        value = begin + len(data[start:first].decode()) if group else begin
        seen, seen_bytes = value + len(data[first:last].decode()), last
        yield begin, value, seen


def starts_with(pattern: re2._Regexp, text: str) -> bool:
    """Whether `pattern` matches at the start of `text`.

    Matches bytes, which avoids the conversion of offsets; it costs more than a short match.
    """
    return pattern.match(text.encode()) is not None


def contains(pattern: re2._Regexp, text: str) -> bool:
    """Whether `pattern` matches anywhere in `text`."""
    return pattern.search(text.encode()) is not None


def find_runs(text: str, data: bytes) -> Iterator[Run]:
    """Find every run of at least ten digits."""
    for start, end in matches(_RUN, text, data):
        yield parse_run(text, start, end)


def parse_run(text: str, start: int, end: int) -> Run:
    """Parse the run in text[start:end], which begins and ends with a digit.

    >>> parse_run("010 - 0000-1234", 0, 15).groups
    ('010', '0000', '1234')
    """
    raw = fold_characters(text[start:end])
    groups: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    separators = [BREAK]
    at = 0
    for group in raw.translate(_TO_BLANKS).split():
        first = raw.index(group, at)
        if groups:
            separator = _SEPARATORS.get(raw[at:first])
            if separator is None:
                between = raw[at:first].replace("\u200b", "")
                if not between:  # only zero-width marks: they belong to the group
                    groups[-1] += group
                    at = first + len(group)
                    ends[-1] = start + at
                    continue
                separator = _SEPARATORS.get(between)
                if separator is None and between.count(LINE) == 1:
                    separator = {"": LINE, "-": WRAP}.get(between.replace(" ", "").replace(LINE, ""))
            separators.append(separator or BREAK)
        at = first + len(group)
        groups.append(group)
        starts.append(start + first)
        ends.append(start + at)
    separators.append(BREAK)
    run = Run(tuple(groups), tuple(starts), tuple(ends), tuple(separators))
    return _join_split_digits(run) if len(groups) >= MIN_DIGITS else run


def _join_split_digits(run: Run) -> Run:
    """Join digits written apart: 1 1 0 - 0 0 0 - 3 8 2 0 4 1.

    >>> _join_split_digits(parse_run("0 1 0 - 0 0 0 0 - 1 2 3 4", 0, 25)).groups
    ('010', '0000', '1234')
    """
    between, joined, at = run.separators, set[int](), 0
    while at < len(run.groups):
        stop = at
        while stop < len(run.groups) and len(run.groups[stop]) == 1 and (stop == at or between[stop] in " -~."):
            stop += 1
        if stop - at >= MIN_DIGITS:
            marks = " .-" if set(between[at + 1 : stop]) == {"-"} else " ."
            joined.update(i for i in range(at + 1, stop) if between[i] in marks)
        at = max(stop, at + 1)
    heads = [i for i in range(len(run.groups)) if i not in joined]
    places = list(pairwise((*heads, len(run.groups))))
    return Run(
        tuple("".join(run.groups[a:b]) for a, b in places),
        tuple(run.starts[a] for a, _ in places),
        tuple(run.ends[b - 1] for _, b in places),
        (*(between[a] for a in heads), between[-1]),
    )
