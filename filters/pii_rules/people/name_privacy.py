"""Decide which name is private: the weights of its evidence, learned from texts with marked private names.

`private_names.toml` holds the weights, in tenths: those that say whether a name is private, and those that say whether
a block of text is worth reading. `docs/person-name-model.md` describes training and limits.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Final, NamedTuple

from filters.pii_rules.people.block_evidence import WORD, WordFinder, split_blocks

WEIGHTS: Final = Path(__file__).with_name("private_names.toml")
_ZEROS: Final = repeat(0)  # for evidence without a weight
START: Final = ""  # evidence of every name and of every block


class Block(NamedTuple):
    """A block of a text, in code points, and what its evidence weighs in tenths: for its names, and for reading it."""

    start: int
    end: int
    weight: int
    opening: int


def rate_opening(opening: int) -> str:
    """Return how likely a block has private names, as evidence for its names: in steps of 5 tenths.

    >>> rate_opening(-12), rate_opening(300)
    ('block -3', 'block 6')
    """
    return f"block {max(-7, min(6, opening // 5))}"


class PrivacyModel:
    """Weighs the evidence of names and of blocks."""

    def __init__(self, names: Mapping[str, int], blocks: Mapping[str, int]) -> None:
        self.names, self.blocks = names, blocks
        self.finder = WordFinder({e.removeprefix(WORD) for e in (*names, *blocks) if e.startswith(WORD)})
        self.words = {e.removeprefix(WORD): weight for e, weight in names.items() if e.startswith(WORD)}
        self.opening_words = {e.removeprefix(WORD): weight for e, weight in blocks.items() if e.startswith(WORD)}

    def weigh(self, evidence: Iterable[str]) -> int:
        """Return the sum of the weights of evidence for a name, in tenths."""
        return sum(map(self.names.get, evidence, _ZEROS))

    def read_blocks(self, text: str) -> list[Block]:
        """Return the blocks of `text` with their weights."""
        return [self._read_block(text, start, end) for start, end in split_blocks(text)]

    def _read_block(self, text: str, start: int, end: int) -> Block:
        part = text[start:end]
        found = self.finder.find_words(part)
        rest = list(self.finder.read_rest(part, found))
        weight = sum(map(self.words.get, found, _ZEROS)) + self.weigh(rest)
        opening = sum(map(self.opening_words.get, found, _ZEROS)) + sum(map(self.blocks.get, rest, _ZEROS))
        opening += self.blocks.get(START, 0)
        return Block(start, end, weight + self.names.get(rate_opening(opening), 0), opening)


@cache
def load_privacy_model(path: Path = WEIGHTS) -> PrivacyModel:
    """Load the weights from a file with the tables `names` and `blocks`: lines of evidence by weight in tenths."""
    tables = tomllib.loads(path.read_text("utf-8"))
    read = [
        {one: int(tenths) for tenths, lines in tables[name].items() for one in lines.removesuffix("\n").split("\n")}
        for name in ("names", "blocks")
    ]
    return PrivacyModel(*read)
