"""Blocks of a text that belong to a kind of document in which names are private: obituaries, rosters, clinics …

The signals of a kind, and the signs of a public register, are data: `document_kinds.toml`.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import re2

from filters.pii_rules.text.digit_runs import matches

LEAST: Final = 2  # points of a block in which a name is private, and one more for every `DENSE` code points
DENSE: Final = 120
BLOCK: Final = 900  # code points of a block, to the end of a line
_PUBLIC, _POLITE = "public", "polite"  # no kinds, but registers: the first speaks against, the second for a kind
_WORTH: Final = {"strong": 2, "signals": 1}


class Block(NamedTuple):
    """A block of a text, in code points, its most likely kind, and its points."""

    start: int
    end: int
    kind: str
    points: int
    public: bool  # whether there is a sign of a public register


@cache
def read_kinds() -> dict[str, dict[str, Any]]:
    """Return the entries of `document_kinds.toml`: signals and examples by kind."""
    return tomllib.loads(Path(__file__).with_name("document_kinds.toml").read_text("utf-8"))


def split_signals(words: str) -> list[str]:
    """Return the signals of a list; _ stands for a blank in one of them."""
    return [word.replace("_", " ") for word in words.split()]


# A strong signal, without which no block is of a kind.
GATE: Final = "|".join(
    sorted({re2.escape(word) for kind in read_kinds().values() for word in split_signals(kind.get("strong", ""))})
)


class _Table(NamedTuple):
    pattern: re2._Regexp
    owners: dict[str, tuple[tuple[str, int], ...]]  # kind and points of each signal


@cache
def _load_table() -> _Table:
    owners: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for kind, entry in read_kinds().items():
        for group, points in _WORTH.items():
            for word in split_signals(entry.get(group, "")):
                owners[word].append((kind, points))
    options = re2.Options()
    options.longest_match = True
    pattern = re2.compile("|".join(map(re2.escape, sorted(owners))), options)
    return _Table(pattern, {word: tuple(kinds) for word, kinds in owners.items()})


def find_blocks(text: str, data: bytes) -> list[Block]:
    """Return the blocks of `text` with at least one point, in order and without overlap.

    >>> text = "부고: 홍길동 님 별세, 빈소 한빛병원"
    >>> [(block.kind, block.points > 2) for block in find_blocks(text, text.encode())]
    [('obituary', True)]
    """
    table = _load_table()
    signals = matches(table.pattern, text, data)
    blocks: list[Block] = []
    waiting = next(signals, None)
    for start, end in _split_blocks(text):
        words: set[str] = set()
        while waiting is not None and waiting[0] < end:
            words.add(text[waiting[0] : waiting[1]])
            waiting = next(signals, None)
        points: dict[str, int] = defaultdict(int)
        for word in words:
            for kind, worth in table.owners[word]:
                points[kind] += worth
        public, polite = points.pop(_PUBLIC, 0), min(1, points.pop(_POLITE, 0))
        if points:
            kind = max(sorted(points), key=points.__getitem__)
            sum_ = points[kind] + polite - public - (end - start) // DENSE
            blocks.append(Block(start, end, kind, sum_, public > 0))
    return blocks


def _split_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield blocks of whole lines; a longer line is a block, or several, of its own."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > BLOCK:
            cut = text.rfind("\n", start, start + BLOCK)
            end = cut + 1 if cut > start else start + BLOCK
        yield start, end
        start = end
