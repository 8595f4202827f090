"""Choose keepers (representatives) of near duplicates, without morphological analysis.

Order of preference: rights, published already, completeness, surface, date, id. The best member of a family keeps
its near duplicates, the best of the rest keeps its own, and so on. Invariants: each copy reaches the threshold with
its keeper, and no two kept documents reach it. The ends of a chain of pairs are not copies of each other by
that alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.bands import SHORT, bounds, equal_values, limits
from filters.duplicates.compiled_kernels import jit_kernel
from filters.duplicates.duplicate_schema import (
    COPY,
    DOUBT,
    I32,
    I64,
    KINDS,
    MEASURED,
    REASONS,
    SURE,
    TABLE,
    U64,
    Flags,
    Pairs,
    digests_in,
    numbers,
)
from filters.duplicates.sketch import PERMUTATIONS, U8, U32, jaccard, shingle_hashes
from malmoi.storage.on_demand import fetch

DENSE = 16  # places a member, up to which a lookup table of all places is cheaper than a search

MEMBER = pa.schema(
    [
        ("place", pa.int64()),
        ("id", pa.string()),
        ("digest", pa.binary(32)),
        ("letters", pa.int64()),
        ("rights", pa.int8()),
        ("surface", pa.int8()),
        ("date", pa.string()),
        ("published", pa.bool_()),  # its id is in an earlier release
        ("release", pa.string()),  # name/version if it is not among the new documents, else empty
    ]
)


@dataclass(frozen=True, slots=True)
class Members:
    """Documents with pairs: `known` of schema MEMBER, a signature for each row of it, and the shingles."""

    known: pa.Table
    signatures: U32
    shingles: Shingles


def name_keepers(members: Members, pairs: Sequence[Pairs], threshold: float) -> tuple[pa.Table, I64]:
    """Return the rows of TABLE about `members`, sorted by id, and the place of the document of each row.

    `members` contains whole components of the pairs. The order of members and pairs has no effect, nor has the cut
    of `pairs`, which are processed piece by piece.
    """
    order = pc.sort_indices(members.known, sort_keys=[("id", "ascending"), ("release", "ascending")])
    at = np.asarray(order).astype(np.int64)
    known = members.known.take(order)
    digests = digests_in(known["digest"])
    first, length = members.shingles.first[at], members.shingles.length[at]
    letters, bound = numbers(known["letters"]), bounds(threshold)
    needed = np.array([kind.threshold for kind in limits(threshold)])
    flat, signatures = members.shingles.flat, members.signatures
    del members  # free the unsorted copies
    position = _position_finder(numbers(known["place"]))
    parent, family = new_parents(known.num_rows), new_parents(known.num_rows)
    for some in pairs:
        left, right = position(some.left), position(some.right)
        share_shingles(digests, left, right, some.kind, first, length)
        join_sure(parent, left, right, some.kind, digests)
        join(family, left, right)
    for some in pairs:
        left, right = (position(side[some.kind == DOUBT]) for side in (some.left, some.right))
        join_verified(parent, left, right, signatures, at, letters, flat, first, length, bound, needed)

    # Members by family, then by rank; completeness is relative to the verified component. All members of a family are
    # compared, also those that no verified pair has joined: of a large group that shares a template, bands find only
    # some pairs.
    dates = pc.if_else(pc.equal(known["date"], ""), "9999", known["date"])  # undated ones come last
    rights, surface = numbers(known["rights"]), numbers(known["surface"])
    fresh = 1 - numbers(known["published"].cast(pa.int8()))
    date = numbers(pc.rank(dates, tiebreaker="dense"))
    partial = 1 - find_complete(labels(parent), rights * 2 + fresh, letters)
    static = (rights << 48) | (fresh << 47) | (partial << 46) | (surface << 38) | date
    of_family = labels(family)
    member = np.lexsort((static, of_family))  # ties go to the smaller id, since members are sorted by id
    cuts = np.flatnonzero(np.diff(of_family[member])) + 1
    starts = np.concatenate([[0], cuts, [len(member)]]) if len(member) else np.zeros(1, np.int64)
    ranks = np.empty((len(member), len(REASONS)), np.int32)
    for number, column in enumerate((rights, fresh, partial, surface, date, np.arange(len(member)))):
        ranks[:, number] = column[member]
    standing = numbers(pc.not_equal(known["release"], "").cast(pa.int8()))
    keeper, share, reasons = choose_keepers(
        starts.astype(np.int64), ranks, letters[member], standing[member], digests[member], signatures, at[member],
        flat, first[member], length[member], bound, needed,
    )  # fmt: skip

    copies = np.flatnonzero(keeper >= 0)
    copies = copies[np.argsort(member[copies])]
    kept, copy = pa.array(member[keeper[copies]]), pa.array(member[copies])
    kind, measured, reason = (
        pa.array(words).take(pa.array(reasons[copies, i])) for i, words in enumerate((KINDS, MEASURED, REASONS))
    )
    columns = [known["id"].take(copy), known["id"].take(kept), kind, pa.array(share[copies]), measured, reason]
    table = pa.table([*columns, known["release"].take(kept)], schema=TABLE)
    return table, numbers(known["place"].take(copy))


def _position_finder(place: I64) -> Callable[[I64], I64]:
    """Return a function that maps places to their positions in `place`."""
    if len(place) and (largest := int(np.max(place))) < DENSE * len(place):
        at = np.empty(largest + 1, np.int32)
        at[place] = np.arange(len(place), dtype=np.int32)
        return lambda places: at[places].astype(np.int64)
    order = np.argsort(place)
    return lambda places: order[np.searchsorted(place, places, sorter=order)]


_AT_ONCE = 1 << 16
Parents: TypeAlias = npt.NDArray[Any]  # int32 if it can count all documents: four bytes each


def new_parents(count: int, folder: Path | None = None) -> Parents:
    """Return the parents of `count` unjoined documents; in an unnamed file in `folder`, if given."""
    parent: Parents = allocate_numbers(folder, count, np.int32 if count < 2**31 else np.int64)
    for at in range(0, count, _AT_ONCE):
        parent[at : at + _AT_ONCE] = np.arange(at, min(count, at + _AT_ONCE))
    return parent


def allocate_numbers(folder: Path | None, count: int, kind: Any) -> Any:
    """Allocate zeros in memory, or in a mapped unnamed file in `folder`, which goes to disk if memory is short."""
    if folder is None or not count:
        return np.zeros(count, kind)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.asarray(np.memmap(file, kind, "w+", shape=(count,)))


@jit_kernel
def find(parent: Parents, node: int) -> int:
    """Return the first node of the component of `node`, with path compression."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit_kernel
