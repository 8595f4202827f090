"""The exchange of copies: documents that are alike meet, and each copy learns which one stands for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from filters.duplicates.clusters.components import families, join, labels, new_parents, tally
from filters.duplicates.clusters.keepers import MEMBER, Members, name_keepers
from filters.duplicates.duplicate_schema import I64, TABLE, Flags, Pairs, digests_in, numbers, signatures_in
from filters.duplicates.earlier_releases import Earlier, open_segments
from filters.duplicates.engine import survey_tables
from filters.duplicates.engine.document_numbers import Layout, lay_out, members_of, members_of_segment, rows_file
from filters.duplicates.engine.in_memory import Held, hold, meet
from filters.duplicates.engine.task_order import Size, run_through_files
from filters.duplicates.engine.task_values import release_memory
from filters.duplicates.engine.thread_map import Each, finish, pool
from filters.duplicates.minhash.bands import Canon, banding
from filters.duplicates.minhash.shingles import Shingles, batch_of, empty_shingles, gather_shingles, read_texts
from filters.duplicates.minhash.sketch import U32
from malmoi.storage import shuffle as files
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


def find(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    threshold: float,
    texts: bool = True,
    size: Size | None = None,
    threads: int | None = None,
) -> list[Path]:
    """`exchange`; `texts` says whether the shards have texts to compare where signatures leave a doubt.

    What is done in memory is done by so many `threads`, or by as many as threads.py allows.
    """
    layout = lay_out(shards)
    targets = [rows_file(folder, number) for number in range(len(layout.shards))]
    if not all(path.exists() for path in [folder / "table.parquet", *targets]):
        if size is None:
            size = Size.from_count(layout.count)
        if layout.count <= size.memory:
            with pool(threads) as each:
                rows, place = run_in_memory(layout, segments, folder / "work", run, threshold, texts, each)
                cut = [[table] for table in survey_tables.cut(rows, place, layout.starts[:-1])]
                finish(each(survey_tables.write, [*cut, [rows]], [*targets, folder / "table.parquet"]))
        else:
            run_through_files(layout, segments, folder, run, threshold, texts, size)
        shutil.rmtree(folder / "work", ignore_errors=True)
    numbered = {shard: number for number, shard in enumerate(layout.shards)}
    return [targets[numbered[shard]] for shard in shards]


def run_in_memory(
    layout: Layout, segments: Sequence[Segment], work: Path, run: Run, threshold: float, texts: bool, each: Each
) -> tuple[pa.Table, I64]:
    """The rows of TABLE and the place of the document of each; `texts`: whether the shards have them to compare."""
    held = hold(layout, each)
    release_memory()  # what readers of shards kept
    bands = banding(threshold)
    sources = layout.sources() if segments else frozenset()
    earlier = open_segments(segments, bands, layout.count, sources, work, run)
    pairs = meet(held, earlier, bands, threshold, each)
    place, needs = _families(pairs, layout.count + sum(one.count for one in earlier))
    wanted = place[needs & (place < layout.count)]
    shingles = empty_shingles(len(place))
    if texts and wanted.size:
        shingles = gather_shingles(_run_shingle_jobs(layout, wanted, work, run), place, work)
    signed = _gather_signatures(held.signatures, place, layout.count, earlier)
    del held, needs, wanted
    known = _read_members(layout, earlier, place, each)
    return name_keepers(Members(known, *signed, shingles), pairs.pieces(), threshold, each)


def _families(pairs: Pairs, count: int) -> tuple[I64, Flags]:
    """Which of `count` places have pairs, and which need their shingles."""
    parent = new_parents(count)
    join(parent, pairs.left, pairs.right)
    found = families(labels(parent))
    tally(found.label, found.distinct, found.flags, pairs.left, pairs.right, pairs.kind)
    return found.members(0, count)


def _read_members(layout: Layout, earlier: Sequence[Earlier], place: I64, each: Each) -> pa.Table:
    """The members at `place` (sorted) as a table of schema MEMBER."""

    def read(number: int, rows: I64) -> pa.Table:
        return members_of(layout.shards[number].sketch, rows, int(layout.starts[number]), earlier)

    here = layout.split(place[: np.searchsorted(place, layout.count)])
    some = [number for number, rows in enumerate(here) if rows.size]
    found = [MEMBER.empty_table(), *each(read, some, [here[number] for number in some])]
    for one, rows in _rows_by_segment(earlier, place):
        found.append(members_of_segment(one, rows))
    return pa.concat_tables(found)


def _gather_signatures(signatures: U32, place: I64, count: int, earlier: Sequence[Earlier]) -> tuple[U32, I64]:
    """Signatures, and which of them the member at each place has; the first `count` places come in."""
    if not len(place) or place[-1] < count:
        return signatures, place
    signed = [signatures[place[: np.searchsorted(place, count)]]]
    signed += [one.signatures[rows] for one, rows in _rows_by_segment(earlier, place)]
    signatures = np.concatenate(signed)
    signatures.flags.writeable = False
    return signatures, np.arange(len(place))


def _rows_by_segment(earlier: Sequence[Earlier], place: I64) -> Iterator[tuple[Earlier, I64]]:
    """Earlier releases in the order of their places, each with its rows among `place`."""
    for one in sorted(earlier, key=lambda e: e.base):
        low, high = np.searchsorted(place, [one.base, one.base + one.count])
        yield one, place[low:high] - one.base


@dataclass(frozen=True, slots=True)
class ShingleJob:
    """Texts of a shard at the places that `needed` names in its batch `number` → their shingles."""

    documents: Path
    needed: Path
    number: int
    start: int
    target: Path


def shingle(job: ShingleJob) -> Path:
    """Run a ShingleJob and return its file, one batch a row group."""
    if not job.target.exists():
        rows = np.asarray(files.read_piece(job.needed, job.number).column(0)) - job.start
        batches = [batch_of(job.start + rows[at], texts) for at, texts in read_texts(job.documents, rows)]
        files.write(batches, job.target)
    return job.target


def _run_shingle_jobs(layout: Layout, wanted: I64, work: Path, run: Run) -> list[pa.RecordBatch]:
    needed = work / "needed.arrow"
    parts = np.searchsorted(layout.starts, wanted, "right") - 1
    if not needed.exists():
        files.write_partitions(pa.table({"place": wanted}), parts, len(layout.shards), needed)
    jobs = [
        ShingleJob(layout.shards[n].documents, needed, n, int(layout.starts[n]), work / f"shingles-{n:05d}.arrow")
        for n in np.unique(parts).tolist()
    ]
    return [batch for path in run(shingle, jobs) for batch in files.read_pieces(path)]


def among(sketches: pa.Table, texts: Mapping[str, str], *, threshold: float) -> pa.Table:
    """The rows of TABLE about documents that are compared with each other only, from their sketches and texts."""
    if not sketches.num_rows:
        return TABLE.empty_table()
    place = np.arange(sketches.num_rows)
    signatures = signatures_in(sketches["signature"]).copy()
    signatures.flags.writeable = False
    digest, letters = digests_in(sketches["digest"])[:, 0].copy(), numbers(sketches["letters"]).astype(np.int32)
    held = Held(Canon.from_hashes(np.asarray(sketches["h"])), digest, letters, signatures)
    pairs = meet(held, (), banding(threshold), threshold)
    extra = {
        "place": pa.array(place),
        "published": pa.array(np.zeros(len(place), np.bool_)),
        "release": pa.array([""] * len(place)),
    }
    known = pa.table({n: extra[n] if n in extra else sketches[n] for n in MEMBER.names}, schema=MEMBER)
    having, needs = _families(pairs, len(place))
    wanted = having[needs]
    ids = sketches["id"].take(pa.array(wanted)).to_pylist()
    shingles: Shingles = gather_shingles([batch_of(wanted, [texts[i] for i in ids])], place)
    return name_keepers(Members(known, signatures, place, shingles), [pairs], threshold)[0]


def promote(sketches: pa.Table, texts: Mapping[str, str], fallen: Mapping[str, str], *, threshold: float) -> pa.Table:
    """Who stands for whom now among copies whose keeper fell: rows of TABLE; an id without a row is promoted.

    `sketches` are the rows of the near copies of keepers that a later filter dropped, `fallen` names for
    each the keeper it had. Exact copies of a fallen keeper fall with it: they are not given here and keep
    their rows. The reason of each row says after whom: `fallen:<id>`, a blank, the criterion.
    """
    table = among(sketches, texts, threshold=threshold)
    said = [f"fallen:{fallen[row['id']]} {row['reason']}" for row in table.select(["id", "reason"]).to_pylist()]
    return table.set_column(TABLE.get_field_index("reason"), "reason", pa.array(said, pa.string()))
