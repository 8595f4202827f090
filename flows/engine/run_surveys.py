"""Run surveys: sketch every shard, compare the sketches once, and split the result into rows for each shard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine import earlier_shards
from flows.engine.earlier_shards import find_latest, make_key, place_of
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.shard_jobs import SKETCH, SketchJob, sketch_shard
from malmoi import recipe as recipes
from malmoi.canonical_json import canonical_json
from malmoi.erasure import tombstones
from malmoi.ledger import Ledger
from malmoi.recipe import Recipe, Step, digest
from malmoi.release_files import data_files
from malmoi.releases import manifest as manifests
from malmoi.releases import segments
from malmoi.releases.segments import Facts, IndexSegment
from malmoi.storage import checksummed_files, shard
from malmoi.storage.atomic_files import replace_file, sync
from malmoi.storage.on_demand import fetch
from malmoi.storage.shuffle import Run
from malmoi.survey import Segment, Survey, Surveyed
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

Slice: TypeAlias = tuple[str, Path, str]  # name of the survey, file with the rows about a shard, digest of the rows

SLICES = ".slices.json"  # a cache beside the table of a survey


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs of a survey: its shards, its parameters, and all else that decides its sketches."""

    survey: Survey
    reader: Step
    params: dict[str, Any]
    jobs: tuple[SketchJob, ...]

    @property
    def shards(self) -> list[Surveyed]:
        """The shards with the files of their sketches, made or not."""
        return [Surveyed(job.before / "documents.parquet", job.target) for job in self.jobs]

    @property
    def inputs(self) -> str:
        """Digest of the parameters, the code and the rows of the sketches, whatever their places.

        The index segments that are read are not part of it.
        """
        return self._digest(job.key.rpartition("-")[2] for job in self.jobs)

    def key(self, earlier: Sequence[tuple[str, Segment]]) -> str:
        """Key of the table: its inputs with the places of the shards, the segments read and their masked documents.

        The files about each shard are named or numbered by its key, so that shards at other places need a new folder.
        """
        read = [[name, segment.masked] for name, segment in earlier]
        return self._digest((job.key for job in self.jobs), *([read] if read else []))

    def _digest(self, shards: Iterable[str], *more: object) -> str:
        code = [self.survey.name, self.survey.version, self.reader.libraries, self.params]
        return digest([code, sorted(shards), *more])[:32]


def survey(
    workspace: Workspace,
    reader: Step,
    params: dict[str, Any],
    stage: Stage,
    ledgers: Sequence[Ledger],
    mapper: Mapper,
    progress: Progress,
    *,
    release: str = "",
    lookups: tuple[Step, ...] = (),
    known: Mapping[str, tuple[Slice, ...]] = MappingProxyType({}),
) -> tuple[Path, dict[str, Slice]]:
    """Run the survey that `reader` reads; return its table, and for the key of each ledger the rows for that shard.

    `release` is the name under which the documents will be published. A survey with `remembers` reads the index
    segments of earlier releases of that name, or those that its parameter selects (`choose_segments`). Documents that
    `lookups` drop by the slices `known` for each ledger are left out of the survey.
    """
    basis = _make_basis(workspace, reader, params, stage, ledgers, lookups, known)
    found, jobs = basis.survey, basis.jobs
    missing = [job for job in jobs if not job.target.exists()]
    name = f"survey of {found.name.replace('_', ' ')}"
    with progress.stage(name, len(jobs), standing=len(jobs) - len(missing)) as step:
        mapper(sketch_shard, missing, lambda _: step.advance())
        for job in jobs:
            checksummed_files.check_folder(job.target.parent)
        earlier: list[tuple[str, Segment]] = []  # tables of earlier releases, without the documents withdrawn since
        if found.remembers:
            roots = segments.read_release_roots(workspace)
            segments_known = segments.find_segments(workspace, found.name, found.version, roots)
            read = choose_segments(workspace, basis, release, segments_known)
            masks = tombstones.read_ids(workspace.withdrawals) if read else []
            earlier = [(one.name, Segment(one.folder, segments.find_ids(one.folder, masks))) for one in read]
        meet = _run_exchange if found.exchange else _run_reduce
        table, rows = meet(workspace, basis, earlier, mapper)
    return table, _cut_slices(workspace, found, [ledger.key for ledger in ledgers], table, rows)