def union(parent: Parents, left: int, right: int) -> None:
    """Join two components; the smaller number is the root, so that the order of joins has no effect."""
    left, right = find(parent, left), find(parent, right)
    if left < right:
        parent[right] = left
    elif right < left:
        parent[left] = right


@jit_kernel(by=1)
def join(parent: Parents, left: I64, right: I64) -> None:
    """Join all pairs.

    >>> parent = new_parents(5)
    >>> join(parent, np.array([1, 3]), np.array([3, 4]))
    >>> labels(parent).tolist()
    [0, 1, 2, 1, 1]
    """
    for i in range(len(left)):
        union(parent, left[i], right[i])


@jit_kernel
def settle(parent: Parents) -> None:
    """Set the parent of each node to the first node of its component: its label."""
    for node in range(len(parent)):
        parent[node] = parent[parent[node]]  # smaller nodes are settled already


def labels(parent: Parents) -> Parents:
    """Settle and return the label of each node."""
    settle(parent)
    return parent


@dataclass(frozen=True, slots=True)
class Families:
    """Families: components of all pairs, those in doubt included; `label` (settled) and flags of each document."""

    label: Parents
    distinct: Parents  # at each label: documents of the family that are not exact copies of others in it
    flags: Any  # uint8, a bit each: PAIRED, COPIED; at the label: DOUBTFUL

    def members(self, start: int, end: int) -> tuple[I64, Flags]:
        """Return the places from `start` to `end` that have pairs, and whether each needs its shingles.

        Shingles are needed if the family has a pair in doubt, or three or more distinct documents: pairs that
        share no band are compared when keepers are chosen. A copy uses the shingles of its leader.
        """
        flags, label = self.flags[start:end], self.label[start:end]
        place = np.flatnonzero(flags & PAIRED)
        at = label[place]
        needs = (self.distinct[at] > 2) | (self.flags[at] & DOUBTFUL > 0)
        return start + place, needs & (flags[place] & COPIED == 0)


