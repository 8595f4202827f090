"""The jobs of a promotion: fetch copies whose keeper fell, let the next stand for the others, lead it in once more."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.engine import shard_jobs
from flows.engine.shard_jobs import WalkJob
from malmoi import recipe as recipes
from malmoi.document import Document
from malmoi.ledger import REVERSED, Ledger, reverse_drops
from malmoi.recipe import digest
from malmoi.releases.partitioning import h
from malmoi.storage import checksummed_files, shard, shuffle
from malmoi.survey import Survey
from malmoi.workspace import Workspace

STANDS = "stands.parquet"  # of a group: who of its copies stands for whom now; rows of the survey's table
_DROP = ("fallen", "by", "reason")  # of each fetched document: the keeper that fell, and the drop it may take back
_BACK = pa.schema([(name, pa.string()) for name in ("id", "source", "by", "reason")])


@dataclass(frozen=True, slots=True)
class FetchJob:
    """A finished shard of 3-clean, and a table (id, fallen, by, reason, group) of copies that lie in it."""

    before: Path
    copies: pa.Table
    target: Path


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file whose record batch i holds the documents of `groups[i]`, as they came to the door of 4-unique."""

    target: Path
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PromoteJob:
    """The (file, batch) pairs that hold a group of copies, and the filter whose SURVEY they are of."""

    root: Path
    parts: tuple[tuple[Path, int], ...]
    filter: str
    params: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What came of a group: its folder among the surveys, sha256 of the promoted documents, how many of how many."""

    key: str
    sha256: str
    promoted: int
    copies: int


@dataclass(frozen=True, slots=True)
class ReadmitJob:
    """Promoted documents → the stage that had dropped them as copies; `back` names those drops."""

    walk: WalkJob
    back: Path

    @property
    def key(self) -> str:
        """Name of the shard's folder."""
        return self.walk.key


def fetch(job: FetchJob) -> Fetched:
    """Write the documents of the copies, cut by group; of the shard only the row groups that hold one are read."""
    table = _rows(job.before / "documents.parquet", job.copies.column("id"))
    said = job.copies.take(pc.index_in(table.column("id"), value_set=job.copies.column("id").combine_chunks()))
    for name in _DROP:
        table = table.append_column(name, said.column(name))
    groups = np.asarray(said.column("group"))
    order = np.argsort(groups, kind="stable")
    table, numbers, batches, at = table.take(pa.array(order)), [], [], 0
    for number, rows in groupby(groups[order].tolist()):
        n = len(list(rows))
        batches.append(table.slice(at, n).combine_chunks().to_batches()[0])
        numbers.append(number)
        at += n
    shuffle.write(batches, job.target)
    return Fetched(job.target, tuple(numbers))


def promote(job: PromoteJob) -> Group:
    """Name who stands for whom among the copies of a group; its folder has the documents that nobody stands for.

    `documents.parquet`: as they came to the door of 4-unique, labelled `promoted_for`; `reversed.parquet`: the
    drops that no longer hold; `stands.parquet`: rows of the survey's table about the others.
    """
    found: Survey = recipes.load_filter(job.filter).SURVEY
    table = pa.Table.from_batches([shuffle.read_piece(path, number) for path, number in job.parts])
    ids = table.column("id").to_pylist()
    table = table.take(pa.array(sorted(range(len(ids)), key=lambda i: (h(ids[i]), ids[i])), pa.int64()))
    docs = list(shard.to_documents(table.select(shard.DOCUMENTS.names)))
    fallen = dict(zip(table.column("id").to_pylist(), table.column("fallen").to_pylist(), strict=True))
    stands = _stands(found, docs, fallen, dict(job.params))
    mask = pc.invert(pc.is_in(table.column("id"), value_set=stands.column("id").combine_chunks()))
    first = [doc for doc, chosen in zip(docs, mask.to_pylist(), strict=True) if chosen]
    back = table.filter(mask).select(_BACK.names)
    workspace = Workspace(job.root)
    with workspace.temporary_folder() as folder:
        files = [
            shard.write(
                shard.to_table([_labelled(doc, fallen[doc.id]) for doc in first]), folder / "documents.parquet"
            ),
            shard.write(back.cast(_BACK), folder / REVERSED),
            shard.write(stands, folder / STANDS),
        ]
        key = digest(["promoted", [file.sha256 for file in files]])[:32]
        workspace.move_into_place(folder, workspace.survey(key))
    return Group(key, files[0].sha256, len(first), len(docs))


def readmit(job: ReadmitJob) -> Ledger:
    """Lead promoted documents through their stage, booked as a reversing entry: the drops it takes back count down.

    Edits of filters up to the one that had dropped them are not counted: they were, when they came first.
    """

    def write(folder: Path) -> Ledger:
        walked, back = shard_jobs.fill(job.walk, folder), shard.read(job.back)
        taken = Counter(zip(*(back.column(name).to_pylist() for name in ("source", "by", "reason")), strict=True))
        names = [step.filter for step in job.walk.steps]
        seen = names[: max(names.index(by) for _, by, _ in taken) + 1]
        edits = {key: n for key, n in (walked.edits or {}).items() if key[1] not in seen}
        files = (*walked.files, shard.write(back, folder / REVERSED))
        return replace(reverse_drops(walked, taken), edits=edits, files=files)

    return Workspace(job.walk.root).commit(job.walk.stage, job.key, write)


def _stands(found: Survey, docs: Sequence[Document], fallen: dict[str, str], params: dict[str, Any]) -> pa.Table:
    """Rows of the survey's table: for each copy that somebody stands for, who that is and because of whom."""
    call: Any = found.promote
    sketches = pa.Table.from_pylist([found.sketch(doc) for doc in docs], schema=found.schema)
    known = inspect.signature(call).parameters
    chosen = {name: value for name, value in params.items() if name in known}
    table: pa.Table = call(sketches, {doc.id: doc.text for doc in docs}, fallen, **chosen)
    return table


def _labelled(doc: Document, fallen: str) -> Document:
    return replace(doc, labels=tuple(sorted({**dict(doc.labels), "promoted_for": fallen}.items())))


def _rows(path: Path, ids: pa.ChunkedArray) -> pa.Table:
    """The rows of a shard with one of `ids`, in the order of the shard."""
    value_set = ids.combine_chunks()
    with pq.ParquetFile(checksummed_files.check(path)) as file:
        here, at = np.asarray(pc.is_in(file.read(columns=["id"]).column("id"), value_set=value_set)), 0
        hit = []
        for number in range(file.num_row_groups):
            n = file.metadata.row_group(number).num_rows
            hit += [number] if here[at : at + n].any() else []
            at += n
        table = file.read_row_groups(hit)
    return table.filter(pc.is_in(table.column("id"), value_set=value_set))
