"""The review queue: documents that need the decision of a person, grouped by the shape of what was found.

The rights filter is the first of the stage `clean`, so the latest shards of `3-clean` have every document: the dropped
ones with their text, and those that an earlier decision let pass or refused. The queue is judged anew from their
evidence and the decisions in effect now: a decision takes documents out of it at once, a revocation brings them back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.earlier_shards import place_of
from malmoi.document import Document, LicenceEvidence, Signal
from malmoi.licensing import review_file
from malmoi.licensing.proofs import REVIEW
from malmoi.licensing.review_decisions import Decision, Shape, evidence_of, shape_of
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

STAGE: Final[Stage] = "3-clean"
BY: Final = "rights"  # the filter
SHOWN: Final = 2000  # code points of a text
READ: Final = 1024  # documents that are Python objects at a time
_COLUMNS: Final = ("id", "source", "url", "title", "text", "evidence", "signals")


@dataclass(frozen=True, slots=True)
class Item:
    """One document that needs a review; `text` is shortened to SHOWN code points."""

    id: str
    url: str
    title: str
    text: str
    evidence: tuple[LicenceEvidence, ...]
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one shape, sorted by id."""

    shape: Shape
    items: tuple[Item, ...]


def read_groups(
    workspace: Workspace, sources: Collection[str] = (), decisions: Sequence[Decision] | None = None
) -> list[Group]:
    """Return the queue of these sources (of all, if none is named), the largest group first.

    `decisions` are those in effect, by default those of the workspace. StageError if a shard is damaged, CallError if
    the file of decisions is.
    """
    decisions = review_file.read(workspace.reviews) if decisions is None else decisions
    found: dict[Shape, dict[str, Item]] = {}
    seen: set[str] = set()
    newest: dict[str, tuple[int, Path]] = {}  # place → its latest shard
    for folder in workspace.shards(STAGE):
        place = place_of(folder.name)
        newest[place] = max(newest.get(place, (0, folder)), (folder.stat().st_mtime_ns, folder))
    for _, folder in sorted(newest.values(), reverse=True):
        for doc in _read_documents(folder, sources):
            if doc.id in seen:  # of an older cut of the captures
                continue
            seen.add(doc.id)
            if shape := find_open_shape(doc, decisions):
                text = doc.text[:SHOWN]
                item = Item(doc.id, doc.provenance.url, doc.title, text, doc.evidence, doc.signals)
                found.setdefault(shape, {})[doc.id] = item
    groups = [Group(shape, tuple(items[id] for id in sorted(items))) for shape, items in found.items()]
    return sorted(groups, key=lambda group: (-len(group.items), group.shape.key))


def find_open_shape(doc: Document, decisions: Sequence[Decision]) -> Shape | None:
    """Return the shape of a document that needs a review and that no decision is about; else None."""
    shape = shape_of(doc.provenance.source, doc.evidence, doc.signals)
    return None if shape is None or evidence_of(decisions, doc) else shape


def _read_documents(folder: Path, sources: Collection[str]) -> Iterator[Document]:
    """Yield the documents of a shard that the rights filter dropped for review, or that an earlier decision is about.

    The evidence of earlier decisions is left out.
    """
    dropped = shard.read(folder / "dropped.parquet", [*_COLUMNS, "by", "reason"])
    by_rights = pc.equal(dropped["by"], BY)
    waiting = pc.and_(by_rights, pc.equal(dropped["reason"], "needs-review"))
    tables = [dropped.filter(pc.or_(waiting, _find_reviewed(dropped)))]
    kept = shard.read(folder / "documents.parquet", ["id", "evidence"])
    if pc.any(_find_reviewed(kept)).as_py():
        kept = shard.read(folder / "documents.parquet", _COLUMNS)
        tables.append(kept.filter(_find_reviewed(kept)))
    for table in tables:
        here = table.filter(pc.is_in(table["source"], pa.array(list(sources), pa.string()))) if sources else table
        for batch in here.to_batches(READ):
            for doc in shard.to_documents(pa.Table.from_batches([batch])):
                yield replace(doc, evidence=tuple(one for one in doc.evidence if one.kind != REVIEW))


def _find_reviewed(table: pa.Table) -> pa.Array:
    """Return for each row whether a decision is among its evidence."""
    evidence = table["evidence"].combine_chunks()
    rows = pc.list_parent_indices(evidence).filter(pc.equal(evidence.flatten().field("kind"), REVIEW))
    return pc.is_in(pa.array(range(table.num_rows), pa.int64()), pc.cast(rows, pa.int64()))