PAIRED, COPIED, DOUBTFUL = 1, 2, 4


def families(parent: Parents, folder: Path | None = None) -> Families:
    """Return the families of settled parents; call `tally` for their pairs next. `folder` as in `new_parents`."""
    count = len(parent)
    found = Families(parent, allocate_numbers(folder, count, parent.dtype), allocate_numbers(folder, count, np.uint8))
    _sizes(parent, found.distinct)
    return found


@jit_kernel
def _sizes(label: Parents, size: Parents) -> None:
    for node in range(len(label)):
        size[label[node]] += 1


@jit_kernel(by=3)
def tally(label: Parents, distinct: Parents, flags: Any, left: I64, right: I64, kind: Any) -> None:
    """Count pairs in the columns of Families; the right document of a COPY is the copy, of one document only."""
    for at in range(len(left)):
        flags[left[at]] |= np.uint8(PAIRED)
        flags[right[at]] |= np.uint8(PAIRED)
        if kind[at] == COPY:
            flags[right[at]] |= np.uint8(COPIED)
            distinct[label[right[at]]] -= 1
        elif kind[at] == DOUBT:
            flags[label[left[at]]] |= np.uint8(DOUBTFUL)


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

    Members of a family are in the order of keepers; `ranks` has a column for each of REASONS, `standing` is 1 for a
    document of an earlier release, which is never dropped. Each keeper is compared with all remaining members; after
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


@jit_kernel(plain=lambda low, i, j: int(np.count_nonzero(low[i] == low[j])))
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


SHINGLES = pa.schema([("place", pa.int64()), ("shingles", pa.large_list(pa.uint32()))])


@dataclass(frozen=True, slots=True)
class Shingles:
    """The distinct shingle hashes of document i: `flat[first[i] : first[i] + length[i]]`; length -1: unknown."""

    flat: U32
    first: I64
    length: I64


def empty_shingles(count: int) -> Shingles:
    """Return unknown shingles for `count` documents: the estimate decides."""
    return Shingles(np.empty(0, np.uint32), np.zeros(count, np.int64), np.full(count, -1, np.int64))


def batch_of(place: I64, texts: Iterable[str]) -> pa.RecordBatch:
    """Return the shingles of the texts at the given places, as a batch of schema SHINGLES."""
    hashes = [shingle_hashes(text) for text in texts]
    ends = np.cumsum([0, *map(len, hashes)], dtype=np.int64)
    flat = np.concatenate(hashes) if hashes else np.empty(0, np.uint32)
    lists = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(flat, pa.uint32()))
    return pa.record_batch([pa.array(place, pa.int64()), lists], schema=SHINGLES)


def read_texts(documents: Path, rows: I64) -> Iterator[tuple[I64, list[str]]]:
    """Yield (positions in `rows`, texts) for sorted row numbers of a shard, one row group at a time."""
    fetch(documents)
    with pq.ParquetFile(documents) as file:
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(rows, [start, end])
            if high > low:
                column = file.read_row_group(group, columns=["text"]).column("text")
                yield np.arange(low, high), column.take(pa.array(rows[low:high] - start)).to_pylist()
            start = end


def gather_shingles(batches: Iterable[pa.RecordBatch], places: I64, folder: Path) -> Shingles:
    """Gather the shingles of the documents at `places` (any order) from batches of schema SHINGLES, each once.

    They are appended to an unnamed file in `folder`, which is mapped: only compared shingles are read into memory.
    """
    found = empty_shingles(len(places))
    order = np.argsort(places)
    size = 0
    with tempfile.TemporaryFile(dir=folder) as file:
        for batch in batches:
            if not batch.num_rows:
                continue
            lists = batch.column(1)
            ends = np.asarray(lists.offsets)
            values = np.asarray(lists.values)[ends[0] : ends[-1]]
            at = order[np.searchsorted(places, np.asarray(batch.column(0)), sorter=order)]
            found.first[at] = size + ends[:-1] - ends[0]
            found.length[at] = np.diff(ends)
            file.write(values.tobytes())
            size += len(values)
        file.flush()
        flat = np.memmap(file, np.uint32, "r", shape=(size,)) if size else found.flat
    return Shingles(np.asarray(flat), found.first, found.length)
