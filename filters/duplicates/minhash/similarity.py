"""Estimate the Jaccard similarity of two documents by their signatures, and decide whether that is sufficient.

The share of equal values of two signatures estimates the Jaccard similarity s of their shingles with the
standard deviation sqrt(s (1 - s) / PERMUTATIONS), 0.035 at 0.8. If the estimate is more than three standard
deviations from the threshold, it decides; otherwise the shingles themselves are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.duplicates.minhash.duplicate_schema import DOUBT, I64, NO, SURE
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, jit_kernel

SHORT = 300  # letters and digits; shorter texts share stock phrases, so their threshold is higher
SHORT_THRESHOLD = 0.9  # Jaccard similarity
SIGMAS = 3.0  # standard deviations; one or two of 1000 pairs deviate further to the wrong side
_PART = 4096  # pairs that NumPy compares at once: 4 MB

Verdicts = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """Minimum numbers of equal values for a pair to be sure, in doubt, and (estimated) at the threshold."""

    threshold: float
    sure: int
    doubt: int
    least: int


@lru_cache(maxsize=64)
def limits(threshold: float) -> tuple[Limits, Limits]:
    """Return the limits for texts of at least SHORT letters, and for pairs with a shorter text.

    >>> limits(0.8)
    (Limits(threshold=0.8, sure=116, doubt=89, least=103), Limits(threshold=0.9, sure=126, doubt=106, least=116))
    """
    return _limits(threshold), _limits(max(threshold, SHORT_THRESHOLD))


def _limits(threshold: float) -> Limits:
    spread = SIGMAS * sqrt(threshold * (1 - threshold) / PERMUTATIONS)
    sure = int((threshold + spread) * PERMUTATIONS) + 1  # never at 1.0: different texts may have equal signatures
    return Limits(threshold, sure, ceil((threshold - spread) * PERMUTATIONS), ceil(threshold * PERMUTATIONS))


def bounds(threshold: float) -> I64:
    """Return `limits` as an array for the kernels: rows (long, short), columns (sure, doubt, least)."""
    return np.array([[kind.sure, kind.doubt, kind.least] for kind in limits(threshold)], dtype=np.int64)


def _equal_values(left: U32, i: int, right: U32, j: int) -> int:
    return int(np.count_nonzero(left[i] == right[j]))


@jit_kernel(plain=_equal_values)
def equal_values(left: U32, i: int, right: U32, j: int) -> int:
    """Count the equal values of row `i` of `left` and row `j` of `right`."""
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
    """Return SURE, DOUBT or NO for each pair of rows (i, j); `longer` and `shorter` are their letters, in any order.

    A document without letters has no near duplicates: empty sketches are equal and carry no information.
    """
    said = np.zeros(len(i), np.uint8)
    for at in range(len(i)):
        least = min(longer[at], shorter[at])
        if least > 0:
            kind = 1 if least < SHORT else 0
            count = equal_values(left, i[at], right, j[at])
            said[at] = SURE if count >= bound[kind, 0] else DOUBT if count >= bound[kind, 1] else NO
    return said
