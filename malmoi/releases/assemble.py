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
from malmoi.storage.shuffle import name_task

KEYS = ("id", "n_bytes", SKETCH)
_PLACES = {name: place for place, name in enumerate(SKETCHED.names)}
GROUP_BYTES = 16 * 1024 * 1024  # of text in one row group (UTF-8): its morphemes take 300 MB while it is written


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


@name_task("assemble release shards")
def assemble(work: Assembly) -> Assembled:
    """Write one shard and the file of its morphemes, sorted by H(id), then id; equal documents give equal bytes.

    Memory holds the ids and sketches of all rows, and one row group of one file, so it does not grow with the shard.
    """
    keys = pa.Table.from_batches([_read_batch(path, i, KEYS) for path, i in work.parts]).combine_chunks()
    ids = keys.column("id").to_pylist()
    order = sorted(range(len(ids)), key=lambda i: (h(ids[i]), ids[i]))
    groups = list(_groups(order, np.asarray(keys.column("n_bytes"))))
    sketches = keys.column(SKETCH).take(pa.array(order, pa.int64())).to_pylist()
    data = work.partition.path()
    described = []
    for path, schema in ((data, DATA), (morpheme_path(data), MORPHEME_DATA)):
        target = work.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_writer(target, schema) as writer:
            for rows in groups:
                group = _read_rows(work.parts, rows, schema)
                if schema is DATA:
                    group = _add_sizes(group, work.sizes)
                writer.write_table(group, row_group_size=len(rows))
                del group  # before the next one is read
        file = shard.file_of(target, len(ids))
        described.append(ReleaseFile(path, file.sha256, file.bytes, file.rows))
    return Assembled(tuple(described), b"".join(sketches))


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


def _read_batch(path: Path, number: int, names: Sequence[str]) -> pa.RecordBatch:
    """Read some columns of a batch, in this order; the others are not decompressed."""
    # For a batch of few rows, threads of Arrow take three times the CPU.
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=[_PLACES[name] for name in names])
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source, options=options) as file:
        return file.get_batch(number).select(names)


def _read_rows(parts: Sequence[tuple[Path, int]], rows: Sequence[int], schema: pa.Schema) -> pa.Table:
    """Read some rows of the parts, in this order; a row is named by its position in all parts, one after the other."""
    wanted = np.sort(rows)
    pieces, first = [], 0
    for path, number in parts:
        batch = _read_batch(path, number, schema.names)
        here = wanted[slice(*np.searchsorted(wanted, (first, first + batch.num_rows)))] - first
        first += batch.num_rows
        # A slice would keep the whole batch in memory.
        pieces.append(batch if len(here) == batch.num_rows else batch.take(pa.array(here)))
    # `take` of nested columns in many chunks costs twice as much.
    table = pa.Table.from_batches(pieces, schema).combine_chunks()
    pieces.clear()
    return table.take(pa.array(np.searchsorted(wanted, rows))).combine_chunks()


def _add_sizes(table: pa.Table, sizes: Iterable[Path]) -> pa.Table:
    """Set the sizes of clusters; a document that no table names has no copies."""
    known: dict[str, int] = {}
    for path in sizes:
        known.update(zip(*(c.to_pylist() for c in shard.read_parquet(path, ["id", "n"]).columns), strict=True))
    at = table.schema.get_field_index("cluster_size")
    ids = table.column("id").to_pylist()
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
