"""What the survey of copies leaves: the table, and the rows about each shard, written whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.minhash.duplicate_schema import I64, TABLE
from malmoi.storage.atomic_files import sync

STRIDE = 512  # of the sorted rows about a shard each so many'th id is noted, to cut all rows into even ranges
GROUP = 4096  # rows of a row group; a table comes in pieces that are a multiple of it, so that pieces leave no trace


def write(tables: Iterable[pa.Table], target: Path) -> None:
    """Write tables of schema TABLE behind each other; however they are cut, the bytes are the same."""
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
    """The rows about each shard: `place` is that of the document of each row, shard i has those from `starts[i]` on."""
    shard = np.searchsorted(starts, place, "right") - 1
    order = np.argsort(shard, kind="stable")
    moved = rows.take(pa.array(order))
    ends = np.searchsorted(shard[order], np.arange(len(starts)), "right")
    return [moved.slice(at, end - at) for at, end in zip([0, *ends[:-1]], ends, strict=True)]
