"""Surveys of exact and near duplicates: one sketch a document; each copy gets its keeper (representative).

The keepers are found by the tasks of `survey_tasks` in order, with the union-find between them on one node.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from filters.duplicates import survey_tasks
from filters.duplicates.bands import banding
from filters.duplicates.duplicate_schema import SKETCH, TABLE, Pairs
from filters.duplicates.earlier_releases import Layout, lay_out, open_segments, rows_file
from filters.duplicates.keepers import families, join, labels, new_parents, tally
from filters.duplicates.sketch import PERMUTATIONS, exact_digest, letters_of, signature_of
from filters.duplicates.survey_tasks import Job, Shape, family_partition
from malmoi.document import Document
from malmoi.storage import shuffle as files
from malmoi.storage.shuffle import Run, name_task
from malmoi.survey import Segment, Survey, Surveyed

Threshold = Annotated[float, Field(ge=0.5, le=1, strict=True)]
_MEMBERS = pa.schema([("place", pa.int64()), ("family", pa.int64()), ("needs", pa.uint8())])
ENDED = 0.5  # share of the text in lines that end like a sentence; prose has more, lists and boilerplate less
_RIGHTS = {"redistribute": 0, "train-only": 1}
_UNSIGNED = bytes(4 * PERMUTATIONS)
_ENDS = tuple(".!?…。\u2019\u201d\"'」』)]")


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return one row of SKETCH; `letters` counts letters and digits, `rights` and `surface` are 0 for the best."""
    letters = letters_of(doc.text)
    return {**sketch_exact(doc), "letters": len(letters), "signature": signature_of(letters).astype("<u4").tobytes()}


def sketch_exact(doc: Document) -> Mapping[str, Any]:
    """Return a row of SKETCH without letters and signature, which matches rows with the same digest only."""
    return {
        "id": doc.id,
        "h": int.from_bytes(hashlib.sha256(doc.id.encode("utf-8", "surrogatepass")).digest()[:8], "big"),
        "digest": bytes.fromhex(exact_digest(doc.text)),
        "letters": 0,
        "rights": _RIGHTS.get(doc.label("use"), 9),
        "surface": count_faults(doc),
        "date": doc.date,
        "signature": _UNSIGNED,
    }


def count_faults(doc: Document) -> int:
    """Count surface faults, 0 to 3: a lost character (U+FFFD), lines cut in mid-sentence, no title.

    They are counted, not weighted, so that two good copies of one text do not differ by noise.

    >>> from malmoi.document import Provenance
    >>> count_faults(Document("a/1", "첫 줄이다.\\n둘째 줄이다.", Provenance("a", "", "", "", ""), title="글"))
    0
    """
    lines = [line.rstrip() for line in doc.text.splitlines()]
    ended = sum(len(line) for line in lines if line.endswith(_ENDS)) / max(1, sum(map(len, lines)))
    return int("\ufffd" in doc.text) + int(ended < ENDED) + int(not doc.title)


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
    work, bands = folder / "work", banding(threshold)
    sources = layout.sources() if segments else frozenset()
    earlier = open_segments(segments, bands, layout.count, sources, work, run)
    cuts = layout.groups(size.group)
    parts = [layout.part(first, last) for first, last in cuts]
    starts = [int(layout.starts[first]) for first, _ in cuts] + [one.base for one in earlier]
    shape = Shape(
        work=work,
        threshold=threshold,
        banding=bands,
        starts=tuple(starts),
        groups=len(cuts),
        slices=1 << max(0, (layout.count - 1) // size.partition).bit_length(),
        together=max(1, size.partition // max(1, layout.count)),
        families=layout.count // size.members + 1,
        earlier=earlier,
        texts=texts,
    )

    def step(task: Callable[[Job], Path], name: str, groups: int, partitions: int = 0) -> list[Path]:
        shards = [
            Job(shape, name, n, parts[n] if n < shape.groups else None, cuts[n][0] if n < shape.groups else 0, folder)
            for n in range(groups)
        ]
        return list(run(task, [*shards, *(Job(shape, name, n) for n in range(partitions))]))

    step(survey_tasks.digests, "digests", shape.groups)
    copies = step(survey_tasks.copies, "copies", 0, shape.slices)
    step(survey_tasks.bands, "bands", shape.groups)
    step(survey_tasks.candidate_pairs, "candidates", 0, shape.candidate_tasks)
    step(survey_tasks.attach_signatures, "attached", shape.groups)
    compared = step(survey_tasks.compare_pairs, "compared", len(shape.starts))
    _join(shape, [*copies, *compared], layout.count + sum(one.count for one in shape.earlier))
    step(survey_tasks.members, "members", len(shape.starts))
    step(survey_tasks.judge_families, "judged", 0, shape.families)
    step(survey_tasks.rows, "rows", shape.groups)

    # All rows sorted by id, a range of ids at a time
    ids = [files.read_piece(path, 0).column(0) for path in shape.files("rows", shape.groups)]
    sample = pa.chunked_array(ids, pa.string()).combine_chunks().sort()
    every = max(1, 65_536 // survey_tasks.STRIDE)
    bounds = tuple(sample[every::every].to_pylist())
    rows = [rows_file(folder, n) for n in range(len(layout.shards))]
    jobs = [
        SortJob(tuple(rows[first:last]), bounds, path)
        for (first, last), path in zip(cuts, shape.files("sorted", shape.groups), strict=True)
    ]
    ordered = list(run(sort, jobs))
    ranges = (files.gather(ordered, number).sort_by("id") for number in range(len(bounds) + 1))
    survey_tasks.write_table(ranges, folder / "table.parquet")


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

    def members() -> Iterator[pa.RecordBatch]:
        for start, end in zip(shape.starts, [*shape.starts[1:], count], strict=True):
            place, needs = found.members(start, end)
            label = found.label[place].astype(np.int64)
            yield pa.record_batch([*map(pa.array, (place, label, needs.view(np.uint8)))], schema=_MEMBERS)

    files.write(members(), shape.work / "families.arrow")


def _pairs(edges: Sequence[Path]) -> Iterator[Pairs]:
    for path in edges:
        yield Pairs.from_arrow(files.read_pieces(path))


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


COLUMNS = ("id", "source", "text", "title", "date", "labels")
SURVEY = Survey(
    name="copies",
    version=3,
    schema=SKETCH,
    sketch=sketch,
    exchange=exchange,
    names_keepers=True,
    remembers=True,
    columns=COLUMNS,
    told=("keeper", "kind", "similarity"),  # `reason` changes with each release, for all copies of a keeper
)
EXACT = Survey(
    name="exact_copies",
    version=2,
    schema=SKETCH,
    sketch=sketch_exact,
    exchange=find_exact,
    names_keepers=True,
    stage="judged",
    columns=("id", "source", "url", "text", "title", "author", "date", "labels"),
    told=("keeper", "kind"),
)
