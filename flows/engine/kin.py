"""Kin: to which documents that stand, and to which of each other, the copies of fallen keepers are alike."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.executors import Mapper
from flows.engine.stage_runs import SurveyResult
from malmoi import recipe as recipes
from malmoi.storage import shard
from malmoi.survey import Survey, Surveyed
from malmoi.workspace import Workspace

SHARDS = 64  # whose sketches one task looks through: they are read quickly, and the copies once a task
REASON = "kept"  # of a row: its keeper was kept already when the copy lost the one it had
_PAIRS = pa.schema([("id", pa.string()), ("other", pa.string()), ("similarity", pa.float64())])


@dataclass(frozen=True, slots=True)
class KinJob:
    """Sketches of the copies, and of some shards; the filter whose SURVEY they are of."""

    copies: Path
    shards: tuple[Path, ...]
    filter: str
    params: tuple[tuple[str, Any], ...]


def met(
    workspace: Workspace, one: SurveyResult, copies: pa.Table, shards: Sequence[Surveyed], mapper: Mapper, work: Path
) -> pa.Table:
    """Pairs (id, other, similarity) of `copies` and all documents of `shards` that are alike, sorted; each pair once.

    `copies` has a column `shard`, the place among `shards` where each lies. Empty where the survey has no `alike`.
    """
    found: Survey = recipes.load_filter(one.step.filter).SURVEY
    if found.alike is None:
        return _PAIRS.empty_table()
    mine = [found.schema.empty_table()]
    for number in pc.unique(copies.column("shard")).to_pylist():
        table = shard.read(shards[number].sketch)
        mine.append(table.filter(pc.is_in(table.column("id"), value_set=copies.column("id").combine_chunks())))
    shard.write(pa.concat_tables(mine), work / "copies.parquet")
    paths = [one.sketch for one in shards]
    params = tuple(sorted(one.params.items()))
    cuts = [tuple(paths[at : at + SHARDS]) for at in range(0, len(paths), SHARDS)]
    jobs = [KinJob(work / "copies.parquet", cut, one.step.filter, params) for cut in cuts]
    pairs = pa.concat_tables([_PAIRS.empty_table(), *mapper(kin, jobs)])
    return (
        pairs.group_by(["id", "other"])
        .aggregate([("similarity", "max")])
        .rename_columns(_PAIRS.names)
        .sort_by([("similarity", "descending"), ("other", "ascending"), ("id", "ascending")])
    )


def kin(job: KinJob) -> pa.Table:
    """The pairs of the copies and the documents of some shards that are alike."""
    call: Any = recipes.load_filter(job.filter).SURVEY.alike
    known = inspect.signature(call).parameters
    params = {name: value for name, value in job.params if name in known}
    mine = shard.read(job.copies)
    return pa.concat_tables([call(mine, shard.read(path), **params).cast(_PAIRS) for path in job.shards])


def kept(pairs: pa.Table, fallen: dict[str, str], schema: pa.Schema) -> pa.Table:
    """Rows of the table of copies: for each id of `pairs` (the best first) the other that stands for it from now on."""
    rows: dict[str, dict[str, Any]] = {}
    for row in pairs.to_pylist():
        id = row["id"]
        said = {"id": id, "keeper": row["other"], "kind": "near", "similarity": row["similarity"]}
        said |= {"measured": "estimated", "reason": f"fallen:{fallen[id]} {REASON}", "release": ""}
        rows.setdefault(id, said)
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows.values()], schema=schema)


def families(pairs: pa.Table, fallen: dict[str, str]) -> dict[str, str]:
    """For each keeper that fell the smallest of those whose copies are alike to its own, by any chain of pairs.

    >>> pairs = pa.table({"id": ["a1", "x1"], "other": ["b1", "x2"], "similarity": [0.9, 0.9]})
    >>> families(pairs, {"a1": "a", "b1": "b", "x1": "x", "x2": "x"})
    {'a': 'a', 'b': 'a', 'x': 'x'}
    """
    parent = {name: name for name in fallen.values()}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for left, right in zip(pairs.column("id").to_pylist(), pairs.column("other").to_pylist(), strict=True):
        a, b = root(fallen[left]), root(fallen[right])
        parent[max(a, b)] = min(a, b)
    return {name: root(name) for name in parent}