def _cut_slices(
    workspace: Workspace, found: Survey, keys: Sequence[str], table: Path, rows: Iterable[pa.Table]
) -> dict[str, Slice]:
    """Write the rows about each shard by their digest; a record beside the table names them, so that it is done once.

    Shards whose rows stay the same have the same slice, whatever table it is cut from.
    """
    record, columns = table.with_name(SLICES), [found.key, *(found.told or ())]
    pieces: dict[str, str] = {}  # key of a shard → name of its slice
    with suppress(
        OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError
    ):  # a damaged one is made anew
        value = json.loads(record.read_text(encoding="utf-8"))
        if value.pop("digest") == digest(value) and value["columns"] == columns:
            pieces = dict(value["pieces"])
    targets = {key: workspace.survey(piece) / "rows.parquet" for key, piece in pieces.items()}
    if not all(key in targets and targets[key].exists() for key in keys):
        for key, about in zip(keys, rows, strict=True):
            here = about.select(columns) if found.told is not None else about
            pieces[key] = digest([found.name, here.to_pylist()])[:32]
            targets[key] = workspace.survey(pieces[key]) / "rows.parquet"
            if not targets[key].exists():
                workspace.put(targets[key].parent, partial(_write, here, "rows.parquet"))
        value = {"columns": columns, "pieces": pieces}
        replace_file(record, canonical_json({**value, "digest": digest(value)}))
    return {key: (found.name, targets[key], pieces[key]) for key in keys}


def list_surveys(steps: tuple[Step, ...]) -> list[tuple[Step, dict[str, Any], tuple[Step, ...]]]:
    """List each survey that a stage reads, in order: the first step that reads it, its parameters, and its lookups.

    Lookups are the filters before that step that only look up rows of surveys. A survey with `remembers` has no
    lookups: its index segment contains every document that entered the stage.
    """
    found = []
    for one, params in recipes.surveys(steps):
        at = next(i for i, step in enumerate(steps) if step.survey == one.name)
        head = next((i for i in range(at) if not recipes.columns(steps[: i + 1])), at)
        found.append((at, params, () if one.remembers else steps[:head]))
    return [(steps[at], params, lookups) for at, params, lookups in sorted(found, key=lambda row: row[0])]


def list_index_bases(
    workspace: Workspace, recipe: Recipe, stages: Sequence[tuple[Stage, Sequence[Ledger]]]
) -> Iterator[Basis]:
    """List the surveys of a recipe that write an index segment; `stages` are the finished shards of each stage."""
    for (before, ledgers), name in zip(stages, recipes.STAGES, strict=False):
        for reader, params, _ in list_surveys(recipe.stage(name)):
            if recipes.load_filter(reader.filter).SURVEY.remembers:
                yield _make_basis(workspace, reader, params, before, ledgers)


def choose_segments(
    workspace: Workspace, basis: Basis, release: str, known: Sequence[IndexSegment]
) -> list[IndexSegment]:
    """Choose the segments that a survey reads; `known` are all of its segments. StageError if one is damaged."""
    said = basis.params.get("earlier", "none")
    read = known if said == "all" else [one for one in known if one.folder.parent.name == release]
    return segments.choose_segments(segments.select_counting(segments.require_whole(read)), release, said, basis.inputs)


def write_segments(
    workspace: Workspace, recipe: Recipe, stages: Sequence[tuple[Stage, Sequence[Ledger]]], folder: Path, run: Run = map
) -> None:
    """Write a segment of the release in `folder` for each survey of `recipe` that has `remembers`.

    The release may be unpublished. Nothing is computed again: the rows come from the sketches that the survey used.
    Leftovers of a stopped run of this name are removed first. If the release has its segment, it is kept.
    """
    made = manifests.read(folder)
    for basis in list_index_bases(workspace, recipe, stages):
        roots = segments.read_release_roots(workspace)
        known = segments.find_segments(workspace, basis.survey.name, basis.survey.version, roots)
        segments.sweep(workspace, segments.leftovers(known, made.name, roots))
        known = [one for one in known if one.folder.exists()]
        facts = Facts(
            survey=basis.survey.name,
            survey_version=basis.survey.version,
            release=made.name,
            version=made.version,
            root=made.root,
            documents=0,
            inputs=basis.inputs,
            read=tuple(one.name for one in choose_segments(workspace, basis, made.name, known)),
        )
        target = segments.folder_of(workspace, facts)
        name = f"{target.parent.name}/{target.name}"
        # It, or one that it was merged into, counts; also while it waits for its release.
        if not any(name in (one.name, *one.readable_facts.replaces) for one in segments.select_counting(known)):
            segments.sweep(workspace, (one for one in known if one.folder == target))
            counting = segments.select_counting(known)
            own = [one.folder for one in counting if one.readable_facts.release == facts.release]
            fetch(*data_files(folder))
            with workspace.temporary_folder() as work, workspace.temporary_folder() as born:
                sketches, data = [job.target for job in basis.jobs], data_files(folder)
                segments.write(born, basis.survey, facts, sketches=sketches, data=data, earlier=own, work=work, run=run)
                workspace.move_into_place(born, target)


