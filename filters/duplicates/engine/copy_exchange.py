"""The exchange of copies: documents that are alike meet, and each copy learns which one stands for it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from filters.duplicates.duplicate_schema import TABLE
from filters.duplicates.engine.document_numbers import lay_out, rows_file
from filters.duplicates.engine.task_order import Size, run_through_files
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
    """Write `folder/table.parquet` of schema TABLE, sorted by id, and the rows about each shard; those files, in order.

    `threshold` is the Jaccard similarity of the shingles from which two documents are copies. `earlier` says
    with which releases documents are compared: those of the same name, all, or none; who calls chose
    `segments` by it. The result depends neither on the order nor on the cut of the shards.
    """
    return find(shards, segments, folder, run, threshold)


def find_exact(shards: Sequence[Surveyed], segments: Sequence[Segment], folder: Path, run: Run) -> list[Path]:
    """`exchange` for sketches without letters: exact copies among `shards`."""
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
    """`exchange`; `texts` says whether the shards have texts to compare where signatures leave a doubt."""
    layout = lay_out(shards)
    targets = [rows_file(folder, number) for number in range(len(layout.shards))]
    if not all(path.exists() for path in [folder / "table.parquet", *targets]):
        run_through_files(layout, segments, folder, run, threshold, texts, size or Size.from_count(layout.count))
        shutil.rmtree(folder / "work", ignore_errors=True)
    numbered = {shard: number for number, shard in enumerate(layout.shards)}
    return [targets[numbered[shard]] for shard in shards]


def compare_documents(sketches: pa.Table, texts: Mapping[str, str], *, threshold: float) -> pa.Table:
    """The rows of TABLE about documents that are compared with each other only, from their sketches and texts.

    They go through files in a temporary folder that only this user can read, and which is deleted in the end.
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
