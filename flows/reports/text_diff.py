"""Align two texts: find equal and changed parts.

A patience diff, not dynamic programming: items that occur once in each text, in the same order, are the anchors; first
lines, then ever shorter substrings between them. The time is linear up to a logarithm for all texts; the price is
that a repeated part may be shown as changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

LINES = (1, 1)  # rounds over whole lines; the second finds lines that are unique between the anchors of the first
STRETCHES = (16, 8, 4, 2)  # code points without white space, round by round
CHANCE, NEAR = 2, 48  # two equal letters are chance, unless the part around them is as short as this
Kind: TypeAlias = Literal["equal", "spacing", "changed"]


class Run(NamedTuple):
    """An equal run of two sequences: its start in each, and its length."""

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
    a, b = left.splitlines(keepends=True), right.splitlines(keepends=True)
    at, bt = _line_ends(a), _line_ends(b)
    pieces: list[Piece] = []
    i = j = 0
    for run in (*find_equal_runs(a, b, LINES), Run(len(a), len(b), 0)):
        pieces += _align_stretch(left, right, (at[i], at[run.left]), (bt[j], bt[run.right]))
        i, j = run.left + run.n, run.right + run.n
        pieces.append(Piece("equal", (at[run.left], at[i]), (bt[run.right], bt[j])))
    return _drop_chance_matches(list(_merge_pieces(pieces)), left)


def find_equal_runs(a: Sequence[str], b: Sequence[str], widths: Sequence[int]) -> list[Run]:
    """Find equal runs of two sequences, disjoint and in order; `widths` are the anchor lengths, round by round.

    >>> find_equal_runs("가나다라마", "가다라마바", (1,))
    [Run(left=0, right=0, n=1), Run(left=2, right=1, n=3)]
    """
    found: list[Run] = []
    i = j = 0
    for run in (*_extend_runs(a, b, widths[0]), Run(len(a), len(b), 0)):
        if len(widths) > 1 and i < run.left and j < run.right:
            inner = find_equal_runs(a[i : run.left], b[j : run.right], widths[1:])
            found += [Run(i + r.left, j + r.right, r.n) for r in inner]
        if run.n:
            found.append(run)
        i, j = run.left + run.n, run.right + run.n
    return found


def _extend_runs(a: Sequence[str], b: Sequence[str], width: int) -> Iterator[Run]:
    """Yield the common beginning, the anchors between, each extended to both sides, and the common end."""
    n, m = len(a), len(b)
    head = _common_length(a, b, 0, 0, n, m)
    tail = 0
    while tail < min(n, m) - head and a[n - 1 - tail] == b[m - 1 - tail]:
        tail += 1
    if head:
        yield Run(0, 0, head)
    n, m, i, j = n - tail, m - tail, head, head
    far = width == CHANCE and max(n, m) - head > NEAR
    for x, y in () if far else _find_anchors(a[head:n], b[head:m], width):
        x, y = x + head, y + head
        if x < i or y < j:
            continue  # within a run that has grown over it
        end = _common_length(a, b, x, y, n, m)
        while x > i and y > j and a[x - 1] == b[y - 1]:
            x, y, end = x - 1, y - 1, end + 1
        yield Run(x, y, end)
        i, j = x + end, y + end
    if tail:
        yield Run(n, m, tail)


def _common_length(a: Sequence[str], b: Sequence[str], i: int, j: int, n: int, m: int) -> int:
    """Return the length of the common prefix of a[i:n] and b[j:m]."""
    start = i
    while i < n and j < m and a[i] == b[j]:
        i, j = i + 1, j + 1
    return i - start


def _find_anchors(a: Sequence[str], b: Sequence[str], width: int) -> list[tuple[int, int]]:
    """Find the anchors: substrings of `width` unique in each, as the longest increasing subsequence."""
    there = _find_unique(b, width)
    pairs = [(i, j) for gram, i in _find_unique(a, width).items() if i >= 0 and (j := there.get(gram, -1)) >= 0]
    ends: list[int] = []  # the smallest end, in b, of a rising choice of each length
    last: list[int] = []  # the pair that ends it
    before: list[int] = []
    for at, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [at]
        before.append(last[length - 1] if length else -1)
    chosen = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _find_unique(items: Sequence[str], width: int) -> dict[Sequence[str], int]:
    """Map each substring of `width` items to its position; -1 if it occurs more than once."""
    found: dict[Sequence[str], int] = {}
    keys = items if width == 1 else (items[i : i + width] for i in range(len(items) - width + 1))
    for i, key in enumerate(keys):
        found[key] = -1 if key in found else i
    return found


def _line_ends(lines: Sequence[str]) -> list[int]:
    places = [0]
    for line in lines:
        places.append(places[-1] + len(line))
    return places


def _align_stretch(left: str, right: str, here: tuple[int, int], there: tuple[int, int]) -> Iterator[Piece]:
    """Yield the pieces of a part without common lines; white space is left out of the comparison."""
    at = [i for i in range(*here) if not left[i].isspace()]
    bt = [j for j in range(*there) if not right[j].isspace()]
    a, b = "".join([left[i] for i in at]), "".join([right[j] for j in bt])
    i, j = here[0], there[0]
    for run in find_equal_runs(a, b, STRETCHES):
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
