"""Run the shards of a stage: compute the key of each shard, and make those that do not exist yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.run_surveys import Slice
from flows.engine.shard_jobs import WalkJob
from malmoi import recipe as recipes
from malmoi.erasure import tombstones
from malmoi.ledger import Ledger
from malmoi.processes.worker_process import memory_bytes
from malmoi.processes.workers import CPU_SECONDS
from malmoi.recipe import StageName, Step, digest
from malmoi.releases import exposed_pages
from malmoi.storage import shard
from malmoi.storage.shard import SCHEMA_VERSION
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

LIMITS = (CPU_SECONDS, memory_bytes())  # part of every key: failed documents are tried again when they change
FOLDER_OF: dict[StageName, Stage] = {"clean": "3-clean", "judged": "4-judged", "curated": "5-curated"}


class Keyed(Protocol):
    """A job that knows the key of its shard."""

    @property
    def key(self) -> str:
        """Name of the shard's folder."""
        ...


J = TypeVar("J", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Curated:
    """The result of curation: the finished shards of each stage, in order, and the tables of copies."""

    stages: tuple[tuple[Stage, tuple[Ledger, ...]], ...]
    tables: tuple[Path, ...]  # of the surveys of copies
    read: tuple[tuple[str, tuple[Ledger, ...]], ...] = ()  # source as given → its shards of the first stage

    def ledgers(self, stage: Stage) -> tuple[Ledger, ...]:
        """The ledgers of one stage."""
        return dict(self.stages)[stage]


def documents_digest(ledger: Ledger) -> str:
    """sha256 (hex) of the documents that a shard kept."""
    return next(file.sha256 for file in ledger.files if file.name == "documents.parquet")


def walk_job(
    workspace: Workspace,
    stage: Stage,
    before: Stage,
    ledger: Ledger,
    steps: tuple[Step, ...],
    slices: Mapping[str, tuple[Slice, ...]],
    withdrawn: tuple[str, ...] = (),
) -> WalkJob:
    """Return the job that runs the shard behind `ledger` through `stage`; its key covers all that it depends on.

    `withdrawn` are the ids of the shard's documents that are dropped before the first filter (`find_withdrawn`).
    """
    pieces = slices.get(ledger.key, ())
    seen = [[name, content_digest] for name, _, content_digest in pieces]
    code = [stage, recipes.slice_digest(steps), documents_digest(ledger), seen, SCHEMA_VERSION, LIMITS]
    key = digest([*code, *([list(withdrawn)] if withdrawn else [])])[:32]
    paths = tuple((name, path) for name, path, _ in pieces)
    return WalkJob(workspace.root, stage, key, workspace.stage(before, ledger.key), steps, paths, withdrawn)


def find_withdrawn(workspace: Workspace, stage: Stage, ledgers: Sequence[Ledger]) -> dict[str, tuple[str, ...]]:
    """Find the withdrawn documents of each shard of `stage`: key of the ledger → ids, sorted."""
    ids = tombstones.read_ids(workspace.withdrawals)
    sources, digests = {id.partition("/")[0] for id in ids}, {id for id in ids if exposed_pages.is_digest_id(id)}
    found = {}
    for ledger in ledgers:
        if sources & {source for source, n in ledger.kept.items() if n}:
            column = shard.read(workspace.stage(stage, ledger.key) / "documents.parquet", ["id"]).column("id")
            here = set(column.filter(pc.is_in(column, pa.array(ids, pa.string()))).to_pylist())
            if digests:  # as a release names a document whose page must stay hidden
                here.update(id for id in column.to_pylist() if exposed_pages.digest_id(id) in digests)
            if here:
                found[ledger.key] = tuple(sorted(here))
    return found


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
        for ledger in mapper(call, missing, step.ledger):
            standing[ledger.key] = ledger
        ledgers = tuple(standing[job.key] for job in jobs)
        step.total(ledgers)
    return ledgers