def _make_basis(
    workspace: Workspace,
    reader: Step,
    params: dict[str, Any],
    stage: Stage,
    ledgers: Sequence[Ledger],
    lookups: tuple[Step, ...] = (),
    known: Mapping[str, tuple[Slice, ...]] = MappingProxyType({}),
) -> Basis:
    found: Survey = recipes.load_filter(reader.filter).SURVEY
    needed = {step.survey for step in lookups}
    code = [found.name, found.version, reader.libraries]
    stood = earlier_shards.group_shards(path.parent for path in workspace.survey_files(SKETCH))
    jobs = []
    for ledger in ledgers:
        content = next(f.sha256 for f in ledger.files if f.name == "documents.parquet")
        pieces = [piece for piece in known.get(ledger.key, ()) if piece[0] in needed]
        steps = [recipes.slice_digest(lookups)] if lookups else []
        dropped = [*steps, [(name, rows) for name, _, rows in pieces]] if lookups else []
        # The last part alone decides the rows: the same documents at another place have the same.
        key = f"{make_key(place_of(ledger.key), [*code, *steps])}-{digest([*code, content, *dropped])[:32]}"
        earlier, source = find_latest(workspace.surveys, key, stood), "+".join(ledger.entered)
        before, slices = workspace.stage(stage, ledger.key), tuple((name, path) for name, path, _ in pieces)
        jobs.append(
            SketchJob(
                root=workspace.root, stage=None, key=key, earlier=earlier, source=source,
                before=before, filter=reader.filter, lookups=lookups, slices=slices,
            )
        )  # fmt: skip
    return Basis(found, reader, params, tuple(jobs))


def _run_reduce(
    workspace: Workspace, basis: Basis, earlier: Sequence[tuple[str, Segment]], mapper: Mapper
) -> tuple[Path, Iterator[pa.Table]]:
    """Reduce all sketches in one process; each shard gets the rows of the table with its keys."""
    found, shards = basis.survey, basis.shards
    target = workspace.survey(basis.key(earlier)) / "table.parquet"
    if not target.exists():
        names = found.schema.names
        sketches = pa.concat_tables([shard.read(s.sketch, names) for s in shards] or [found.schema.empty_table()])
        table = found.carrier(sketches, **basis.params)
        workspace.put(target.parent, partial(_write, table, "table.parquet"))
    table = shard.read(target)
    keys = table.column(found.key)
    cut = (table.filter(pc.is_in(keys, value_set=shard.read(s.sketch, [found.key]).column(found.key))) for s in shards)
    return target, cut


def _run_exchange(
    workspace: Workspace, basis: Basis, earlier: Sequence[tuple[str, Segment]], mapper: Mapper
) -> tuple[Path, Iterator[pa.Table]]:
    """Run the survey's own shuffle, which writes the table and the rows for each shard; finished files are kept."""
    folder = workspace.survey(basis.key(earlier))
    read = [segment for _, segment in earlier]
    rows = basis.survey.carrier(basis.shards, read, folder, mapper, **basis.params)
    if not (folder / checksummed_files.NAME).exists():  # files appear one by one; now all are written, none may change
        with workspace.temporary_folder() as born:
            checksummed_files.write(folder, born / checksummed_files.NAME)
            sync(born / checksummed_files.NAME)
            (born / checksummed_files.NAME).replace(folder / checksummed_files.NAME)
    return folder / "table.parquet", (shard.read(path) for path in rows)


def _write(table: pa.Table, name: str, folder: Path) -> None:
    shard.write(table, folder / name)
