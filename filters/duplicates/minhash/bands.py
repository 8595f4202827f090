"""Bands: documents that agree in all values of one band of their signatures are candidates.

Two documents of Jaccard similarity s share a given band of r values with probability s^r, and one of
b bands with 1 - (1 - s^r)^b (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).
What bands bring together below the threshold, verification takes apart again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from filters.duplicates.duplicate_schema import I64, U64, Flags
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, jit_kernel

FOUND = 0.995  # of the pairs at the threshold share a band, at the least
ALL_PAIRS = 32  # rows; in a longer run of equal keys not all pairs are compared
FIRST = 16  # rows of a long run with which each of its rows is compared
SCANNED = 4096  # rows of a published run that are looked at for one that still stands for something
KEY_BITS = 40  # of a band; at a billion documents under one chance meeting in 1000 documents and band
_ROW_BITS = 64 - KEY_BITS  # so that key and row are sorted as one number

SLOTS = 8  # for each key, to tell those that stand once: an eighth of these shares a slot by chance

_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier (2^64 / golden ratio)
_HALF = np.uint64(32)
_TOP = np.uint64(64 - KEY_BITS)


@dataclass(frozen=True, slots=True)
class Banding:
    """How signatures are cut: `bands` of `rows` values each."""

    bands: int
    rows: int


def canonical_order(h: U64) -> I64:
    """The rows of documents in canonical order: by H(id), equal ones as they lie."""
    order = np.argsort(h)  # in a third of the time of a stable sort
    found = h[order]
    return np.argsort(h, kind="stable") if (found[1:] == found[:-1]).any() else order


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
    """The keys of the band of `rows` values from `first` on, shape (documents,); below 2^KEY_BITS."""
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
    """The keys of as many bands of `rows` values from `first` on as `found` has rows, of documents `low` to `high`.

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
    """Pairs of rows, packed, left < right, that have equal keys; rows are in the canonical order of their documents.

    Of a run of at most ALL_PAIRS rows all pairs. Of a longer one each row with the FIRST rows and with
    its predecessor: a run of n rows then costs about 17 n comparisons and not n². Rows come in the
    order of a hash of their ids, so the first ones are a fair sample of the run: who is alike
    to many of it meets them there, and who is alike to few shares other, shorter runs with these.

    >>> [side.tolist() for side in unpack_pairs(candidates(np.array([7, 3, 7, 7], np.uint64)))]
    [[0, 0, 2], [2, 3, 3]]
    """
    row = _sort_by_key(key)
    found: U64 = _pair_runs(key[row], row)
    return found


def unpack_pairs(pairs: U64) -> tuple[U32, U32]:
    """Left and right rows of pairs that are packed as one number, left << 32 | right: they sort as pairs do."""
    return (pairs >> _HALF).astype(np.uint32), pairs.astype(np.uint32)


def _sort_by_key(key: U64) -> U64:
    """Rows by key, equal ones as they lie; keys are below 2^KEY_BITS."""
    row = np.arange(len(key), dtype=np.uint64)
    if len(key) >> _ROW_BITS:
        return row[np.argsort(key, kind="stable")]
    row |= key << np.uint64(_ROW_BITS)
    row.sort()
    return row & np.uint64((1 << _ROW_BITS) - 1)


def _find_repeated(key: U64) -> U32:
    order = np.argsort(key)
    run = key[order]
    equal = np.zeros(len(key) + 1, np.bool_)
    np.equal(run[1:], run[:-1], out=equal[1:-1])
    found: U32 = np.sort(order[equal[1:] | equal[:-1]]).astype(np.uint32)
    return found


@jit_kernel(plain=_find_repeated, weight=2)
def find_repeated_keys(key: U64) -> U32:
    """The rows whose key may stand more than once: most stand once, and need not be sorted.

    A bit for each of SLOTS times as many slots as there are keys says that one fell there, another that a second did.
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
    """The pairs of each run of equal keys, packed."""
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
    """Pairs (row of `key`, published row) with equal keys: `known` is sorted, `row[i]` has the key `known[i]`.

    `live` says of each published row whether it still stands for something. Of a run with more than
    ALL_PAIRS of these only the FIRST; beyond SCANNED rows of a run none is looked for.
    """
    order = np.argsort(key)  # neighbours in `known` are then neighbours in time: each page is read once
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
