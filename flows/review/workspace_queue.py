"""The queue of a workspace as the review page reads it: kept in memory until a run or a decision changes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from flows.review import decisions as deciding
from flows.review.decisions import Reviewer
from flows.review.queue import STAGE, Group, Item, read_groups
from flows.review.snippets import Records, Snippet, find_snippets
from malmoi.document import Document, Provenance
from malmoi.licensing import review_file
from malmoi.licensing.review_decisions import Decision, Target, evidence_of
from malmoi.workspace import Workspace


class WorkspaceQueue:
    """The queue of some sources of a workspace, or of all."""

    def __init__(self, workspace: Workspace, sources: Collection[str] = ()) -> None:
        self._workspace, self._sources = workspace, sources
        self._shards: object = None  # what the shards were when they were read
        self._reviews: object = None  # the decisions that were in effect for `_open`
        self._waiting: list[Group] = []  # all documents that need a review, decided ones too
        self._open: Sequence[Group] = ()
        self._records = Records(workspace, {})

    def read_groups(self) -> Sequence[Group]:
        """Return the groups of undecided items as they are now; the same object if nothing has changed."""
        shards = {folder.name: folder.stat().st_mtime_ns for folder in self._workspace.shards(STAGE)}
        if shards != self._shards:
            self._waiting = read_groups(self._workspace, self._sources, ())
            self._shards, self._reviews = shards, None
            self._records = Records(self._workspace, _list_records(self._waiting))
        if (reviews := self.read_decisions()) != self._reviews:
            self._open, self._reviews = _leave_open(self._waiting, reviews), reviews
        return self._open

    def find_snippets(self, source: str, item: Item) -> Sequence[Snippet]:
        """Return the marks of an item in their archived records."""
        return find_snippets(self._records, source, item.evidence)

    def decide(self, target: Target, value: str, source: str, licence: str, by: Reviewer) -> Decision:
        """Write a decision, a denial if `licence` is "", and return it. CallError if it is not valid."""
        return deciding.decide_target(self._workspace, target, value, source, licence, by, self.read_groups())[0]

    def revoke(self, id: str, by: Reviewer) -> Decision:
        """Revoke a decision. CallError if none in effect has this id."""
        return deciding.revoke(self._workspace, id, by)

    def read_decisions(self) -> tuple[Decision, ...]:
        """Return all decisions, revoked ones too, the oldest first."""
        return review_file.read(self._workspace.reviews)


def _list_records(groups: Sequence[Group]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        records = (one.record for item in group.items for one in item.evidence)
        found.setdefault(group.shape.source, set()).update(records)
    return found


def _leave_open(groups: Sequence[Group], decisions: Sequence[Decision]) -> Sequence[Group]:
    """Return the groups without the items that a decision is about, the largest first."""
    left = [replace(group, items=tuple(_leave_items(group, decisions))) for group in groups]
    return sorted((group for group in left if group.items), key=lambda group: (-len(group.items), group.shape.key))


def _leave_items(group: Group, decisions: Sequence[Decision]) -> list[Item]:
    mine = [one for one in decisions if one.source == group.shape.source and not one.revoked]
    return [item for item in group.items if not evidence_of(mine, _to_document(group.shape.source, item))]


def _to_document(source: str, item: Item) -> Document:
    place = Provenance(source, item.url, "", "", "")
    return Document(item.id, "", place, title=item.title, evidence=item.evidence, signals=item.signals)
