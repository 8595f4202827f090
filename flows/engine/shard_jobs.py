"""Shard jobs: extract, learn templates, filter and sketch; each works on one shard and writes one finished folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from crawlers import host_templates
from crawlers.extract import ANY, Extraction, extractor, items_of, readers_of
from crawlers.formats.html.host_template_learning import Lesson
from crawlers.formats.html.host_template_learning import learn as learn_template
from crawlers.host_templates import Sample
from crawlers.source_errors import omit_message
from flows.engine import earlier_shards, worker_pool
from flows.engine.earlier_shards import INPUT, Counted, Earlier
from malmoi import recipe as recipes
from malmoi.apply import Bound, Dropped, Kept, Outcome, walk, walk_batch
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import Past
from malmoi.document import Document
from malmoi.erasure import tombstones
from malmoi.errors import StageError
from malmoi.ledger import Failure, Ledger
from malmoi.processes.workers import Broken, Done, Workers, attempt
from malmoi.recipe import Step
from malmoi.storage import shard
from malmoi.storage.shuffle import name_task
from malmoi.survey import Rows
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

B = TypeVar("B")
Slices: TypeAlias = tuple[tuple[str, Path], ...]
Renamed: TypeAlias = tuple[tuple[int, str], ...]  # row of a shard → its new id

SKETCH = "sketch.parquet"
BATCH = 16  # captures per batch; a retry is cheap, and the pipe is not the bottleneck
WALKED = 32  # documents per batch; a batch costs 0.3 ms, and the last one must not keep a single worker busy
TOGETHER = 1 << 16  # code points of documents that a filter may read at once; a long document is read alone
LOOKED_UP = 4096  # documents per batch if all filters only look up rows of a survey
MAX_FAILED = 0.2  # share of a shard; above it the code or the machine is at fault, and the shard is not written
MIN_FAILED = 10  # documents; with fewer failures the share is not significant
BOUND = 32  # jobs whose bound filters a worker caches: the threads of the parent interleave their jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work on one shard, which writes one finished folder of a workspace, named by its key."""

    root: Path
    stage: Stage | None  # None for the folders of surveys
    key: str
    earlier: str = ""  # key of an earlier folder, whose results for the same inputs are reused
    source: str = ""  # for the name of a task run
    size: int = 0  # captures or documents, for the progress

    def locate(self, key: str) -> Path:
        """Return the folder with this key, beside that of the job."""
        home = Workspace(self.root)
        return home.survey(key) if self.stage is None else home.stage(self.stage, key)

    @property
    def reads(self) -> tuple[Path, ...]:
        """Folders that it reads, besides the paths among its values."""
        return (self.locate(self.earlier),) if self.earlier else ()

    @property
    def writes(self) -> Path:
        """The folder that it writes as a whole."""
        return self.locate(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractJob(Job):
    """Captures of one shard → documents."""

    extraction: Extraction
    rows: tuple[IndexRow, ...]
    torn: tuple[str, ...] = ()  # records of the source that could not be read; counted with its first shard
    readers: tuple[tuple[str, str], ...] = ()  # family of formats → version of its readers


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnJob(Job):
    """Some captures of a host → its template, or the reason why it has none."""

    extraction: Extraction
    sample: Sample

    @property
    def target(self) -> Path:
        """The file with the template."""
        return self.writes / "template.json"


@dataclass(frozen=True, slots=True)
class EntryChanges:
    """Documents of a shard that are dropped or renamed before the first filter."""

    withdrawn: tuple[str, ...] = ()  # ids that are dropped
    renamed: Renamed = ()  # rows with a new id, as another document has theirs


UNCHANGED = EntryChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkJob(Job):
    """Documents of one finished shard → the next stage, through the filters of `steps`."""

    before: Path  # folder of the finished shard
    steps: tuple[Step, ...]
    slices: Slices = ()  # survey → its rows about this shard
    changes: EntryChanges = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchJob(Job):
    """Documents of one finished shard → the rows of a survey."""

    before: Path
    filter: str  # the filter whose SURVEY it is
    lookups: tuple[Step, ...] = ()  # filters before it that look up rows; what they drop has no row here
    slices: Slices = ()  # their surveys → the rows about this shard

    @property
    def target(self) -> Path:
        """The file with the rows."""
        return self.writes / SKETCH


_observers: list[Callable[[int], None]] = []  # of the batches of all shards of this process; none on a cluster's node


@contextmanager
def observe_batches(count: Callable[[int], None]) -> Iterator[None]:
    """Call `count` with the captures or documents of each batch that returns in the body, from any thread."""
    _observers[:] = [count]
    try:
        yield
    finally:
        _observers.clear()


@dataclass(frozen=True, slots=True)
class Walked:
    """The result of one batch: tables of shard.DOCUMENTS and shard.DROPPED, packed, and the counts."""

    kept: bytes
    dropped: bytes
    entered: Counter[str]
    failed: tuple[Failure, ...]
    inputs: tuple[Counted, ...]  # the result of each capture or document


@name_task("extract shards")
def extract(job: ExtractJob) -> Ledger:
    """Run an ExtractJob and return the ledger of the finished shard."""
    home = Workspace(job.root)
    pasts = dict(job.extraction.past)
    inputs = [earlier_shards.digest_input(capture_key(row, pasts.get(row.url))) for row in job.rows]
    stands = earlier_shards.read(home, "2-documents", job.earlier, dict(job.readers))
    rows = [job.rows[at] for at in earlier_shards.find_new(stands, inputs)]
    batches = [tuple(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]
    answers = worker_pool.workers().map(
        make_extract_worker, (job.source, job.extraction), batches, lambda batch: [(r,) for r in batch]
    )

    def make_failure(batch: tuple[IndexRow, ...]) -> Failure:
        return Failure(f"{job.source}/{batch[0].url}", job.source, "")

    def fill(folder: Path) -> Ledger:
        found = _gather(answers, make_failure, stands, inputs)
        ledger = _write_shard(folder, "2-documents", job.key, found, inputs)
        needed = sorted({name for one in found.inputs for name in one.readers})
        known = dict(job.readers)
        return replace(ledger, torn=job.torn, readers={name: known.get(name, "") for name in needed})

    return home.commit("2-documents", job.key, fill)


def capture_key(row: IndexRow, past: Past | None) -> list[object]:
    """Return all that decides the documents of a capture, except the code and what its whole shard shares."""
    gone = [past.gone.status, past.gone.fetched] if past and past.gone else []
    visits = [[one.record for one in past.earlier], gone] if past else []
    return [row.record, row.payload_sha256, row.url, row.fetched, *visits]


@name_task("learn templates of hosts")
def learn(job: LearnJob) -> Path:
    """Run a LearnJob in a worker and return the file with the template, or with the reason for having none."""
    ((_, answer),) = worker_pool.workers().map(make_learn_worker, job.extraction, [job.sample], lambda sample: [sample])
    found = answer.value if isinstance(answer, Done) else _no_template(job.sample.host, answer.why)

    def write(folder: Path) -> None:
        (folder / job.target.name).write_text(found, encoding="utf-8")

    Workspace(job.root).put(job.writes, write)
    return job.target


@name_task("filter shards")
def walk_shard(job: WalkJob) -> Ledger:
    """Run a WalkJob and return the ledger of the finished shard."""
    assert job.stage is not None
    return Workspace(job.root).commit(job.stage, job.key, lambda folder: fill(job, folder))


def fill(job: WalkJob, folder: Path) -> Ledger:
    """Write the files of a WalkJob into `folder`, and count; return the ledger without writing it."""
    assert job.stage is not None
    table = shard.read(job.before / "documents.parquet")
    if renamed := dict(job.changes.renamed):
        ids = [renamed.get(row, id) for row, id in enumerate(table["id"].to_pylist())]
        table = table.set_column(table.column_names.index("id"), "id", pa.array(ids, pa.string()))
    inputs = _list_inputs(table, job.slices, job.changes.withdrawn)
    stands = earlier_shards.read(Workspace(job.root), job.stage, job.earlier, {})
    new = table.take(pa.array(earlier_shards.find_new(stands, inputs), pa.int64())) if stands else table
    shared = (job.key, job.steps, job.slices, job.changes.withdrawn)
    if recipes.columns(job.steps):  # looking up a row costs less than sending it to a worker
        answers = Workers(0).map(make_walk_worker, shared, _cut_batches(new, LOOKED_UP), _split_batch)
    else:
        answers = worker_pool.workers().map(make_walk_worker, shared, _cut_batches(new, WALKED), _split_batch)

    def make_failure(batch: bytes) -> Failure:
        row = shard.unpack_table(batch).select(["id", "source"]).to_pylist()[0]
        return Failure(row["id"], row["source"], "")

    found = _gather(answers, make_failure, stands, inputs)
    return _write_shard(folder, job.stage, job.key, found, inputs, pc.list_value_length(table["trail"]).to_pylist())


def _list_inputs(table: pa.Table, slices: Slices, withdrawn: Sequence[str] = ()) -> list[bytes]:
    """Return the digest of each document: of its row, its rows of surveys, and whether it is withdrawn."""
    by_id, shared, gone = [], [], frozenset(withdrawn)
    for name, path in slices:
        key, rows = _read_rows(path)
        if key == "id":
            by_id.append(rows)
        else:  # its rows are about several documents
            shared.append([name, shard.sha256_of(path)])
    return [
        earlier_shards.digest_input(row, [rows.get(id) for rows in by_id], shared, id in gone)
        for row, id in zip(earlier_shards.digest_rows(table), table["id"].to_pylist(), strict=True)
    ]


@name_task("sketch shards")
def sketch_shard(job: SketchJob) -> Path:
    """Run a SketchJob and return the file with its rows."""

    def write(folder: Path) -> None:
        found = recipes.load_filter(job.filter).SURVEY
        documents = shard.read(job.before / "documents.parquet", found.columns)
        inputs = _list_inputs(documents, job.slices)
        documents = documents.append_column(INPUT, pa.array(inputs, INPUT.type))
        schema = found.schema.append(INPUT)
        tables = [schema.empty_table()]
        if job.earlier:
            tables = [earlier_shards.read_sketches(job.locate(job.earlier) / SKETCH, schema)]
        new = documents.filter(pc.invert(pc.is_in(documents[INPUT.name], tables[0][INPUT.name])))
        shared = (job.key, job.filter, job.lookups, job.slices)
        for batch, answer in worker_pool.workers().map(
            make_sketch_worker, shared, _cut_batches(new, WALKED), _split_batch
        ):
            if isinstance(answer, Broken):  # a survey without this document would treat its copies as unique
                (row,) = shard.unpack_table(batch).select(["id"]).to_pylist()
                raise StageError(
                    f"survey of {job.filter}: {row['id']} has no sketch ({answer.why}). Nothing was written; look at "
                    f"its text with `malmoi why {job.root} {row['id']}`, and lower `max_chars` of the length filter "
                    "if it is too long."
                )
            tables.append(shard.unpack_table(answer.value))
        rows = pa.concat_tables(tables)
        places = {given: row for row, given in enumerate(rows[INPUT.name].to_pylist())}
        # In the order of the inputs; an input without a row was dropped by a lookup.
        order = pa.array([places[given] for given in inputs if given in places], pa.int64())
        shard.write(rows.take(order), folder / SKETCH)

    Workspace(job.root).put(job.writes, write)
    return job.target


def make_extract_worker(shared: tuple[str, Extraction]) -> Callable[[tuple[IndexRow, ...]], Walked]:
    """Return the worker function that extracts a batch of captures."""
    source, extraction = shared
    one = extractor(extraction)
    visited = {url for url, past in extraction.past if past.earlier}  # the readers of those captures count too

    def batch(rows: tuple[IndexRow, ...]) -> Walked:
        outcomes: list[tuple[Outcome, int]] = []
        failed, inputs = [], []
        for row in rows:
            match attempt(one, row):
                case Done(found):
                    lost = [one for one in found if isinstance(one, Failure)]
                    outcomes += [(one, -1) for one in found if not isinstance(one, Failure)]
                    kept = sum(isinstance(one, Kept) for one in found)
                    readers = (ANY,) if row.url in visited else readers_of(found)
                    failed += lost
                    inputs.append(Counted(kept, len(found) - kept - len(lost), readers, failed=bool(lost)))
                case Broken(why):
                    failed.append(Failure(f"{source}/{row.url}", source, why))
                    inputs.append(Counted(0, 0, (ANY,), failed=True))
        return _pack_walked(Counter({source: len(outcomes) + len(failed)}), outcomes, failed, inputs)

    return batch


def make_learn_worker(extraction: Extraction) -> Callable[[Sample], str]:
    """Return the worker function that learns the template of a host as JSON, or the reason for having none."""
    items = items_of(extraction)

    def lessons(row: IndexRow) -> list[Lesson]:
        return [found for item in items(row) if (found := host_templates.lesson(item)) is not None]

    def pages(rows: tuple[IndexRow, ...]) -> list[Lesson]:
        tried = [attempt(lessons, row) for row in rows]
        return [found for one in tried if isinstance(one, Done) for found in one.value]

    def batch(sample: Sample) -> str:
        made = attempt(lambda said: learn_template(sample.host, *said), (pages(sample.lessons), pages(sample.checks)))
        template, why = made.value if isinstance(made, Done) else (None, made.why)
        return template.to_json() if template else _no_template(sample.host, why)

    return batch


def _no_template(host: str, why: str) -> str:
    return json.dumps({"host": host, "none": why}, sort_keys=True)


def make_walk_worker(shared: tuple[str, tuple[Step, ...], Slices, tuple[str, ...]]) -> Callable[[bytes], Walked]:
    """Return the worker function that runs a batch of documents through the bound filters."""
    filters = _bind_filters(*shared)
    columns = recipes.columns(shared[1])

    def batch(content: bytes) -> Walked:
        outcomes: list[tuple[Outcome, int]] = []
        failed, inputs = [], []
        table = shard.unpack_table(content)
        docs = tuple(shard.to_documents(table.select(columns) if columns else table))
        answers = (answer for part in split_documents(docs) for answer in _walk_together(part, filters))
        for row, (doc, answer) in enumerate(zip(docs, answers, strict=True)):
            match answer:
                case Done(outcome):
                    outcomes.append((outcome, row))
                    inputs.append(Counted(int(isinstance(outcome, Kept)), int(isinstance(outcome, Dropped))))
                case Broken(why):
                    failed.append(Failure(doc.id, doc.provenance.source, why))
                    inputs.append(Counted(0, 0, (ANY,), failed=True))
        came = shard.LoadedTable(table, docs)
        return _pack_walked(Counter(doc.provenance.source for doc in docs), outcomes, failed, inputs, came)

    return batch


def split_documents(docs: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """Yield documents in order, several short ones or a long one at a time."""
    first, size = 0, 0
    for at, doc in enumerate(docs):
        if at > first and size + len(doc.text) > TOGETHER:
            yield docs[first:at]
            first, size = at, 0
        size += len(doc.text)
    if docs:
        yield docs[first:]


def _walk_together(docs: Sequence[Document], filters: tuple[Bound, ...]) -> list[Done[Outcome] | Broken]:
    """Walk documents, together if a filter has a batch form, and each alone if one of them causes an exception.

    Together they have the CPU budget of one document. If it is used up, `Workers.map` calls with each document alone.
    """
    if len(docs) > 1 and any(bound.batch for bound in filters):
        answer = attempt(lambda docs: walk_batch(docs, filters), docs)
        if isinstance(answer, Done):
            return [Done(outcome) for outcome in answer.value]
    return [attempt(lambda doc: walk(doc, filters), doc) for doc in docs]


def make_sketch_worker(shared: tuple[str, str, tuple[Step, ...], Slices]) -> Callable[[bytes], bytes]:
    """Return the worker function that sketches documents for a filter's survey, without those that lookups drop."""
    key, name, lookups, slices = shared
    found, filters = recipes.load_filter(name).SURVEY, _bind_filters(key, lookups, slices, ())

    def batch(content: bytes) -> bytes:
        table = shard.unpack_table(content)
        docs = zip(shard.to_documents(table), table[INPUT.name].to_pylist(), strict=True)
        rows = [{**found.sketch(doc), INPUT.name: given} for doc, given in docs if isinstance(walk(doc, filters), Kept)]
        return shard.pack_table(pa.Table.from_pylist(rows, schema=found.schema.append(INPUT)))

    return batch


_KEPT: dict[str, tuple[Bound, ...]] = {}  # key of a job → its filters, cached in a worker for its current jobs


def _bind_filters(key: str, steps: tuple[Step, ...], slices: Slices, withdrawn: tuple[str, ...]) -> tuple[Bound, ...]:
    """Bind the filters of a job once for all of its batches; the key covers everything that they depend on."""
    if key not in _KEPT:
        while len(_KEPT) >= BOUND:
            del _KEPT[next(iter(_KEPT))]
        door = Bound(tombstones.NAME, "mark", partial(tombstones.mark, ids=frozenset(withdrawn)))
        bound = recipes.bind(steps, {name: _read_rows(path)[1] for name, path in slices})
        _KEPT[key] = (door, *bound) if withdrawn else bound
    return _KEPT[key]


def _pack_walked(
    entered: Counter[str],
    outcomes: list[tuple[Outcome, int]],
    failed: list[Failure],
    inputs: list[Counted],
    came: shard.LoadedTable | None = None,
) -> Walked:
    """Pack the result of a batch; each outcome carries the row that it had in `came`."""
    kept = [(one.document, row) for one, row in outcomes if isinstance(one, Kept)]
    dropped = [(one, row) for one, row in outcomes if isinstance(one, Dropped)]
    return Walked(
        kept=shard.pack_table(shard.to_table([doc for doc, _ in kept], came, [row for _, row in kept])),
        dropped=shard.pack_table(
            shard.to_dropped_table([one for one, _ in dropped], came, [row for _, row in dropped])
        ),
        entered=entered,
        failed=tuple(failed),
        inputs=tuple(inputs),
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """The merged result of all batches of a shard."""

    documents: pa.Table
    dropped: pa.Table
    entered: Counter[str]
    failed: list[Failure]
    inputs: list[Counted]


def _gather(
    answers: Iterator[tuple[B, Done[Walked] | Broken]],
    make_failure: Callable[[B], Failure],
    stands: Earlier | None,
    inputs: Sequence[bytes],
) -> Gathered:
    """Merge the batches of a shard, and the results that it reuses; `make_failure` names what ended a worker."""
    kept, dropped = [shard.DOCUMENTS.empty_table()], [shard.DROPPED.empty_table()]
    entered: Counter[str] = Counter()
    failed: list[Failure] = []
    counted: list[Counted] = []
    for batch, answer in answers:
        for count in _observers:
            count(1 if isinstance(answer, Broken) else len(answer.value.inputs))
        if isinstance(answer, Broken):
            failed.append(replace(make_failure(batch), why=answer.why))
            entered[failed[-1].source] += 1
            counted.append(Counted(0, 0, (ANY,), failed=True))
            continue
        kept.append(shard.unpack_table(answer.value.kept))
        dropped.append(shard.unpack_table(answer.value.dropped))
        entered.update(answer.value.entered)
        failed += answer.value.failed
        counted += answer.value.inputs
    documents, drops = pa.concat_tables(kept), pa.concat_tables(dropped)
    if stands is not None:
        documents, drops, counted = earlier_shards.merge(stands, inputs, documents, drops, counted)
        sources = [*documents["source"].to_pylist(), *drops["source"].to_pylist(), *(one.source for one in failed)]
        entered = Counter(sources)
    return Gathered(documents, drops, entered, failed, counted)


def _write_shard(
    folder: Path, stage: str, key: str, found: Gathered, inputs: Sequence[bytes], trails: Sequence[int] = ()
) -> Ledger:
    """Write the files of a shard and return its ledger; `trails` are the lengths that the trails of its inputs had."""
    failed, entered = found.failed, found.entered.total()
    if len(failed) >= MIN_FAILED and len(failed) > MAX_FAILED * entered:
        causes = ", ".join(f"{why} ×{n}" for why, n in Counter(f.why for f in failed).most_common(3))
        first = ": ".join(filter(None, (failed[0].id, omit_message(failed[0].detail))))
        raise StageError(
            f"{stage}: {len(failed)} of {entered} documents of shard {key} failed ({causes}), first {first}. "
            "The documents are not the cause; nothing was written. Correct the code of the source or filter (error:…), "
            "or give it memory and time (…-limit, killed), and run again."
        )
    files = tuple(
        shard.write(table, folder / f"{name}.parquet", statistics=["id"])
        for name, table in (("documents", found.documents), ("dropped", found.dropped))
    )
    before = trails or [0] * len(found.inputs)
    pairs = list(zip(before, found.inputs, strict=True))
    edits = earlier_shards.count_edits(found.documents, [n for n, one in pairs for _ in range(one.kept)])
    edits += earlier_shards.count_edits(found.dropped, [n for n, one in pairs for _ in range(one.dropped)])
    reasons = zip(*(found.dropped.column(name).to_pylist() for name in ("source", "by", "reason")), strict=True)
    return Ledger(
        stage=stage,
        key=key,
        entered=dict(sorted(found.entered.items())),
        kept=dict(sorted(Counter(found.documents.column("source").to_pylist()).items())),
        dropped=Counter(reasons),
        failed=tuple(found.failed),
        edits=edits,
        files=(*files, earlier_shards.write(inputs, found.inputs, folder)),
    )


def _cut_batches(table: pa.Table, size: int) -> Iterator[bytes]:
    for at in range(0, table.num_rows, size):
        yield shard.pack_table(table.slice(at, size))


def _split_batch(batch: bytes) -> list[bytes]:
    table = shard.unpack_table(batch)
    return [shard.pack_table(table.slice(at, 1)) for at in range(table.num_rows)]


def _read_rows(path: Path) -> tuple[str, Rows]:
    """Return the name of the key of a survey, and its rows by key."""
    table = shard.read(path)
    key = table.schema.names[0]
    return key, {row[key]: row for row in table.to_pylist()}
