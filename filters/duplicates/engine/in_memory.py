"""Documents meet in memory: their signatures are held, bands are taken a few at a time.

A million documents take 0.68 GB at the most, with two threads: 512 bytes of signature each, the keys of a few
bands, and a few numbers.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.clusters.components import Parents, join, new_parents, settle
from filters.duplicates.duplicate_schema import (
    COPY,
    DOUBT,
    I32,
    I64,
    SURE,
    U64,
    Flags,
    Pairs,
    digests_in,
    signatures_in,
)
from filters.duplicates.earlier_releases import Earlier
from filters.duplicates.engine.document_numbers import Layout
from filters.duplicates.engine.thread_map import Each, finish
from filters.duplicates.minhash import hash_kernels
from filters.duplicates.minhash.bands import (
    Banding,
    Canon,
    find_repeated_keys,
    keys,
    keys_of,
    look_up_keys,
    unjoined_candidates,
    unpack_pairs,
)
from filters.duplicates.minhash.similarity import bounds, compare_rows, join_candidates
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, compiled

READ = 4096  # sketches read at once
AT_ONCE = 6  # bands whose keys are held
TURN = 2  # bands whose candidates are looked for at once
ROWS = 65_536  # documents of a piece whose keys are cut
PAIRS = 1 << 18  # candidates of a piece that is compared, or sent


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of each document of some shards beside its signature, in the order of places."""

    h: U64
    digest: U64  # the first word
    letters: I32


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of each document in memory; row i is about the document at place i."""

    canon: Canon
    digest: U64  # the first word
    letters: I32
    signatures: U32


def large(count: int) -> U32:
    """An empty matrix of `count` signatures in pages of the usual size.

    numpy asks for huge ones. Those cost up to a second more for a million documents on virtual machines, which
    take idle huge pages back from their guests, and spare a tenth of one where they are at hand.
    """
    size = count * PERMUTATIONS * 4
    if not size or not hasattr(mmap, "MAP_ANONYMOUS"):
        return np.empty((count, PERMUTATIONS), np.uint32)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, np.uint32).reshape(count, PERMUTATIONS)


def hold(layout: Layout, each: Each = map) -> Held:
    """All sketches of a layout whose places start at 0."""
    signatures = hold_signatures(layout, each=each)
    found = known(layout, each)
    return Held(Canon.from_hashes(found.h), found.digest, found.letters, signatures)


def known(layout: Layout, each: Each = map) -> Known:
    """All sketches of a layout but their signatures."""
    count = layout.count
    found = Known(np.empty(count, np.uint64), np.empty(count, np.uint64), np.empty(count, np.int32))

    def read(number: int) -> None:
        for here, batch in _batches(layout, number, ["h", "digest", "letters"]):
            found.h[here] = np.asarray(batch.column("h"))
            found.digest[here] = digests_in(batch.column("digest"))[:, 0]
            found.letters[here] = np.asarray(batch.column("letters"))

    finish(each(read, range(len(layout.shards))))
    return found


def hold_signatures(layout: Layout, rows: I64 | None = None, each: Each = map) -> U32:
    """The signatures of the documents of a layout, in the order of places: of all, or at sorted row numbers."""
    signatures = large(layout.count if rows is None else len(rows))

    def read(number: int) -> None:
        for here, batch in _batches(layout, number, ["signature"]):
            signed = signatures_in(batch.column("signature"))
            if rows is None:
                signatures[here] = signed
                continue
            low, high = np.searchsorted(rows, [here.start, here.stop])
            if high > low:
                signatures[low:high] = signed[rows[low:high] - here.start]

    finish(each(read, range(len(layout.shards))))
    signatures.flags.writeable = False
    return signatures


def mapped(parts: Iterable[U32], folder: Path) -> U32:
    """Signatures behind each other in a nameless file in `folder`, mapped: where memory is short they go to disk."""
    count = 0
    with tempfile.TemporaryFile(dir=folder) as file:
        for part in parts:
            file.write(np.ascontiguousarray(part).data)
            count += len(part)
        file.flush()
        shape = (count, PERMUTATIONS)
        found = np.memmap(file, np.uint32, "r", shape=shape) if count else np.empty(shape, np.uint32)
    found.flags.writeable = False
    return np.asarray(found)


def _batches(layout: Layout, number: int, columns: list[str]) -> Iterator[tuple[slice, pa.RecordBatch]]:
    """The sketches of a shard, and where each batch of them stands among all documents of the layout."""
    at = int(layout.starts[number] - layout.starts[0])
    with pq.ParquetFile(layout.shards[number].sketch, memory_map=True) as file:
        for batch in file.iter_batches(READ, columns=columns, use_threads=False):
            yield slice(at, at + batch.num_rows), batch
            at += batch.num_rows


def meet(held: Held, earlier: Sequence[Earlier], banding: Banding, threshold: float, each: Each = map) -> Pairs:
    """All pairs of places that are copies, sure or in doubt; of sure ones as many as join what they join."""
    row = held.canon.row
    leader = leaders(held.digest[row])
    copy = np.flatnonzero(leader != np.arange(len(leader)))
    found = [(row[leader[copy]].astype(np.int64), row[copy].astype(np.int64), COPY)]
    del leader, copy
    parent = new_parents(len(row))
    join(parent, *found[0][:2])
    led = np.ones(len(row), np.bool_)
    led[found[0][1]] = False
    sure, doubt = _joined(held, led & (held.letters > 0), parent, banding, bounds(threshold), each)
    for packed, kind in ((sure, SURE), (doubt, DOUBT)):
        found.append((*rows_of(packed), kind))
    del sure, doubt, packed
    for one in earlier:
        if one.live.any():
            found += _published(held, led, one, banding, bounds(threshold))
    return Pairs.from_parts(found)


def _joined(held: Held, shown: Flags, parent: Parents, banding: Banding, bound: I64, each: Each) -> tuple[U64, U64]:
    """Pairs of rows, packed: sure ones that join in `parent` what they join, and those in doubt that none joined."""
    seen = list[U64]()
    sures, doubts = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]

    def sought(key: U64) -> U64:
        return unjoined_candidates(key, shown, held.canon, parent)

    def told(fresh: U64) -> tuple[U64, U64, U64]:
        for some in seen:  # bands repeat what others have found
            fresh = missing(fresh, some)
        return fresh, *join_candidates(held.signatures, held.letters, fresh, parent.copy(), bound)

    for key in _turns(held.signatures, banding, each):
        settle(parent)
        found = list(each(told, _pieces(once(list(each(sought, key))))))
        for _, sure, doubt in found:
            join(parent, *rows_of(sure))
            sures.append(sure)
            doubts.append(doubt)
        seen += [np.concatenate([fresh for fresh, _, _ in found])] if found else []
    settle(parent)
    return np.concatenate(sures), _unjoined(np.concatenate(doubts), parent)


def _pieces(pairs: U64) -> list[U64]:
    return [pairs[at : at + PAIRS] for at in range(0, len(pairs), PAIRS)]


def _turns(signatures: U32, banding: Banding, each: Each) -> Iterator[U64]:
    """The keys of the first band, which joins most, then of TURN bands at a time."""
    held = np.empty((min(AT_ONCE, banding.bands), len(signatures)), np.uint64)
    for first in range(0, banding.bands, AT_ONCE):
        key = held[: banding.bands - first]
        _cut(signatures, first * banding.rows, banding.rows, key, each)
        starts = [0, *range(1 if first == 0 else TURN, len(key), TURN), len(key)]
        for low, high in pairwise(starts):
            yield key[low:high]


def _cut(signatures: U32, first: int, rows: int, key: U64, each: Each) -> None:
    """`keys_of` all documents."""

    def cut(low: int) -> None:
        keys_of(signatures, first, rows, key, low, min(low + ROWS, len(signatures)))

    finish(each(cut, range(0, len(signatures), ROWS)))


def rows_of(pairs: U64) -> tuple[I64, I64]:
    """Left and right rows of packed pairs, as the numbers that places are."""
    left, right = unpack_pairs(pairs)
    return left.astype(np.int64), right.astype(np.int64)


def distinct(pairs: Iterable[tuple[I64, I64]], stride: int) -> tuple[I64, I64]:
    """Each pair once, sorted; `stride` is above all numbers on the right."""
    all_ = np.concatenate([np.empty(0, np.int64), *(left * stride + right for left, right in pairs)])
    left, right = np.divmod(once([all_.view(np.uint64)]).view(np.int64), max(stride, 1))
    return left, right


def once(parts: Sequence[U64]) -> U64:
    """Each number once, sorted."""
    all_ = np.concatenate([np.empty(0, np.uint64), *parts])
    all_.sort()
    return all_[: hash_kernels.keep_distinct(all_)]


@compiled
def missing(numbers_: U64, seen: U64) -> U64:
    """Of sorted numbers those that are not among the sorted `seen`."""
    found = np.empty(len(numbers_), np.uint64)
    count, at = 0, np.searchsorted(seen, numbers_[0]) if len(numbers_) else 0
    for number in numbers_:
        while at < len(seen) and seen[at] < number:
            at += 1
        found[count] = number
        count += int(at == len(seen) or seen[at] != number)
    return found[:count].copy()


@compiled
def _unjoined(pairs: U64, label: Parents) -> U64:
    """Pairs in doubt that no sure ones have joined in the meantime."""
    count = 0
    for pair in pairs:
        pairs[count] = pair
        count += int(label[pair >> np.uint64(32)] != label[pair & np.uint64(0xFFFFFFFF)])
    return pairs[:count]


def _published(held: Held, led: Flags, one: Earlier, banding: Banding, bound: I64) -> list[tuple[I64, I64, int]]:
    """Pairs of documents that come in, of those that are `led` by no other, with those of an earlier release."""
    live = one.live
    leading = np.flatnonzero(led)
    left, right = look_up_keys(held.digest[leading], *one.band(banding.bands), live)
    found = [(leading[left], one.base + right, COPY)]
    shown = leading[held.letters[leading] > 0]
    met = []
    for band in range(banding.bands):
        key = keys(held.signatures, band * banding.rows, banding.rows)[shown]
        left, right = look_up_keys(key, *one.band(band), live)
        met.append((shown[left], right))
    left, right = distinct(met, one.count)
    said = compare_rows(held.signatures, left, one.signatures, right, held.letters[left], one.letters[right], bound)
    return [*found, *((left[said == kind], one.base + right[said == kind], kind) for kind in (SURE, DOUBT))]


def leaders(digest: U64) -> I64:
    """For each document, in canonical order, the first that has its digest."""
    leader = np.arange(len(digest))
    row = find_repeated_keys(digest, np.ones(len(digest), np.bool_)).astype(np.int64)
    by_digest = row[np.argsort(digest[row], kind="stable")]
    _first(digest[by_digest], by_digest, leader)
    return leader


@compiled
def _first(runs: U64, order: I64, leader: I64) -> None:
    first = 0
    for at in range(len(order)):
        if runs[at] != runs[first]:
            first = at
        leader[order[at]] = order[first]
