"""Write the rows of an index segment for a new release.

They are shuffled through files, partitioned by H(id): each task holds a few row groups, each partition a bounded
number of rows, whatever the number of documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.releases.exposed_pages import is_digest_id
from malmoi.releases.index.segments import FACTS, ROWS, Facts, schema_of
from malmoi.releases.partitioning import h
from malmoi.storage.shuffle import Run, name_task, read_piece, write_partitions
from malmoi.survey import Survey

AT_ONCE = 65_536  # rows of a partition, and of a task: about 40 MB of sketches with a signature
GROUP = 16_384  # rows of one row group: 9 MB, so that reading few rows stays cheap
PLAIN = ("id", "source", "release", "version")


@dataclass(frozen=True, slots=True)
class Cut:
    """A task: some row groups of a Parquet file, and the output file, partitioned by H(id)."""

    path: Path
    groups: tuple[int, ...]
    columns: tuple[str, ...]
    parts: int
    target: Path


@name_task("partition files for the index")
def partition_file(work: Cut) -> Path:
    """Write the rows of a Cut, one record batch for each partition; return the file."""
    with pq.ParquetFile(work.path) as file:
        table = file.read_row_groups(list(work.groups), columns=list(work.columns)).select(work.columns)
    write_partitions(table, _partitions_of(table.column("id").to_pylist(), work.parts), work.parts, work.target)
    return work.target


def _partitions_of(ids: Sequence[str], parts: int) -> npt.NDArray[np.int64]:
    """Return the partition of each id: ranges of H of equal width, so that partitions are in the order of H."""
    high = np.array([h(id) >> 32 for id in ids], dtype=np.uint64)
    return ((high * np.uint64(parts)) >> np.uint64(32)).astype(np.int64)


def write(
    folder: Path,
    survey: Survey,
    facts: Facts,
    *,
    sketches: Sequence[Path],
    data: Sequence[Path],
    earlier: Sequence[Path],
    work: Path,
    run: Run = map,
) -> None:
    """Write the segment of a release to `folder`: its documents, except those that earlier segments have unchanged.

    `sketches` are the survey's files, `data` the shards of the release, `earlier` the folders of the segments
    of the same name, oldest first: the newest row of an id counts. A document whose sketch differs from that
    row in any column is written again. StageError if a published document has no sketch.
    """
    own, schema = survey.schema, schema_of(survey)
    parts = _count_partitions([*sketches, *(one / ROWS for one in earlier)])
    public = pa.schema([("id", pa.string()), ("source", pa.string())])
    taken = _partition_files(sketches, own, parts, work / "sketches", run)
    published = _partition_files(data, public, parts, work / "published", run)
    held = [_partition_files([one / ROWS], own, parts, work / f"held-{i:04d}", run) for i, one in enumerate(earlier)]

    def select_new(part: int) -> pa.Table:
        table = _select_published(_rows(taken, part, own), _rows(published, part, public), facts)
        same = np.zeros(table.num_rows, dtype=bool)
        for files in held:
            _overrule(same, table, _rows(files, part, own))
        return table.filter(pa.array(~same)).select(schema.names).cast(schema)

    _write(folder, facts, schema, map(_sort_by_hash, map(select_new, range(parts))))


def _count_partitions(files: Iterable[Path]) -> int:
    return 1 + sum(_count_rows(path) for path in files) // AT_ONCE


def _count_rows(path: Path) -> int:
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def _partition_files(files: Sequence[Path], schema: pa.Schema, parts: int, work: Path, run: Run) -> list[Path]:
    cuts = [
        Cut(path, groups, tuple(schema.names), parts, work / f"{i:06d}-{groups[0]:06d}.arrow")
        for i, path in enumerate(files)
        for groups in _groups(path)
    ]
    return list(run(partition_file, cuts))


def _groups(path: Path) -> Iterator[tuple[int, ...]]:
    """Yield runs of row groups of a file with at most AT_ONCE rows."""
    held: list[int] = []
    rows = 0
    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    for number, size in enumerate(sizes):
        if held and rows + size > AT_ONCE:
            yield tuple(held)
            held, rows = [], 0
        held.append(number)
        rows += size
    if held:
        yield tuple(held)


def _rows(files: Sequence[Path], part: int, schema: pa.Schema) -> pa.Table:
    tables = [pa.Table.from_batches([read_piece(path, part)]).cast(schema) for path in files]
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _select_published(sketches: pa.Table, published: pa.Table, facts: Facts) -> pa.Table:
    """Return the sketches of the published documents, each with its source and the release.

    A document that is published under a digest of its id is omitted: its sketch has the original id.
    """
    plain = [not is_digest_id(id) for id in published.column("id").to_pylist()]
    published = published.filter(pa.array(plain, pa.bool_()))
    missing = pc.is_null(pc.index_in(published.column("id"), sketches.column("id").unique()))
    if pc.any(missing).as_py():
        lost = published.column("id").filter(missing)
        raise StageError(
            f"release {facts.release} {facts.version}: {len(lost)} published documents have no sketch in the survey of "
            f"{facts.survey}, first {lost[0]}; no segment was written. Delete surveys/ except index/ and run again."
        )
    at = pc.index_in(sketches.column("id"), published.column("id"))
    known, at = sketches.filter(pc.is_valid(at)), at.drop_null()
    values = {
        "source": published.column("source").take(at),
        "release": pa.array([facts.release] * known.num_rows, pa.string()),
        "version": pa.array([facts.version] * known.num_rows, pa.string()),
    }
    for name, value in values.items():
        if name not in known.schema.names:
            known = known.append_column(name, value)
    return known


def _overrule(same: npt.NDArray[np.bool_], table: pa.Table, older: pa.Table) -> None:
    """Set `same` for each row whose id is in `older`: whether the two rows are equal. In place."""
    at = pc.index_in(table.column("id"), older.column("id"))
    known = np.asarray(pc.is_valid(at))
    if not known.any():
        return
    left, right = table.filter(pa.array(known)).select(older.schema.names), older.take(at.drop_null())
    same[known] = np.all([_equal(left.column(n), right.column(n)) for n in older.schema.names], axis=0)


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    equal = pc.fill_null(pc.equal(left, right), False)
    return np.asarray(pc.or_(equal, pc.and_(pc.is_null(left), pc.is_null(right))))


def _sort_by_hash(table: pa.Table) -> pa.Table:
    ids = table.column("id").to_pylist()
    order = sorted({id: row for row, id in reversed(list(enumerate(ids)))}.values(), key=lambda i: (h(ids[i]), ids[i]))
    return table.take(pa.array(order, pa.int64()))


def _write(folder: Path, facts: Facts, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write the rows in row groups of GROUP, whatever the size of the tables; then the facts, with the row count."""
    rows, waiting = 0, schema.empty_table()
    with pq.ParquetWriter(
        folder / ROWS,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[n for n in PLAIN if n != "id"],
        write_statistics=list(PLAIN),
    ) as writer:
        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            rows += table.num_rows
            whole = waiting.num_rows // GROUP * GROUP
            if whole:
                writer.write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=GROUP)
            waiting = waiting.slice(whole).combine_chunks()
        writer.write_table(waiting, row_group_size=GROUP)
    (folder / FACTS).write_text(replace(facts, documents=rows).to_json(), encoding="utf-8")
