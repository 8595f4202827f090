"""Decide which name is private: the weights of its evidence, learned from texts with marked private names.

`private_names.toml` holds the weights, in tenths: words of documents, and evidence of a name.
`docs/person-name-model.md` describes training and limits.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from filters.pii_rules.people.block_evidence import WordFinder

WEIGHTS: Final = Path(__file__).with_name("private_names.toml")
WORD: Final = "word="


class PrivacyModel(NamedTuple):
    """The weights of evidence, in tenths, and the finder of words of documents."""

    weights: dict[str, int]
    finder: WordFinder

    def weigh(self, evidence: Iterable[str]) -> int:
        """Return the sum of the weights of evidence, in tenths."""
        get = self.weights.get
        return sum(get(one, 0) for one in evidence)


@cache
def load_privacy_model(path: Path = WEIGHTS) -> PrivacyModel:
    """Load the weights. Raises ValueError if a line does not say what it weighs."""
    weights: dict[str, int] = {}
    for tenths, lines in tomllib.loads(path.read_text("utf-8"))["weights"].items():
        weights |= dict.fromkeys(lines.strip("\n").split("\n"), int(tenths))
    return PrivacyModel(weights, WordFinder(e.removeprefix(WORD) for e in weights if e.startswith(WORD)))
