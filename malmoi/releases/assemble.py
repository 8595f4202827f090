"""Assemble a shard of a release from the record batches of its partition (second step of the shuffle)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.release_files import morpheme_path
from malmoi.releases.manifest import ReleaseFile
from malmoi.releases.partitioning import Partition, count_shards, h
from malmoi.releases.release_schema import (
    DATA,
    DICTIONARY,
    ENCODING,
    MORPHEME_DATA,
    MORPHEME_DICTIONARY,
    STATISTICS,
)
from malmoi.releases.split import SKETCH, SKETCHED, SplitResult
from malmoi.storage import shard

GROUP_BYTES = 32 * 1024 * 1024  # of text in one row group (UTF-8): small for a reader, large enough to compress well


@dataclass(frozen=True, slots=True)
class Assembly:
    """A task: a partition, the (file, batch) pairs that hold its rows, sizes of clusters, folder of the release."""

    partition: Partition
    parts: tuple[tuple[Path, int], ...]
    sizes: tuple[Path, ...]  # tables (id, n): documents of this shard that have copies
    folder: Path


def gather(parted: Sequence[SplitResult], shard_bytes: int) -> dict[Partition, tuple[tuple[Path, int], ...]]:
    """Return for each shard, in order, the files and record batches with its rows; small shards are merged.

    The number of shards of a field follows the bytes of all its texts, so that only content decides.
    """
    totals = Counter[Partition]()
    for one in parted:
        for partition, size in zip(one.partitions, one.sizes, strict=True):
            totals[partition.merge(1)] += size
    found: dict[Partition, list[tuple[Path, int]]] = {}
    for one in parted:
        for i, partition in enumerate(one.partitions):
            n = count_shards(totals[partition.merge(1)], partition.of, shard_bytes)
            found.setdefault(partition.merge(n), []).append((one.target / "documents.arrow", i))
    return {partition: tuple(sorted(found[partition])) for partition in sorted(found)}


@dataclass(frozen=True, slots=True)
class Assembled:
    """The files of a shard, and the sketches of its texts in the order of its rows, joined."""

    files: tuple[ReleaseFile, ...]
    sketches: bytes


def assemble(work: Assembly) -> Assembled:
    """Write one shard and the file of its morphemes, sorted by H(id), then id; equal documents give equal bytes.

    The rows of one shard are in memory: choose N so that a shard stays below a gigabyte of text.
    """
    table = pa.Table.from_batches([_read_batch(path, i) for path, i in work.parts], SKETCHED)
    table = table.combine_chunks()  # `take` of nested columns in many chunks costs twice as much
    ids = table.column("id").to_pylist()
    order = sorted(range(len(ids)), key=lambda i: (h(ids[i]), ids[i]))
    table = _add_sizes(table, ids, work.sizes)
    sketches = table.column(SKETCH).combine_chunks().take(pa.array(order, pa.int64())).to_pylist()
    data = work.partition.path()
    paths = (data, morpheme_path(data))
    for path in paths:
        (work.folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (
        open_writer(work.folder / paths[0]) as texts,
        open_writer(work.folder / paths[1], MORPHEME_DATA) as layers,
    ):
        for rows in _groups(order, np.asarray(table.column("n_bytes"))):
            group = table.take(pa.array(rows, pa.int64())).combine_chunks()
            for writer in (texts, layers):
                writer.write_table(group.select(writer.schema.names), row_group_size=len(rows))
    files = ((path, shard.file_of(work.folder / path, len(ids))) for path in paths)
    described = tuple(ReleaseFile(path, file.sha256, file.bytes, file.rows) for path, file in files)
    return Assembled(described, b"".join(sketches))


def open_writer(target: Path, schema: pa.Schema = DATA) -> pq.ParquetWriter:
    """Open a shard, or a file of morphemes, for writing: equal row groups give equal bytes."""
    beside = "morphemes" in schema.names
    return pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=MORPHEME_DICTIONARY if beside else DICTIONARY,
        column_encoding=ENCODING if beside else None,
        write_statistics=False if beside else STATISTICS,
        write_page_index=True,
        use_content_defined_chunking=True,
    )


def _read_batch(path: Path, number: int) -> pa.RecordBatch:
    # For a batch of few rows, threads of Arrow take three times the CPU.
    options = pa.ipc.IpcReadOptions(use_threads=False)
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source, options=options) as file:
        return file.get_batch(number)


def _add_sizes(table: pa.Table, ids: list[str], sizes: Iterable[Path]) -> pa.Table:
    known: dict[str, int] = {}
    for path in sizes:
        known.update(zip(*(c.to_pylist() for c in shard.read_parquet(path, ["id", "n"]).columns), strict=True))
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
