"""The difference of two texts: equal stretches, stretches that differ in white space alone, and changed ones.

The texts are compared by lines; what lies between equal lines is compared by sentences, then by words, then by
letters. Each comparison is a longest common subsequence (rapidfuzz). Its table has a bit for each pair of units, so
a pair of stretches beyond MAX_CELLS is shown as changed between its common beginning and end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from rapidfuzz.distance import LCSseq

UNITS: Final = tuple(re.compile(unit) for unit in (r"[^\n]*\n|[^\n]+", r"[^.!?]*[.!?]+\s*|[^.!?]+", r"\S+\s*|\s+"))
MAX_CELLS = 500_000_000  # pairs of units, one bit each: 60 MB and about a second
Kind: TypeAlias = Literal["equal", "spacing", "changed"]


class Run(NamedTuple):
    """An equal run of two sequences: where it begins in each, and its length."""

    left: int
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of two texts, in code points, ends exclusive: equal, different in white space only, or changed."""

    kind: Kind
    left: tuple[int, int]
    right: tuple[int, int]


def align(left: str, right: str) -> list[Piece]:
    """Return the two texts as pieces in order, which together cover both; neighbours differ in kind.

    >>> for p in align("값은 세 배로 뛰었다.", "값은 네배로 뛰었다."):
    ...     print(p.kind, repr("값은 세 배로 뛰었다."[slice(*p.left)]), repr("값은 네배로 뛰었다."[slice(*p.right)]))
    equal '값은 ' '값은 '
    changed '세 ' '네'
    equal '배로 뛰었다.' '배로 뛰었다.'
    """
    pieces = _align_units(left, right, (0, len(left)), (0, len(right)), 0)
    return _drop_chance_matches(list(_merge_pieces(list(pieces))), left)


def find_equal_runs(a: Sequence[str], b: Sequence[str]) -> list[Run]:
    """Return the equal runs of two sequences, disjoint and in rising order in both.

    >>> find_equal_runs("가나다라마", "가다라마바")
    [Run(left=0, right=0, n=1), Run(left=2, right=1, n=3)]
    """
    head = _common_length(a, b)
    tail = _common_length(a[head:][::-1], b[head:][::-1])
    n, m = len(a) - head - tail, len(b) - head - tail
    found = [Run(0, 0, head)] if head else []
    if n * m <= MAX_CELLS:
        for one in LCSseq.opcodes(a[head : head + n], b[head : head + m]):
            if one.tag == "equal":
                found.append(Run(head + one.src_start, head + one.dest_start, one.src_end - one.src_start))
    return found + ([Run(head + n, head + m, tail)] if tail else [])


def _align_units(left: str, right: str, here: tuple[int, int], there: tuple[int, int], level: int) -> Iterator[Piece]:
    """Yield the pieces of a stretch: equal units of this level, and what lies between them by the next level."""
    if level == len(UNITS) or here[0] == here[1] or there[0] == there[1]:
        yield from _align_letters(left, right, here, there)
        return
    a, b = UNITS[level].findall(left[slice(*here)]), UNITS[level].findall(right[slice(*there)])
    at, bt = _unit_ends(a, here[0]), _unit_ends(b, there[0])
    i = j = 0
    for run in (*find_equal_runs(a, b), Run(len(a), len(b), 0)):
        yield from _align_units(left, right, (at[i], at[run.left]), (bt[j], bt[run.right]), level + 1)
        i, j = run.left + run.n, run.right + run.n
        yield Piece("equal", (at[run.left], at[i]), (bt[run.right], bt[j]))


def _common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the length of the common beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _unit_ends(units: Sequence[str], start: int) -> list[int]:
    places = [start]
    for unit in units:
        places.append(places[-1] + len(unit))
    return places


def _align_letters(left: str, right: str, here: tuple[int, int], there: tuple[int, int]) -> Iterator[Piece]:
    """Yield the pieces of a stretch by its letters; white space is left out of the comparison."""
    at = [i for i in range(*here) if not left[i].isspace()]
    bt = [j for j in range(*there) if not right[j].isspace()]
    a, b = "".join([left[i] for i in at]), "".join([right[j] for j in bt])
    i, j = here[0], there[0]
    for run in find_equal_runs(a, b):
        yield from _trim_change(left, right, (i, at[run.left]), (j, bt[run.right]))
        i, j = at[run.left], bt[run.right]
        for k in range(1, run.n):
            x, y = at[run.left + k], bt[run.right + k]
            x0, y0 = at[run.left + k - 1] + 1, bt[run.right + k - 1] + 1
            if x - x0 != y - y0 or left[x0:x] != right[y0:y]:
                yield Piece("equal", (i, x0), (j, y0))
                yield Piece("spacing", (x0, x), (y0, y))
                i, j = x, y
        x, y = at[run.left + run.n - 1] + 1, bt[run.right + run.n - 1] + 1
        yield Piece("equal", (i, x), (j, y))
        i, j = x, y
    yield from _trim_change(left, right, (i, here[1]), (j, there[1]))


def _trim_change(left: str, right: str, here: tuple[int, int], there: tuple[int, int]) -> Iterator[Piece]:
    """Yield the part between two equal runs, without the white space that its ends share."""
    (i, x), (j, y) = here, there
    while i < x and j < y and left[i] == right[j] and left[i].isspace():
        i, j = i + 1, j + 1
    yield Piece("equal", (here[0], i), (there[0], j))
    while i < x and j < y and left[x - 1] == right[y - 1] and left[x - 1].isspace():
        x, y = x - 1, y - 1
    blank = not left[i:x].strip() and not right[j:y].strip()
    yield Piece("spacing" if blank else "changed", (i, x), (j, y))
    yield Piece("equal", (x, here[1]), (y, there[1]))


def _merge_pieces(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield pieces without empty ones, and join neighbours of equal kind."""
    last: Piece | None = None
    for piece in pieces:
        if piece.left[0] == piece.left[1] and piece.right[0] == piece.right[1]:
            continue
        if last is not None and last.kind == piece.kind:
            last = Piece(last.kind, (last.left[0], piece.left[1]), (last.right[0], piece.right[1]))
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _drop_chance_matches(pieces: Sequence[Piece], left: str) -> list[Piece]:
    """Drop equal words between two longer changes: those match by chance. Whole lines stay."""
    found: list[Piece] = []
    for piece in pieces:
        found.append(piece)
        while len(found) > 2 and [p.kind for p in found[-3:]] == ["changed", "equal", "changed"]:
            before, between, after = found[-3:]
            start, end = between.left
            if end - start > min(_size(before), _size(after)) or "\n" in left[start:end]:
                break
            found[-3:] = [Piece("changed", (before.left[0], after.left[1]), (before.right[0], after.right[1]))]
    return found


def _size(piece: Piece) -> int:
    return max(piece.left[1] - piece.left[0], piece.right[1] - piece.right[0])
