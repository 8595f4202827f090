"""Show two texts side by side: equal parts aligned, differences marked, long equal parts folded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.plurals import count_of
from flows.reports.text_diff import Kind, Piece, align

CONTEXT = 60  # code points of an equal part shown on each side of a fold
FOLDED = 200  # a longer equal part is folded
CUT = 400  # the middle of a longer changed part is left out
ROWS = 80  # at most; the rest is counted
_GAP = 3  # cells between the columns, for the sign of a row
_COLORS = {"left": "bold underline red", "right": "bold underline green"}
_BRACKETS = {"left": ("[-", "-]"), "right": ("{+", "+}")}  # the marks of wdiff, used without color
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


def show_pair(left: Side, right: Side, out: Console) -> None:
    """Print the exact Jaccard similarity of two texts, and the texts side by side; in color if the terminal has it."""
    from filters.duplicates.sketch import jaccard, shingle_hashes

    shingles = [shingle_hashes(side.text) for side in (left, right)]
    shared = f"{jaccard(*shingles):.4f}" if any(map(len, shingles)) else "none, neither has a letter"
    out.print(f"Jaccard similarity of these two texts: {shared}", markup=False)
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
        out.print(f"… {count_of(more, 'more difference')} not shown", markup=False)


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
