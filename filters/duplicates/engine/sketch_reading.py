"""Read the sketches of a group of shards; sort and deduplicate digests and pairs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.engine.document_numbers import Layout
from filters.duplicates.minhash import hash_kernels
from filters.duplicates.minhash.duplicate_schema import I32, I64, U64, digests_in, signatures_in
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32

READ = 4096  # sketches read at once


@dataclass(frozen=True, slots=True)
class Known:
    """Sketches of the documents of some shards, without signatures, in the order of places."""

    h: U64
    digest: U64  # the first word
    letters: I32


def read_digests(layout: Layout) -> Known:
    """Read all sketches of a layout, without signatures."""
    count = layout.count
    found = Known(np.empty(count, np.uint64), np.empty(count, np.uint64), np.empty(count, np.int32))
    for here, batch in _batches(layout, ["h", "digest", "letters"]):
        found.h[here] = np.asarray(batch.column("h"))
        found.digest[here] = digests_in(batch.column("digest"))[:, 0]
        found.letters[here] = np.asarray(batch.column("letters"))
    return found


def hold_signatures(layout: Layout, rows: I64) -> U32:
    """Read the signatures of the documents of a layout at sorted row numbers."""
    signatures = np.empty((len(rows), PERMUTATIONS), np.uint32)
    for here, batch in _batches(layout, ["signature"]):
        low, high = np.searchsorted(rows, [here.start, here.stop])
        if high > low:
            signatures[low:high] = signatures_in(batch.column("signature"))[rows[low:high] - here.start]
    signatures.flags.writeable = False
    return signatures


def map_signatures(parts: Iterable[U32], folder: Path) -> U32:
    """Write signatures to a mapped unnamed file in `folder`: if memory is short they go to disk."""
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


def _batches(layout: Layout, columns: list[str]) -> Iterator[tuple[slice, pa.RecordBatch]]:
    """Yield the sketches of a layout in batches, with the slice of its documents that each covers."""
    at = 0
    for shard in layout.shards:
        with pq.ParquetFile(shard.sketch, memory_map=True) as file:
            for batch in file.iter_batches(READ, columns=columns, use_threads=False):
                yield slice(at, at + batch.num_rows), batch
                at += batch.num_rows


def distinct(pairs: Iterable[tuple[I64, I64]], stride: int) -> tuple[I64, I64]:
    """Return the distinct pairs, sorted; `stride` is above all numbers on the right."""
    all_ = np.concatenate([np.empty(0, np.int64), *(left * stride + right for left, right in pairs)])
    left, right = np.divmod(sort_distinct([all_.view(np.uint64)]).view(np.int64), max(stride, 1))
    return left, right


def sort_distinct(parts: Sequence[U64]) -> U64:
    """Return the distinct numbers, sorted."""
    all_ = np.concatenate([np.empty(0, np.uint64), *parts])
    all_.sort()
    return all_[: hash_kernels.keep_distinct(all_)]


def leaders(digest: U64) -> I64:
    """Return for each document, in canonical order, the first one with the same digest.

    >>> leaders(np.array([7, 3, 7, 7], np.uint64)).tolist()
    [0, 1, 0, 0]
    """
    _, first, run = np.unique(digest, return_index=True, return_inverse=True)
    found: I64 = first[run]
    return found
