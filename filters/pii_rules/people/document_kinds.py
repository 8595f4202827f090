"""Blocks of a text that belong to a kind of document in which names are private: obituaries, rosters, clinics …

Data: `document_kinds.toml` lists the signals of each kind, `document_signals.toml` their weights, and those of the
signs of a public register (news, law, encyclopedia).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

FEWEST: Final = 2  # signals of kinds; a lone 작성자 does not make a document
BLOCK: Final = 900  # code points of a block, to the end of a line
SIGNALS: Final = Path(__file__).with_name("document_signals.toml")
_KINDS: Final = Path(__file__).with_name("document_kinds.toml")
_REGISTERS: Final = ("public", "polite")  # entries of the file that describe a register, not a kind


class Block(NamedTuple):
    """A block of a text, in code points, the kind with most signals, and the tenths in favour of private names."""

    start: int
    end: int
    kind: str
    tenths: int


class _Table(NamedTuple):
    finder: AhoCorasick
    tenths: dict[str, int]  # of each signal
    kinds: dict[str, tuple[str, ...]]  # of each signal of a kind
    longer: dict[str, frozenset[str]]  # the signals of kinds that contain this one
    start: int
    length: int


@cache
def read_kinds() -> dict[str, dict[str, Any]]:
    """Return the entries of `document_kinds.toml`: signals and examples by kind."""
    return tomllib.loads(_KINDS.read_text("utf-8"))


def split_signals(words: str) -> list[str]:
    """Return the signals of a list; _ is a blank in one of them."""
    return [word.replace("_", " ") for word in words.split()]


@cache
def _load_table() -> _Table:
    data = tomllib.loads(SIGNALS.read_text("utf-8"))
    tenths = {word: int(value) for value, words in data["signals"].items() for word in split_signals(words)}
    owners: dict[str, list[str]] = {word: [] for word in tenths}
    for kind, entry in read_kinds().items():
        for word in split_signals(entry.get("strong", "") + " " + entry["signals"]) if kind not in _REGISTERS else ():
            owners.setdefault(word, []).append(kind)
    kinds = {word: tuple(names) for word, names in owners.items() if names}
    longer = {word: frozenset(other for other in kinds if word != other and word in other) for word in kinds}
    finder = AhoCorasick(sorted(owners), implementation=Implementation.DFA)
    return _Table(finder, tenths, kinds, longer, data["start"], data["length"])


def find_blocks(text: str) -> list[Block]:
    """Return the blocks of `text` with a signal of a kind, in order and without overlap.

    >>> [(block.kind, block.tenths > 0) for block in find_blocks("부고: 홍길동 님 별세, 빈소 한빛병원, 발인 3일")]
    [('obituary', True)]
    """
    table = _load_table()
    blocks: list[Block] = []
    for start, end in split_blocks(text):
        found = set(table.finder.find_matches_as_strings(text[start:end], overlapping=True))
        signals = table.kinds.keys() & found
        if not _are_enough(signals, table):
            continue
        kinds = Counter(kind for word in signals for kind in table.kinds[word])
        tenths = table.start + sum(map(table.tenths.get, found, repeat(0))) + table.length * (end - start) // 100
        blocks.append(Block(start, end, max(sorted(kinds), key=kinds.__getitem__), tenths))
    return blocks


def _are_enough(signals: set[str], table: _Table) -> bool:
    """Whether `FEWEST` signals or more are not inside another one; of many signals, some are."""
    if len(signals) > 4 * FEWEST or len(signals) < FEWEST:
        return len(signals) >= FEWEST
    return sum(table.longer[word].isdisjoint(signals) for word in signals) >= FEWEST


def split_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield blocks of whole lines; a longer line is a block, or several, of its own."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > BLOCK:
            cut = text.rfind("\n", start, start + BLOCK)
            end = cut + 1 if cut > start else start + BLOCK
        yield start, end
        start = end
