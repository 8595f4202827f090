"""Documents meet in memory: their signatures are held, bands are taken one at a time.

A million documents take 0.56 GB: 512 bytes of signature each, and a few numbers.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from filters.duplicates.bands import Banding, candidates, keys, keys_of, lookups
from filters.duplicates.components import Parents, alone, find, join, labels
from filters.duplicates.earlier import Earlier
from filters.duplicates.layout import Layout
from filters.duplicates.pairs import bounds, compared, joined
from filters.duplicates.schema import COPY, DOUBT, I64, SURE, U64, Pairs, digests_in, numbers, signatures_in
from filters.duplicates.sketch import PERMUTATIONS, U32, compiled

READ = 4096  # sketches read at once
AT_ONCE = 3  # bands whose keys are held
BLOCK = 1 << 21  # candidates held until each of them stands once, and is compared


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of each document in memory, by its place."""

    h: U64
    digest: U64  # the first word
    letters: I64
    signatures: U32


def large(count: int) -> U32:
    """An empty matrix of `count` signatures in huge pages where the system has them: many small ones cost a second."""
    if not count or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty((count, PERMUTATIONS), np.uint32)
    pages = mmap.mmap(-1, count * PERMUTATIONS * 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without them
        pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint32).reshape(count, PERMUTATIONS)


def hold(layout: Layout, signatures: bool = True) -> Held:
    """All sketches of a layout, in memory, or all but their `signatures`."""
    count, names = layout.count, ["h", "digest", "letters", "signature"]
    held = Held(
        np.empty(count, np.uint64),
        np.empty(count, np.uint64),
        np.empty(count, np.int64),
        large(count if signatures else 0),
    )
    at = 0
    for shard in layout.shards:
        with pq.ParquetFile(shard.sketch) as file:
            for batch in file.iter_batches(READ, columns=names[: 4 if signatures else 3]):
                here = slice(at, at + batch.num_rows)
                held.h[here] = np.asarray(batch.column("h"))
                held.digest[here] = digests_in(batch.column("digest"))[:, 0]
                held.letters[here] = numbers(batch.column("letters"))
                if signatures:
                    held.signatures[here] = signatures_in(batch.column("signature"))
                at += batch.num_rows
    held.signatures.flags.writeable = False
    return held


def meet(held: Held, earlier: Sequence[Earlier], banding: Banding, threshold: float) -> Pairs:
    """All pairs that are copies, sure or in doubt; of sure ones as many as join what they join."""
    order = np.argsort(held.h, kind="stable")
    leader = leaders(held.digest, order)
    copy = np.flatnonzero(leader != np.arange(len(leader)))
    found = [(leader[copy], copy, COPY)]
    leading = order[leader[order] == order]
    shown = leading[held.letters[leading] > 0]  # in canonical order
    parent, bound = alone(len(order)), bounds(threshold)
    join(parent, leader[copy], copy)
    del order, leader, copy
    seen, new, doubts = np.empty(0, np.int64), [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for band in range(banding.bands):
        if band % AT_ONCE == 0:
            many = min(AT_ONCE, banding.bands - band)
            key = keys_of(held.signatures, band * banding.rows, banding.rows, many)
        left, right = candidates(key[band % AT_ONCE][shown])
        new.append(apart(shown, left, right, parent))
        if sum(map(len, new)) > BLOCK or band + 1 == banding.bands:  # bands repeat what others have found
            fresh, new = missing(once(new), seen), []
            left, right, doubt = joined(held.signatures, held.letters, fresh, parent, bound)
            found.append((left, right, SURE))
            doubts.append(doubt)
            seen = once([seen, fresh])
    found.append((*_unjoined(np.concatenate(doubts), parent), DOUBT))
    del seen, fresh, doubts, key
    for one in earlier:
        if one.live.any():
            found += _published(held, leading, shown, one, banding, bound)
    return Pairs.of(found)


def distinct(pairs: Sequence[tuple[I64, I64]], stride: int) -> tuple[I64, I64]:
    """Each pair once, sorted; `stride` is above all numbers on the right."""
    left, right = np.divmod(once([left * stride + right for left, right in pairs]), max(stride, 1))
    return left, right


def once(parts: Sequence[I64]) -> I64:
    """Each number once, sorted."""
    all_ = np.concatenate([np.empty(0, np.int64), *parts])
    all_.sort()
    fresh = np.ones(len(all_), np.bool_)
    np.not_equal(all_[1:], all_[:-1], out=fresh[1:])
    return all_[fresh]


@compiled
def apart(row: I64, left: I64, right: I64, parent: Parents) -> I64:
    """Pairs (row[left], row[right]), packed as one number, that nothing has joined yet.

    A pair that is joined can join nothing: that spares most comparisons within large clusters.
    """
    found = np.empty(len(left), np.int64)
    count = 0
    for at in range(len(left)):
        i, j = row[left[at]], row[right[at]]
        if find(parent, i) != find(parent, j):
            found[count] = i * len(parent) + j
            count += 1
    return found[:count].copy()


@compiled
def missing(numbers_: I64, seen: I64) -> I64:
    """Of sorted numbers those that are not among the sorted `seen`."""
    found = np.empty(len(numbers_), np.int64)
    count = at = 0
    for number in numbers_:
        while at < len(seen) and seen[at] < number:
            at += 1
        if at == len(seen) or seen[at] != number:
            found[count] = number
            count += 1
    return found[:count].copy()


def _unjoined(packed: I64, parent: Parents) -> tuple[I64, I64]:
    """Pairs in doubt that no sure ones have joined in the meantime."""
    left, right = np.divmod(packed, max(1, len(parent)))
    label = labels(parent)
    open_ = label[left] != label[right]
    return left[open_], right[open_]


def _published(
    held: Held, leading: I64, shown: I64, one: Earlier, banding: Banding, bound: I64
) -> list[tuple[I64, I64, int]]:
    """Pairs of documents that come in with those of an earlier release."""
    live = one.live
    left, right = lookups(held.digest[leading], *one.band(banding.bands), live)
    found = [(leading[left], one.base + right, COPY)]
    met = []
    for band in range(banding.bands):
        key = keys(held.signatures, band * banding.rows, banding.rows)[shown]
        left, right = lookups(key, *one.band(band), live)
        met.append((shown[left], right))
    left, right = distinct(met, one.count)
    said = compared(held.signatures, left, one.signatures, right, held.letters[left], one.letters[right], bound)
    return [*found, *((left[said == kind], one.base + right[said == kind], kind) for kind in (SURE, DOUBT))]


def leaders(digest: U64, order: I64) -> I64:
    """For each document the first in the canonical `order` that has its digest."""
    by_digest = order[np.argsort(digest[order], kind="stable")]
    found: I64 = _first(digest[by_digest], by_digest)
    return found


@compiled
def _first(runs: U64, order: I64) -> I64:
    leader = np.empty(len(order), np.int64)
    first = 0
    for at in range(len(order)):
        if runs[at] != runs[first]:
            first = at
        leader[order[at]] = order[first]
    return leader
