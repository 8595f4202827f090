"""Find ids that several rows of the files of a stage or a release have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from malmoi.errors import DataError
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import SMALL, find_repeated

MOST = 1_000_000  # ids that are returned


def find_repeated_ids(paths: Sequence[Path], *, tmp: Path) -> list[str]:
    """Return the ids that occur more than once in all files together, sorted; the first MOST of them.

    They are counted in Arrow if the files are small, else by DuckDB, which spills to `tmp`. StageError if a file was
    changed or cannot be read.
    """
    if sum(path.stat().st_size for path in paths) > SMALL:
        try:
            return find_repeated("id", paths, tmp=tmp, limit=MOST)
        except DataError:
            for path in paths:
                shard.read(path, ["id"])  # names the damaged file, and what to do
            raise
    ids = [shard.read(path, ["id"])["id"].cast(pa.string()) for path in paths]
    counts = pa.table({"id": pa.chunked_array([part for one in ids for part in one.chunks], pa.string())})
    counts = counts.group_by("id").aggregate([([], "count_all")])
    return sorted(counts.filter(pc.greater(counts["count_all"], 1))["id"].to_pylist())[:MOST]
