"""Exact Jaccard similarity of all pairs of texts, by brute force: no hash, no signature, no code under test.

Shingles are written down here a second time, from their definition alone: runs of five letters, digits
and combining marks (Unicode L*, N*, M*) of the lower-case text, full-width ones (U+FF01 to U+FF5E) as
their ASCII, everything else left out; a text of fewer is one shingle. Every shingle has a column of
its own, so no two are taken for one another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

WIDTH = 5  # letters of a shingle
LEAST = 0.5  # pairs below are not kept
SHORT = 300  # letters; where one of the two has fewer, a copy is a pair of SHORT_LIMIT
LIMIT, SHORT_LIMIT = 0.8, 0.9
_PLAIN = {0xFF01 + n: 0x21 + n for n in range(94)}
_ROWS = 256  # texts compared with all others at once


@dataclass(frozen=True, slots=True)
class Truth:
    """All pairs of at least LEAST: `left` < `right` number the texts, shape (pairs,); `letters` of each text."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    jaccard: npt.NDArray[np.float64]
    letters: npt.NDArray[np.int64]

    def short(self) -> npt.NDArray[np.bool_]:
        """Whether one of the two is short, shape (pairs,)."""
        made: npt.NDArray[np.bool_] = np.minimum(self.letters[self.left], self.letters[self.right]) < SHORT
        return made

    def copies(self) -> npt.NDArray[np.bool_]:
        """Whether the two are copies: at least SHORT_LIMIT where one is short, else LIMIT; shape (pairs,)."""
        made: npt.NDArray[np.bool_] = self.jaccard >= np.where(self.short(), SHORT_LIMIT, LIMIT)
        return made


def letters(text: str) -> str:
    """What of a text is looked at.

    >>> letters("‘부엌의 말’, 2026 · Cafe!")
    '부엌의말2026cafe'
    """
    return "".join(char for char in text.lower().translate(_PLAIN) if _counts(char))


@cache
def _counts(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"


def shingles(text: str, width: int = WIDTH) -> set[str]:
    """The shingles of a text; none where it has no letter.

    >>> sorted(shingles("우리말 사전!")), shingles("말"), shingles("?!")
    (['우리말사전'], {'말'}, set())
    """
    found = letters(text)
    return {found[at : at + width] for at in range(max(1, len(found) - width + 1))} if found else set()


def jaccard(one: set[str], two: set[str]) -> float:
    """Shared shingles by all shingles of the two; 0 where neither has any.

    >>> jaccard({"가", "나"}, {"나", "다"})
    0.3333333333333333
    """
    both = len(one & two)
    return both / (len(one) + len(two) - both) if both else 0.0


def between(texts: Sequence[str], width: int = WIDTH) -> Truth:
    """Every pair of `texts` of at least LEAST: an incidence matrix times itself counts what two share."""
    columns: dict[str, int] = {}
    held = [np.array([columns.setdefault(s, len(columns)) for s in shingles(t, width)], np.int64) for t in texts]
    size = np.array([len(row) for row in held], np.int64)
    ends = np.concatenate([[0], np.cumsum(size)])
    where = np.concatenate([*held, np.empty(0, np.int64)])
    matrix = csr_array((np.ones(len(where), np.int32), where, ends), shape=(len(texts), max(1, len(columns))))
    across = matrix.T.tocsr()
    lefts, rights, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for at in range(0, len(texts), _ROWS):
        shared = (matrix[at : at + _ROWS] @ across).tocoo()
        row, column = shared.row.astype(np.int64) + at, shared.col.astype(np.int64)
        alike = shared.data / (size[row] + size[column] - shared.data)
        kept = (row < column) & (alike >= LEAST)
        lefts.append(row[kept])
        rights.append(column[kept])
        found.append(alike[kept])
    counts = np.array([len(letters(text)) for text in texts], np.int64)
    return Truth(np.concatenate(lefts), np.concatenate(rights), np.concatenate(found), counts)
