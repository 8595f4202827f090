"""Bands: documents that agree in all values of one band of their signatures are candidates.

Two documents of Jaccard similarity s share a given band of r values with probability s^r, and one of
b bands with 1 - (1 - s^r)^b (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).
What bands bring together below the threshold, verification takes apart again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from filters.duplicates.schema import I64, U64, Flags
from filters.duplicates.sketch import PERMUTATIONS, U32, compiled

FOUND = 0.995  # of the pairs at the threshold share a band, at the least
ALL_PAIRS = 32  # rows; in a longer run of equal keys not all pairs are compared
FIRST = 16  # rows of a long run with which each of its rows is compared
SCANNED = 4096  # rows of a published run that are looked at for one that still stands for something
KEY_BITS = 40  # of a band; at a billion documents under one chance meeting in 1000 documents and band
_ROW_BITS = 64 - KEY_BITS  # so that key and row number are sorted as one number

_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier (2^64 / golden ratio)
_HALF = np.uint64(32)
_TOP = np.uint64(64 - KEY_BITS)


@dataclass(frozen=True, slots=True)
class Banding:
    """How signatures are cut: `bands` of `rows` values each."""

    bands: int
    rows: int


def banding(threshold: float) -> Banding:
    """The longest bands that bring together at least FOUND of the pairs at `threshold`.

    Long bands bring together few pairs that are not alike. A segment of the index holds signatures,
    so that a threshold of tomorrow can cut them its own way.

    >>> banding(0.8), banding(0.5)
    (Banding(bands=21, rows=6), Banding(bands=42, rows=3))
    """
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= FOUND:
            return Banding(bands, rows)
    return Banding(PERMUTATIONS, 1)


@compiled
def keys(signatures: U32, first: int, rows: int) -> U64:
    """The keys of the band of `rows` values from `first` on, shape (documents,); below 2^KEY_BITS."""
    found = np.empty(len(signatures), np.uint64)
    for i in range(len(signatures)):
        key = np.uint64(0)
        for j in range(first, first + rows):
            key = (key ^ np.uint64(signatures[i, j])) * _K
            key ^= key >> _HALF
        found[i] = (key * _K) >> _TOP
    return found


@compiled
def keys_of(signatures: U32, first: int, rows: int, bands: int) -> U64:
    """The keys of so many bands of `rows` values from `first` on, shape (bands, documents): each row is read once."""
    found = np.empty((bands, len(signatures)), np.uint64)
    for i in range(len(signatures)):
        for band in range(bands):
            start = first + band * rows
            key = np.uint64(0)
            for j in range(start, start + rows):
                key = (key ^ np.uint64(signatures[i, j])) * _K
                key ^= key >> _HALF
            found[band, i] = (key * _K) >> _TOP
    return found


def candidates(key: U64) -> tuple[I64, I64]:
    """Pairs of row numbers, left < right, that have equal keys; rows are in the canonical order of their documents.

    Of a run of at most ALL_PAIRS rows all pairs. Of a longer one each row with the FIRST rows and with
    its predecessor: a run of n rows then costs about 17 n comparisons and not n². Rows come in the
    order of a hash of their ids, so the first ones are a fair sample of the run: who is alike
    to many of it meets them there, and who is alike to few shares other, shorter runs with these.

    >>> candidates(np.array([7, 3, 7, 7], np.uint64))
    (array([0, 0, 2]), array([2, 3, 3]))
    """
    found: tuple[I64, I64]
    if len(key) >> _ROW_BITS:
        order = np.argsort(key, kind="stable")
        found = _paired(key[order], order)
        return found
    packed = (key << np.uint64(_ROW_BITS)) | np.arange(len(key), dtype=np.uint64)
    packed.sort()
    met = _meeting(packed)  # most rows meet none
    order = (met & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64)
    found = _paired(met >> np.uint64(_ROW_BITS), order)
    return found


@compiled
def _meeting(packed: U64) -> U64:
    """Of sorted keys with their rows those that stand more than once."""
    kept = np.empty(len(packed), np.bool_)
    count = 0
    last = len(packed) - 1
    for i in range(len(packed)):
        key = packed[i] >> _TOP
        kept[i] = (i > 0 and packed[i - 1] >> _TOP == key) or (i < last and packed[i + 1] >> _TOP == key)
        count += kept[i]
    found = np.empty(count, np.uint64)
    at = 0
    for i in range(len(packed)):
        if kept[i]:
            found[at] = packed[i]
            at += 1
    return found


@compiled
def _paired(runs: U64, order: I64) -> Any:
    size = 0
    start = 0
    for end in range(1, len(runs) + 1):
        if end == len(runs) or runs[end] != runs[start]:
            n = end - start
            if n <= ALL_PAIRS:
                size += n * (n - 1) // 2
            else:
                size += FIRST * (FIRST - 1) // 2 + (n - FIRST) * (FIRST + 1) - 1
            start = end
    left, right = np.empty(size, np.int64), np.empty(size, np.int64)
    at = 0
    start = 0
    for end in range(1, len(runs) + 1):
        if end == len(runs) or runs[end] != runs[start]:
            most = ALL_PAIRS if end - start <= ALL_PAIRS else FIRST
            for i in range(start + 1, end):
                for j in range(start, min(i, start + most)):
                    left[at], right[at] = order[j], order[i]
                    at += 1
                if i - 1 >= start + most:
                    left[at], right[at] = order[i - 1], order[i]
                    at += 1
            start = end
    return left, right


def lookups(key: U64, known: U64, row: U32, live: Flags) -> tuple[I64, I64]:
    """Pairs (row of `key`, published row) with equal keys: `known` is sorted, `row[i]` has the key `known[i]`.

    `live` says of each published row whether it still stands for something. Of a run with more than
    ALL_PAIRS of these only the FIRST; beyond SCANNED rows of a run none is looked for.
    """
    order = np.argsort(key)  # neighbours in `known` are then neighbours in time: each page is read once
    low = np.searchsorted(known, key[order], "left")
    high = np.searchsorted(known, key[order], "right")
    hit = high > low
    found: tuple[I64, I64] = _looked_up(order[hit], low[hit], high[hit], row, live)
    return found


@compiled
def _looked_up(asked: I64, low: I64, high: I64, row: U32, live: Flags) -> Any:
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
