"""The review queue, and decisions of persons: record, list, revoke, export and import them.

The queue has the documents that need a decision about their rights, grouped by the shape of what was found. The rights
filter is the first of the stage `clean`, so the latest shards of `3-clean` have every document: the dropped ones with
their text, and those that an earlier decision let pass or refused. The queue is judged anew from their evidence and the
decisions in effect now: a decision takes documents out of it at once, a revocation brings them back.

Other decisions clear finds of the second detector that keep documents out of releases: false alarms. The lists of the
latest releases (reports/quarantine-NAME.jsonl) are the queue of those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.earlier_shards import place_of
from malmoi.document import Document, LicenceEvidence, Signal
from malmoi.errors import CallError
from malmoi.licensing import review_file
from malmoi.licensing.proofs import REVIEW
from malmoi.licensing.review_decisions import (
    BETWEEN,
    CLEAR,
    Decision,
    Shape,
    Target,
    Verdict,
    covers,
    evidence_of,
    shape_of,
)
from malmoi.printable import dump_json
from malmoi.releases import cleared_finds, excluded_documents, residue
from malmoi.storage import shard
from malmoi.storage.location import find_address
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
            shape = shape_of(doc.provenance.source, doc.evidence, doc.signals)
            if shape is not None and not evidence_of(decisions, doc):  # no decision is about it
                text = doc.text[:SHOWN]
                item = Item(doc.id, doc.provenance.url, doc.title, text, doc.evidence, doc.signals)
                found.setdefault(shape, {})[doc.id] = item
    groups = [Group(shape, tuple(items[id] for id in sorted(items))) for shape, items in found.items()]
    return sorted(groups, key=lambda group: (-len(group.items), group.shape.key))


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


NO_SHAPE = "-"  # in place of a shape of finds: cleared by document only


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides, and why."""

    name: str
    reason: str


def decide_target(
    workspace: Workspace,
    target: Target,
    value: str,
    source: str,
    licence: str,
    by: Reviewer,
    groups: Sequence[Group] | None = None,
) -> tuple[Decision, int]:
    """Record a decision and return it with the number of documents of the queue that it takes out.

    `licence` is what is granted; "" denies. `groups` is the queue, read anew if it is not given. CallError, and nothing
    is written, if the decision is not valid, or if no document of the queue is one that it grants or has its shape. A
    decision that is repeated is the one that was made before.
    """
    decision = make_decision("grant" if licence else "deny", target, value, source, licence, by)
    queue = read_groups(workspace, [source]) if groups is None else groups
    mine = [group for group in queue if group.shape.source == source]
    items = [item for group in mine if target != "shape" or group.shape.key == value for item in group.items]
    if target != "shape":
        items = [item for item in items if (item.id == value if target == "item" else covers(value, item.url))]
    count = len(items)
    is_known = review_file.find_repeated(review_file.read(workspace.reviews), decision) is not None
    if not count and not is_known and (licence or target == "shape"):
        raise CallError(
            f"no document of source {source!r} that needs a review is covered by {value!r}; nothing was written. "
            "`malmoi review --list` shows what can be decided; an item or addresses can be denied without that."
        )
    return append(workspace, [decision])[0], count


def make_decision(
    verdict: Verdict, target: Target, value: str, source: str, licence: str, by: Reviewer, found: str = ""
) -> Decision:
    """Return a new decision of today; CallError if it is not valid."""
    made = review_file.make_id(target)
    words = (by.name.strip(), _today(), by.reason.strip(), found)
    decision = Decision(made, verdict, target, value, source, licence, *words)
    review_file.refuse_incomplete(decision)
    return decision


def append(workspace: Workspace, made: Sequence[Decision]) -> list[Decision]:
    """Record decisions, all or none, and return them as they are held: one that is repeated as it was made before."""
    with _hold(workspace):
        review_file.append(workspace.reviews, made)
        held = review_file.read(workspace.reviews)
    return [review_file.find_repeated(held, one) or one for one in made]


def find_target(given: str) -> tuple[Target, str]:
    """Return target and source of what a person names: the key of a shape, or the id of a document.

    >>> find_target("kocca | no-proof | link | footer > a | CC-BY-4.0"), find_target("kocca/7 | a")
    (('shape', 'kocca'), ('item', 'kocca'))
    """
    source, slash, _ = given.partition("/")
    before, bar, _ = given.partition(BETWEEN)
    return ("shape", before) if bar and not (slash and len(source) < len(before)) else ("item", source)


def revoke(workspace: Workspace, id: str, by: Reviewer) -> Decision:
    """Revoke the decision with this id; CallError if none in effect has it."""
    with _hold(workspace):
        return review_file.revoke(workspace.reviews, id, _today(), by.name.strip(), by.reason.strip())


def read_decisions(workspace: Workspace, sources: Collection[str] = ()) -> tuple[Decision, ...]:
    """Return the decisions about these sources (about all, if none is named), revoked ones too, the oldest first."""
    return tuple(one for one in review_file.read(workspace.reviews) if not sources or one.source in sources)


