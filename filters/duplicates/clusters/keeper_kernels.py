"""Kernels that compare the members of components and choose keepers (cluster representatives)."""

from __future__ import annotations

from typing import Any

import numpy as np

from filters.duplicates.clusters.components import Parents, find, union
from filters.duplicates.minhash.duplicate_schema import COPY, I32, I64, SURE, U64
from filters.duplicates.minhash.hash_kernels import U8
from filters.duplicates.minhash.similarity import SHORT, equal_values
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, jaccard, jit_kernel

COMPLETE = 9  # tenths of the letters of the longest member; a text that long is not a fragment
SCANS = 64  # keepers of a family that are compared with all remaining members
MANY = 1024  # remaining members, above which further keepers use an index
CROWD = 32  # members of a family, above which low bytes reject pairs first: they fit the CPU cache
EXACT = 1024  # keepers with which a member is compared by shingles; beyond, only a sure estimate counts
_NO_BYTES = np.empty((0, PERMUTATIONS), np.uint8)


@jit_kernel(by=1)
def share_shingles(digests: U64, left: I64, right: I64, kind: Any, first: I64, length: I64) -> None:
    """Give copies the shingles of their leader; only the leader has them."""
    for at in range(len(left)):
        if kind[at] == COPY:
            i, j = left[at], right[at]
            if length[i] < 0:
                i, j = j, i
            if length[j] < 0 and _is_equal(digests, i, j):
                first[j], length[j] = first[i], length[i]


@jit_kernel
def _is_equal(digests: U64, i: int, j: int) -> bool:
    differing = 0
    for word in range(4):
        differing += int(digests[i, word] != digests[j, word])
    return differing == 0


@jit_kernel(by=1)
def join_sure(parent: Parents, left: I64, right: I64, kind: Any, digests: U64) -> None:
    """Join copies and the pairs that signatures alone decide."""
    for at in range(len(left)):
        i, j = left[at], right[at]
        if kind[at] == SURE or (kind[at] == COPY and _is_equal(digests, i, j)):
            union(parent, i, j)


@jit_kernel(by=1, weight=16)
def join_verified(
    parent: Parents, left: I64, right: I64, signatures: U32, row: I64,
    letters: I64, flat: U32, first: I64, length: I64, bound: I64, needed: Any,
) -> None:  # fmt: skip
    """Join the pairs in doubt that reach the threshold; skip pairs that are joined already."""
    for at in range(len(left)):
        i, j = left[at], right[at]
        if find(parent, i) != find(parent, j):
            short = 1 if min(letters[i], letters[j]) < SHORT else 0
            if length[i] >= 0 and length[j] >= 0:
                share = jaccard(flat[first[i] : first[i] + length[i]], flat[first[j] : first[j] + length[j]])
                alike = share >= needed[short]
            else:
                alike = equal_values(signatures, row[i], signatures, row[j]) >= bound[short, 2]
            if alike:
                union(parent, i, j)


@jit_kernel
def find_complete(component: Parents, rank: I64, letters: I64) -> I64:
    """Return 1 for each member with at least COMPLETE tenths of the letters of the longest best-ranked one."""
    best = np.full(len(letters), np.int64(1 << 40))
    for m in range(len(letters)):
        best[component[m]] = min(best[component[m]], rank[m])
    longest = np.zeros(len(letters), np.int64)
    for m in range(len(letters)):
        if rank[m] == best[component[m]]:
            longest[component[m]] = max(longest[component[m]], letters[m])
    found = np.zeros(len(letters), np.int64)
    for m in range(len(letters)):
        found[m] = letters[m] * 10 >= longest[component[m]] * COMPLETE
    return found


