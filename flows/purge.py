"""Purge a workspace: after it nothing of the erased documents is left, and no later run brings them back.

The tombstones come first, so that a kill at any moment leaves a workspace into which nothing comes back; to purge again
completes it. Captures go before the stages, which say what document each capture holds; the first stage goes last.

The simplest safe rule for what was derived: a stage shard or survey that names an erased document, or was made from one
that does, is deleted whole, and the next run makes it again from the captures. Of the surveys only sketches by document
that name none stay; tables, templates and what describes a host were made from many documents at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, reduce
from itertools import chain, compress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crawlers import catalogue, withdrawn
from crawlers.fetch import dump_records
from crawlers.web.addresses import canonical_url, origin
from crawlers.withdrawn_links import Traces, addresses_of, mask_body, mask_headers
from flows.plurals import count_of
from malmoi.archive import capture, collection
from malmoi.archive.capture import Capture, IndexRow
from malmoi.erasure import captures, tombstones
from malmoi.erasure.captures import Erasing, Headers, Mask, Replacement
from malmoi.erasure.passages import PassageFinder
from malmoi.erasure.tombstones import NAME, Matcher, Tombstone
from malmoi.errors import CaptureError, StageError
from malmoi.ledger import Ledger
from malmoi.releases.segments import erase_rows
from malmoi.source import Dump
from malmoi.storage import checksummed_files
from malmoi.storage.atomic_files import replace_file
from malmoi.url_privacy import digest_id, is_digest_id
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER, STAGES, Stage

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 5  # of redirects in a row
THREADS = 2
_NAMES = ("documents.parquet", "dropped.parquet")
_CONTENT = frozenset(("text", "morphemes", "sentences"))  # columns that name no document
_READ = ("id", "source", "url", "record", "text", "title", "author")


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
    sweep_temporary(workspace)
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
        value_finder = has_value if matcher.has_values else None
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
        reports=purge_reports(workspace, erased.stones) if found else 0,
        surveys=purge_surveys(workspace, names) if found else 0,
        shards=purge_stages(workspace, names) if found else 0,
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
        for one in read_documents(workspace, lambda _: None, texts=False, only={"id": found.stones}):
            found.add(one)
    if found.records or matcher.has_values:
        # Records in which documents stay beside erased ones; with values, all with two documents.
        first, only = dict[str, str](), None if matcher.has_values else {"record": found.records}
        for one in read_documents(workspace, lambda _: None, texts=False, only=only):
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
    return read_documents(workspace, find, texts=matcher.reads_texts, only=only, stages=stages)


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
        for _ in read_documents(workspace, look, texts=True, only=only, stages=first):
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


@dataclass(frozen=True, slots=True)
class Seen:
    """A document in a stage shard; `stone` is its tombstone, or None."""

    id: str
    source: str
    url: str
    record: str
    stone: Tombstone | None = None
    is_bare: bool = False  # dropped for its tombstone while it was extracted, without content


Find = Callable[[dict[str, str]], Tombstone | None]  # of a row with the columns id, url, text, title, author


def read_documents(
    workspace: Workspace,
    find: Find,
    *,
    texts: bool,
    only: Mapping[str, Collection[str]] | None = None,
    stages: Sequence[Stage] = STAGES,
) -> Iterator[Seen]:
    """Yield each document of each stage shard with its tombstone; `texts`: whether `find` needs the texts.

    `only` selects rows: of a column, the values one of which a row must have. Other rows become no Python objects.
    """
    columns = _READ if texts else _READ[:4]
    wanted = {column: pa.array(sorted(values), pa.string()) for column, values in (only or {}).items()}
    paths = [path for stage in stages for name in _NAMES for path in workspace.stage_files(name, stage)]

    def read(path: Path) -> Iterator[dict[str, str]]:
        return _rows(path, (*columns, "by") if path.name == "dropped.parquet" else columns, wanted)

    with ThreadPoolExecutor(THREADS) as pool:  # Arrow releases the GIL; selected rows are few
        for row in chain.from_iterable(pool.map(lambda path: list(read(path)), paths) if wanted else map(read, paths)):
            about = {column: row.get(column) or "" for column in _READ}
            bare = row.get("by") == NAME and is_digest_id(about["id"])
            yield Seen(about["id"], about["source"], about["url"], about["record"], find(about), bare)


def _rows(path: Path, columns: Collection[str], wanted: Mapping[str, pa.Array]) -> Iterator[dict[str, str]]:
    asked = {name: values for name, values in wanted.items() if name in columns}
    try:
        with pq.ParquetFile(path) as file:
            if asked and not any(pc.any(hit).as_py() for _, hit in _batches(file, list(asked), asked)):
                return  # most files: only the columns that decide were read
            for batch, hit in _batches(file, columns, asked):
                yield from (batch.filter(hit) if asked else batch).to_pylist()
    except (pa.ArrowException, OSError):
        return  # damaged; `purge_stages` deletes it


def _batches(
    file: pq.ParquetFile, columns: Collection[str], asked: Mapping[str, pa.Array]
) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Yield the batches of a file, each with its rows that have one of the values asked for."""
    for batch in file.iter_batches(4096, columns=list(columns)):
        hits = [pc.is_in(batch[name], values) for name, values in asked.items()]
        yield batch, reduce(pc.or_, hits) if hits else None


