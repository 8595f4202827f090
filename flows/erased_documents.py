"""Find the erased documents of a workspace, and the captures that hold them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from crawlers import withdrawn
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.erasure import derived_files
from malmoi.erasure.derived_files import Seen
from malmoi.erasure.passages import PassageFinder
from malmoi.erasure.tombstones import NAME, Matcher, Tombstone
from malmoi.page_ids import digest_id
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES, Stage


@dataclass(frozen=True, slots=True)
class HeldCapture:
    """The capture of an erased document; `is_own`: its file is the operator's, outside of the workspace."""

    source: str
    row: IndexRow  # with a path that can be opened
    is_own: bool


@dataclass(slots=True)
class Erased:
    """The erased documents, as the stages know them, and their captures."""

    stones: dict[str, Tombstone] = field(default_factory=dict)  # id → its tombstone
    urls: set[str] = field(default_factory=set)
    records: dict[str, set[str]] = field(default_factory=dict)  # record of a capture → erased ids in it
    shared: set[str] = field(default_factory=set)  # records that hold other documents too
    captures: dict[str, HeldCapture] = field(default_factory=dict)  # record → its capture
    passages: dict[str, PassageFinder] = field(default_factory=dict)  # source → what finds the words of its documents

    @property
    def names(self) -> set[str]:
        """Ids, addresses and records that name an erased document."""
        return {*self.stones, *map(digest_id, self.stones), *self.urls, *(self.records.keys() - self.shared)}

    def add(self, one: Seen) -> None:
        """Add address and record of an erased document."""
        self.records.setdefault(one.record, set()).add(one.id)
        self.urls.add(one.url)


def has_values(matcher: Matcher) -> bool:
    """Whether a tombstone is of kind `value`."""
    return any(one.kind == "value" for one in matcher.tombstones)


def find_erased(workspace: Workspace, matcher: Matcher) -> Erased:
    """Find the erased documents in all stages, then the captures that hold them."""
    found = Erased()
    for one in read_matching(workspace, matcher):
        if stone := one.stone or (_choose_stone(matcher) if one.is_bare else None):
            found.stones.setdefault(one.id, stone)
            found.add(one)
    if found.stones.keys() - {*(matcher.list_ids() or ())}:  # of the others, every row was read above
        _find_records(workspace, found)
    if found.records or has_values(matcher):
        found.shared = _find_shared(workspace, found, all_records=has_values(matcher))
    found.captures = _find_captures(workspace, found.records)
    found.passages = _find_passages(workspace, found)
    return found


def read_matching(workspace: Workspace, matcher: Matcher, stages: Sequence[Stage] = STAGES) -> Iterator[Seen]:
    """Yield the documents of these stages with their tombstones; without those that no tombstone can cover."""

    def find(row: dict[str, str]) -> Tombstone | None:
        about = f"{row['title']}\n{row['author']}"
        return withdrawn.find_document(matcher, row["id"], row["url"], row["text"], about)

    # A document that was dropped for a tombstone while it was extracted has no address.
    only = None if (ids := matcher.list_ids()) is None else {"id": ids, "by": [NAME]}
    return derived_files.read_documents(workspace, find, texts=matcher.reads_texts, only=only, stages=stages)


def _choose_stone(matcher: Matcher) -> Tombstone:
    """Return a tombstone for a document whose content is gone: one that reads texts, as no address gave it away."""
    return next((one for one in matcher.tombstones if one.kind in ("text-sha256", "value")), matcher.tombstones[0])


def _find_records(workspace: Workspace, found: Erased) -> None:
    """Add the addresses and records of the documents in all stages: an edit may have changed an address."""
    for one in derived_files.read_documents(workspace, lambda _: None, texts=False, only={"id": found.stones}):
        found.add(one)


def _find_shared(workspace: Workspace, found: Erased, *, all_records: bool) -> set[str]:
    """Return the records in which documents stay beside erased ones; with `all_records`, all with two documents."""
    shared, first = set[str](), dict[str, str]()
    only = None if all_records else {"record": found.records}
    for one in derived_files.read_documents(workspace, lambda _: None, texts=False, only=only):
        if one.record in found.records:
            if one.id not in found.stones:
                shared.add(one.record)
        elif all_records and one.record and first.setdefault(one.record, one.id) != one.id:
            shared.add(one.record)
    return shared


def _find_passages(workspace: Workspace, found: Erased) -> dict[str, PassageFinder]:
    """Return what finds the words of the erased documents in other captures of their sources."""
    erased = dict[str, list[tuple[str, str]]]()

    def take(row: dict[str, str]) -> None:
        erased.setdefault(row["source"], []).append((row["title"], row["text"]))

    def count(row: dict[str, str]) -> None:
        if row["id"] not in found.stones and (finder := finders.get(row["source"])):
            finder.add_kept(row["title"], row["text"])

    def read(look: Callable[[dict[str, str]], None], column: str, values: Collection[str]) -> None:
        only, first = {column: values}, STAGES[:1]
        for _ in derived_files.read_documents(workspace, look, texts=True, only=only, stages=first):
            pass

    archived = {held.source for held in found.captures.values() if not held.is_own}
    if archived:
        read(take, "id", found.stones)
    finders = {source: PassageFinder(texts) for source, texts in erased.items() if source in archived}
    if finders:
        read(count, "source", finders)
    return finders


def _find_captures(workspace: Workspace, records: Collection[str]) -> dict[str, HeldCapture]:
    found = {}
    for home in workspace.capture_folders() if records else ():
        for run in collection.runs(home):
            for row in run.rows:
                if row.record in records and row.kind in collection.ITEMS:
                    own = row.path.startswith("/")
                    found[row.record] = HeldCapture(home.name, collection.resolve_row(run, row), own)
    return found
