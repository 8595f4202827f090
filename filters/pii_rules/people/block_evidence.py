"""Evidence of a block of text: its words, the kinds of documents that they belong to, and its shape.

`document_kinds.toml` lists words of each kind; `private_names.toml` says what each piece of evidence weighs.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from ahocorasick_rs import AhoCorasick, Implementation

WORD: Final = "word="  # begins the evidence of a word
BLOCK: Final = 900  # code points of a block, to the end of a line
_KINDS: Final = Path(__file__).with_name("document_kinds.toml")
_MOST: Final = 3  # words of a kind that count
_MARKS: Final = "|:,·/-\t"
_ENDS: Final = ("다.", "요.", "까?", "다\n", "음\n")  # of sentences


class WordFinder:
    """Finds words of documents: those of the kinds, and those that training has chosen."""

    def __init__(self, words: Iterable[str]) -> None:
        owners: dict[str, list[str]] = {word: [] for word in words}
        for kind, entry in read_kinds().items():
            for group in ("strong", "signals"):
                for word in split_words(entry.get(group, "")):
                    owners.setdefault(word, []).append(f"kind={kind} {group}")
        self.kinds = {word: tuple(kinds) for word, kinds in owners.items() if kinds}
        self.finder = AhoCorasick(sorted(owners), implementation=Implementation.DFA)

    def find_words(self, text: str) -> set[str]:
        """Return the words in a block."""
        return set(self.finder.find_matches_as_strings(text, overlapping=True))

    def read_evidence(self, text: str) -> list[str]:
        """Return the evidence of a block: its words, kinds and shape."""
        found = self.find_words(text)
        return [*(WORD + word for word in sorted(found)), *self.read_rest(text, found)]

    def read_rest(self, text: str, found: set[str]) -> Iterator[str]:
        """Yield the evidence of a block besides its words: how many words of each kind it has, and its shape."""
        kinds = Counter(kind for word in self.kinds.keys() & found for kind in self.kinds[word])
        yield from (f"{kind} {min(count, _MOST)}" for kind, count in sorted(kinds.items()))
        yield from _read_shape(text)


def _read_shape(text: str) -> Iterator[str]:
    size = max(1, len(text))
    lines = text.count("\n") + 1
    signs = sum(map(text.count, _MARKS))
    ends = sum(map(text.count, _ENDS))
    hangul = (len(text.encode("utf-8", "replace")) - len(text)) // 2
    yield f"lines {min(6, 100 * lines // size)}"
    yield f"length {min(6, size // 150)}"
    yield f"sentences {min(5, 300 * ends // size)}"
    yield f"marks {min(5, 30 * signs // size)}"
    yield f"hangul {min(4, 5 * hangul // size)}"


@cache
def read_kinds() -> dict[str, dict[str, Any]]:
    """Return the entries of `document_kinds.toml`: words and examples by kind."""
    return tomllib.loads(_KINDS.read_text("utf-8"))


def split_words(words: str) -> list[str]:
    """Return the words of a list; _ is a blank in one of them."""
    return [word.replace("_", " ") for word in words.split()]


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
