"""Reuse the results of an earlier extraction shard for captures whose readers have not changed.

An extraction shard records for each capture which families of readers decided its documents, and in which version
(`crawlers.extract.reader_versions`). If one family has changed, only its captures are extracted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from malmoi.errors import StageError
from malmoi.ledger import File, Ledger
from malmoi.storage import shard
from malmoi.workspace import Workspace

NAME = "captures.parquet"  # beside documents.parquet: a row for each capture of the shard, in their order
_SCHEMA = pa.schema([("kept", pa.int32()), ("dropped", pa.int32()), ("readers", pa.list_(pa.string()))])


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of one capture: documents kept and dropped, and the families of readers that decided it."""

    kept: int
    dropped: int
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The documents of an earlier shard, and the result of each capture; None for a capture that must be read again."""

    documents: pa.Table
    dropped: pa.Table
    captures: tuple[Counted | None, ...]
    kept_at: tuple[int, ...]  # index of the first document of each capture
    dropped_at: tuple[int, ...]


def shards_by_captures(workspace: Workspace) -> dict[str, list[str]]:
    """Group the keys of the extraction shards by their first part, which covers all inputs except the readers."""
    found: dict[str, list[str]] = {}
    for folder in workspace.shards("2-documents"):
        found.setdefault(folder.name.partition("-")[0], []).append(folder.name)
    return found


def find(workspace: Workspace, key: str, versions: Mapping[str, str], keys: Sequence[str]) -> tuple[str, str]:
    """Return (key, earlier key): the shard to use or to make for `key`, and a shard to reuse results from, or "".

    `keys` are the shards of the same captures. A shard that differs from `key` only in readers of formats that it
    does not contain is used in its place.
    """
    ledgers = [] if key in keys else [found for one in keys if (found := _ledger(workspace, one)) is not None]
    same = {one.key: sum(versions.get(name, "") == value for name, value in one.readers.items()) for one in ledgers}
    for one in ledgers:
        if one.readers and same[one.key] == len(one.readers):
            return one.key, ""
    return key, max(same, key=lambda one: (same[one], one), default="")


def _ledger(workspace: Workspace, key: str) -> Ledger | None:
    try:
        return workspace.ledger("2-documents", key)
    except StageError:  # a damaged shard is not reused
        return None


def read(folder: Path, readers: Mapping[str, str], versions: Mapping[str, str]) -> Earlier | None:
    """Read the reusable part of the shard in `folder`, which `readers` made; None if one of its files is damaged."""
    try:
        table = shard.read(folder / NAME)
        # Cast to the schema before writing: a table read from disk has more metadata in its schema.
        documents = shard.read(folder / "documents.parquet").cast(shard.DOCUMENTS)
        dropped = shard.read(folder / "dropped.parquet").cast(shard.DROPPED)
    except StageError:
        return None
    found = [Counted(row["kept"], row["dropped"], tuple(row["readers"])) for row in table.to_pylist()]
    changed = {name for name, value in readers.items() if versions.get(name, "") != value}
    return Earlier(
        documents,
        dropped,
        tuple(None if changed.intersection(one.readers) else one for one in found),
        tuple(accumulate((one.kept for one in found), initial=0)),
        tuple(accumulate((one.dropped for one in found), initial=0)),
    )


def merge(
    earlier: Earlier, documents: pa.Table, dropped: pa.Table, counted: Sequence[Counted]
) -> tuple[pa.Table, pa.Table, list[Counted]]:
    """Merge documents, drops and counts of all captures in their order; `counted` are those that were read again."""
    kept_rows: list[int] = []
    dropped_rows: list[int] = []
    captures: list[Counted] = []
    anew = iter(counted)
    kept_at, dropped_at = earlier.documents.num_rows, earlier.dropped.num_rows
    for number, one in enumerate(earlier.captures):
        if one is not None:
            kept_first, dropped_first = earlier.kept_at[number], earlier.dropped_at[number]
        else:
            one, kept_first, dropped_first = next(anew), kept_at, dropped_at
            kept_at, dropped_at = kept_at + one.kept, dropped_at + one.dropped
        captures.append(one)
        kept_rows += range(kept_first, kept_first + one.kept)
        dropped_rows += range(dropped_first, dropped_first + one.dropped)
    return (
        pa.concat_tables([earlier.documents, documents]).take(pa.array(kept_rows, pa.int64())),
        pa.concat_tables([earlier.dropped, dropped]).take(pa.array(dropped_rows, pa.int64())),
        captures,
    )


def write(counted: Iterable[Counted], folder: Path) -> File:
    """Write the result of each capture into the unfinished folder of a shard."""
    rows = [{"kept": one.kept, "dropped": one.dropped, "readers": list(one.readers)} for one in counted]
    return shard.write(pa.Table.from_pylist(rows, schema=_SCHEMA), folder / NAME)
