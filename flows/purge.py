"""Purge a workspace: after it nothing of the erased documents is left, and no later run brings them back.

The tombstones come first, so that a kill at any moment leaves a workspace into which nothing comes back; to purge again
completes it. Captures go before the stages, which say what document each capture holds; the first stage goes last.

Stage shards and surveys that name an erased document, or were made from one that does, are deleted whole: the next run
makes them again from the captures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from crawlers import catalogue, withdrawn
from crawlers.fetch import dump_records
from crawlers.web.addresses import canonical_url, origin
from crawlers.withdrawn_links import Traces, addresses_of, mask_body, mask_headers
from flows.plurals import count_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import Capture, IndexRow
from malmoi.erasure import captures, derived_files, tombstones
from malmoi.erasure.captures import Erasing, Headers, Mask, Replacement
from malmoi.erasure.derived_files import Seen
from malmoi.erasure.passages import PassageFinder
from malmoi.erasure.tombstones import NAME, Matcher, Tombstone
from malmoi.errors import CaptureError
from malmoi.page_ids import digest_id, is_digest_id
from malmoi.releases.segments import erase_rows
from malmoi.source import Dump
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES, Stage

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 5  # of redirects in a row


@dataclass(frozen=True, slots=True)
class Purged:
    """The result of a purge; `left` says what it could not remove, and what to do about it."""

    documents: tuple[str, ...]  # ids
    records: int = 0  # of captures, blanked
    index_rows: int = 0  # of the deduplication index
    shards: int = 0  # of stages, deleted; the next run makes them again
    surveys: int = 0  # the same
    reports: int = 0
    left: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in lines what was removed, and what was not."""
        counts = (
            f"{count_of(self.records, 'record')} of captures, {count_of(self.index_rows, 'row')} of the index, "
            f"{count_of(self.shards, 'stage shard')}, {count_of(self.surveys, 'survey')} and "
            f"{count_of(self.reports, 'report')}"
        )
        return "\n".join((f"purged {counts}; the next run makes shards and surveys again", *self.left))


def purge(
    workspace: Workspace, matcher: Matcher, sources: Sequence[str] = (), *, erased: Erased | None = None
) -> Purged:
    """Remove every trace of the documents that `matcher` finds; the caller holds the lock of the workspace.

    Releases stay as they are. tmp/ is emptied. `erased` is what `find_erased` found before, None: it is found here.
    `sources` are files of sources that are not in the catalogue: a block of a dump can only be cut by the functions of
    its source. CaptureError or StageError if a file is damaged.
    """
    derived_files.sweep_temporary(workspace)
    if not matcher:
        return Purged(())
    erased = erased or find_erased(workspace, matcher)
    homes = workspace.capture_folders()
    mine = {home.name: _find_addresses(home, matcher, erased) for home in homes}
    _add_tombstones(workspace, matcher, erased, mine)
    cuts = _cut_blocks(workspace, matcher, erased, sources)
    whole = frozenset((erased.records.keys() - erased.shared) | cuts.keys())
    replaced = {record: content for record, content in cuts.items() if content is not None}

    def has_value(found: Capture) -> bool:
        return found.record not in erased.shared and withdrawn.has_value(matcher, found.body, found.charset)

    def purge_source(home: Path) -> captures.PurgedSource:
        source, own = home.name, mine[home.name]

        @lru_cache(maxsize=1 << 16)
        def is_withdrawn(url: str) -> bool:
            return url in own or withdrawn.find_by_address(matcher, source, url) is not None

        addresses = [*addresses_of(matcher, source), *own]
        traces = Traces.make(addresses, is_withdrawn, erased.passages.get(source))
        mask = _make_mask(home, addresses, traces, erased.shared)
        value_finder = has_value if has_values(matcher) else None
        return captures.purge_source(home, Erasing(source, is_withdrawn, whole, replaced, value_finder, mask))

    done = [purge_source(home) for home in homes]

    def is_erased(id: str) -> bool:
        source, _, key = id.partition("/")
        return id in erased.stones or bool(matcher.find_by_id(id) or withdrawn.find_by_address(matcher, source, key))

    index_rows, broken = erase_rows(workspace, is_erased)
    left = []
    for record, ids in sorted(erased.records.items()):
        held = erased.captures.get(record)
        if held is not None and held.is_own:
            left.append(
                f"{held.row.path}: your own file, which still holds {min(ids)}; delete that from it. "
                "Nothing of it is collected or kept meanwhile."
            )
        elif held is not None and record in erased.shared and record not in cuts:
            left.append(
                f"{held.row.path}: the record at {held.row.offset} holds {min(ids)} among other documents and cannot "
                "be cut. Every run drops the document. Once its publisher has removed it, delete the runs of "
                f"{held.source} and collect again; of a dump, name the file of the source."
            )
    names = erased.names.union(*(one.changed for one in done))
    found = bool(erased.stones) or any(one.changed for one in done)
    return Purged(
        documents=tuple(sorted(erased.stones)),
        records=sum(one.erased for one in done),
        index_rows=index_rows,
        reports=derived_files.purge_reports(workspace, erased.stones) if found else 0,
        surveys=derived_files.purge_surveys(workspace, names) if found else 0,
        shards=derived_files.purge_stages(workspace, names) if found else 0,
        left=(*left, *broken),
    )


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
    # The tombstone of a document whose content is gone: one that reads texts, as no address gave it away.
    by_text = (one for one in matcher.tombstones if one.kind in ("text-sha256", "value"))
    bare = next(by_text, next(iter(matcher.tombstones), None))
    for one in read_matching(workspace, matcher):
        if stone := one.stone or (bare if one.is_bare else None):
            found.stones.setdefault(one.id, stone)
            found.add(one)
    if found.stones.keys() - {*(matcher.list_ids() or ())}:  # of the others, every row was read above
        # An edit may have changed an address, so those of all stages count.
        for one in derived_files.read_documents(workspace, lambda _: None, texts=False, only={"id": found.stones}):
            found.add(one)
    if found.records or has_values(matcher):
        # Records in which documents stay beside erased ones; with values, all with two documents.
        first, only = dict[str, str](), None if has_values(matcher) else {"record": found.records}
        for one in derived_files.read_documents(workspace, lambda _: None, texts=False, only=only):
            if one.record in found.records:
                if one.id not in found.stones:
                    found.shared.add(one.record)
            elif only is None and one.record and first.setdefault(one.record, one.id) != one.id:
                found.shared.add(one.record)
    for home in workspace.capture_folders() if found.records else ():
        for run in collection.runs(home):
            for row in run.rows:
                if row.record in found.records and row.kind in collection.ITEMS:
                    own = row.path.startswith("/")
                    found.captures[row.record] = HeldCapture(home.name, collection.resolve_row(run, row), own)
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