@jit_kernel(by=2, weight=512)
def choose_keepers(  # noqa: C901
    starts: I64, ranks: I32, letters: I64, standing: I64, digests: U64, signatures: U32, row: I64,
    flat: U32, first: I64, length: I64, bound: I64, needed: Any,
) -> Any:  # fmt: skip
    """Return the keeper of each member (-1: none), their similarity, and (kind, measured, reason) as numbers.

    Members of a family are in the order of keepers. Each keeper is compared with all remaining members; after
    SCANS keepers, if many members remain, only with those that share a band of `_build_index`, since others cannot
    reach the threshold. If both texts are known, the estimate can only reject a pair: among many members some
    pair deviates by more than three standard deviations.
    """
    keeper = np.full(len(letters), -1, np.int64)
    share = np.zeros(len(letters), np.float64)
    said = np.zeros((len(letters), 3), np.uint8)
    tried = np.zeros(len(letters), np.int64)
    width = PERMUTATIONS // (PERMUTATIONS - bound[0, 1] + 1)
    for family in range(len(starts) - 1):
        start = starts[family]
        left = np.arange(start, starts[family + 1])
        seen = np.empty(0, np.int64)
        keys, order = np.empty((0, 0), np.uint32), np.empty((0, 0), np.int32)
        low = _low_bytes(signatures, row[start : start + len(left)]) if len(left) > CROWD else _NO_BYTES
        count, rounds = len(left), 0
        while count > 1:
            k = left[0]
            rounds += 1
            if rounds == SCANS and count > MANY:
                keys, order = _build_index(signatures, row, left[:count], width, bound[0, 1])
                seen = np.zeros(len(left), np.int64)
            chosen = left[:count]
            if len(seen):
                chosen = _find_sharing(keys, order, signatures, row[k], width, seen, start, rounds, chosen)
            for at in range(len(chosen)):
                m = chosen[at]
                if m == k or standing[m] == 1 or keeper[m] >= 0:
                    continue
                known = length[k] >= 0 and length[m] >= 0
                if len(low) and equal_bytes(low, k - start, m - start) < bound[0, 1 if known else 2]:
                    continue
                alike = _is_equal(digests, k, m)
                if alike:
                    share[m], said[m, 0], said[m, 1] = 1.0, 1, 1
                elif min(letters[k], letters[m]) > 0:
                    short = 1 if min(letters[k], letters[m]) < SHORT else 0
                    same = equal_values(signatures, row[k], signatures, row[m])
                    alike, share[m], said[m, 1] = same >= bound[short, 2], same / PERMUTATIONS, 0
                    if tried[m] == EXACT:  # among so many some pair is estimated too high: accept sure estimates only
                        alike = same >= bound[short, 0]
                    elif same >= bound[short, 1] and known:
                        tried[m] += 1
                        share[m] = jaccard(flat[first[k] : first[k] + length[k]], flat[first[m] : first[m] + length[m]])
                        alike, said[m, 1] = share[m] >= needed[short], 1
                if alike:
                    keeper[m] = k
                    while ranks[k, said[m, 2]] == ranks[m, said[m, 2]]:
                        said[m, 2] += 1
            rest = 0
            for at in range(1, count):
                if keeper[left[at]] < 0:
                    left[rest] = left[at]
                    rest += 1
            count = rest
    return keeper, share, said


@jit_kernel
def _low_bytes(signatures: U32, row: I64) -> U8:
    """Return the low byte of each value of the signatures at `row`; values differ if their low bytes differ."""
    found = np.empty((len(row), PERMUTATIONS), np.uint8)
    for at in range(len(row)):
        for k in range(PERMUTATIONS):
            found[at, k] = np.uint8(signatures[row[at], k] & np.uint32(0xFF))
    return found


def _equal_bytes(low: U8, i: int, j: int) -> int:
    return int(np.count_nonzero(low[i] == low[j]))


@jit_kernel(plain=_equal_bytes)
def equal_bytes(low: U8, i: int, j: int) -> int:
    """Count the equal low bytes of two rows: an upper bound of their equal values."""
    count = np.uint8(0)  # as narrow as the compared values, so that the CPU counts 32 at once
    for k in range(PERMUTATIONS):
        count = np.uint8(count + np.uint8(low[i, k] == low[j, k]))
    return int(count)


@jit_kernel
def _build_index(signatures: U32, row: I64, left: I64, width: int, doubt: int) -> tuple[U32, I32]:
    """Return sorted keys of bands of `width` values, and their members; an index without false negatives.

    Two signatures that agree in `doubt` values differ in at most PERMUTATIONS - `doubt` others; with one band more
    than that, at least one band is equal in both.
    """
    bands = PERMUTATIONS - doubt + 1
    keys, order = np.empty((bands, len(left)), np.uint32), np.empty((bands, len(left)), np.int32)
    for band in range(bands):
        key = np.empty(len(left), np.uint32)
        for at in range(len(left)):
            key[at] = _key(signatures, row[left[at]], band * width, width)
        by_key = np.argsort(key)
        keys[band], order[band] = key[by_key], left[by_key]
    return keys, order


@jit_kernel
def _key(signatures: U32, row: Any, first: int, width: int) -> Any:
    key = np.uint64(0)
    for j in range(first, first + width):
        key = (key ^ np.uint64(signatures[row, j])) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(32)
    return np.uint32(key)


@jit_kernel
def _find_sharing(
    keys: U32, order: I32, signatures: U32, row: Any, width: int, seen: I64, start: Any, rounds: int, left: I64
) -> I64:
    """Return the distinct members that share a band with the signature at `row`, or `left` if that is not longer.

    `seen` has the last round in which each member was found.
    """
    low, high = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    for band in range(len(keys)):
        key = _key(signatures, row, band * width, width)
        low[band] = np.searchsorted(keys[band], key)
        high[band] = np.searchsorted(keys[band], key, side="right")
    most = (high - low).sum()
    if most >= len(left):
        return left
    found = np.empty(most, np.int64)
    count = 0
    for band in range(len(keys)):
        for at in range(low[band], high[band]):
            m = order[band, at]
            if seen[m - start] != rounds:
                seen[m - start] = rounds
                found[count] = m
                count += 1
    return found[:count]
