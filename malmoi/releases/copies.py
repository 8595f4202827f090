"""From the tables of copies to clusters: who belongs together, and how many they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.releases.schema import AUDIT
from malmoi.releases.spread import h

KINDS = ("exact", "near")  # other rows of a survey (its keepers) say nothing of a copy


def clusters(paths: Sequence[Path]) -> pa.Table:
    """The audit table of copies: each (cluster, keeper, member, kind, similarity) once, sorted.

    A cluster is everything joined by copies of copies, named after its smallest id. The ids of
    all copies are held in memory, on one node: about 0.2 pairs a document.
    """
    wanted = ["id", "keeper", "similarity", "kind"]
    read = [pq.read_table(p, columns=wanted).cast(_PAIRS) for p in paths]
    table = pa.concat_tables([_PAIRS.empty_table(), *read])
    copies = pc.and_(pc.is_in(table["kind"], pa.array(KINDS)), pc.not_equal(table["id"], table["keeper"]))
    table = table.filter(copies).group_by(_PAIRS.names).aggregate([])
    columns = {
        "cluster": _smallest(table["keeper"], table["id"]),
        "keeper": table["keeper"],
        "member": table["id"],
        "kind": table["kind"],
        "similarity": table["similarity"],
    }
    named = pa.table(columns, schema=AUDIT["clusters"])
    return named.sort_by([(n, "ascending") for n in named.column_names])


def write_sizes(table: pa.Table, target: Path, n_shards: int) -> dict[int, Path]:
    """For each shard number with copies, a table (id, n): documents that have copies, size of their cluster."""
    target.mkdir(parents=True)
    both = [table.select(["cluster", n]).rename_columns(["cluster", "id"]) for n in ("keeper", "member")]
    ids = pa.concat_tables(both).group_by(["cluster", "id"]).aggregate([])
    counts = ids.group_by("cluster").aggregate([("id", "count")])
    size = dict(zip(counts["cluster"].to_pylist(), counts["id_count"].to_pylist(), strict=True))
    shards: dict[int, list[tuple[str, int]]] = {}
    for id, cluster in zip(ids["id"].to_pylist(), ids["cluster"].to_pylist(), strict=True):
        shards.setdefault(h(id) % n_shards, []).append((id, size[cluster]))
    written = {}
    for number, rows in sorted(shards.items()):
        written[number] = target / f"{number:05d}.parquet"
        found = {"id": pa.array([i for i, _ in rows]), "n": pa.array([n for _, n in rows], pa.int32())}
        pq.write_table(pa.table(found), written[number])
    return written


_PAIRS = pa.schema([("id", pa.string()), ("keeper", pa.string()), ("similarity", pa.float64()), ("kind", pa.string())])


def _smallest(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    """For each pair, the smallest id that is joined to it by any chain of pairs."""
    if not len(left):
        return pa.array([], pa.string())
    names = pc.unique(pa.chunked_array([*left.chunks, *right.chunks]))
    names = names.take(pc.array_sort_indices(names))  # so that the smallest number is the smallest id
    a = np.asarray(pc.index_in(left, names).combine_chunks())
    b = np.asarray(pc.index_in(right, names).combine_chunks())
    label = np.arange(len(names))
    while True:
        low = np.minimum(label[a], label[b])
        new = label.copy()
        np.minimum.at(new, a, low)
        np.minimum.at(new, b, low)
        new = new[new]
        if np.array_equal(new, label):
            return names.take(pa.array(label[a]))
        label = new
