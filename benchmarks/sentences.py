"""`python -m benchmarks.sentences`: our sentences beside those of bare Kiwi, on Kiwi's own benchmark.

A file holds paragraphs between empty lines and one sentence a line; the paragraph given to a splitter is its lines put
together as they stand. White space is left out of all counts.

- **exact**: the share of gold sentences that are found with just these bounds.
- **normalised F1**: each found sentence is given to the gold sentence that it overlaps best, best pairs first; a gold
  sentence scores the best F1 (2 · overlap / (its length + the found one's)) of those given to it, else 0. The scores of
  a paragraph are multiplied by min(1, gold sentences / found sentences), so that cutting more finely wins nothing.
  The mean is taken over gold sentences.

The rules of `filters.korean.sentence_boundaries` were found on half of the paragraphs: those whose sha256 begins
with an even byte. The
other half tells what they are worth.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

from kiwipiepy import Kiwi
from rich.console import Console
from rich.table import Table

from filters import morphology
from malmoi.document import Document, Provenance

CORPUS = Path(__file__).resolve().parents[2] / "shared/corpora/kiwi-sentence-split/testset"
Stretch: TypeAlias = tuple[int, int]
Splitter: TypeAlias = Callable[[str], list[Stretch]]
HALVES = ("half that the rules were found on", "other half", "all")


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of gold sentences, one by one, and how many sentences were found."""

    exact: tuple[bool, ...] = ()
    f1: tuple[float, ...] = ()
    found: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.exact + other.exact, self.f1 + other.f1, self.found + other.found)


def main() -> int:
    """Print a table for each half and for all."""
    files = sorted(CORPUS.glob("*.txt"))
    if not files:
        print(f"benchmarks: {CORPUS} holds no texts.", file=sys.stderr)
        return 2
    scored = {path.stem: [_scored(gold) for gold in paragraphs(path)] for path in files}
    for number, half in enumerate(HALVES):
        table = Table("texts", "gold", "bare found", "exact", "norm. F1", "our found", "exact", "norm. F1", title=half)
        whole = (Score(), Score())
        for name, rows in scored.items():
            chosen = [(bare, ours) for side, bare, ours in rows if number in (side, 2)]
            pair = (sum((b for b, _ in chosen), Score()), sum((o for _, o in chosen), Score()))
            whole = (whole[0] + pair[0], whole[1] + pair[1])
            if pair[0].exact:
                table.add_row(name, *_row(*pair))
        table.add_row("all", *_row(*whole))
        Console(highlight=False).print(table)
    return 0


def _row(bare: Score, ours: Score) -> list[str]:
    cells = [f"{len(bare.exact):,}"]
    for score in (bare, ours):
        size = len(score.exact)
        cells += [f"{score.found:,}", f"{sum(score.exact) / size:.4f}", f"{sum(score.f1) / size:.4f}"]
    return cells


def _scored(gold: Sequence[str]) -> tuple[int, Score, Score]:
    text = "".join(gold)
    bounds = list(zip([0, *(ends := list(accumulate(map(len, gold))))], ends, strict=False))
    side = hashlib.sha256(text.encode()).digest()[0] % 2
    return side, score(text, bounds, bare(text)), score(text, bounds, ours(text))


def paragraphs(path: Path) -> Iterator[list[str]]:
    """The paragraphs of a file, each as its sentences with the blanks behind them."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        if lines := [line for line in block.split("\n") if line]:
            yield lines


def score(text: str, gold: Sequence[Stretch], found: Sequence[Stretch]) -> Score:
    """How well `found` meets `gold`.

    >>> score("온다. 간다.", [(0, 4), (4, 7)], [(0, 3), (4, 7)]).exact
    (True, True)
    >>> score("온다. 간다.", [(0, 4), (4, 7)], [(0, 7)]).f1
    (0.6666666666666666, 0.0)
    """
    place = [0, *accumulate(not sign.isspace() for sign in text)]
    wanted = [(place[a], place[b]) for a, b in gold]
    given = [(place[a], place[b]) for a, b in found if place[a] < place[b]]
    pairs = sorted(
        (-2 * (min(b, d) - max(a, c)) / (b - a + d - c), i, j)
        for i, (a, b) in enumerate(wanted)
        for j, (c, d) in enumerate(given)
        if min(b, d) > max(a, c)
    )
    best = [0.0] * len(wanted)
    spent: set[int] = set()
    for value, i, j in pairs:
        if j not in spent:
            spent.add(j)
            best[i] = max(best[i], -value)
    fair = min(1.0, len(wanted) / len(given)) if given else 0.0
    same = set(given)
    return Score(tuple(w in same for w in wanted), tuple(fair * b for b in best), len(given))


def bare(text: str) -> list[Stretch]:
    """Kiwi's sentences with its default options."""
    return [(s.start, s.end) for s in _kiwi().split_into_sents(text)]


def ours(text: str) -> list[Stretch]:
    """The sentences that `morphology` marks."""
    layer = morphology.mark(Document("benchmark/1", text, Provenance("benchmark", "", "", "", "")))
    return list(zip(layer.sentence_start, layer.sentence_end, strict=True))


@cache
def _kiwi() -> Kiwi:
    return Kiwi(num_workers=1)


if __name__ == "__main__":
    raise SystemExit(main())