def spell_decisions(found: Sequence[Decision]) -> str:
    """Return decisions as JSON lines."""
    return "".join(f"{dump_json(asdict(one))}\n" for one in found)


def import_decisions(workspace: Workspace, file: Path) -> tuple[int, int]:
    """Add the decisions and revocations of a file of JSON lines, all or none; return (added, known before).

    CallError names the first line that is not a decision, or the id of another decision here.
    """
    given = review_file.parse_lines(file, file.read_bytes())
    with _hold(workspace):
        added = review_file.append(workspace.reviews, given)
    return len(added), len(given) - len(added)


@dataclass(frozen=True, slots=True)
class FindGroup:
    """The finds of one source, kind and shape: lines of the lists, sorted by document."""

    key: str
    finds: tuple[dict[str, Any], ...]

    @property
    def documents(self) -> int:
        """Return the number of documents."""
        return len({one["id"] for one in self.finds})

    @property
    def count(self) -> int:
        """Return the number of finds."""
        return sum(one["count"] for one in self.finds)


def read_finds(workspace: Workspace, sources: Collection[str] = ()) -> list[FindGroup]:
    """Return the finds of these sources (of all, if none is named) that no decision clears, the largest group first."""
    finds = list(_read_finds(workspace))
    made = cleared_finds.select_decisions(read_decisions(workspace), sources or {one["source"] for one in finds})
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for one in finds:
        if sources and one["source"] not in sources:
            continue
        targets = _name_targets(one) if can_clear(one) else ()
        if not any(decision.value in targets and decision.found in ("", one["digest"]) for decision in made):
            key = cleared_finds.spell_shape(one["source"], one["kind"], one["shape"] or NO_SHAPE)
            groups.setdefault(key, {})[repr(sorted(one.items()))] = one  # the lists of two releases may have the same
    place = itemgetter("id", "table", "column", "context")
    found = [FindGroup(key, tuple(sorted(ones.values(), key=place))) for key, ones in groups.items()]
    return sorted(found, key=lambda group: (-group.documents, group.key))


def clear_target(workspace: Workspace, named: str, by: Reviewer) -> tuple[list[Decision], int]:
    """Record that finds are false alarms: of a shape, or all of a document; return the decisions and the finds.

    CallError, and nothing is written, if the lists have no such find, if it cannot be cleared, or if reviewer or reason
    have a find themselves: the release publishes them.
    """
    if kinds := sorted(set(residue.kinds(f"{by.name}\n{by.reason}"))):
        raise CallError(
            f"the second detector finds {', '.join(kinds)} in --reviewer or --reason, which releases publish; nothing "
            "was written. Describe the false alarm without the value."
        )
    target, source = find_target(named)
    found = [one for one in _read_finds(workspace) if named in _name_targets(one)]
    if not found:
        raise CallError(
            f"no find of the second detector is in {named!r}; nothing was written. Give a shape as "
            "`malmoi review finds` shows it, or the id of a document; finds without a shape (-) are cleared by the id."
        )
    if target == "item" and not all(map(can_clear, found)):
        raise CallError(
            f"a find of {named!r} is in its id, or in the host of its address, which a card may show, or it is a fault "
            "that `malmoi verify` would state; it cannot be cleared, and nothing was written. Correct the rule or the "
            "source that is wrong (docs/personal-data.md)."
        )
    digests = sorted({one["digest"] for one in found}) if target == "item" else [""]
    made = [make_decision(CLEAR, target, named, source, "", by, digest) for digest in digests]
    return append(workspace, made), sum(one["count"] for one in found)


def _name_targets(one: dict[str, Any]) -> tuple[str, ...]:
    """Return what a decision about a find may name: its document, and its shape if it has one."""
    key = cleared_finds.spell_shape(one["source"], one["kind"], one["shape"])
    return (one["id"], key) if one["shape"] and can_clear(one) else (one["id"],)


def can_clear(one: dict[str, Any]) -> bool:
    """Whether a person may clear a find: it is not where a card may show it, and no fault of its document."""
    return one["table"] not in (cleared_finds.SHOWN, excluded_documents.UNVERIFIED[0]) and one["column"] != "id"


def _read_finds(workspace: Workspace) -> Iterator[dict[str, Any]]:
    for path in workspace.quarantines().values():
        yield from excluded_documents.read_list(path)


def has_shape(group: FindGroup) -> bool:
    """Whether the finds of a group can be cleared together."""
    return group.key.rpartition(BETWEEN)[2] != NO_SHAPE


def _hold(workspace: Workspace) -> AbstractContextManager[None]:
    """Lock a workspace in a bucket, which gets the file at the end; in a folder, only the file is locked.

    A run has read the decisions at its start, so it does not matter that one is made while it works.
    """
    return workspace.lock() if find_address(workspace.root) else nullcontext()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