def purge_stages(workspace: Workspace, names: Collection[str]) -> int:
    """Delete the stage shards that name a document of `names` (ids, addresses, records), the latest stage first."""
    sought = pa.array(sorted(names), pa.string())
    count = 0

    def is_named(folder: Path) -> bool:
        return _is_named_in_ledger(folder / LEDGER, names) or any(has_name(folder / n, sought) for n in _NAMES)

    with ThreadPoolExecutor(THREADS) as pool:  # Arrow releases the GIL
        for stage in reversed(STAGES):
            folders = sorted(path for path in workspace.stage(stage, "").glob("*") if path.is_dir())
            for folder in compress(folders, list(pool.map(is_named, folders))):
                delete(workspace, folder)
                count += 1
    return count


def _is_named_in_ledger(path: Path, names: Collection[str]) -> bool:
    try:
        ledger = Ledger.read(path)
    except (StageError, FileNotFoundError):
        return path.parent.exists()  # unfinished or damaged: what it names is unknown
    if not all(path.with_name(file.name).exists() for file in ledger.files):
        return True  # damaged
    failed = {word for one in ledger.failed for word in (one.id, one.id.partition("/")[2], one.url)}
    return not failed.isdisjoint(names) or any(word in names for one in ledger.torn for word in one.split())


def has_name(path: Path, sought: pa.Array) -> bool:
    """Whether a string of a Parquet file, outside of texts, is one of `sought`; also if the file cannot be read."""
    if not path.exists():
        return False
    try:
        meta = pq.read_metadata(path)
        leaves = (meta.schema.column(n) for n in range(len(meta.schema)))
        strings = (leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY")
        columns = [path for path in strings if path.partition(".")[0] not in _CONTENT]
        # As dictionaries: an equal string is compared once, and most strings of a stage are repeated.
        with pq.ParquetFile(path, metadata=meta, read_dictionary=columns) as file:
            for batch in file.iter_batches(1 << 16, columns=columns):
                if any(pc.any(pc.is_in(leaf, sought)).as_py() for column in batch.columns for leaf in _leaves(column)):
                    return True
    except (pa.ArrowException, OSError):
        return True
    return False


def _leaves(column: Any) -> Iterator[pa.Array]:
    """Yield the string arrays of a column, nested ones too."""
    if pa.types.is_list(column.type):
        yield from _leaves(column.flatten())
    elif pa.types.is_struct(column.type):
        for child in column.flatten():
            yield from _leaves(child)
    elif pa.types.is_dictionary(column.type):
        yield from _leaves(column.dictionary)
    elif pa.types.is_string(column.type):
        yield column


def purge_surveys(workspace: Workspace, names: Collection[str]) -> int:
    """Delete all surveys except the index and the sketches of shards that name no document of `names`."""
    sought, index = pa.array(sorted(names), pa.string()), workspace.index("")
    count = 0
    for folder in sorted(path for path in workspace.surveys.glob("*") if path.is_dir() and path != index):
        if not _is_clean_sketch(folder, sought):
            delete(workspace, folder)
            count += 1
    return count


def _is_clean_sketch(folder: Path, sought: pa.Array) -> bool:
    sketch = folder / "sketch.parquet"
    if {path.name for path in folder.iterdir()} != {sketch.name, checksummed_files.NAME}:
        return False
    try:
        by_document = pq.read_schema(sketch).names[0] == "id"
    except (pa.ArrowException, OSError):
        return False
    return by_document and not has_name(sketch, sought)


def purge_reports(workspace: Workspace, ids: Collection[str]) -> int:
    """Delete reports and rejected releases, which a run writes again; remove documents from the lists of quarantine."""
    count = 0
    for folder in sorted(workspace.rejections("").glob("*/*")):
        delete(workspace, folder)
        count += 1
    for path in sorted(workspace.report("").parent.glob("*")):
        if path.suffix in (".html", ".json"):
            path.unlink()
            count += 1
    for path in workspace.quarantines().values():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["id"] not in ids]
        if not kept:
            path.unlink()
        elif len(kept) < len(lines):
            replace_file(path, "\n".join(kept) + "\n")
        count += len(kept) < len(lines)
    return count


def delete(workspace: Workspace, folder: Path) -> None:
    """Delete a finished folder: it is moved away atomically, then deleted."""
    with workspace.temporary_folder() as born:
        folder.rename(born / folder.name)
        shutil.rmtree(born / folder.name)


def sweep_temporary(workspace: Workspace) -> None:
    """Delete leftovers of stopped runs in tmp/, and the results that releases keep for their next version."""
    for path in (*workspace.tmp.iterdir(), *workspace.release_parts("").glob("*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
