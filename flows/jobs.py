"""The jobs: each takes paths, works on one shard, and leaves a finished folder behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from crawlers.extract import Extraction, extractor
from flows import pool
from malmoi import recipe as recipes
from malmoi import shard
from malmoi.capture import IndexRow
from malmoi.corridor import Dropped, Kept, Outcome, walk
from malmoi.document import Document
from malmoi.errors import StageError
from malmoi.ledger import Failure, Ledger
from malmoi.recipe import Step
from malmoi.survey import Rows
from malmoi.workers import Broken, Done
from malmoi.workspace import Stage, Workspace

MAX_FAILED = 0.2  # share of a shard; above it the fault is ours or the machine's, and the shard is not written
MIN_FAILED = 10  # documents; below this a share says nothing


@dataclass(frozen=True, slots=True)
class ExtractJob:
    """Captures of one shard → documents."""

    root: Path
    key: str
    source: str
    extraction: Extraction
    rows: tuple[IndexRow, ...]


@dataclass(frozen=True, slots=True)
class WalkJob:
    """Documents of one finished shard → the next stage, through the filters of `steps`."""

    root: Path
    stage: Stage
    key: str
    before: Path  # folder of the finished shard
    steps: tuple[Step, ...]
    slices: tuple[tuple[str, Path], ...] = ()  # survey → its rows about this shard


@dataclass(frozen=True, slots=True)
class SketchJob:
    """Documents of one finished shard → the rows of a survey."""

    root: Path
    key: str
    before: Path
    filter: str  # the filter whose SURVEY it is

    @property
    def target(self) -> Path:
        """The file with the rows."""
        return Workspace(self.root).survey(self.key) / "sketch.parquet"


def extract(job: ExtractJob) -> Ledger:
    """Run an ExtractJob and return the ledger of the finished shard."""
    workspace = Workspace(job.root)

    def fill(folder: Path) -> Ledger:
        outcomes: list[Outcome] = []
        failed: list[Failure] = []
        answers = pool.workers().map(extractor, job.extraction, job.rows)
        for row, answer in zip(job.rows, answers, strict=True):
            match answer:
                case Done(value):
                    outcomes += value
                case Broken(why):
                    failed.append(Failure(f"{job.source}/{row.url}", job.source, why))
        entered = Counter({job.source: len(outcomes) + len(failed)})
        return _written(folder, "2-documents", job.key, entered, outcomes, failed, Counter())

    return workspace.commit("2-documents", job.key, fill)


def walk_shard(job: WalkJob) -> Ledger:
    """Run a WalkJob and return the ledger of the finished shard."""
    workspace = Workspace(job.root)

    def fill(folder: Path) -> Ledger:
        table = shard.read(job.before / "documents.parquet")
        entered = Counter(table.column("source").to_pylist())
        ids = list(zip(table.column("id").to_pylist(), table.column("source").to_pylist(), strict=True))
        shared = (job.steps, {name: _rows(path) for name, path in job.slices})
        answers = pool.workers().map(walker, shared, shard.to_documents(table))
        outcomes: list[Outcome] = []
        failed: list[Failure] = []
        edits: Counter[tuple[str, str, str]] = Counter()
        for (doc_id, source), answer in zip(ids, answers, strict=True):
            match answer:
                case Done((outcome, before)):
                    outcomes.append(outcome)
                    edits.update(_edits(outcome.document, before))
                case Broken(why):
                    failed.append(Failure(doc_id, source, why))
        return _written(folder, job.stage, job.key, entered, outcomes, failed, edits)

    return workspace.commit(job.stage, job.key, fill)


def sketch_shard(job: SketchJob) -> Path:
    """Run a SketchJob and return the file with its rows."""
    workspace = Workspace(job.root)

    def write(folder: Path) -> None:
        table = shard.read(job.before / "documents.parquet")
        rows = []
        for answer in pool.workers().map(sketcher, job.filter, shard.to_documents(table)):
            if isinstance(answer, Broken):  # a survey that leaves a document out would call its copies unique
                raise StageError(
                    f"survey of {job.filter}: a document of {job.before} could not be sketched: {answer.why}"
                )
            rows.append(answer.value)
        schema = recipes.module(job.filter).SURVEY.schema
        shard.write(pa.Table.from_pylist(rows, schema=schema), folder / "sketch.parquet")

    workspace.put(job.target.parent, write)
    return job.target


def walker(shared: tuple[tuple[Step, ...], dict[str, Rows]]) -> Callable[[Document], tuple[Outcome, int]]:
    """The function that leads a document through bound filters; also how long its trail was before."""
    filters = recipes.bind(*shared)
    return lambda doc: (walk(doc, filters), len(doc.trail))


def sketcher(name: str) -> Callable[[Document], Any]:
    """The function that sketches a document for the survey of filter `name`."""
    sketch: Callable[[Document], Any] = recipes.module(name).SURVEY.sketch
    return sketch


def _written(
    folder: Path,
    stage: str,
    key: str,
    entered: Counter[str],
    outcomes: list[Outcome],
    failed: list[Failure],
    edits: Counter[tuple[str, str, str]],
) -> Ledger:
    if len(failed) >= MIN_FAILED and len(failed) > MAX_FAILED * sum(entered.values()):
        reasons = ", ".join(f"{why} ×{n}" for why, n in Counter(f.why for f in failed).most_common(3))
        raise StageError(
            f"{stage}: {len(failed)} of {sum(entered.values())} documents of shard {key} failed ({reasons}), "
            f"first {failed[0].id}. That is no fault of the documents; nothing was written. "
            "Look at one with `malmoi try`, mend the cause and run again."
        )
    kept = [o.document for o in outcomes if isinstance(o, Kept)]
    dropped = [o for o in outcomes if isinstance(o, Dropped)]
    files = (
        shard.write(shard.to_table(kept), folder / "documents.parquet"),
        shard.write(shard.dropped_table(dropped), folder / "dropped.parquet"),
    )
    return Ledger(
        stage=stage,
        key=key,
        entered=dict(sorted(entered.items())),
        kept=dict(sorted(Counter(d.provenance.source for d in kept).items())),
        dropped=Counter((d.document.provenance.source, d.by, d.verdict.reason) for d in dropped),
        failed=tuple(failed),
        edits=edits,
        files=files,
    )


def _edits(doc: Document, before: int) -> Iterator[tuple[str, str, str]]:
    for note in doc.trail[before:]:
        if note.verb == "mend":
            for _ in range(int(note.measured or 0)):
                yield doc.provenance.source, note.by, note.reason


def _rows(path: Path) -> Rows:
    return {row["id"]: row for row in shard.read(path).to_pylist()}
