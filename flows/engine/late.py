"""What surveys say of shards that came after they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from flows.engine.executors import Mapper
from flows.engine.run_surveys import Slice
from flows.engine.shard_jobs import SketchJob, sketch_shard
from flows.engine.stage_runs import SurveyResult
from malmoi import recipe as recipes
from malmoi.recipe import digest
from malmoi.storage import checksummed_files, shard
from malmoi.survey import Survey, Surveyed
from malmoi.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LateJob:
    """A shard that comes after a survey was taken, its sketches, and the survey's table."""

    root: Path
    shard: Surveyed
    filter: str
    table: Path


def sketched(
    workspace: Workspace, one: SurveyResult, shards: Sequence[tuple[Path, str]], mapper: Mapper
) -> list[Surveyed]:
    """Each shard, given as its folder and the sha256 of its documents, with the sketches that a survey takes of it."""
    survey: Survey = recipes.load_filter(one.step.filter).SURVEY
    code = [survey.name, survey.version, one.step.libraries]
    jobs = [
        SketchJob(workspace.root, digest([*code, content])[:32], folder, one.step.filter) for folder, content in shards
    ]
    mapper(sketch_shard, [job for job in jobs if not job.target.exists()])
    for job in jobs:
        checksummed_files.check_folder(job.target.parent)
    return [Surveyed(job.before / "documents.parquet", job.target) for job in jobs]


def slices(
    workspace: Workspace, surveys: Sequence[SurveyResult], shards: Sequence[tuple[Path, str]], mapper: Mapper
) -> list[tuple[Slice, ...]]:
    """For each shard, given as its folder and the sha256 of its documents, what each of `surveys` says of it."""
    found: list[tuple[Slice, ...]] = [()] * len(shards)
    for one in surveys:
        jobs = [
            LateJob(workspace.root, met, one.step.filter, one.table) for met in sketched(workspace, one, shards, mapper)
        ]
        rows = mapper(late, jobs)
        found = [(*known, (one.step.survey, *row)) for known, row in zip(found, rows, strict=True)]
    return found


def late(job: LateJob) -> tuple[Path, str]:
    """The file with the rows of a survey about a shard, and their digest.

    A survey says them by its own `late`; else they are the rows of its table with the keys of the shard.
    """
    found: Survey = recipes.load_filter(job.filter).SURVEY
    workspace = Workspace(job.root)
    checksummed_files.check_folder(job.table.parent)
    with workspace.temporary_folder() as folder:
        target = folder / "rows.parquet"
        if found.late is not None:
            found.late(job.table.parent, job.shard, target)
        else:
            table, keys = shard.read(job.table), shard.read(job.shard.sketch, [found.key]).column(found.key)
            shard.write(table.filter(pc.is_in(table.column(found.key), value_set=keys.combine_chunks())), target)
        piece = digest([found.name, shard.read(target).to_pylist()])[:32]
        workspace.move_into_place(folder, workspace.survey(piece))
    return workspace.survey(piece) / target.name, piece
