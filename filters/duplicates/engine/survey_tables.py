"""Write the results of deduplication atomically: the table, and the rows about each shard."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.minhash.duplicate_schema import I64, TABLE
from malmoi.storage.atomic_files import sync

STRIDE = 512  # every STRIDE-th id of a sorted shard is sampled, to cut all rows into even ranges
GROUP = 4096  # rows of a row group; pieces are written in multiples of it, so that the cut has no effect


def write(tables: Iterable[pa.Table], target: Path) -> None:
    """Write concatenated tables of schema TABLE; the bytes do not depend on how they are cut."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetWriter(part, TABLE, compression="zstd", compression_level=3) as writer:
            held = TABLE.empty_table()
            for table in tables:
                held = pa.concat_tables([held, table])
                whole = held.num_rows // GROUP * GROUP
                if whole:
                    writer.write_table(held.slice(0, whole).combine_chunks(), row_group_size=GROUP)
                    held = held.slice(whole).combine_chunks()
            writer.write_table(held.combine_chunks(), row_group_size=GROUP)
        sync(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync(target.parent)


def cut(rows: pa.Table, place: I64, starts: I64) -> list[pa.Table]:
    """Split rows by shard: `place` is the place of the document of each row; shard i starts at `starts[i]`."""
    shard = np.searchsorted(starts, place, "right") - 1
    order = np.argsort(shard, kind="stable")
    moved = rows.take(pa.array(order))
    ends = np.searchsorted(shard[order], np.arange(len(starts)), "right")
    return [moved.slice(at, end - at) for at, end in zip([0, *ends[:-1]], ends, strict=True)]
