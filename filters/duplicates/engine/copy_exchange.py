"""Run deduplication over shards: find copies and write the keeper of each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from filters.duplicates.engine.document_numbers import lay_out, rows_file
from filters.duplicates.engine.task_order import Size, run_through_files
from filters.duplicates.minhash.duplicate_schema import TABLE
from malmoi.storage.shuffle import Run
from malmoi.survey import Segment, Surveyed

Threshold = Annotated[float, Field(ge=0.5, le=1, strict=True)]


def exchange(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    *,
    threshold: Threshold = 0.8,
    earlier: Literal["same", "all", "none"] = "same",
) -> list[Path]:
    """Write `folder/table.parquet` of schema TABLE, sorted by id, and the rows about each shard; return those files.

    `threshold` is the minimum Jaccard similarity of the shingles of two copies. `earlier` names the releases to
    compare with: those of the same name, all, or none; the caller chooses `segments` by it. The result depends
    neither on the order of the shards nor on how documents are cut into them.
    """
    return find(shards, segments, folder, run, threshold)


def find_exact(shards: Sequence[Surveyed], segments: Sequence[Segment], folder: Path, run: Run) -> list[Path]:
    """Like `exchange`, for sketches without letters: find exact copies among `shards`."""
    return find(shards, segments, folder, run, threshold=1.0, texts=False)


def find(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    threshold: float,
    texts: bool = True,
    size: Size | None = None,
) -> list[Path]:
    """Like `exchange`; `texts`: whether the shards have texts to compare for pairs in doubt."""
    layout = lay_out(shards)
    targets = [rows_file(folder, number) for number in range(len(layout.shards))]
    if not all(path.exists() for path in [folder / "table.parquet", *targets]):
        run_through_files(layout, segments, folder, run, threshold, texts, size or Size.from_count(layout.count))
    if (folder / "work").exists():  # also after a kill during its deletion
        shutil.rmtree(folder / "work")  # an error is raised: what stayed would count as a part of the survey
    numbered = {shard: number for number, shard in enumerate(layout.shards)}
    return [targets[numbered[shard]] for shard in shards]


def compare_documents(sketches: pa.Table, texts: Mapping[str, str], *, threshold: float) -> pa.Table:
    """Compare documents with each other only, by their sketches and texts; return the rows of TABLE.

    They are written to a temporary folder that only this user can read; it is deleted at the end.
    """
    if not sketches.num_rows:
        return TABLE.empty_table()
    with tempfile.TemporaryDirectory(prefix="malmoi-") as name:
        folder = Path(name)
        here = Surveyed(folder / "documents.parquet", folder / "sketch.parquet")
        pq.write_table(sketches, here.sketch)
        written = pa.array([texts[id_] for id_ in sketches["id"].to_pylist()], pa.string())
        pq.write_table(pa.table({"text": written}), here.documents)
        find([here], (), folder, map, threshold)
        return pq.read_table(folder / "table.parquet")
