"""Promotion: a keeper of copies that is dropped later gives its place to the next of them.

The survey names a keeper before the dear looks are taken. Where a filter of 5-curated drops it, its copies
would be lost with it, though one of them may be what the filter wants: the copy of a notice without the
resident number. So those who fell are looked for, their near copies compared among themselves, and who is
nobody's copy then walks on: a shard of 4-unique that takes back its drop, and one of 5-curated. Those who
fall again give way to the next. Exact copies of the fallen have fallen with it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flows.engine import kin, late
from flows.engine.executors import Mapper
from flows.engine.progress import Progress
from flows.engine.promotion_jobs import STANDS, FetchJob, Group, PromoteJob, ReadmitJob, fetch, promote, readmit
from flows.engine.shard_jobs import WalkJob, walk_shard
from flows.engine.stage_runs import LIMITS, Curated, SurveyResult, documents_digest, ensure_shards, walk_job
from malmoi import recipe as recipes
from malmoi.errors import StageError
from malmoi.ledger import REVERSED, Ledger
from malmoi.recipe import Recipe, StageName, digest
from malmoi.releases.partitioning import h
from malmoi.storage import checksummed_files, shard
from malmoi.storage.shard import SCHEMA_VERSION
from malmoi.survey import Survey
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

VERSION = 1  # part of every key below; raise it with any change of what is promoted
ROUNDS = 64  # copies mostly fall for the same reasons; a round costs a fraction of a second, a lost text more
MEAN = 128  # keepers that fell whose copies make one shard, on average; cut where the hash of an id says so
MOST = 1024  # copies after which it is cut in any case; the copies of one keeper stay together

ROUND, KEPT = "round.json", "kept.parquet"  # of a round: its groups; rows about whom a kept document stands for

_Stages = Sequence[tuple[Stage, Sequence[Ledger]]]
_Surveys = Mapping[StageName, Sequence[SurveyResult]]


def promoted(
    workspace: Workspace, recipe: Recipe, curated: Curated, taken: _Surveys, mapper: Mapper, progress: Progress
) -> Curated:
    """What curation stands on once nobody who could stand for a keeper that fell is missing.

    Where no keeper has fallen `curated` comes back as it is, for the price of reading the ids of keepers
    and of what was dropped.
    """
    for one in taken.get("unique", ()):
        if _survey(one).promote is not None:
            curated = _settled(workspace, recipe, curated, taken, one, mapper, progress)
    return curated


def _settled(
    workspace: Workspace,
    recipe: Recipe,
    curated: Curated,
    taken: _Surveys,
    one: SurveyResult,
    mapper: Mapper,
    progress: Progress,
) -> Curated:
    """Rounds of promotion for one survey of copies, until nobody falls or nobody is left to stand for the fallen."""
    watch = Watch.of(recipe, one)
    fallen = watch.fallen(workspace, shard.read(one.table, ["keeper", "kind"]), curated.stages)
    if not len(fallen):
        return curated
    table, rounds = shard.read(one.table), list[str]()
    drops = _drops(workspace, _left(table, fallen), watch.readers, curated.ledgers("4-unique"))
    for number in range(1, ROUNDS + 1):
        copies = _of(drops, _left(table, fallen))
        if not copies.num_rows:
            break
        with progress.stage(f"promotion {number}", 0) as step:
            key = digest(["promotion", VERSION, one.table.parent.name, watch.seen(curated.stages)])[:32]
            groups = _round(workspace, one, copies, table, watch, curated, mapper, key)
            step.says = f"{sum(g.promoted for g in groups):,} promoted for {len(fallen):,} that fell"
        new = _walked(workspace, recipe, taken, one, groups, mapper, progress) if groups else {}
        curated = replace(curated, stages=tuple((s, (*found, *new.get(s, ()))) for s, found in curated.stages))
        stands = [workspace.survey(key) / KEPT, *(workspace.survey(group.key) / STANDS for group in groups)]
        table = _without(table, copies.column("id"))
        table = pa.concat_tables([table, *(shard.read(path).cast(table.schema) for path in stands)])
        rounds.append(key)
        fallen = watch.fallen(workspace, table, tuple(new.items()))
    if left := _of(drops, _left(table, fallen)).num_rows:
        progress.say(f"  promotion            {left:,} copies stay dropped: who stood for them fell {ROUNDS} times")
    return _with_table(workspace, curated, one, table, rounds) if rounds else curated


@dataclass(frozen=True, slots=True)
class Watch:
    """Where a keeper can fall: the filters that judge copies, and the stages in which others drop documents."""

    readers: tuple[str, ...]
    stages: tuple[Stage, ...]

    @staticmethod
    def of(recipe: Recipe, one: SurveyResult) -> Watch:
        """Those of a recipe; in 4-unique nobody falls unless other filters stand there."""
        steps = recipe.stage("unique")
        readers = tuple(step.filter for step in steps if step.survey == one.step.survey)
        return Watch(readers, ("5-curated",) if len(readers) == len(steps) else ("4-unique", "5-curated"))

    def fallen(self, workspace: Workspace, table: pa.Table, stages: _Stages) -> pa.Array:
        """The keepers of near copies in `table` that a shard of `stages` dropped or could not work on."""
        near = table.filter(pc.not_equal(table.column("kind"), "exact"))
        return self.lost(workspace, pc.unique(near.column("keeper")), stages)

    def lost(self, workspace: Workspace, ids: pa.Array, stages: _Stages) -> pa.Array:
        """Those of `ids` that a shard of `stages` dropped, but not as a copy, or could not work on."""
        found = [pa.array([], pa.string())]
        for stage, ledgers in stages if len(ids) else ():
            for ledger in ledgers if stage in self.stages else ():
                here = [pa.array([failure.id for failure in ledger.failed], pa.string())]
                if any(n > 0 for (_, by, _), n in ledger.dropped.items() if by not in self.readers):
                    drops = shard.read(workspace.stage(stage, ledger.key) / "dropped.parquet", ["id", "by"])
                    ours = pc.is_in(drops.column("by"), value_set=pa.array(self.readers, pa.string()))
                    here += drops.filter(pc.invert(ours)).column("id").chunks
                found += [chunk.filter(pc.is_in(chunk, value_set=ids)) for chunk in here]
        return pc.unique(pa.chunked_array(found))

    def seen(self, stages: _Stages) -> list[list[str]]:
        """What decides who fell: digests of all drops in the stages, and who failed."""
        ledgers = [ledger for stage, found in stages if stage in self.stages for ledger in found]
        drops = [[f.sha256 for f in ledger.files if f.name == "dropped.parquet"] for ledger in ledgers]
        return sorted([*digests, *(f.id for f in one.failed)] for digests, one in zip(drops, ledgers, strict=True))


def _survey(one: SurveyResult) -> Survey:
    found: Survey = recipes.load_filter(one.step.filter).SURVEY
    return found


def _left(table: pa.Table, fallen: pa.Array) -> pa.Table:
    """(id, fallen) of the copies of those who fell; their exact copies say the same and have fallen with them."""
    here = pc.and_(pc.is_in(table.column("keeper"), value_set=fallen), pc.not_equal(table.column("kind"), "exact"))
    return table.filter(here).select(["id", "keeper"]).rename_columns(["id", "fallen"])


def _without(table: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table.column("id"), value_set=ids.combine_chunks())))


def _drops(workspace: Workspace, copies: pa.Table, readers: Sequence[str], ledgers: Sequence[Ledger]) -> pa.Table:
    """(id, by, reason, shard) of those `copies` that 4-unique dropped as such; `shard` is the place of its ledger."""
    wanted = copies.column("id").combine_chunks()
    found = []
    for number, ledger in enumerate(ledgers):
        if not any(by in readers for _, by, _ in ledger.dropped):
            continue
        table = shard.read(workspace.stage("4-unique", ledger.key) / "dropped.parquet", ["id", "by", "reason"])
        ours = pc.is_in(table.column("by"), value_set=pa.array(readers, pa.string()))
        table = table.filter(pc.and_(ours, pc.is_in(table.column("id"), value_set=wanted)))
        found.append(table.append_column("shard", pa.array(np.full(table.num_rows, number))))
    schema = pa.schema([("id", pa.string()), ("by", pa.string()), ("reason", pa.string()), ("shard", pa.int64())])
    return pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in found)])


def _of(drops: pa.Table, copies: pa.Table) -> pa.Table:
    """(id, by, reason, shard, fallen) of the copies that were dropped as such, sorted by id."""
    drops = drops.filter(pc.is_in(drops.column("id"), value_set=copies.column("id").combine_chunks()))
    at = pc.index_in(drops.column("id"), value_set=copies.column("id").combine_chunks())
    return drops.append_column("fallen", copies.column("fallen").take(at)).sort_by("id")


def _groups(fallen: pa.ChunkedArray, family: Mapping[str, str]) -> npt.NDArray[np.int64]:
    """The number of the group of each row: families in order of H(id), cut where the hash says so, or at MOST."""
    counts = Counter(family[name] for name in fallen.to_pylist())
    numbers, number, held = dict[str, int](), 0, 0
    for name in sorted(counts, key=lambda name: (h(name), name)):
        numbers[name], held = number, held + counts[name]
        if held >= MOST or h(name) % MEAN == 0:
            number, held = number + 1, 0
    return np.array([numbers[family[name]] for name in fallen.to_pylist()], dtype=np.int64)


def _round(
    workspace: Workspace,
    one: SurveyResult,
    copies: pa.Table,
    table: pa.Table,
    watch: Watch,
    curated: Curated,
    mapper: Mapper,
    key: str,
) -> list[Group]:
    """Let the copies of those who fell meet, group by group; what stands of it is not made again.

    Beside the record of the round lie the rows about those copies for which a document stands that is kept
    already: it was not their keeper only because the fallen one went before it.
    """
    folder = workspace.survey(key)
    if (folder / ROUND).exists():
        groups = _noted(folder / ROUND)
        if all(workspace.survey(group.key).exists() for group in groups):
            return groups
    doors = [
        (workspace.stage("3-clean", ledger.key), documents_digest(ledger)) for ledger in curated.ledgers("3-clean")
    ]
    fallen = dict(zip(copies.column("id").to_pylist(), copies.column("fallen").to_pylist(), strict=True))
    with workspace.temporary_folder() as work:
        pairs = kin.met(workspace, one, copies, late.sketched(workspace, one, doors, mapper), mapper, work)
        beside = pairs.filter(pc.invert(pc.is_in(pairs.column("other"), value_set=table.column("id").combine_chunks())))
        gone = watch.lost(workspace, pc.unique(beside.column("other")), curated.stages)
        beside = beside.filter(pc.invert(pc.is_in(beside.column("other"), value_set=gone)))
        stood = kin.kept(beside, fallen, table.schema)
        left = _without(copies, stood.column("id"))
        ids = left.column("id").combine_chunks()
        among = pc.and_(*(pc.is_in(pairs.column(name), value_set=ids) for name in ("id", "other")))
        numbers = _groups(left.column("fallen"), kin.families(pairs.filter(among), fallen))
        groups = _promoted(workspace, one, left.append_column("group", pa.array(numbers)), doors, mapper, work)
    workspace.put(folder, partial(_note, groups, stood))
    return groups


def _noted(path: Path) -> list[Group]:
    try:
        return [Group(*row) for row in json.loads(checksummed_files.check(path).read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise StageError(
            f"{path}: cannot be read back ({error}). Delete {path.parent} and run again: it is made anew."
        ) from error


def _promoted(
    workspace: Workspace,
    one: SurveyResult,
    copies: pa.Table,
    doors: Sequence[tuple[Path, str]],
    mapper: Mapper,
    work: Path,
) -> list[Group]:
    """Fetch the copies, each shard once, and name in each group who stands for whom."""
    fetches = []
    for number in pc.unique(copies.column("shard")).to_pylist():
        here = copies.filter(pc.equal(copies.column("shard"), number)).drop_columns(["shard"])
        fetches.append(FetchJob(doors[number][0], here, work / f"{number:06d}.arrow"))
    places: dict[int, list[tuple[Path, int]]] = {}
    for fetched in mapper(fetch, fetches):
        for batch, group in enumerate(fetched.groups):
            places.setdefault(group, []).append((fetched.target, batch))
    params = tuple(sorted(one.params.items()))
    jobs = [PromoteJob(workspace.root, tuple(places[group]), one.step.filter, params) for group in sorted(places)]
    return mapper(promote, jobs)


def _walked(
    workspace: Workspace,
    recipe: Recipe,
    taken: _Surveys,
    one: SurveyResult,
    groups: Sequence[Group],
    mapper: Mapper,
    progress: Progress,
) -> dict[Stage, tuple[Ledger, ...]]:
    """The shards of the promoted documents in 4-unique, where nobody stands for them, and in 5-curated."""
    steps, quiet = recipe.stage("unique"), Progress(quiet=True)  # the line of the promotion says it
    others = [other for other in taken.get("unique", ()) if other.step.survey != one.step.survey]
    folders = [workspace.survey(group.key) for group in groups]
    pieces = late.slices(workspace, others, [(f, g.sha256) for f, g in zip(folders, groups, strict=True)], mapper)
    jobs = []
    for group, folder, found in zip(groups, folders, pieces, strict=True):
        seen = [[name, piece] for name, _, piece in found]
        code = ["4-unique", "promoted", group.key, recipes.slice_digest(steps), seen, SCHEMA_VERSION, LIMITS]
        rows = ((one.step.survey, folder / STANDS), *((name, path) for name, path, _ in found))
        walk = WalkJob(workspace.root, "4-unique", digest(code)[:32], folder, steps, rows)
        jobs.append(ReadmitJob(walk, folder / REVERSED))
    unique = ensure_shards(workspace, "4-unique", jobs, readmit, mapper, quiet)
    doors = [(workspace.stage("4-unique", ledger.key), documents_digest(ledger)) for ledger in unique]
    told = late.slices(workspace, taken.get("curated", ()), doors, mapper)
    slices = {ledger.key: rows for ledger, rows in zip(unique, told, strict=True)}
    walks = [walk_job(workspace, "5-curated", "4-unique", ledger, recipe.stage("curated"), slices) for ledger in unique]
    return {"4-unique": unique, "5-curated": ensure_shards(workspace, "5-curated", walks, walk_shard, mapper, progress)}


def _with_table(
    workspace: Workspace, curated: Curated, one: SurveyResult, table: pa.Table, rounds: Sequence[str]
) -> Curated:
    """Put the table of who stands for whom now in the place of the one that the survey gave.

    `replaces.json` beside it names that one, so that nobody reads of keepers that are none any more.
    """
    before = one.table.parent.name
    target = workspace.survey(digest(["promoted", before, rounds])[:32])
    if not target.exists():

        def write(folder: Path) -> None:
            shard.write(table.sort_by(table.schema.names[0]), folder / one.table.name)
            (folder / "replaces.json").write_text(json.dumps({"table": before}) + "\n", encoding="utf-8")

        workspace.put(target, write)
    tables = tuple(target / path.name if path == one.table else path for path in curated.tables)
    return replace(curated, tables=tables)


def _note(groups: Sequence[Group], stood: pa.Table, folder: Path) -> None:
    shard.write(stood, folder / KEPT)
    text = json.dumps([astuple(group) for group in groups], indent=1)
    (folder / ROUND).write_text(text + "\n", encoding="utf-8")
