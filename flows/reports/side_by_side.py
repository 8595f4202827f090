"""Show two texts side by side: equal parts aligned, differences marked, long equal parts folded.

Texts are aligned by lines, then by sentences, words and letters inside what differs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, NamedTuple, TypeAlias

from rapidfuzz.distance import LCSseq
from rich.table import Table
from rich.text import Text

from flows.console import SafeConsole
from flows.plurals import count_of

UNITS: Final = tuple(re.compile(unit) for unit in (r"[^\n]*\n|[^\n]+", r"[^.!?]*[.!?]+\s*|[^.!?]+", r"\S+\s*|\s+"))
MAX_CELLS = 500_000_000  # pairs of units, one bit each: 60 MB and about a second
CONTEXT = 60  # code points of an equal part shown on each side of a fold
FOLDED = 200  # a longer equal part is folded
CUT = 400  # the middle of a longer changed part is left out
ROWS = 80  # at most; the rest is counted
_GAP = 3  # cells between the columns, for the sign of a row
_COLORS = {"left": "bold underline red", "right": "bold underline green"}
_BRACKETS = {"left": ("[-", "-]"), "right": ("{+", "+}")}  # the marks of wdiff, used without color
Kind: TypeAlias = Literal["equal", "spacing", "changed"]
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # categories of characters that control the terminal or are invisible


@dataclass(frozen=True, slots=True)
class Side:
    """One of two texts: its id, its role ("copy", "keeper"), and its text."""

    id: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one column."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """One aligned row; a fold has `folded` equal code points and no parts."""

    left: tuple[Part, ...] = ()
    right: tuple[Part, ...] = ()
    folded: int = 0

    @property
    def sign(self) -> str:
        """`=` equal, `≠` different, `<` only left, `>` only right."""
        sides = [any(part.text for part in side) for side in (self.left, self.right)]
        if all(part.kind == "equal" for part in (*self.left, *self.right)):
            return "="
        return "≠" if all(sides) else "<" if sides[0] else ">"


def show_pair(left: Side, right: Side, out: SafeConsole) -> None:
    """Print the exact Jaccard similarity of two texts, and the texts side by side; in color if the terminal has it."""
    from filters.duplicates.sketch import jaccard, shingle_hashes

    shingles = [shingle_hashes(side.text) for side in (left, right)]
    shared = f"{jaccard(*shingles):.4f}" if any(map(len, shingles)) else "none, neither has a letter"
    out.print(f"Jaccard similarity of these two texts: {shared}")
    colored = out.color_system is not None
    table = Table.grid(padding=0, expand=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(width=_GAP, justify="center")
    table.add_column(ratio=1, overflow="fold")
    heads = [f"{side.role}: {make_visible(side.id)}\n{len(side.text):,} code points" for side in (left, right)]
    table.add_row(Text(heads[0], "bold"), "", Text(heads[1], "bold"))
    table.add_row(*(Text("─" * max(1, (out.width - _GAP) // 2)) if n != 1 else "" for n in range(3)))
    found = rows(left.text, right.text)
    for row in islice(found, ROWS):
        if row.folded:
            note = Text(f"… {row.folded:,} equal code points …", "dim", justify="center")
            table.add_row(note, "", note)
        elif row.sign != "=" or any(part.text.strip() for part in row.left):
            table.add_row(_render_cell(row.left, "left", colored), row.sign, _render_cell(row.right, "right", colored))
    out.print(table)
    if more := sum(row.sign != "=" for row in found if not row.folded):
        out.print(f"… {count_of(more, 'more difference')} not shown")


def rows(left: str, right: str) -> Iterator[Row]:
    """Yield the rows of two texts: a row ends with a line that ends in both, or at a fold.

    >>> [row.sign for row in rows("머리말.\\n가을이다.\\n하늘이 높다.\\n", "가을이다.\\n하늘이 맑다.\\n")]
    ['<', '=', '≠']
    """
    here: list[Part] = []
    there: list[Part] = []
    pieces = align(left, right)
    for at, piece in enumerate(pieces):
        first, last = at == 0, at == len(pieces) - 1
        for one, other, folded in _split_piece(left, right, piece, first, last):
            here += [Part(one, piece.kind)] if one else []
            there += [Part(other, piece.kind)] if other else []
            ends = piece.kind == "equal" and one.endswith("\n")
            ends |= piece.kind != "equal" and all(not s or s.endswith("\n") for s in (one, other))
            if (ends or folded) and (here or there):
                yield Row(tuple(here), tuple(there))
                here, there = [], []
            if folded:
                yield Row(folded=folded)
    if here or there:
        yield Row(tuple(here), tuple(there))


def _split_piece(left: str, right: str, piece: Piece, first: bool, last: bool) -> Iterator[tuple[str, str, int]]:
    """Split a piece into (left, right, equal code points folded after them), an equal piece line by line."""
    one, other = left[slice(*piece.left)], right[slice(*piece.right)]
    if piece.kind != "equal":
        yield one, other, 0
        return
    if len(one) <= FOLDED:
        yield from ((line, line, 0) for line in one.splitlines(keepends=True))
        return
    head, tail = ("" if first else one[:CONTEXT]), ("" if last else one[-CONTEXT:])
    lines = head.splitlines(keepends=True) or [""]
    yield from ((line, line, 0) for line in lines[:-1])
    yield lines[-1], lines[-1], len(one) - len(head) - len(tail)
    yield from ((line, line, 0) for line in tail.splitlines(keepends=True))


def _render_cell(parts: Sequence[Part], side: str, colored: bool) -> Text:
    """Render one column of a row, without its last line feed."""
    text = Text(overflow="fold")
    opened, closed = ("", "") if colored else _BRACKETS[side]
    for part in parts:
        if part.kind == "equal":
            text.append(make_visible(part.text))
            continue
        changed = part.text
        if len(changed) > CUT:
            changed = f"{changed[: CUT // 2]} … {len(changed) - CUT:,} code points … {changed[-CUT // 2 :]}"
        said = make_visible(changed, blanks=not part.text.strip())
        body = said.rstrip("\n")
        text.append(f"{opened}{body}{closed}", _COLORS[side] if colored else None)
        text.append(said[len(body) :])
    text.rstrip()
    return text


def make_visible(text: str, *, blanks: bool = False) -> str:
    """Replace control and invisible characters of a text; with `blanks` show its white space.

    >>> make_visible("가\\x1b[31m나\\u200b다"), make_visible(" \\n", blanks=True)
    ('가\\ufffd[31m나\\ufffd다', '␣↵\\n')
    """
    shown = "".join(c if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE else "\ufffd" for c in text)
    if not blanks:
        return shown.replace("\t", " ")
    return shown.replace("\t", "⇥").replace("\u3000", "□").replace(" ", "␣").replace("\u00a0", "⍽").replace("\n", "↵\n")


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