def _find_addresses(home: Path, matcher: Matcher, erased: Erased) -> dict[str, Tombstone]:
    """Return the addresses of a source that show an erased document alone, or lead to one, that no tombstone covers.

    An address that once gave an answer of its own, or is the root of a site, leads elsewhere at another time.
    """

    def find(url: str) -> Tombstone | None:
        return found.get(url) or withdrawn.find_by_address(matcher, home.name, url)

    found = dict[str, Tombstone]()
    for record, held in erased.captures.items():
        address = canonical_url(held.row.url)
        if address and held.source == home.name and record not in erased.shared and find(address) is None:
            found[address] = erased.stones[min(erased.records[record])]
    leads, own = dict[str, str](), set[str]()
    for run in collection.runs(home):
        for row in run.rows:
            if row.kind == "response" and row.status in _REDIRECTS:
                at = collection.resolve_row(run, row)
                with suppress(CaptureError):
                    target = capture.read(Path(at.path), at.offset, at.record).header("location")
                    leads[row.url] = canonical_url(urljoin(row.url, target.strip()))
            elif row.kind in collection.ARCHIVED:
                own.add(row.url)
    for _ in range(_HOPS):
        for url, target in leads.items():
            is_root = urlsplit(url)[2:4] in (("", ""), ("/", ""))
            if url not in own and not is_root and find(url) is None and (stone := find(target)):
                found[canonical_url(url)] = stone
    return found


def _add_tombstones(
    workspace: Workspace, matcher: Matcher, erased: Erased, addresses: Mapping[str, Mapping[str, Tombstone]]
) -> None:
    """Add ids, and addresses of captures, that no tombstone covers yet: they must not be fetched again.

    An id or an address that contains an erased value is not written down; the value itself covers it.
    """
    known = {(one.kind, one.key) for one in matcher.tombstones}
    new: dict[tuple[str, str], Tombstone] = {}

    def add(kind: tombstones.Kind, key: str, stone: Tombstone) -> None:
        if (kind, key) not in known and matcher.find_value(key) is None:
            new[kind, key] = replace(stone, kind=kind, key=key)

    for id, stone in erased.stones.items():
        if stone.kind in ("text-sha256", "value") and not is_digest_id(id):
            add("id", id, stone)
    for found in addresses.values():
        for address, stone in found.items():
            add("url", address, stone)
    tombstones.add(workspace.withdrawals, new.values())


def _cut_blocks(
    workspace: Workspace, matcher: Matcher, erased: Erased, sources: Sequence[str]
) -> dict[str, Replacement | None]:
    """Return record → what takes its place, for all blocks of dumps with an erased document, superseded ones too."""

    def is_erased(id: str, url: str) -> bool:
        known = erased.stones.keys() & {id, digest_id(id)}
        return bool(known or matcher.find_by_id(id) or matcher.find_by_address(url))

    cuts: dict[str, Replacement | None] = {}
    load = cache(catalogue.load)
    for home in workspace.capture_folders():
        names = [*sources, *([home.name] if home.name in catalogue.names() else [])]
        definition = next((known for name in names if (known := load(name)).source.name == home.name), None)
        if definition is not None and isinstance(definition.source.access, Dump):
            mine = {id for id in erased.stones if id.startswith(f"{home.name}/")}
            if mine or dump_records.check_for(definition, matcher):
                cuts |= dump_records.cut_blocks(definition, collection.runs(home), is_erased)
    return cuts


def _make_mask(home: Path, addresses: Sequence[str], traces: Traces, shared: Collection[str]) -> Mask | None:
    """Return the function that cuts `traces` out of a capture; None if the source has no page of their sites."""
    sites = {origin(url) for url in addresses}
    rows = (row for run in collection.runs(home) for row in run.rows)
    is_near = bool(sites) and (collection.has_unfinished(home) or any(origin(row.url) in sites for row in rows))
    if not is_near and not traces.passages:
        return None

    def mask(found: Capture) -> tuple[Headers, bytes] | None:
        body = mask_body(found.body, found.header("content-type"), found.url, traces)
        if body is None and found.record not in shared:
            return None
        return mask_headers(found.headers, found.url, traces), found.body if body is None else body

    return mask
