"""Surveys: sketch every shard, let the sketches meet once, and cut what was found into the rows about each shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flows.jobs import SketchJob, sketch_shard
from flows.mapping import Mapper
from flows.progress import Progress
from malmoi import recipe as recipes
from malmoi import shard
from malmoi.ledger import Ledger
from malmoi.recipe import Step, digest
from malmoi.survey import Survey, Surveyed
from malmoi.workspace import Stage, Workspace

Slice: TypeAlias = tuple[str, Path, str]  # name of the survey, file with the rows about a shard, digest of the rows


def survey(
    workspace: Workspace,
    reader: Step,
    params: dict[str, Any],
    stage: Stage,
    ledgers: Sequence[Ledger],
    mapper: Mapper,
    progress: Progress,
) -> tuple[Path, dict[str, Slice]]:
    """Take the survey that `reader` reads; its table, and for the key of each ledger the rows about that shard."""
    found: Survey = recipes.module(reader.filter).SURVEY
    code = [found.name, found.version, reader.libraries]
    jobs = []
    for ledger in ledgers:
        content = next(f.sha256 for f in ledger.files if f.name == "documents.parquet")
        key = digest([*code, content])[:32]
        jobs.append(SketchJob(workspace.root, key, workspace.stage(stage, ledger.key), reader.filter))
    missing = [job for job in jobs if not job.target.exists()]
    with progress.stage(f"survey of {found.name}", len(jobs), standing=len(jobs) - len(missing)) as step:
        mapper(sketch_shard, missing, lambda _: step.advance())
        shards = [Surveyed(job.before / "documents.parquet", job.target) for job in jobs]
        meet = _exchanged if found.exchange else _reduced
        table, rows = meet(workspace, found, [*code, params], params, shards, mapper)
    slices = {}
    for ledger, here in zip(ledgers, rows, strict=True):
        piece = digest([found.name, here.to_pylist()])[:32]
        target = workspace.survey(piece) / "rows.parquet"
        if not target.exists():
            workspace.put(target.parent, partial(_write, here, "rows.parquet"))
        slices[ledger.key] = (found.name, target, piece)
    return table, slices


def read_by(steps: tuple[Step, ...]) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Each survey that a stage reads: a step that reads it, and its parameters."""
    for found, params in recipes.surveys(steps):
        yield min((step for step in steps if step.survey == found.name), key=lambda step: step.filter), params


def _reduced(
    workspace: Workspace,
    found: Survey,
    code: list[Any],
    params: dict[str, Any],
    shards: Sequence[Surveyed],
    mapper: Mapper,
) -> tuple[Path, Iterator[pa.Table]]:
    """One process takes all sketches; of its table each shard gets the rows with its keys."""
    target = workspace.survey(_key(code, shards)) / "table.parquet"
    if not target.exists():
        sketches = pa.concat_tables([shard.read(s.sketch) for s in shards] or [found.schema.empty_table()])
        table = found.carrier(sketches, **params)
        workspace.put(target.parent, partial(_write, table, "table.parquet"))
    table = shard.read(target)
    keys = table.column(found.key)
    cut = (table.filter(pc.is_in(keys, value_set=shard.read(s.sketch, [found.key]).column(found.key))) for s in shards)
    return target, cut


def _exchanged(
    workspace: Workspace,
    found: Survey,
    code: list[Any],
    params: dict[str, Any],
    shards: Sequence[Surveyed],
    mapper: Mapper,
) -> tuple[Path, Iterator[pa.Table]]:
    """The survey's own exchange writes the table and the rows about each shard; what stands of it is not made again."""
    folder = workspace.survey(_key(code, shards))
    rows = found.carrier(shards, (), folder, mapper, **params)
    return folder / "table.parquet", (shard.read(path) for path in rows)


def _key(code: list[Any], shards: Sequence[Surveyed]) -> str:
    return digest([code, sorted(s.sketch.parent.name for s in shards)])[:32]


def _write(table: pa.Table, name: str, folder: Path) -> None:
    shard.write(table, folder / name)
