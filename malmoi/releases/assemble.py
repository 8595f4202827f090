"""Assemble a shard of a release from the record batches of its partition (second step of the shuffle)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.ledger import File
from malmoi.releases.partitioning import Partition, h
from malmoi.releases.release_schema import DATA, DICTIONARY, ENCODING
from malmoi.releases.split import SplitResult
from malmoi.storage import shard

GROUP_BYTES = 32 * 1024 * 1024  # of text in one row group (UTF-8): small for a reader, large enough to compress well


@dataclass(frozen=True, slots=True)
class Assembly:
    """A task: a partition, the (file, batch) pairs that hold its rows, sizes of clusters, target."""

    partition: Partition
    parts: tuple[tuple[Path, int], ...]
    sizes: Path | None  # table (id, n): documents of this shard number that have copies
    target: Path


def gather(parted: Iterable[SplitResult]) -> dict[Partition, tuple[tuple[Path, int], ...]]:
    """Return for each partition, in order, the files and record batches with its rows."""
    found: dict[Partition, list[tuple[Path, int]]] = {}
    for one in parted:
        for i, partition in enumerate(one.partitions):
            found.setdefault(partition, []).append((one.target / "documents.arrow", i))
    return {partition: tuple(sorted(found[partition])) for partition in sorted(found)}


def assemble(work: Assembly) -> File:
    """Write one shard, sorted by H(id), then id; equal documents give equal bytes.

    The rows of one shard are in memory: choose N so that a shard stays below a gigabyte of text.
    """
    table = pa.Table.from_batches([_read_batch(path, i) for path, i in work.parts], DATA)
    ids = table.column("id").to_pylist()
    order = sorted(range(len(ids)), key=lambda i: (h(ids[i]), ids[i]))
    table = _add_sizes(table, ids, work.sizes)
    work.target.parent.mkdir(parents=True, exist_ok=True)
    with open_writer(work.target) as writer:
        for rows in _groups(order, np.asarray(table.column("n_bytes"))):
            group = table.take(pa.array(rows, pa.int64())).combine_chunks()
            writer.write_table(group, row_group_size=len(rows))
    return shard.file_of(work.target, len(ids))


def open_writer(target: Path, schema: pa.Schema = DATA) -> pq.ParquetWriter:
    """Open a shard for writing: equal row groups give equal bytes."""
    return pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=DICTIONARY,
        column_encoding=ENCODING,
        write_page_index=True,
        use_content_defined_chunking=True,
    )


def _read_batch(path: Path, number: int) -> pa.RecordBatch:
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        return file.get_batch(number)


def _add_sizes(table: pa.Table, ids: list[str], sizes: Path | None) -> pa.Table:
    if sizes is None:
        return table
    known = dict(zip(*(c.to_pylist() for c in pq.read_table(sizes, columns=["id", "n"]).columns), strict=True))
    at = table.schema.get_field_index("cluster_size")
    return table.set_column(at, DATA.field(at), pa.array([known.get(id, 1) for id in ids], pa.int32()))


def _groups(order: list[int], n_bytes: np.ndarray) -> Iterator[list[int]]:
    """Yield the rows of each row group: cut when its text reaches GROUP_BYTES, so that only content decides."""
    group: list[int] = []
    size = 0
    for i in order:
        group.append(i)
        size += int(n_bytes[i])
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group
