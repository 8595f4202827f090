"""Candidates by banding (LSH), and their estimated similarity.

Documents that agree in all values of one band of their signatures are candidate pairs. Two documents of Jaccard
similarity s share a given band of r values with probability s^r, and one of b bands with 1 - (1 - s^r)^b (Leskovec,
Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).

The share of equal values of two signatures estimates s with the standard deviation sqrt(s (1 - s) / PERMUTATIONS),
0.035 at 0.8. If the estimate is more than three standard deviations from the threshold, it decides; otherwise the
shingles themselves are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.duplicates.compiled_kernels import jit_kernel
from filters.duplicates.duplicate_schema import DOUBT, I64, NO, SURE, U64, Flags
from filters.duplicates.sketch import PERMUTATIONS, U32

FOUND = 0.995  # minimum recall: share of the pairs at the threshold that share a band
ALL_PAIRS = 32  # rows; in longer runs of equal keys only some pairs are compared
FIRST = 16  # first rows of a long run, with which each of its rows is compared
SCANNED = 4096  # rows of a published run that are searched for live ones
KEY_BITS = 40  # of a band; at a billion documents under one collision in 1000 documents and band
_ROW_BITS = 64 - KEY_BITS  # key and row are sorted as one number

SLOTS = 8  # a key, to find unique keys: an eighth of them shares a slot by chance

_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier (2^64 / golden ratio)
_HALF = np.uint64(32)
_TOP = np.uint64(64 - KEY_BITS)


@dataclass(frozen=True, slots=True)
class Banding:
    """A banding of signatures: `bands` of `rows` values each."""

    bands: int
    rows: int


def canonical_order(h: U64) -> I64:
    """Return the rows of documents in canonical order: by H(id), stable."""
    order = np.argsort(h)  # takes a third of the time of a stable sort
    found = h[order]
    return np.argsort(h, kind="stable") if (found[1:] == found[:-1]).any() else order


def banding(threshold: float) -> Banding:
    """Return the banding with the longest bands whose recall at `threshold` is at least FOUND.

    Long bands give few false positives. A segment of the index stores signatures, not band keys, so that another
    threshold can use its own banding.

    >>> banding(0.8), banding(0.5)
    (Banding(bands=21, rows=6), Banding(bands=42, rows=3))
    """
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= FOUND:
            return Banding(bands, rows)
    return Banding(PERMUTATIONS, 1)


def _keys(signatures: U32, first: int, rows: int) -> U64:
    key = np.zeros(len(signatures), np.uint64)
    for j in range(first, first + rows):
        key = (key ^ signatures[:, j].astype(np.uint64)) * _K
        key ^= key >> _HALF
    return (key * _K) >> _TOP


def _keys_of(signatures: U32, first: int, rows: int, found: U64, low: int, high: int) -> None:
    for band in range(len(found)):
        found[band, low:high] = _keys(signatures[low:high], first + band * rows, rows)


@jit_kernel(plain=_keys, weight=4)
def keys(signatures: U32, first: int, rows: int) -> U64:
    """Return the keys of the band of `rows` values from `first` on, shape (documents,); below 2^KEY_BITS."""
    found = np.empty(len(signatures), np.uint64)
    for i in range(len(signatures)):
        key = np.uint64(0)
        for j in range(first, first + rows):
            key = (key ^ np.uint64(signatures[i, j])) * _K
            key ^= key >> _HALF
        found[i] = (key * _K) >> _TOP
    return found


@jit_kernel(plain=_keys_of, weight=16)
def keys_of(signatures: U32, first: int, rows: int, found: U64, low: int, high: int) -> None:
    """Write to `found` the keys of its bands of `rows` values from `first` on, for documents `low` to `high`.

    Each signature is read once.
    """
    for i in range(low, high):
        for band in range(len(found)):
            start = first + band * rows
            key = np.uint64(0)
            for j in range(start, start + rows):
                key = (key ^ np.uint64(signatures[i, j])) * _K
                key ^= key >> _HALF
            found[band, i] = (key * _K) >> _TOP


def candidates(key: U64) -> U64:
    """Return the packed pairs of rows, left < right, with equal keys; rows are in the canonical order of documents.

    A run of at most ALL_PAIRS rows gives all pairs. A longer run pairs each row with the FIRST rows and with its
    predecessor: n rows then cost about 17 n comparisons instead of n². Rows are in the order of a hash of
    their ids, so the first ones are a random sample of the run: a document with many near duplicates in the run
    matches some of them; one with few shares other, shorter runs with these.

    >>> [side.tolist() for side in unpack_pairs(candidates(np.array([7, 3, 7, 7], np.uint64)))]
    [[0, 0, 2], [2, 3, 3]]
    """
    row = np.arange(len(key), dtype=np.uint64)
    if len(key) >> _ROW_BITS:
        row = row[np.argsort(key, kind="stable")]
    else:  # key and row as one number
        row |= key << np.uint64(_ROW_BITS)
        row.sort()
        row &= np.uint64((1 << _ROW_BITS) - 1)
    pairs: U64 = _pair_runs(key[row], row)
    return pairs


def unpack_pairs(pairs: U64) -> tuple[U32, U32]:
    """Unpack pairs stored as left << 32 | right, which sort as pairs do."""
    return (pairs >> _HALF).astype(np.uint32), pairs.astype(np.uint32)


def _find_repeated(key: U64) -> U32:
    order = np.argsort(key)
    run = key[order]
    equal = np.zeros(len(key) + 1, np.bool_)
    np.equal(run[1:], run[:-1], out=equal[1:-1])
    found: U32 = np.sort(order[equal[1:] | equal[:-1]]).astype(np.uint32)
    return found


@jit_kernel(plain=_find_repeated, weight=2)
def find_repeated_keys(key: U64) -> U32:
    """Return the rows whose key may be repeated, so that unique keys, the majority, need not be sorted.

    Two bits for each of SLOTS slots a key record whether one key, and whether a second key, hashed to the slot
    (a Bloom filter with one hash).
    """
    bits = 6
    while 1 << bits < SLOTS * len(key):
        bits += 1
    mask = np.uint64((1 << bits) - 1)
    once, twice = np.zeros(1 << (bits - 6), np.uint64), np.zeros(1 << (bits - 6), np.uint64)
    for i in range(len(key)):
        slot = key[i] & mask
        bit = np.uint64(1) << (slot & np.uint64(63))
        word = slot >> np.uint64(6)
        twice[word] |= once[word] & bit
        once[word] |= bit
    found = np.empty(len(key), np.uint32)
    count = np.int64(0)
    for i in range(len(key)):
        slot = key[i] & mask
        found[count] = i
        count += np.int64((twice[slot >> np.uint64(6)] >> (slot & np.uint64(63))) & np.uint64(1))
    return found[:count].copy()


@jit_kernel(weight=4)
def _pair_runs(run: U64, row: U64) -> U64:
    """Return the packed pairs of each run of equal keys."""
    size = 0
    start = 0
    for end in range(1, len(run) + 1):
        if end == len(run) or run[end] != run[start]:
            n = end - start
            size += n * (n - 1) // 2 if n <= ALL_PAIRS else (n - FIRST // 2) * (FIRST + 1)
            start = end
    found = np.empty(size, np.uint64)
    at = 0
    start = 0
    for end in range(1, len(run) + 1):
        if end == len(run) or run[end] != run[start]:
            most = ALL_PAIRS if end - start <= ALL_PAIRS else FIRST
            for i in range(start + 1, end):
                for j in range(start, min(i, start + most)):
                    found[at] = row[j] << _HALF | row[i]
                    at += 1
                if i - 1 >= start + most:
                    found[at] = row[i - 1] << _HALF | row[i]
                    at += 1
            start = end
    return found[:at].copy()


def look_up_keys(key: U64, known: U64, row: U32, live: Flags) -> tuple[I64, I64]:
    """Return pairs (row of `key`, published row) with equal keys: `known` is sorted, `row[i]` has the key `known[i]`.

    `live` flags published rows that can still be keepers. A run with more than ALL_PAIRS live rows gives only its
    FIRST ones; rows beyond SCANNED of a run are not searched.
    """
    order = np.argsort(key)  # sequential access to `known`: each memory page is read once
    low = np.searchsorted(known, key[order], "left")
    high = np.searchsorted(known, key[order], "right")
    hit = high > low
    found: tuple[I64, I64] = _collect_lookups(order[hit], low[hit], high[hit], row, live)
    return found


@jit_kernel(weight=4)
def _collect_lookups(asked: I64, low: I64, high: I64, row: U32, live: Flags) -> Any:
    ends = np.empty(len(asked) + 1, np.int64)
    ends[0] = 0
    for i in range(len(asked)):
        n = 0
        for j in range(low[i], min(high[i], low[i] + SCANNED)):
            n += live[row[j]]
        ends[i + 1] = ends[i] + (n if n <= ALL_PAIRS else FIRST)
    left, right = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.int64)
    for i in range(len(asked)):
        at = ends[i]
        j = low[i]
        while at < ends[i + 1]:
            if live[row[j]]:
                left[at], right[at] = asked[i], row[j]
                at += 1
            j += 1
    return left, right


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


@jit_kernel(plain=lambda left, i, right, j: int(np.count_nonzero(left[i] == right[j])))
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
