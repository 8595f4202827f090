"""Shingles of documents whose signatures are in doubt: one memory-mapped array in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.minhash.duplicate_schema import I64
from filters.duplicates.minhash.sketch import U32, shingle_hashes
from malmoi.storage.on_demand import fetch

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
