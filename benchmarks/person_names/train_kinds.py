"""`python -m benchmarks.person_names.train_kinds [--write]`: weigh the signals of documents that name private persons.

A logistic regression says whether a block of text belongs to a kind in which names are private (obituary, roster …) or
to a public register (news, encyclopedia, law, prose). Its signals are those of `document_kinds.toml`, with what that
file says as the prior, and parts of words of the texts. The weights are written in tenths, as a list that people can
read and correct: `filters/pii_rules/people/document_signals.toml`.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick
from scipy.sparse import csr_matrix

from benchmarks.person_names import texts
from filters.pii_rules.people import document_kinds
from filters.pii_rules.text.name_model import read_words

PRIVATE: Final = frozenset(
    "obituary wedding parish club clinic roster service delivery school contract form resume chat minutes".split()
)
PUBLIC: Final = frozenset("news encyclopedia law novel review code product".split())
PRIOR: Final = {"strong": 0.4, "signals": 0.15}
FEWEST: Final = 6  # documents that contain a mined signal
SMALLEST: Final = 2  # tenths: weights below are left out
STRENGTH: Final = 2.0  # of the pull towards the prior
PROSE: Final = 0.5  # weight of a block of prose beside one of a written document
STEPS: Final = 2_000
Floats = npt.NDArray[np.float64]


class Weights(NamedTuple):
    """Tenths of each signal, of the start, and of 100 code points."""

    signals: dict[str, int]
    start: int
    length: int


def read_blocks(folder: Path) -> list[tuple[str, bool, float]]:
    """Return text, whether its kind is private, and its weight: of the written documents, and of other prose."""
    blocks = []
    for number, (kind, template) in enumerate(texts.read_templates(folder)):
        if kind in PRIVATE | PUBLIC:
            text = texts.fill_template(kind, template, texts.Draw(f"kind/{number}")).text
            blocks.append((text, kind in PRIVATE, 1.0))
    for prose in texts.read_prose():
        pieces = document_kinds.split_blocks(prose.text)
        blocks += [(prose.text[start:end], False, PROSE) for start, end in pieces]
    return blocks


def mine_signals(blocks: Sequence[tuple[str, bool, float]]) -> list[str]:
    """Return beginnings and ends of words that several blocks contain, without given names."""
    counts: Counter[str] = Counter()
    for text, _, _ in blocks:
        found = set()
        for word in re.findall("[가-힣]+[.!?]?", text):
            plain = word.rstrip(".!?")
            found |= {plain[:size] for size in range(2, min(len(plain), 4) + 1)}
            found |= {word[-3:], word[-4:]} if word != plain and len(plain) > 1 else set()
        counts.update(found)
    given = frozenset(read_words("given_names"))
    return sorted(word for word, count in counts.items() if count >= FEWEST and word not in given)


def train(blocks: Sequence[tuple[str, bool, float]]) -> Weights:
    """Return the weights: of the signals in `blocks` learned, of the others as `document_kinds.toml` says."""
    prior: dict[str, float] = {}
    for entry in document_kinds.read_kinds().values():
        for group, weight in PRIOR.items():
            for word in document_kinds.split_signals(entry.get(group, "")):
                prior[word] = max(weight, prior.get(word, 0.0))
    for word in document_kinds.split_signals(document_kinds.read_kinds()["public"]["signals"]):
        prior[word] = -PRIOR["strong"]
    words = sorted({*prior, *mine_signals(blocks)})
    finder = AhoCorasick(words)
    found = [sorted({i for i, _, _ in finder.find_matches_as_indexes(text, overlapping=True)}) for text, _, _ in blocks]
    bounds = np.concatenate(([0], np.cumsum([len(row) for row in found])))
    matrix = csr_matrix(
        (np.ones(bounds[-1]), np.concatenate([np.array(row, np.int64) for row in found]), bounds),
        (len(blocks), len(words)),
    )
    first = np.array([prior.get(word, 0.0) for word in words])
    gold = np.array([float(private) for _, private, _ in blocks])
    share = np.array([weight for _, _, weight in blocks])
    size = np.array([len(text) / 100 for text, _, _ in blocks])
    solved, start, length = _solve(matrix, first, gold, share, size)
    tenths = {word: round(10 * float(weight)) for word, weight in zip(words, solved, strict=True)}
    return Weights({w: t for w, t in tenths.items() if abs(t) >= SMALLEST}, round(10 * start), round(10 * length))


def _solve(matrix: csr_matrix, prior: Floats, gold: Floats, share: Floats, size: Floats) -> tuple[Floats, float, float]:
    """Return the weights of a logistic regression, by gradient descent with momentum."""
    weights, start, length = prior.copy(), 0.0, 0.0
    speed, fast = np.zeros_like(weights), np.zeros(2)
    transposed = matrix.T.tocsr()
    for _ in range(STEPS):
        score = matrix @ weights + start + length * size
        slope = share * (1 / (1 + np.exp(-score)) - gold)
        speed = 0.9 * speed - 0.002 * (transposed @ slope + STRENGTH * (weights - prior))
        fast = 0.9 * fast - 0.0005 * np.array([slope.sum(), (slope * size).sum() / 10])
        weights, start, length = weights + speed, start + fast[0], length + fast[1]
    return weights, start, length


def spell(weights: Weights) -> str:
    """Return the file of the weights."""
    lines = [
        "# Signals of documents that name private persons, in tenths: for (positive) or a public register (negative).",
        "# Written by `python -m benchmarks.person_names.train_kinds --write`; _ stands for a blank.",
        f"start = {weights.start}",
        f"length = {weights.length}  # for every 100 code points of a block",
        "",
        "[signals]",
    ]
    for tenths in sorted(set(weights.signals.values()), reverse=True):
        words = sorted(word.replace(" ", "_") for word, value in weights.signals.items() if value == tenths)
        rows = textwrap.wrap(" ".join(words), 118, break_long_words=False, break_on_hyphens=False)
        lines += [f'{tenths} = """', *rows, '"""']
    return "\n".join(lines).replace("\\", "\\\\") + "\n"


def main(argv: list[str] | None = None) -> int:
    """Train, and write the list if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {document_kinds.SIGNALS.name}")
    parser.add_argument("--texts", type=Path, default=texts.HERE / "texts")
    options = parser.parse_args(argv)
    weights = train(read_blocks(options.texts))
    print(f"{len(weights.signals)} signals, start {weights.start}, length {weights.length}")
    if options.write:
        document_kinds.SIGNALS.write_text(spell(weights), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
