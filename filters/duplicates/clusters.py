"""Which documents are alike: band keys sorted, candidates verified by signature, components joined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.duplicates.sketch import PERMUTATIONS, U32

# A pair of Jaccard 0.8 shares a band with 1-(1-0.8^5)^25 = 0.9999 (Leskovec et al., Mining of Massive
# Datasets, section 3.4.2). What this brings in below the threshold, verification takes out again.
BANDS = 25
ROWS = 5

SHORT = 300  # letters and digits; a shorter text shares formulas with others and must be more alike
SHORT_THRESHOLD = 0.9  # estimated Jaccard

I64 = npt.NDArray[np.int64]


def band_keys(signatures: U32) -> npt.NDArray[np.uint64]:
    """One 64-bit key a document and band, shape (documents, BANDS); equal bands have equal keys."""
    used = signatures[:, : BANDS * ROWS].reshape(-1, BANDS, ROWS).astype(np.uint64)
    keys = np.zeros(used.shape[:2], dtype=np.uint64)
    for i in range(ROWS):
        keys = (keys ^ used[:, :, i]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(32)
    return keys


def needed(left: I64, right: I64, threshold: float) -> npt.NDArray[np.float64]:
    """The similarity from which texts of `left` and `right` letters are copies, shape (pairs,).

    At least SHORT_THRESHOLD where one of the two is short; never reached where one has no letter,
    since two empty sketches are equal and say nothing.

    >>> needed(np.array([1000, 299, 0]), np.array([1000, 1000, 0]), 0.8).tolist()
    [0.8, 0.9, 2.0]
    """
    least = np.minimum(left, right)
    short = max(threshold, SHORT_THRESHOLD)
    return np.select([least == 0, least < SHORT], [2.0, short], default=threshold).astype(np.float64)


def pairs(signatures: U32, letters: I64, threshold: float) -> tuple[I64, I64]:
    """Pairs (left, right) of row numbers that share a band and whose estimated Jaccard is as high as `needed`.

    Within a run of equal keys every row is compared with the run's first and with its predecessor:
    a run of n rows costs 2n comparisons and not n², and what they join is a superset of a chain.
    """
    keys = band_keys(signatures)
    lefts, rights = [], []
    for band in range(BANDS):
        order = np.argsort(keys[:, band], kind="stable")
        column = keys[order, band]
        same = column[1:] == column[:-1]
        if not same.any():
            continue
        first = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), np.arange(len(column)), 0))
        at = np.flatnonzero(same) + 1
        lefts += [order[at - 1], order[first[at]]]
        rights += [order[at], order[at]]
    if not lefts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    both = np.sort(np.stack([np.concatenate(lefts), np.concatenate(rights)], axis=1), axis=1)
    both = np.unique(both[both[:, 0] != both[:, 1]], axis=0)
    limit = needed(letters[both[:, 0]], letters[both[:, 1]], threshold)
    alike = similarity(signatures, both[:, 0], both[:, 1]) >= limit
    return both[alike, 0], both[alike, 1]


def similarity(signatures: U32, left: I64, right: I64) -> npt.NDArray[np.float64]:
    """Estimated Jaccard similarity of pairs of rows: the share of equal signature values, shape (pairs,)."""
    result = np.empty(len(left), dtype=np.float64)
    for at in range(0, len(left), 65536):
        part = slice(at, at + 65536)
        result[part] = (signatures[left[part]] == signatures[right[part]]).sum(axis=1) / PERMUTATIONS
    return result


def components(count: int, left: I64, right: I64) -> I64:
    """The first row of the connected component of each of `count` rows, shape (count,).

    Labels fall along the pairs and jump to the label of their label, so that a chain of n rows takes log n rounds.

    >>> components(5, np.array([1, 3]), np.array([3, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    label = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(label[left], label[right])
        new = label.copy()
        for side in (left, right):
            np.minimum.at(new, side, low)
            np.minimum.at(new, label[side], low)
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new
