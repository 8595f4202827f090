"""Classify code points, and find chains of digits in a text.

A chain is a row of groups of digits with at most four joining signs between two groups, e.g. `010-1234 5678`.
Full-width and other decimal digits count as digits; zero-width signs do not separate groups.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

OTHER, DIGIT, JOINT, LATIN, SPELT, MASK = range(6)
LEAST: Final = 7  # minimum digits of a chain: the shortest number that identifies a person
SPELT_LEAST: Final = 10  # digits of a telephone number written in words
WIDEST: Final = 4  # joining signs between two groups, including a line end
SPELLED: Final = {c: str(i) for i, c in enumerate("공일이삼사오육칠팔구")} | {"영": "0", "륙": "6", "〇": "0"}
NO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
JOINTS: Final = " \n-.()/~·‧ㆍ・,_+\u00a0\u3000‐‑‒–—―−－．（）／" + NO_WIDTH
MASKS: Final = "*＊#•●○■□◯◼×✱※"
Codes = NDArray[np.uint32]
Marks = NDArray[np.uint8]


class Span(NamedTuple):
    """A find: its kind, and the code points from `start` to `end` (exclusive) that cover its value."""

    kind: str
    start: int
    end: int


def _class_table() -> Marks:
    table = np.zeros(0x10000, np.uint8)
    for code in range(0x10000):
        if unicodedata.decimal(chr(code), None) is not None:
            table[code] = DIGIT
    for signs, kind in ((JOINTS, JOINT), (MASKS, MASK)):
        table[[ord(c) for c in signs]] = kind
    table[[ord(c) for c in SPELLED]] = SPELT
    table[[c for c in range(128) if chr(c).isalpha()]] = LATIN
    return table


_TABLE: Final = _class_table()


def codes_of(text: str) -> Codes:
    """Return the code points of `text`; a lone surrogate remains one code point."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def classes_of(codes: Codes) -> Marks:
    """Return a class for each code point; OTHER beyond the basic plane and for its last code point."""
    return _TABLE[np.minimum(codes, 0xFFFF)]


@dataclass(frozen=True, slots=True)
class Chain:
    """Groups of digits as ASCII, the joining signs before each but the first, and the offsets of the groups."""

    groups: tuple[str, ...]
    joints: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def digits(self, first: int = 0, last: int | None = None) -> str:
        """Return the digits of the groups from `first` to `last` (exclusive)."""
        return "".join(self.groups[first:last])


def chains(text: str, marks: Marks) -> Iterator[Chain]:
    """Find chains of at least LEAST digits, in order.

    >>> text = "문의 02-０００-1234, 2024년"
    >>> [c.groups for c in chains(text, classes_of(codes_of(text)))]
    [('02', '000', '1234', '2024')]
    """
    digit = marks == DIGIT
    starts, ends = _runs(digit)
    if not len(starts):
        return
    # A gap joins two groups if it is short and has joining signs only, i.e. their cumulative count rises by its length.
    joints = np.cumsum(marks == JOINT)
    gaps = starts[1:] - ends[:-1]
    joined = (gaps <= WIDEST) & (joints[starts[1:] - 1] - joints[ends[:-1] - 1] == gaps)
    heads = np.flatnonzero(np.concatenate(([True], ~joined)))
    tails = np.append(heads[1:], len(starts))
    lengths = np.concatenate(([0], np.cumsum(ends - starts)))
    for k in np.flatnonzero(lengths[tails] - lengths[heads] >= LEAST):
        begins, stops = starts[heads[k] : tails[k]].tolist(), ends[heads[k] : tails[k]].tolist()
        yield _chain(text, begins, stops)


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the starts and ends of the runs of True."""
    edges = np.flatnonzero(np.diff(mask.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    return edges[::2], edges[1::2]


def _chain(text: str, starts: list[int], ends: list[int]) -> Chain:
    """Build a chain: zero-width signs do not separate groups, and digits spaced one by one form one group."""
    groups: list[str] = []
    joints: list[str] = []
    begins: list[int] = []
    stops: list[int] = []
    single = False  # whether the last group consists of single digits
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = "".join(str(unicodedata.decimal(c)) for c in text[start:end])
        joint = "".join(c for c in text[ends[i - 1] : start] if c not in NO_WIDTH) if i else ""
        apart = bool(groups) and single and end - start == 1 and not joint.strip(" ")
        if i and (not joint or apart):
            groups[-1] += part
            stops[-1] = end
            continue
        single = end - start == 1
        if i:
            joints.append(joint)
        groups.append(part)
        begins.append(start)
        stops.append(end)
    return Chain(tuple(groups), tuple(joints), tuple(begins), tuple(stops))


def find_spelled_digits(text: str, marks: Marks) -> Iterator[tuple[str, int, int]]:
    """Find each run of digits, digit words and joining signs with at least SPELT_LEAST digits: digits, start, end.

    >>> text = "공일공 이삼사오 6789"
    >>> list(find_spelled_digits(text, classes_of(codes_of(text))))
    [('01023456789', 0, 13)]
    """
    words = marks == SPELT
    if not words.any():
        return
    starts, ends = _runs(words | (marks == DIGIT) | (marks == JOINT))
    wanted = ends - starts >= SPELT_LEAST
    for start, end in zip(starts[wanted].tolist(), ends[wanted].tolist(), strict=True):
        spelt = int(words[start:end].sum())
        if spelt < 2 or spelt + int((marks[start:end] == DIGIT).sum()) < SPELT_LEAST:
            continue
        part = text[start:end]
        digits = "".join(SPELLED.get(c) or (str(unicodedata.decimal(c)) if c.isdecimal() else "") for c in part)
        yield digits, start, end
