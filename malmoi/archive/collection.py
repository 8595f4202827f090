"""Collection runs: their content, and the current captures of a source.

A run folder holds `index.parquet` (one row per capture), the WARC files that the rows point into, and
`run.json`, written last: a run without it is unfinished, and the next collection resumes it. A later run adds
new captures; a changed answer supersedes the earlier one, a missing address is recorded as gone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from malmoi.archive.capture import IndexRow, advise_repair
from malmoi.archive.capture_fields import BLOCK, find_fault, show
from malmoi.boundary import input_errors
from malmoi.canonical_json import canonical_json
from malmoi.errors import CaptureError, StageError
from malmoi.storage import shard
from malmoi.storage.atomic_files import replace_file, sync
from malmoi.storage.on_demand import renew

INDEX = pa.schema(
    [(f.name, pa.int64() if f.name in ("status", "offset", "size") else pa.string()) for f in fields(IndexRow)]
)
LICENCE = "licence"  # kind of a row that archives a licence file or page, not an item
ITEMS = ("response", "resource", "file")  # kinds of rows that may hold items
ARCHIVED = ("response", "resource")  # those of them whose bytes are in an archive
DAMAGED = 0  # status of a row of this kind whose page was there, and whose record is damaged (crawlers/repair.py)
GONE = "gone"  # kind of a row for an address that no longer answers, or a file that no longer exists
MAX_EARLIER = 20  # revisions of one address that are examined
INDEX_DIGEST = "index_sha256"  # fact of a run: sha256 of its index.parquet
NEXT_DIGEST = "next_index_sha256"  # the same of the index that is about to take its place, while a run is purged
OWN_DIGEST = "facts_sha256"  # fact of a run: sha256 of the other facts, as canonical JSON
SUMMARY = ".summary.json"  # a cache beside the runs of a source
_FILES = ("run.json", "index.parquet")
_SHARED = frozenset(("fetched", "media", "path", "kind"))  # columns with few values
MEAN_ROWS = 256  # captures of a shard on average; at 10-20 ms per page a shard takes some seconds
MAX_ROWS = 1024
MEAN_BYTES = 8 * 1024 * 1024  # payload of a shard on average, if its captures are larger than pages
MAX_BYTES = 4 * MEAN_BYTES  # a shard is always cut above this: blocks of a dump hold many pages each


@dataclass(frozen=True, slots=True)
class Run:
    """One finished collection run."""

    folder: Path
    rows: tuple[IndexRow, ...]
    facts: dict[str, Any]


def finish(folder: Path, rows: Sequence[IndexRow], facts: dict[str, Any]) -> None:
    """Write the index and then `run.json`, which marks the run as finished."""
    part = _write_index(rows, folder / ".index.parquet")
    sync(part)
    part.replace(folder / "index.parquet")
    sync(folder)
    _write_facts(folder, facts | {INDEX_DIGEST: shard.sha256_of(folder / "index.parquet")})


def rewrite(run: Run, rows: Sequence[IndexRow], facts: dict[str, Any]) -> None:
    """Replace index and facts of a finished run; it can be read at every moment, as it was or as it will be."""
    part, before = _write_index(rows, run.folder / ".index.parquet"), run.facts.get(INDEX_DIGEST)
    after = shard.sha256_of(part)
    sync(part)
    plain = {name: fact for name, fact in facts.items() if name != NEXT_DIGEST}
    if before not in (None, after):
        _write_facts(run.folder, plain | {INDEX_DIGEST: before, NEXT_DIGEST: after})
    part.replace(run.folder / "index.parquet")
    sync(run.folder)
    _write_facts(run.folder, plain | {INDEX_DIGEST: after})


def _write_index(rows: Sequence[IndexRow], part: Path) -> Path:
    shard.write(to_table(sorted(rows, key=lambda r: (r.url, r.fetched, r.record))), part)
    return part


def to_table(rows: Sequence[IndexRow]) -> pa.Table:
    """Return rows as a table of schema INDEX."""
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in INDEX]
    return pa.table(columns, schema=INDEX)


def to_rows(table: pa.Table) -> list[IndexRow]:
    """Return the rows of a table of schema INDEX; equal values of a column in _SHARED are one string in memory."""
    columns: list[list[Any]] = []
    for name in INDEX.names:
        column = table[name]
        if name in _SHARED and len(column):
            coded = column.combine_chunks().dictionary_encode()
            columns.append(list(map(coded.dictionary.to_pylist().__getitem__, coded.indices.to_pylist())))
        else:
            columns.append(column.to_pylist())
    return list(map(IndexRow, *columns))


def _write_facts(folder: Path, facts: dict[str, Any]) -> None:
    told = json.loads(canonical_json(facts))
    replace_file(folder / "run.json", canonical_json(told | {OWN_DIGEST: _digest_of(told)}))


def runs(folder: Path) -> list[Run]:
    """Return the finished runs of a source, oldest first. Raises CaptureError if one is unreadable or damaged."""
    return [read_run(run) for run in list_runs(folder)]


def list_runs(folder: Path) -> list[Path]:
    """Return the folders of the finished runs of a source, oldest first."""
    return sorted(p for p in folder.glob("[0-9]*") if (p / "run.json").exists())


def read_facts(folder: Path) -> dict[str, Any]:
    """Read the facts of one finished run after checking their digest; runs of earlier versions have none."""
    facts = folder / "run.json"
    with _explain_read_errors(facts):
        told: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        own = told.pop(OWN_DIGEST, None)
        if (own, told.get(INDEX_DIGEST)) != (None, None) and own != _digest_of(told):
            raise _damage_error(facts, "its content does not match its recorded digest")
    return told


def read_run(folder: Path) -> Run:
    """Read one finished run after checking its digests; runs of earlier versions have none."""
    try:
        return _read_run(folder)
    except CaptureError:
        if not renew(folder):
            raise
        return _read_run(folder)


def _read_run(folder: Path) -> Run:
    index, told = folder / "index.parquet", read_facts(folder)
    of_index = told.get(INDEX_DIGEST)
    with _explain_read_errors(index):
        if of_index is not None and shard.sha256_of(index) not in (of_index, told.get(NEXT_DIGEST)):
            raise _damage_error(index, "its sha256 is not the one in run.json")
        rows = tuple(to_rows(shard.read(index)))
    if of_index is None:  # indexed before addresses and dates were checked: invalid rows count as torn
        faults = {
            row.record: fault
            for row in rows
            if row.kind in ARCHIVED and (fault := find_fault(row.url, row.fetched, row.kind, BLOCK))
        }
        bad = [row for row in rows if row.record in faults]
        if bad:
            torn = [f"{row.path}:{row.offset} {show(row.url)} {faults[row.record]}" for row in bad]
            told = told | {"torn_records": [*told.get("torn_records", ()), *torn]}
            rows = tuple(row for row in rows if row.record not in faults)
    return Run(folder, rows, told)


@contextmanager
def _explain_read_errors(file: Path) -> Iterator[None]:
    """Turn errors raised while reading a file of a run into an error that names the file."""
    try:
        with input_errors(lambda name: _damage_error(file, name), StageError):
            yield
    except StageError as error:  # its advice applies to shards of stages
        raise _damage_error(file, "not a Parquet file") from error
    except OSError as error:
        raise _damage_error(file, str(error.strerror)) from error


def _damage_error(file: Path, why: str) -> CaptureError:
    return CaptureError(
        f"{file}: cannot be read as it was written ({why}). Restore it from a copy; or {advise_repair(file)}, and "
        "collect again."
    )


def _digest_of(facts: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()


def find_superseded(found: Sequence[Run]) -> list[Run]:
    """Return the crawls that brought nothing new, and all of whose addresses the last run of `found` visited again.

    They say that captures were still current, which the last run says of a later time. A licence file that was archived
    again has the same record there. The last run must be whole; it stays, also if it brought nothing new.
    """
    if not found or found[-1].facts.get("finished") != "finished" or found[-1].facts.get("limit") is not None:
        return []
    *earlier, last = found
    visited = {row.url for row in last.rows if row.status < 400 or row.kind == GONE}
    proofs = {(row.url, row.record) for row in last.rows if row.kind == LICENCE}
    used = {Path(row.path).parts[1] for run in found for row in run.rows if row.path.startswith("../")}
    return [
        run
        for run in earlier
        if run.folder.name not in used
        and "finished" in run.facts  # of a crawl
        and not run.facts.get("gone")
        and all(
            row.url in visited and (row.kind == "revisit" or row.status == 304 or (row.url, row.record) in proofs)
            for row in run.rows
        )
    ]


def has_unfinished(folder: Path) -> bool:
    """Whether a run of a source was begun and is not finished."""
    return any(path.is_dir() and not (path / "run.json").exists() for path in folder.glob("[0-9]*"))


def open_run(folder: Path) -> Path:
    """Return the folder of the run to write: the unfinished one if it exists, else the next number."""
    existing = sorted(p for p in folder.glob("[0-9]*") if p.is_dir())
    if existing and not (existing[-1] / "run.json").exists():
        return existing[-1]
    return folder / f"{int(existing[-1].name) + 1 if existing else 1:04d}"


def resolve_row(run: Run, row: IndexRow) -> IndexRow:
    """Return the row with a path that can be opened."""
    return _resolve(f"{run.folder}", row)


def _resolve(folder: str, row: IndexRow) -> IndexRow:
    path = os.path.join(folder, row.path)  # noqa: PTH118 (a Path takes longer)
    if path == row.path:  # absolute
        return row
    return IndexRow(  # `replace` takes four times as long
        row.record,
        row.url,
        row.fetched,
        row.status,
        row.media,
        row.payload_sha256,
        path,
        row.offset,
        row.size,
        row.kind,
    )


@dataclass(frozen=True, slots=True)
class Past:
    """The earlier content of an address, and its absence if a later visit found it gone."""

    earlier: tuple[IndexRow, ...] = ()  # captures with other content, oldest first, with resolved paths
    gone: IndexRow | None = None  # the later visit that did not find the page; `status` has its answer


def history(found: Iterable[Run]) -> dict[str, Past]:
    """Return the addresses that changed or disappeared since an earlier visit, each with its past.

    Files that are not copied have no past: their earlier bytes no longer exist.
    """
    seen: dict[str, list[tuple[Run, IndexRow]]] = {}
    gone: dict[str, IndexRow] = {}
    for run in found:
        for row in run.rows:
            if row.kind == GONE:
                gone[row.url] = row
            elif _is_in_workspace(row) and row.status == 200:
                gone.pop(row.url, None)
                revisions = seen.setdefault(row.url, [])
                if not revisions or row.payload_sha256 != revisions[-1][1].payload_sha256:
                    revisions.append((run, row))
    changed = [url for url, revisions in seen.items() if len(revisions) > 1 or url in gone]
    return {
        url: Past(tuple(resolve_row(*one) for one in seen[url][:-1][-MAX_EARLIER:]), gone.get(url)) for url in changed
    }


def _is_in_workspace(row: IndexRow) -> bool:
    """Whether the bytes are in an archive of the workspace; paths of third-party archives are absolute."""
    return row.kind in ARCHIVED and not row.path.startswith("/")


def select_current(found: Iterable[Run], *, gone: bool = False) -> list[tuple[Run, list[IndexRow]]]:
    """Return for each run its captures that no later capture supersedes, sorted by address.

    With `gone`, the last capture of a missing address is also current if an archive holds it.
    Within one run (an existing archive may hold an address many times) the latest wins; at equal
    times the greatest record id, so that the order of files has no effect.
    """
    ordered = list(found)
    kept: list[list[IndexRow]] = [[] for _ in ordered]
    folders = [f"{run.folder}" for run in ordered]
    for number, row in find_last(ordered, gone=gone):
        kept[number].append(_resolve(folders[number], row))
    return list(zip(ordered, kept, strict=True))


def find_last(found: Iterable[Run], *, gone: bool = False) -> list[tuple[int, IndexRow]]:
    """Return (index of its run, row as it is stored) of each capture that is current, sorted by address."""
    last: dict[str, tuple[int, IndexRow]] = {}
    for number, run in enumerate(found):
        for row in run.rows:
            if row.kind == GONE:
                if gone and row.url in last and _is_in_workspace(last[row.url][1]):
                    continue
            elif row.kind not in ITEMS or row.status != 200:
                continue
            held = last.get(row.url)
            if held is None or held[0] < number or (held[1].fetched, held[1].record) < (row.fetched, row.record):
                last[row.url] = (number, row)
    return [last[url] for url in sorted(last) if last[url][1].kind != GONE]


@dataclass(frozen=True, slots=True)
class Summary:
    """The current captures of a source, counted."""

    current: int = 0
    fetched: str = ""  # UTC, the time of the newest
    gone: tuple[tuple[int, int], ...] = ()  # status of the visit that found an address gone → addresses


def summarise(folder: Path, found: Sequence[Run] | None = None) -> Summary:
    """Count the current captures of a source; the result is kept beside its runs until one of them changes.

    `found` are its runs, which are read if they are not given and needed.
    """
    key = _digest_of({run.name: [_hash_file(run / name) for name in _FILES] for run in list_runs(folder)})
    try:
        said = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if said.pop("digest") == _digest_of(said) and said["key"] == key:
            return Summary(said["current"], said["fetched"], tuple((one, n) for one, n in said["gone"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    found = runs(folder) if found is None else found
    rows = [row for _, row in find_last(found)]
    gone = Counter(past.gone.status for past in history(found).values() if past.gone is not None)
    made = Summary(len(rows), max((row.fetched for row in rows), default=""), tuple(sorted(gone.items())))
    if found:
        value = {"key": key, "current": made.current, "fetched": made.fetched, "gone": [list(one) for one in made.gone]}
        replace_file(folder / SUMMARY, canonical_json({**value, "digest": _digest_of(value)}))
    return made


def _hash_file(path: Path) -> str:
    with _explain_read_errors(path):
        return shard.sha256_of(path)


def cut_shards(found: Sequence[Run]) -> Iterator[tuple[str, list[IndexRow]]]:
    """Yield the current captures of a source, also of missing addresses, cut into shards, each with its place.

    A place is the name of a run and the number of a chunk of it. A capture that a later run supersedes leaves its
    chunk, and no row moves to another: so only the shards that lose a capture change.
    """
    for run, rows in select_current(found, gone=True):
        current = {row.record: row for row in rows}
        latest = [row for _, row in find_last([run], gone=True)] if rows else []
        for number, chunk in enumerate(chunks(latest)):
            if here := [current[row.record] for row in chunk if row.record in current]:
                yield f"{run.folder.name}/{number}", here


def licence_records(found: Iterable[Run]) -> dict[str, IndexRow]:
    """Return the latest archived licence files and pages of a source, by the name in its claim."""
    return {row.url: resolve_row(run, row) for run in found for row in run.rows if row.kind == LICENCE}


def count_alike(size: int) -> int:
    """Return how many captures of this size, in bytes, a shard holds on average.

    Cuts by the size of a shard alone would move all later cuts.

    >>> count_alike(10_000), count_alike(4_000_000), count_alike(10**9)
    (256, 2, 1)
    """
    return max(1, min(MEAN_ROWS, MEAN_BYTES // max(1, size)))


def chunks(rows: Sequence[IndexRow]) -> list[list[IndexRow]]:
    """Partition rows sorted by address, at cuts given by the hash of an address: a new page moves no other cut."""
    cut: list[list[IndexRow]] = [[]]
    held = 0
    for row in rows:
        cut[-1].append(row)
        held = row.size + (held if len(cut[-1]) > 1 else 0)
        boundary = int.from_bytes(hashlib.sha256(row.url.encode()).digest()[:4]) % count_alike(row.size) == 0
        if boundary or len(cut[-1]) >= MAX_ROWS or held >= MAX_BYTES:
            cut.append([])
    return [c for c in cut if c]
