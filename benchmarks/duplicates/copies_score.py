"""What a finder of copies made of texts whose exact Jaccard is known: recall, precision, and what survives.

A finder names a keeper for each text; a text that is its own keeper is kept. Of a pair of copies
(copies_truth.Truth.copies: 0.8, and 0.9 where one text is under 300 letters):

- **one cluster**: both have the same keeper.
- **recalled**: at most one of the two is kept. One of them may stand for the pair, or a third text for each.
- **survives**: both are kept; this is what a trainer reads twice. Recalled and surviving make up all pairs.

Of a text that is dropped:

- **precise**: it and its keeper are a pair of copies.
- **alike**: their exact Jaccard is at least 0.8, however short they are.
- **nearly**: at least NEARLY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.duplicates.copies_plant import Text
from benchmarks.duplicates.copies_truth import LIMIT, Truth

NEARLY = 0.75
BANDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)  # a band begins here and ends below the next; 1 is equal

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Counts over some pairs."""

    pairs: int
    one_cluster: int
    recalled: int

    @property
    def survive(self) -> int:
        """Pairs of which both are kept."""
        return self.pairs - self.recalled


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one finder, by number of the text: its keeper, shape (texts,)."""

    keeper: npt.NDArray[np.int64]

    @staticmethod
    def of(texts: Sequence[Text], keepers: Mapping[str, str]) -> Answer:
        """From ids; KeyError where a text has no keeper or a keeper is none of the texts."""
        number = {text.id: i for i, text in enumerate(texts)}
        return Answer(np.array([number[keepers[text.id]] for text in texts], np.int64))

    @property
    def kept(self) -> Mask:
        """Which texts are kept, shape (texts,)."""
        made: Mask = self.keeper == np.arange(len(self.keeper))
        return made


def pairs(truth: Truth, answer: Answer, chosen: Mask) -> Pairs:
    """Counts over the chosen pairs of the truth.

    >>> few = Truth(np.array([0, 1]), np.array([1, 2]), np.array([0.9, 0.8]), np.array([400, 400, 400]))
    >>> pairs(few, Answer(np.array([0, 0, 2])), few.copies())
    Pairs(pairs=2, one_cluster=1, recalled=2)
    """
    left, right = truth.left[chosen], truth.right[chosen]
    both = answer.kept[left] & answer.kept[right]
    together = answer.keeper[left] == answer.keeper[right]
    return Pairs(len(left), int(together.sum()), int((~both).sum()))


def bands(truth: Truth) -> list[tuple[str, Mask]]:
    """Each band of exact Jaccard and which pairs lie in it."""
    found = []
    for low, high in zip(BANDS, (*BANDS[1:], 2.0), strict=True):
        name = "1 (equal shingles)" if low == 1 else f"{low:.2f}–{high:.2f}"
        found.append((name, (truth.jaccard >= low) & (truth.jaccard < high)))
    return found


def kinds(truth: Truth, texts: Sequence[Text]) -> list[tuple[str, Mask]]:
    """Each kind of planted copy and which pairs are such a copy and its original."""
    number = {text.id: i for i, text in enumerate(texts)}
    kind = {tuple(sorted((i, number[text.of]))): text.kind for i, text in enumerate(texts) if text.of}
    of_pair = [kind.get((a, b), "") for a, b in zip(truth.left.tolist(), truth.right.tolist(), strict=True)]
    names = np.array(of_pair, dtype=object)
    return [(name, names == name) for name in dict.fromkeys(t.kind for t in texts if t.kind)]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Counts over the dropped texts."""

    dropped: int
    precise: int
    alike: int
    nearly: int


def dropped(truth: Truth, answer: Answer) -> Dropped:
    """Each dropped text against its keeper.

    >>> few = Truth(np.array([0, 1]), np.array([1, 2]), np.array([0.9, 0.8]), np.array([400, 400, 400]))
    >>> dropped(few, Answer(np.array([0, 0, 0])))
    Dropped(dropped=2, precise=1, alike=1, nearly=1)
    """
    count = len(answer.keeper)
    known = dict(zip((truth.left * count + truth.right).tolist(), range(len(truth.left)), strict=True))
    gone = np.flatnonzero(~answer.kept)
    low, high = np.minimum(gone, answer.keeper[gone]), np.maximum(gone, answer.keeper[gone])
    rows = [known.get(key, -1) for key in (low * count + high).tolist()]
    copies, alike = truth.copies(), truth.jaccard
    precise = sum(row >= 0 and bool(copies[row]) for row in rows)
    measured = [float(alike[row]) if row >= 0 else 0.0 for row in rows]
    least = [sum(share >= limit for share in measured) for limit in (LIMIT, NEARLY)]
    return Dropped(len(gone), precise, *least)


def wrong(truth: Truth, answer: Answer) -> list[tuple[int, int]]:
    """Pairs of copies of which both are kept, by number."""
    both = answer.kept[truth.left] & answer.kept[truth.right] & truth.copies()
    return list(zip(truth.left[both].tolist(), truth.right[both].tolist(), strict=True))
