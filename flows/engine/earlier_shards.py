"""Reuse the results of an earlier shard for the inputs that have not changed.

The key of a shard is `place-code-content`: the part of the captures that it covers, all that decides the result of
every input (filters, limits), and its inputs. So an earlier shard of the same place and code is found by its name. A
shard records a digest of each input, a capture or a document with its rows of surveys, and how many documents the
input became; an extraction also the families of readers that decided them (`crawlers.extract.reader_versions`). Inputs
with the same digest and readers are not processed again. The result is that of a fresh run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from malmoi.errors import StageError
from malmoi.ledger import File, Ledger
from malmoi.recipe import digest
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage

NAME = "inputs.parquet"  # beside documents.parquet: a row for each input of the shard, in their order
BYTES = 16  # of the digest of an input
INPUT = pa.field("input", pa.binary(BYTES))  # of a row of a sketch: the digest of its document
_SCHEMA = pa.schema(
    [("input", pa.binary(BYTES)), ("kept", pa.int32()), ("dropped", pa.int32()), ("readers", pa.list_(pa.string()))]
)


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of one input: documents kept and dropped, and the families of readers that decided a capture."""

    kept: int
    dropped: int
    readers: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """The documents of an earlier shard, and where those of each reusable input are."""

    documents: pa.Table
    dropped: pa.Table
    counted: Mapping[bytes, tuple[Counted, int, int]]  # input → its result, index of its first documents in the tables


def make_key(place: str, code: object, *content: object) -> str:
    """Return the key of a shard; each part of `content` adds a digest to it."""
    return "-".join([place, digest(code)[:16], *(digest(part)[:32] for part in content)])


def place_of(key: str) -> str:
    """Return the place of the shard with that key."""
    return key.partition("-")[0]


