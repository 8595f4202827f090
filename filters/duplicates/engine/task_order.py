"""Order of the tasks of deduplication over files, and the union-find between them, which runs on one node."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.clusters.components import Families, families, join, labels, new_parents, tally
from filters.duplicates.earlier_releases import open_segments
from filters.duplicates.engine import file_tasks, survey_tables
from filters.duplicates.engine.document_numbers import Layout, rows_file
from filters.duplicates.engine.task_values import Job, Shape, family_partition
from filters.duplicates.minhash.bands import banding
from filters.duplicates.minhash.duplicate_schema import TABLE, Pairs
from malmoi.storage import shuffle as files
from malmoi.storage.shuffle import Run, name_task
from malmoi.survey import Segment

_MEMBERS = pa.schema([("place", pa.int64()), ("family", pa.int64()), ("needs", pa.uint8())])


@dataclass(frozen=True, slots=True)
class Size:
    """Memory limits of tasks, in documents."""

    group: int = 131_072  # by a task over shards: 64 MB of signatures
    partition: int = 262_144  # by a task over band keys, at 24 bytes each
    members: int = 131_072  # by a task over families, if every document has copies

    @staticmethod
    def from_count(documents: int) -> Size:
        """Return the sizes for a corpus: a billion documents give a thousand groups, not eight thousand."""
        most = documents // 1024
        return Size(group=max(Size().group, most), partition=max(Size().partition, most))


def run_through_files(
    layout: Layout,
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    threshold: float,
    texts: bool,
    size: Size,
) -> None:
    """Write the table and the rows about each shard to `folder`, by tasks over files in `folder/work`."""
    shape, cuts = _shape(layout, segments, folder / "work", run, threshold, texts, size)
    parts = [layout.part(first, last) for first, last in cuts]

    def step(task: Callable[[Job], Path], name: str, groups: int, partitions: int = 0) -> list[Path]:
        shards = [
            Job(shape, name, n, parts[n] if n < shape.groups else None, cuts[n][0] if n < shape.groups else 0, folder)
            for n in range(groups)
        ]
        return list(run(task, [*shards, *(Job(shape, name, n) for n in range(partitions))]))

    step(file_tasks.digests, "digests", shape.groups)
    copies = step(file_tasks.copies, "copies", 0, shape.slices)
    step(file_tasks.bands, "bands", shape.groups)
    step(file_tasks.candidate_pairs, "candidates", 0, shape.candidate_tasks)
    step(file_tasks.attach_signatures, "attached", shape.groups)
    compared = step(file_tasks.compare_pairs, "compared", len(shape.starts))
    _join(shape, [*copies, *compared], layout.count + sum(one.count for one in shape.earlier))
    step(file_tasks.members, "members", len(shape.starts))
    step(file_tasks.judge_families, "judged", 0, shape.families)
    step(file_tasks.rows, "rows", shape.groups)
    _table(shape, [rows_file(folder, n) for n in range(len(layout.shards))], folder / "table.parquet", cuts, run)


def _shape(
    layout: Layout, segments: Sequence[Segment], work: Path, run: Run, threshold: float, texts: bool, size: Size
) -> tuple[Shape, list[tuple[int, int]]]:
    bands = banding(threshold)
    sources = layout.sources() if segments else frozenset()
    earlier = open_segments(segments, bands, layout.count, sources, work, run)
    cuts = layout.groups(size.group)
    starts = [int(layout.starts[first]) for first, _ in cuts] + [one.base for one in earlier]
    slices = 1 << max(0, (layout.count - 1) // size.partition).bit_length()
    together = max(1, size.partition // max(1, layout.count))
    many = layout.count // size.members + 1
    return Shape(work, threshold, bands, tuple(starts), len(cuts), slices, together, many, earlier, texts), cuts


def _join(shape: Shape, edges: Sequence[Path], count: int) -> None:
    """Compute the families of all pairs on one node: nine bytes a document in a mapped file; pairs stay in files.

    `families.arrow` has the members of families, by group; pairs go to the partition of their family.
    """
    targets = shape.files("pairs", len(edges))
    if (shape.work / "families.arrow").exists() and all(path.exists() for path in targets):
        return
    parent = new_parents(count, shape.work)
    for pairs in _pairs(edges):
        join(parent, pairs.left, pairs.right)
    found = families(labels(parent), shape.work)
    for pairs in _pairs(edges):
        tally(found.label, found.distinct, found.flags, pairs.left, pairs.right, pairs.kind)
    for path, target in zip(edges, targets, strict=True):
        pairs = Pairs.from_arrow(files.read_pieces(path))
        part = family_partition(found.label[pairs.left].astype(np.int64), shape.families)
        files.write_partitions(pairs.table(), part, shape.families, target)
    files.write(_members(shape, found, count), shape.work / "families.arrow")


def _pairs(edges: Sequence[Path]) -> Iterator[Pairs]:
    for path in edges:
        yield Pairs.from_arrow(files.read_pieces(path))


def _members(shape: Shape, found: Families, count: int) -> Iterator[pa.RecordBatch]:
    for start, end in zip(shape.starts, [*shape.starts[1:], count], strict=True):
        place, needs = found.members(start, end)
        label = found.label[place].astype(np.int64)
        yield pa.record_batch([*map(pa.array, (place, label, needs.view(np.uint8)))], schema=_MEMBERS)


@dataclass(frozen=True, slots=True)
class SortJob:
    """A task: sort the rows about some shards and cut them into the ranges of ids between `bounds`."""

    rows: tuple[Path, ...]
    bounds: tuple[str, ...]
    target: Path


@name_task("sort copies of document groups")
def sort(job: SortJob) -> Path:
    """Run a SortJob and return its file, one batch a range."""
    if not job.target.exists():
        read = [pq.ParquetFile(path).read() for path in job.rows]
        table = pa.concat_tables([TABLE.empty_table(), *read]).sort_by("id")
        ids = table["id"].to_pylist()
        ends = [bisect_left(ids, bound) for bound in job.bounds]
        part = np.repeat(np.arange(len(ends) + 1), np.diff([0, *ends, len(ids)]))
        files.write_partitions(table, part, len(job.bounds) + 1, job.target)
    return job.target


def _table(shape: Shape, rows: Sequence[Path], target: Path, cuts: Sequence[tuple[int, int]], run: Run) -> None:
    """Write all rows sorted by id, a range of ids at a time."""
    noted = [files.read_piece(path, 0).column(0) for path in shape.files("rows", shape.groups)]
    sample = pa.chunked_array(noted, pa.string()).combine_chunks().sort()
    step = max(1, 65_536 // survey_tables.STRIDE)
    bounds = tuple(sample[step::step].to_pylist())
    jobs = [
        SortJob(tuple(rows[first:last]), bounds, path)
        for (first, last), path in zip(cuts, shape.files("sorted", shape.groups), strict=True)
    ]
    parts = list(run(sort, jobs))
    ranges = (files.gather(parts, number).sort_by("id") for number in range(len(bounds) + 1))
    survey_tables.write(ranges, target)
