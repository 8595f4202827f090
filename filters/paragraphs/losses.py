"""The table of repeated paragraphs, and the paragraphs that each document of a shard loses by it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.paragraphs.paragraph_counts import (
    CORPUS,
    COUNTS,
    PLACE_BITS,
    U64,
    Rows,
    hash_of,
    hashes_of,
    rows_of,
    u64_column,
)
from malmoi.storage import shard, shuffle
from malmoi.storage.atomic_files import sync
from malmoi.storage.shuffle import name_task

GROUP = 1 << 16  # rows of a row group of the table, independent of the parts: about 5 MB
TABLE = pa.schema(
    [
        ("key", pa.uint64()),
        ("scope", pa.string()),
        ("host", pa.string()),
        ("documents", pa.uint64()),
        ("letters", pa.uint32()),
        ("keeper", pa.uint64()),
    ]
)
ABOUT = pa.schema([("id", pa.string()), ("host", pa.list_(pa.uint64())), ("corpus", pa.list_(pa.uint64()))])


@dataclass(frozen=True, slots=True)
class LossJob:
    """Job: a sketch and the table → the paragraphs that each document of the shard loses."""

    sketch: Path
    table: Path
    target: Path


def write_table(parts: Sequence[Path], sketches: Sequence[Path], target: Path) -> None:
    """Write the repeated keys of all parts as one table; parts are in the order of keys."""
    names = _find_host_names(parts, sketches)
    with (
        _write_atomically(target) as path,
        pq.ParquetWriter(path, TABLE, compression="zstd", compression_level=3) as writer,
    ):
        for group in _regroup_rows(parts):
            writer.write_table(_name_hosts(group, names))


@name_task("list repeated paragraphs of shards")
def write_losses(job: LossJob) -> None:
    """Run a LossJob: a document loses each repeated paragraph of which it is not the keeper.

    A paragraph is listed by the key of the whole, whichever of its keys is repeated, so that a row changes only if the
    removed paragraphs change. A paragraph repeated in the host is not listed again as repeated in the corpus.
    """
    sketch = shard.read_parquet(job.sketch, ["id", "rank", "host", "keys", "letters", "lines"])
    rows = rows_of(sketch)
    by_key = rows.sort_by_key()
    lost: dict[int, bool] = {}  # place → whether repeated in the corpus only
    for group in _read_overlapping_groups(job.table, by_key.key):
        for place, corpus in _find_losses(by_key, group):
            lost[place] = corpus and lost.get(place, True)
    places, first = np.unique(rows.place, return_index=True)
    whole = dict(zip(places.tolist(), rows.key[first].tolist(), strict=True))
    ids = sketch.column("id")
    found: dict[str, tuple[list[int], list[int]]] = {}
    for place, corpus in sorted(lost.items()):
        found.setdefault(ids[place >> PLACE_BITS].as_py(), ([], []))[corpus].append(whole[place])
    table = [{"id": id, "host": host, "corpus": corpus} for id, (host, corpus) in sorted(found.items())]
    with _write_atomically(job.target) as path:
        pq.write_table(pa.Table.from_pylist(table, ABOUT), path, compression="zstd", compression_level=3)


def _find_losses(rows: Rows, group: pa.Table) -> Iterator[tuple[int, bool]]:
    """Yield (place of a paragraph, whether by the corpus) for each paragraph to remove by a group of the table."""
    key, keeper, host = u64_column(group, "key"), u64_column(group, "keeper"), hashes_of(group.column("host"))
    left = np.searchsorted(rows.key, key, side="left")
    right = np.searchsorted(rows.key, key, side="right")
    for at in np.flatnonzero(right > left):
        here = slice(left[at], right[at])
        corpus = bool(host[at] == CORPUS)
        goes = rows.rank[here] != keeper[at]
        if not corpus:
            goes &= rows.host[here] == host[at]
        for place in rows.place[here][goes].tolist():
            yield place, corpus


def _read_overlapping_groups(path: Path, keys: U64) -> Iterator[pa.Table]:
    """Yield the row groups of the table between the first and the last of `keys`, which are sorted."""
    with pq.ParquetFile(path) as file:
        for at in range(file.num_row_groups if keys.size else 0):
            bounds = file.metadata.row_group(at).column(0).statistics
            if bounds.min <= int(keys[-1]) and bounds.max >= int(keys[0]):
                yield file.read_row_group(at, columns=["key", "host", "keeper"])


def _regroup_rows(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of all parts in tables of GROUP rows, so that the result does not depend on the partition."""
    held = COUNTS.empty_table()
    for path in parts:
        held = pa.concat_tables([held, shuffle.gather([path], 0)])
        while held.num_rows >= GROUP:
            yield held.slice(0, GROUP)
            held = held.slice(GROUP)
    if held.num_rows:
        yield held


def _name_hosts(counted: pa.Table, names: dict[int, str]) -> pa.Table:
    """Replace hashes of hosts in a table by their names."""
    hosts = [names[found] for found in counted.column("host").to_pylist()]
    columns = {name: counted.column(name).combine_chunks() for name in ("key", "documents", "letters", "keeper")}
    columns |= {"host": pa.array(hosts), "scope": pa.array(["host" if name else "corpus" for name in hosts])}
    return pa.table({name: columns[name] for name in TABLE.names}, schema=TABLE)


def _find_host_names(parts: Sequence[Path], sketches: Sequence[Path]) -> dict[int, str]:
    """Return the names of the hosts that have repeated paragraphs, by their hashes."""
    wanted: set[int] = set()
    for path in parts:
        wanted.update(pc.unique(shuffle.gather([path], 0).column("host")).to_pylist())
    names = {CORPUS: ""}
    for path in sketches:
        for host in pc.unique(shard.read_parquet(path, ["host"]).column("host")).to_pylist():
            if (found := hash_of(host)) in wanted:
                names[found] = host
    return names


@contextmanager
def _write_atomically(target: Path) -> Iterator[Path]:
    """Yield a temporary path for an atomic write of `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        yield unfinished
        sync(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(target.parent)