def group_shards(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Group finished shards, whose folders are named by their keys, by place and code."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        found.setdefault(_family(folder.name), []).append(folder.name)
    return found


def _family(key: str) -> str:
    return "-".join(key.split("-")[:2])


def find_latest(home: Path, key: str, known: Mapping[str, Sequence[str]]) -> str:
    """Return the key of the latest shard in `home` of the same place and code as `key`, whose results are reused.

    "" without such a shard, or if that of `key` is known.
    """
    keys = known.get(_family(key), ())
    if len(keys) < 2 or key in keys:
        return "" if key in keys else next(iter(keys), "")
    return max(keys, key=lambda one: ((home / one).stat().st_mtime_ns, one))


def find_extracted(
    workspace: Workspace, key: str, versions: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """Return (key, earlier key): the extraction shard to use or to make, and a shard to reuse results from, or "".

    A shard that differs from `key` only in readers of formats that it does not contain is used in its place.
    """
    same = [one for one in known.get(_family(key), ()) if one.rpartition("-")[0] == key.rpartition("-")[0]]
    ledgers: list[Ledger] = []
    for one in same if key not in same else ():
        with suppress(StageError):  # a damaged shard is not reused
            if (ledger := workspace.ledger("2-documents", one)) is not None:
                ledgers.append(ledger)
    fitting = {one.key: sum(versions.get(name, "") == value for name, value in one.readers.items()) for one in ledgers}
    for ledger in ledgers:
        if ledger.readers and fitting[ledger.key] == len(ledger.readers):
            return ledger.key, ""
    best = max(fitting, key=lambda one: (fitting[one], one), default="")
    return key, best or find_latest(workspace.stage("2-documents", ""), key, known)


def read(workspace: Workspace, stage: Stage, key: str, versions: Mapping[str, str]) -> Earlier | None:
    """Read the reusable part of an earlier shard; None if it is missing or one of its files is damaged."""
    try:
        ledger = workspace.ledger(stage, key) if key else None
        if ledger is None:
            return None
        folder = workspace.stage(stage, key)
        table = shard.read(folder / NAME)
        # Cast to the schema before writing: a table read from disk has more metadata in its schema.
        documents = shard.read(folder / "documents.parquet").cast(shard.DOCUMENTS)
        dropped = shard.read(folder / "dropped.parquet").cast(shard.DROPPED)
    except (StageError, FileNotFoundError):
        return None
    found = [Counted(row["kept"], row["dropped"], tuple(row["readers"])) for row in table.to_pylist()]
    changed = {name for name, value in ledger.readers.items() if versions.get(name, "") != value}
    places = zip(
        table["input"].to_pylist(),
        found,
        accumulate((one.kept for one in found), initial=0),
        accumulate((one.dropped for one in found), initial=0),
        strict=False,
    )
    return Earlier(
        documents,
        dropped,
        {
            given: (one, kept, dropped)
            for given, one, kept, dropped in places
            if given is not None and not changed.intersection(one.readers)
        },
    )


def find_new(earlier: Earlier | None, inputs: Sequence[bytes]) -> list[int]:
    """Return the positions of the inputs that must be processed."""
    return [at for at, given in enumerate(inputs) if earlier is None or given not in earlier.counted]


def merge(
    earlier: Earlier, inputs: Sequence[bytes], documents: pa.Table, dropped: pa.Table, counted: Sequence[Counted]
) -> tuple[pa.Table, pa.Table, list[Counted]]:
    """Merge documents, drops and counts of all inputs in their order; `counted` are those that were processed now."""
    kept_rows: list[int] = []
    dropped_rows: list[int] = []
    results: list[Counted] = []
    anew = iter(counted)
    kept_at, dropped_at = earlier.documents.num_rows, earlier.dropped.num_rows
    for given in inputs:
        if given in earlier.counted:
            one, kept_first, dropped_first = earlier.counted[given]
        else:
            one, kept_first, dropped_first = next(anew), kept_at, dropped_at
            kept_at, dropped_at = kept_at + one.kept, dropped_at + one.dropped
        results.append(one)
        kept_rows += range(kept_first, kept_first + one.kept)
        dropped_rows += range(dropped_first, dropped_first + one.dropped)
    return (
        pa.concat_tables([earlier.documents, documents]).take(pa.array(kept_rows, pa.int64())),
        pa.concat_tables([earlier.dropped, dropped]).take(pa.array(dropped_rows, pa.int64())),
        results,
    )


def read_sketches(path: Path, schema: pa.Schema) -> pa.Table:
    """Read the reusable rows of an earlier sketch of this schema, which has INPUT; none if it is missing or damaged."""
    try:
        return shard.read(path, schema.names).cast(schema)
    except (StageError, FileNotFoundError, ValueError):  # ValueError: a sketch from before INPUT was in it
        return schema.empty_table()


def write(inputs: Sequence[bytes], counted: Iterable[Counted], folder: Path) -> File:
    """Write the result of each input into the unfinished folder of a shard; a failed input is never reused."""
    rows = [
        {"input": None if one.failed else given, "kept": one.kept, "dropped": one.dropped, "readers": list(one.readers)}
        for given, one in zip(inputs, counted, strict=True)
    ]
    return shard.write(pa.Table.from_pylist(rows, schema=_SCHEMA), folder / NAME, statistics=False)


def digest_input(*content: object) -> bytes:
    """Return the digest of an input."""
    return bytes.fromhex(digest(content))[:BYTES]


def digest_rows(table: pa.Table) -> list[str]:
    """Return the sha256 (hex) of each row: equal rows have the same, whatever table they are in.

    Arrow cannot serialise a row for that: a slice is followed by up to 63 bytes of the rows after it.
    """
    ends = np.arange(table.num_rows + 1)
    columns = [pa.concat_arrays(column.chunks) for column in table.columns if column.num_chunks]
    leaves = [leaf for column in columns for leaf in _spell(column, ends)]
    return [hashlib.sha256(b"".join(row)).hexdigest() for row in zip(*leaves, strict=True)]


def _spell(values: pa.Array, ends: npt.NDArray[np.integer]) -> Iterator[list[bytes]]:
    """Yield leaf by leaf the bytes of the values from ends[i] to before ends[i + 1], for each i."""
    if not len(values):  # all would be empty
        return
    kind, valid = values.type, values.is_valid().to_numpy(zero_copy_only=False)
    buffers, end = values.buffers(), values.offset + len(values)
    if pa.types.is_struct(kind):
        yield _cut(valid, ends)
        for number in range(kind.num_fields):
            yield from _spell(values.field(number), ends)
    elif pa.types.is_primitive(kind) or pa.types.is_fixed_size_binary(kind):
        held = np.frombuffer(buffers[1] or b"", f"V{kind.bit_width // 8}")[values.offset : end].copy()
        held[~valid] = bytes(held.itemsize)  # the bytes below a null are arbitrary
        yield _cut(valid, ends)
        yield _cut(held, ends)
    else:  # strings, bytes and lists
        offsets = np.frombuffer(buffers[1] or bytes(4), np.int32)[values.offset : end + 1]
        yield _cut(np.where(valid, np.diff(offsets), -1), ends)
        if pa.types.is_list(kind):
            yield from _spell(values.values, offsets[ends])
        else:
            yield _cut(np.frombuffer(buffers[2] or b"", np.uint8), offsets[ends])


def _cut(values: npt.NDArray[Any], ends: npt.NDArray[np.integer]) -> list[bytes]:
    held, bounds = values.tobytes(), (ends * values.itemsize).tolist()
    return [held[first:last] for first, last in pairwise(bounds)]


def count_edits(table: pa.Table, lengths: Sequence[int]) -> Counter[tuple[str, str, str]]:
    """Count (source, filter, reason) of the edits of documents whose trails had these lengths before the stage."""
    trail = table["trail"].combine_chunks()
    rows, notes = pc.list_parent_indices(trail).to_numpy(), trail.flatten()
    first = np.cumsum([0, *pc.list_value_length(trail).to_pylist()])
    new = np.arange(len(notes)) - first[rows] >= np.asarray(lengths, np.int64)[rows]
    chosen = pa.array(np.flatnonzero(new & np.asarray(pc.equal(notes.field("verb"), "mend"))))
    notes, sources = notes.take(chosen), table["source"].take(pa.array(rows).take(chosen)).to_pylist()
    columns = (notes.field(name).to_pylist() for name in ("by", "reason", "measured"))
    found: Counter[tuple[str, str, str]] = Counter()
    for source, by, reason, measured in zip(sources, *columns, strict=True):
        found[source, by, reason] += int(measured or 0)
    return +found
