"""Runs of digits in a text, cut into groups: the ground on which the rules for numbers stand.

`010-0000-1234`, `０１０ 0000 1234` and `010<zero width>0000-1234` give digits, offsets and
separators of one and the same form, so that a rule never meets a width or a dash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import re2

from filters.pii_rules.labels import Label, label_before

ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SPACES: Final = " \u00a0\u2002\u2003\u2009\u202f\u3000"
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d·ㆍ・•∙⋅"
_DOTS: Final = ".．"
DIGIT: Final = "[0-9０-９]"
SEPARATOR: Final = "[" + re2.escape(_SPACES + _DASHES + _DOTS + "()（）" + ZERO_WIDTH) + "]"
MIN_DIGITS = 9  # the shortest number with an owner: 02-NNN-NNNN
RUN: Final = f"{DIGIT}(?:{SEPARATOR}{{0,4}}{DIGIT}){{{MIN_DIGITS - 1},}}"
_RUN: Final = re2.compile(RUN)

_FOLD: Final = {
    **{ord(c): "\u200b" for c in ZERO_WIDTH},
    **{ord(c): " " for c in _SPACES},
    **{ord(c): "-" for c in _DASHES},
    **{ord(c): "." for c in _DOTS},
    ord("（"): "(",
    ord("）"): ")",
    **{0xFF10 + i: str(i) for i in range(10)},
}
_LOOSE: Final = "~"  # a dash between blanks: inside a number, or between two of them
BREAK: Final = "|"  # what separates numbers rather than parts of a number
_SEPARATORS: Final = {
    **dict.fromkeys(("-", " -", "- "), "-"),
    " - ": _LOOSE,
    **dict.fromkeys((" ", "  "), " "),
    **dict.fromkeys((")", ") ", ")-", " )"), ")"),
    **dict.fromkeys(("(", " (", "-("), "("),
    ".": ".",
}


@dataclass(frozen=True, slots=True)
class Run:
    """Groups of digits in reading order; `separators[i]` stands before group i, the last one behind all."""

    groups: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    separators: tuple[str, ...]  # "-", "~", " ", ".", "(", ")" or BREAK; one more than groups


@dataclass(frozen=True)
class Window:
    """Some neighbouring groups of a run, with what stands around them."""

    text: str
    run: Run
    first: int
    last: int  # exclusive
    groups: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", self.run.groups[self.first : self.last])

    @cached_property
    def digits(self) -> str:
        """All digits of the window, without separators."""
        return "".join(self.groups)

    @cached_property
    def separators(self) -> tuple[str, ...]:
        """The separators between the groups; a dash between blanks is a dash."""
        between = self.run.separators[self.first + 1 : self.last]
        return tuple("-" if s == _LOOSE else s for s in between) if _LOOSE in between else between

    @property
    def start(self) -> int:
        """Code point of the first digit."""
        return self.run.starts[self.first]

    @property
    def end(self) -> int:
        """Code point behind the last digit."""
        return self.run.ends[self.last - 1]

    @cached_property
    def char_before(self) -> str:
        """The character before the first digit, "" at the start of the text."""
        return self.text[self.start - 1] if self.start else ""

    @cached_property
    def char_after(self) -> str:
        """The character behind the last digit, "" at the end of the text."""
        return self.text[self.end] if self.end < len(self.text) else ""

    @cached_property
    def label(self) -> Label:
        """The nearest label before the window."""
        return label_before(self.text, self.start)

    @cached_property
    def stands_alone(self) -> bool:
        """No further groups on either side."""
        return self.run.separators[self.first] == BREAK and self.run.separators[self.last] == BREAK

    def continues(self, marks: str) -> bool:
        """Whether one of `marks` ties the window to a further group."""
        return self.run.separators[self.first] in marks or self.run.separators[self.last] in marks


def folded(text: str) -> str:
    """`text` with ASCII digits and one sort of dash, dot, space and zero-width mark; same length.

    >>> folded("０１０–０")
    '010-0'
    """
    return text.translate(_FOLD)


def matches(pattern: re2._Regexp, text: str, data: bytes) -> Iterator[tuple[int, int]]:
    """The stretches of `text`, in code points, that `pattern` finds in `data`, its UTF-8 form."""
    if len(data) == len(text):
        yield from (m.span() for m in pattern.finditer(data))
        return
    seen_bytes = seen = 0
    for match in pattern.finditer(data):
        start, end = match.span()
        seen += len(data[seen_bytes:start].decode())
        length = len(data[start:end].decode())
        yield seen, seen + length
        seen, seen_bytes = seen + length, end


def runs(text: str, data: bytes) -> Iterator[Run]:
    """Every run of at least nine digits, cut where no number goes on."""
    for start, end in matches(_RUN, text, data):
        yield parse(text, start, end)


def parse(text: str, start: int, end: int) -> Run:
    """The run in text[start:end], which begins and ends with a digit.

    >>> parse("010 - 0000-1234", 0, 15).groups
    ('010', '0000', '1234')
    """
    raw = folded(text[start:end])
    groups: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    separators = [BREAK]
    at, size = 0, len(raw)
    while at < size:
        rest = at
        while rest < size and (raw[rest].isdigit() or raw[rest] == "\u200b"):
            rest += 1
        stop = rest
        while raw[stop - 1] == "\u200b":  # zero-width marks inside a group belong to it, behind it they do not
            stop -= 1
        while rest < size and not raw[rest].isdigit():
            rest += 1
        groups.append(raw[at:stop].replace("\u200b", ""))
        starts.append(start + at)
        ends.append(start + stop)
        separators.append(_SEPARATORS.get(raw[stop:rest].replace("\u200b", ""), BREAK))
        at = rest
    return Run(tuple(groups), tuple(starts), tuple(ends), tuple(separators))
