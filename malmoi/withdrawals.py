"""Withdrawals (takedowns): documents that must not appear again, with the day, the reason and the request.

One Parquet file of a workspace, a row for each document, sorted by id. Rows are only added; each write is atomic.
Published releases do not change. Curation drops withdrawn documents before the first filter, whatever the recipe
says, and a release excludes those that still reach it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date as calendar
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.document import Document, Spans, Verdict
from malmoi.errors import CallError
from malmoi.ledger import digest_of
from malmoi.storage.atomic_files import sync

NAME, REASON = "withdrawals", "withdrawn"  # of a drop, in ledgers and audit tables
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("id", "date", "reason", "request")])


DIGEST = b"sha256"  # of the rows, in the metadata of the file


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One document that must not appear again; `date` is the day of the decision, as 2026-11-24."""

    id: str
    date: str
    reason: str
    request: str = ""  # who asked, or the number of the request; "" if there was no request


def mark(doc: Document, *, ids: Collection[str]) -> Verdict | Spans:
    """Drop a document whose id is in `ids`; other documents stay unchanged, without a note in the trail."""
    return Verdict("drop", REASON) if doc.id in ids else ()


def read(path: Path) -> tuple[Withdrawal, ...]:
    """Read the withdrawals in `path`, sorted by id; none if the file is missing. CallError if it is unreadable."""
    try:
        with pq.ParquetFile(path) as file:
            rows = file.read(columns=SCHEMA.names).cast(SCHEMA).to_pylist()
            said = (file.schema_arrow.metadata or {}).get(DIGEST)
    except FileNotFoundError:
        return ()
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise CallError(f"{path}: not readable as withdrawals ({first}); restore it from a copy.") from error
    if said is not None and said != _digest(rows):
        raise CallError(f"{path}: was changed; restore it from a copy, or the withdrawn documents come back.")
    return tuple(Withdrawal(**row) for row in rows)


def add(path: Path, new: Iterable[Withdrawal]) -> tuple[Withdrawal, ...]:
    """Add the new withdrawals to `path`; return those that were not recorded before.

    Repeating a withdrawal changes nothing. CallError, and nothing is written, if a reason is empty, a date
    is invalid, or a document was withdrawn for another reason or request: a record is never changed.
    """
    known = {one.id: one for one in read(path)}
    added: dict[str, Withdrawal] = {}
    for one in new:
        _refuse_incomplete(one)
        old = known.get(one.id) or added.get(one.id)
        if old is None:
            added[one.id] = one
        elif old.reason != one.reason or one.request not in ("", old.request):
            raise CallError(
                f"{one.id} was withdrawn on {old.date}: {old.reason!r}, request {old.request!r}. A withdrawal is not "
                "changed; nothing was written. Leave this document out, or repeat the same words."
            )
    if added:
        _write(path, sorted([*known.values(), *added.values()], key=lambda one: one.id))
    return tuple(added[id] for id in sorted(added))


def _refuse_incomplete(one: Withdrawal) -> None:
    if not one.id.strip() or not one.reason.strip():
        raise CallError(f"the withdrawal of {one.id!r} needs a document and a reason; nothing was written.")
    try:
        calendar.fromisoformat(one.date)
    except ValueError as error:
        raise CallError(f"{one.date!r} is not a date; write it as 2026-11-24. Nothing was written.") from error


def _digest(rows: list[dict[str, str]]) -> bytes:
    return digest_of({"withdrawals": rows}).encode()


def _write(path: Path, rows: list[Withdrawal]) -> None:
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        said = [asdict(one) for one in rows]
        schema = SCHEMA.with_metadata({DIGEST: _digest(said)})
        pq.write_table(pa.Table.from_pylist(said, schema), part, compression="zstd")
        sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)
