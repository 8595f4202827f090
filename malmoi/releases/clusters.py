"""Clusters of copies: connected components of the tables of copies, and their sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import checksummed_files

_SLICE = 65_536  # ids that are Python objects at a time
_I64 = npt.NDArray[np.int64]
# Schema of a table of copies: a row for each copy; docs/releases.md describes the columns.
COPIES = pa.schema(
    [("id", pa.string()), *((f.name, f.type) for f in AUDIT["clusters"] if f.name not in ("cluster", "member"))]
)


def clusters(paths: Sequence[Path]) -> pa.Table:
    """Return the audit table of copies: each row of the tables once, with its cluster, sorted by all columns.

    A cluster is a connected component (copies of copies), named by its smallest id. The ids of all copies
    are in the memory of one node: about 0.2 pairs a document.

    StageError if a table lacks columns of COPIES.
    """
    table = pa.concat_tables([COPIES.empty_table(), *(_read(path) for path in paths)])
    if len(paths) > 1:  # one table names a copy once
        table = table.group_by(COPIES.names).aggregate([])
    named = {"cluster": _label_components(table["keeper"], table["id"]), "member": table["id"]}
    columns = {n: named[n] if n in named else table[n] for n in AUDIT["clusters"].names}
    made = pa.table(columns, schema=AUDIT["clusters"])
    return made.sort_by([(n, "ascending") for n in made.column_names])


def write_sizes(table: pa.Table, target: Path, n_shards: int) -> dict[int, Path]:
    """Write for each shard number with copies a table (id, n): documents with copies, size of their cluster."""
    target.mkdir(parents=True)
    if not table.num_rows:
        return {}
    both = [table.select(["cluster", n]).rename_columns(["cluster", "id"]) for n in ("keeper", "member")]
    ids = pa.concat_tables(both).group_by(["cluster", "id"]).aggregate([])
    cluster = np.asarray(ids["cluster"].combine_chunks().dictionary_encode().indices)
    sized = pa.table({"id": ids["id"], "n": np.bincount(cluster)[cluster].astype(np.int32)})
    shards = _shard_of(ids["id"], n_shards)
    order = np.argsort(shards, kind="stable")
    sized = sized.take(pa.array(order))
    numbers, starts = np.unique(shards[order], return_index=True)
    written = {}
    for number, start, end in zip(numbers.tolist(), starts, [*starts[1:], len(order)], strict=True):
        written[number] = target / f"{number:05d}.parquet"
        pq.write_table(sized.slice(start, end - start), written[number])
    return written


def _read(path: Path) -> pa.Table:
    found = pq.read_schema(checksummed_files.check(path))
    wrong = [f.name for f in COPIES if f.name not in found.names or found.field(f.name).type != f.type]
    if wrong:
        raise StageError(
            f"{path}: not a table of copies; {', '.join(wrong)} missing or of another type. Needed: {COPIES.names}. "
            "If another version of Malmoi wrote it, delete its folder and run curate again."
        )
    return pq.read_table(path, columns=COPIES.names)


def _shard_of(ids: pa.ChunkedArray, n_shards: int) -> _I64:
    """Return the shard of each id, shape (ids,): H(id) modulo `n_shards` (malmoi/releases/partitioning.py)."""
    slices = (ids.slice(at, _SLICE).to_pylist() for at in range(0, len(ids), _SLICE))
    heads = b"".join(hashlib.sha256(id.encode()).digest()[:8] for part in slices for id in part)
    return (np.frombuffer(heads, dtype=">u8").astype(np.uint64) % np.uint64(n_shards)).astype(np.int64)


def _label_components(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    """Return for each pair the smallest id of its connected component."""
    if not len(left):
        return pa.array([], pa.string())
    names = pc.unique(pa.chunked_array([*left.chunks, *right.chunks]))
    names = names.take(pc.array_sort_indices(names))  # so that the smallest number is the smallest id
    a = np.asarray(pc.index_in(left, names).combine_chunks()).astype(np.int64)
    b = np.asarray(pc.index_in(right, names).combine_chunks()).astype(np.int64)
    label = np.arange(len(names))
    while True:
        low = np.minimum(label[a], label[b])
        new = label.copy()
        for side in (a, b):
            np.minimum.at(new, side, low)
            np.minimum.at(new, label[side], low)  # and its root, so that a chain of n takes log n rounds
        new = new[new]
        if np.array_equal(new, label):
            return names.take(pa.array(label[a]))
        label = new
