"""Pairs: how alike two documents are by their signatures, and whether that settles it.

The share of equal values of two signatures estimates the Jaccard similarity s of their shingles with the
standard deviation sqrt(s (1 - s) / PERMUTATIONS), 0.035 at 0.8. More than three of these from the
threshold the estimate decides; nearer to it the shingles themselves are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.duplicates.duplicate_schema import DOUBT, I64, NO, SURE
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, jit_kernel

SHORT = 300  # letters and digits; a shorter text shares formulas with others and must be more alike
SHORT_THRESHOLD = 0.9  # Jaccard similarity
SIGMAS = 3.0  # of 1000 pairs further than that on the wrong side of the threshold one or two remain there
_PART = 4096  # pairs that NumPy compares at once: 4 MB

Verdicts = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """From which number of equal values on a pair is sure, in doubt, and estimated at the threshold."""

    threshold: float
    sure: int
    doubt: int
    least: int


@lru_cache(maxsize=64)
def limits(threshold: float) -> tuple[Limits, Limits]:
    """For texts of SHORT letters and more, and for pairs of which one is shorter.

    >>> limits(0.8)
    (Limits(threshold=0.8, sure=116, doubt=89, least=103), Limits(threshold=0.9, sure=126, doubt=106, least=116))
    """
    return _limits(threshold), _limits(max(threshold, SHORT_THRESHOLD))


def _limits(threshold: float) -> Limits:
    spread = SIGMAS * sqrt(threshold * (1 - threshold) / PERMUTATIONS)
    sure = int((threshold + spread) * PERMUTATIONS) + 1  # at 1.0 never: equal signatures may hide a difference
    return Limits(threshold, sure, ceil((threshold - spread) * PERMUTATIONS), ceil(threshold * PERMUTATIONS))


def bounds(threshold: float) -> I64:
    """`limits` for the kernels: rows (long, short), columns (sure, doubt, least)."""
    return np.array([[kind.sure, kind.doubt, kind.least] for kind in limits(threshold)], dtype=np.int64)


def _equal_values(left: U32, i: int, right: U32, j: int) -> int:
    return int(np.count_nonzero(left[i] == right[j]))


@jit_kernel(plain=_equal_values)
def equal_values(left: U32, i: int, right: U32, j: int) -> int:
    """In how many values row `i` of `left` and row `j` of `right` agree."""
    count = np.uint32(0)
    for k in range(PERMUTATIONS):
        count += np.uint32(left[i, k] == right[j, k])
    return int(count)


def _compare_rows(left: U32, i: I64, right: U32, j: I64, longer: Any, shorter: Any, bound: I64) -> Verdicts:
    said = np.empty(len(i), np.uint8)
    for at in range(0, len(i), _PART):
        part = slice(at, at + _PART)
        least = np.minimum(longer[part], shorter[part])
        kind = (least < SHORT).astype(np.int64)
        count = np.count_nonzero(left[i[part]] == right[j[part]], axis=1)
        alike = np.where(count >= bound[kind, 0], SURE, np.where(count >= bound[kind, 1], DOUBT, NO))
        said[part] = np.where(least > 0, alike, NO)
    return said


@jit_kernel(plain=_compare_rows, by=1, weight=16)
def compare_rows(left: U32, i: I64, right: U32, j: I64, longer: Any, shorter: Any, bound: I64) -> Verdicts:
    """SURE, DOUBT or NO for each pair of rows (i, j); `longer` and `shorter` are their letters, in any order.

    Documents without a letter are alike to none: two empty sketches are equal and say nothing.
    """
    said = np.zeros(len(i), np.uint8)
    for at in range(len(i)):
        least = min(longer[at], shorter[at])
        if least > 0:
            kind = 1 if least < SHORT else 0
            count = equal_values(left, i[at], right, j[at])
            said[at] = SURE if count >= bound[kind, 0] else DOUBT if count >= bound[kind, 1] else NO
    return said
