"""Run the shards of a stage: compute the key of each shard, and make those that do not exist yet."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.earlier_shards import find_latest, make_key, place_of
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.run_surveys import Slice
from flows.engine.shard_jobs import EntryChanges, Job, Renamed, WalkJob, observe_batches
from flows.plurals import count_of
from malmoi import recipe as recipes
from malmoi.document import Document
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Matcher
from malmoi.ledger import Ledger, total
from malmoi.licensing.review_decisions import CLEAR, Decision
from malmoi.processes.worker_loop import memory_bytes
from malmoi.processes.workers import CPU_SECONDS
from malmoi.recipe import StageName, Step
from malmoi.storage import shard, shard_facts
from malmoi.storage.repeated_ids import find_repeated_ids
from malmoi.storage.shard import SCHEMA_VERSION
from malmoi.workspace import Workspace
from malmoi.workspace_layout import MATCHES, Stage

LIMITS = (CPU_SECONDS, memory_bytes())  # part of every key: failed documents are tried again when they change
RIGHTS = "rights"  # the filter that takes decisions of persons
MATCHED = 4096  # documents that are Python objects at a time, while they are compared with tombstones
FOLDER_OF: dict[StageName, Stage] = {"clean": "3-clean", "judged": "4-judged", "curated": "5-curated"}


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True)
class Curated:
    """The result of curation: the finished shards of each stage, in order, and the tables of copies."""

    stages: tuple[tuple[Stage, tuple[Ledger, ...]], ...]
    tables: tuple[Path, ...]  # of the surveys of copies
    read: tuple[tuple[str, tuple[Ledger, ...]], ...] = ()  # source as given → its shards of the first stage

    def ledgers(self, stage: Stage) -> tuple[Ledger, ...]:
        """The ledgers of one stage."""
        return dict(self.stages)[stage]

    @property
    def summary(self) -> str:
        """Return in one line how many of the extracted documents are kept."""
        extracted, kept = total(self.ledgers("2-documents"))[1], total(self.ledgers("5-curated"))[1]
        return f"{kept.total():,} of {count_of(extracted.total(), 'document')} kept"


def walk_job(
    workspace: Workspace,
    stage: Stage,
    before: Stage,
    ledger: Ledger,
    steps: tuple[Step, ...],
    slices: Mapping[str, tuple[Slice, ...]],
    changes: EntryChanges,
    known: Mapping[str, Sequence[str]],
) -> WalkJob:
    """Return the job that runs the shard behind `ledger` through `stage`; its key covers all that it depends on.

    `changes` are the documents that are dropped before the first filter (`find_withdrawn`), and those that repeat the
    id of another one; `known` are the finished shards of the stage (`earlier_shards.group_shards`).
    """
    pieces = slices.get(ledger.key, ())
    seen = [[name, content_digest] for name, _, content_digest in pieces]
    code = [stage, recipes.slice_digest(steps), SCHEMA_VERSION, LIMITS]
    documents = next(file.sha256 for file in ledger.files if file.name == "documents.parquet")
    content = [documents, seen, list(changes.withdrawn), *map(list, changes.renamed)]
    key = make_key(place_of(ledger.key), code, content)
    return WalkJob(
        root=workspace.root,
        stage=stage,
        key=key,
        earlier=find_latest(workspace.stage(stage, ""), key, known),
        source="+".join(ledger.entered),
        size=sum(ledger.kept.values()),
        before=workspace.stage(before, ledger.key),
        steps=steps,
        slices=tuple((name, path) for name, path, _ in pieces),
        changes=changes,
    )


def add_decisions(steps: tuple[Step, ...], ledger: Ledger, made: Sequence[Decision]) -> tuple[Step, ...]:
    """Return the steps with those decisions of persons that are about the sources of a shard, for the rights filter.

    They enter the key of the shard: a decision that is made or revoked changes the shards of its source, and no others.
    """
    mine = (one for one in made if one.source in ledger.entered and not one.revoked and one.verdict != CLEAR)
    found = sorted(mine, key=lambda one: one.id)
    added = (("decisions", tuple(found)),) if found else ()
    return tuple(replace(step, params=(*step.params, *added)) if step.filter == RIGHTS else step for step in steps)


def find_withdrawn(workspace: Workspace, stage: Stage, ledgers: Sequence[Ledger]) -> dict[str, tuple[str, ...]]:
    """Find the withdrawn documents of each shard of `stage`: key of the ledger → ids, sorted.

    Only what matches enters the key of the next shard: other tombstones change nothing.
    """
    matcher = tombstones.read_matcher(workspace.withdrawals, workspace.erasure_key)
    found = {}
    for ledger in ledgers if matcher else ():
        may = matcher.may_match(source for source, n in ledger.kept.items() if n)
        here = recall_matching(workspace.stage(stage, ledger.key) / "documents.parquet", matcher) if may else ()
        if here:
            found[ledger.key] = here
    return found


def recall_matching(path: Path, matcher: Matcher) -> tuple[str, ...]:
    """Return what `find_matching` returns; what it found in texts is kept beside the file for the same tombstones.

    A file that is damaged or of other tombstones is written again.
    """
    if not matcher.reads_texts:
        return find_matching(path, matcher)
    found = shard_facts.recall(
        path.with_name(MATCHES), matcher.spell_keys(), lambda: list(find_matching(path, matcher))
    )
    return tuple(found)


def find_matching(path: Path, matcher: Matcher) -> tuple[str, ...]:
    """Return the ids of the documents in a stage file that match a tombstone, sorted; texts are read only if needed."""
    names = ["id", *(["url"] if matcher.reads_addresses else []), *(["text"] if matcher.reads_texts else [])]
    names += ["title", "author"] if matcher.has_values else []
    found = set[str]()
    for batch in shard.read(path, names).to_batches(MATCHED):
        for row in batch.to_pylist():
            one = matcher.find(row["id"], row.get("url", ""), row.get("text", ""))
            if one or (matcher.has_values and any(matcher.find_value(row[name]) for name in ("title", "author"))):
                found.add(row["id"])
    return tuple(sorted(found))


def rename_repeated(
    workspace: Workspace, ledgers: Sequence[Ledger], withdrawn: Mapping[str, Collection[str]], progress: Progress
) -> dict[str, Renamed]:
    """Return the new ids of the documents of stage 2-documents that repeat one: key of the ledger → rows.

    An interface whose pages move while they are read shows an entry twice: two captures then yield one key. The
    document of the latest capture keeps the id. The others are copies or revisions, which deduplication judges. Ids in
    `withdrawn` (by the same key) stay, so that all of their documents are dropped.
    """
    files = {one.key: workspace.stage("2-documents", one.key) / "documents.parquet" for one in ledgers if one.kept}
    if not files:
        return {}
    repeated = set(find_repeated_ids(list(files.values()), tmp=workspace.tmp)).difference(*withdrawn.values())
    if not repeated:
        return {}
    met: dict[str, list[tuple[str, str, str, int]]] = defaultdict(list)  # id → (fetched, record, shard, row)
    for key, file in files.items():
        table = shard.read(file, ["id", "fetched", "record"])
        rows = pc.indices_nonzero(pc.is_in(table["id"], pa.array(sorted(repeated), pa.string())))
        for row, one in zip(rows.to_pylist(), table.take(rows).to_pylist(), strict=True):
            met[one["id"]].append((one["fetched"], one["record"], key, row))
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for id, places in met.items():
        seen: Counter[str] = Counter()
        for _, record, key, row in sorted(places)[:-1]:
            mark = hashlib.sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            seen[mark] += 1
            found[key].append((row, f"{id}#again-{mark}" + (f"-{seen[mark]}" if seen[mark] > 1 else "")))
    number = sum(map(len, met.values())) - len(met)
    progress.say(
        f"  {count_of(number, 'document')} repeat the id of another, first {min(met)}: one entry in two captures, or "
        "keys of `items` that are not unique. The latest capture keeps the id"
    )
    return {key: tuple(sorted(rows)) for key, rows in found.items()}


def ensure_shards(
    workspace: Workspace,
    stage: Stage,
    jobs: Sequence[J],
    call: Callable[[J], Ledger],
    mapper: Mapper,
    progress: Progress,
) -> tuple[Ledger, ...]:
    """Return the ledgers of all jobs, in order; run only the jobs whose shard does not exist yet."""
    standing = {job.key: ledger for job in jobs if (ledger := workspace.ledger(stage, job.key)) is not None}
    missing = list({job.key: job for job in jobs if job.key not in standing}.values())
    with progress.stage(stage, len(jobs), standing=len(jobs) - len(missing)) as step:
        step.expected = sum(job.size for job in missing)
        with observe_batches(step.count_batch):
            for ledger in mapper(call, missing, step.ledger):
                standing[ledger.key] = ledger
        ledgers = tuple(standing[job.key] for job in jobs)
        step.total(ledgers)
    return ledgers


def read_ends(workspace: Workspace, curated: Curated) -> Iterator[tuple[Document, Document, str, str]]:
    """Yield each document as extracted, as it ended, and the filter and the reason that dropped it ("" if kept).

    The filter is "failed" for a document that a stage could not process.
    """
    ended = {doc.id: (doc, by, reason) for doc, by, reason in _read_stages(workspace, curated.stages, "dropped")}
    ended |= {doc.id: (doc, "", "") for doc, _, _ in _read_stages(workspace, curated.stages[-1:], "documents")}
    for doc, _, _ in _read_stages(workspace, curated.stages[:1], "documents", "dropped"):
        yield doc, *ended.get(doc.id, (doc, "failed", ""))


def _read_stages(
    workspace: Workspace, stages: Sequence[tuple[Stage, tuple[Ledger, ...]]], *names: str
) -> Iterator[tuple[Document, str, str]]:
    """Yield the documents in the files `names` of these stages, with filter and reason of a drop, else "" and ""."""
    for stage, ledgers in stages:
        for path in (workspace.stage(stage, ledger.key) / f"{name}.parquet" for ledger in ledgers for name in names):
            table = shard.read(path)
            docs = shard.to_documents(table.select(shard.DOCUMENTS.names))
            none = [""] * table.num_rows
            columns = (table[name].to_pylist() if name in table.column_names else none for name in ("by", "reason"))
            yield from zip(docs, *columns, strict=True)
