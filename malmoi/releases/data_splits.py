"""Assign documents to the splits train, validation and test; no cluster of copies is in two of them.

The hash of a key decides: of the smallest id for a cluster of copies, of its own id for another document. A document
that the previous version published keeps its split, and its cluster takes that split over. A cluster that joins
documents of several splits goes to train, where it was read already. A text that overlaps with an evaluation set is
never in test, nor is its cluster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.releases.exposed_pages import digest_id
from malmoi.storage import shard

Shares: TypeAlias = tuple[tuple[str, float], ...]  # split → its share of all documents, sorted; the rest is train
TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
_AT_ONCE: Final = 65_536  # rows that are Python objects at a time
_EXCEPTIONS: Final = pa.schema([("id", pa.string()), ("split", pa.string())])


def split_by_hash(key: str, shares: Shares) -> str:
    """Return the split of a document or cluster by its key alone: the second 8 bytes of sha256(key) as a fraction.

    >>> split_by_hash("a/1", (("test", 0.5),)), split_by_hash("a/3", (("test", 0.5),))
    ('test', 'train')
    """
    if not shares:
        return TRAIN
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[8:16], "big") / 2**64
    for name, share in shares:
        if place < share:
            return name
        place -= share
    return TRAIN


@dataclass(frozen=True, slots=True)
class Splits:
    """The shares, and the documents whose split is not that of their own hash."""

    shares: Shares = ()
    exceptions: Mapping[str, str] = field(default_factory=dict)

    def choose(self, was: str, published: str, *, overlaps: bool) -> str:
        """Return the split of a document by its id in the stage and its published id."""
        own = self.exceptions.get(was) or self.exceptions.get(published) or split_by_hash(published, self.shares)
        return TRAIN if overlaps and own == TEST else own


def write_exceptions(
    pairs: pa.Table, stages: Sequence[Path], previous: Sequence[Path], shares: Shares, target: Path
) -> Path:
    """Write the documents whose split is not that of their own hash: members of clusters, and earlier documents.

    `pairs` is the audit table of copies with the ids of the stage, `stages` the folders of the last stage, `previous`
    the data files of the version before.
    """
    members = pc.unique(pa.chunked_array([*pairs["keeper"].chunks, *pairs["member"].chunks], pa.string()))
    published = dict(_read_earlier(previous, members, shares))
    found = {id: split for id, split in published.items() if split != split_by_hash(id, shares)}
    overlapping = set(_find_overlapping(stages, members)) if any(name == TEST for name, _ in shares) else set[str]()
    for key, ids in _read_clusters(pairs):
        chosen = _choose_of_cluster(key, ids, published, overlapping, shares)
        for id in ids:
            if any(name in found or split_by_hash(name, shares) != chosen for name in _names(id)):
                found[id] = chosen
    table = pa.table([list(found), list(found.values())], schema=_EXCEPTIONS)
    shard.write(table, target)
    return target


def read_exceptions(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Return the rows of `write_exceptions` for these documents of a stage."""
    table, wanted = shard.read(path), pa.array([name for id in ids for name in _names(id)], pa.string())
    table = table.filter(pc.is_in(table["id"], wanted))
    return dict(zip(table["id"].to_pylist(), table["split"].to_pylist(), strict=True))


def _names(id: str) -> tuple[str, str]:
    """Return the ids under which a document may be published."""
    return id, digest_id(id)


def _choose_of_cluster(
    key: str, ids: Iterable[str], published: Mapping[str, str], overlapping: set[str], shares: Shares
) -> str:
    earlier = {published[name] for id in ids for name in _names(id) if name in published}
    if len(earlier) > 1:
        return TRAIN
    chosen = next(iter(earlier), "") or split_by_hash(key, shares)
    return TRAIN if chosen == TEST and not overlapping.isdisjoint(ids) else chosen


def _read_clusters(pairs: pa.Table) -> Iterator[tuple[str, set[str]]]:
    """Yield each cluster, the smallest of its ids, with all its ids; `pairs` is sorted by cluster."""
    slices = (pairs.slice(at, _AT_ONCE).to_pylist() for at in range(0, pairs.num_rows, _AT_ONCE))
    for key, rows in groupby((row for part in slices for row in part), key=lambda row: str(row["cluster"])):
        yield key, {id for row in rows for id in (row["keeper"], row["member"])}


def _read_earlier(previous: Sequence[Path], members: pa.Array, shares: Shares) -> Iterator[tuple[str, str]]:
    """Yield (id, split) of earlier documents that are in a cluster now or whose split is not that of their hash."""
    known = {name for id in members.to_pylist() for name in _names(id)} if previous else set[str]()
    for path in previous:
        with pq.ParquetFile(path) as file:
            if "split" not in file.schema_arrow.names:  # before schema 6
                continue
            for batch in file.iter_batches(_AT_ONCE, columns=["id", "split"]):
                for id, split in zip(batch["id"].to_pylist(), batch["split"].to_pylist(), strict=True):
                    if id in known or split != split_by_hash(id, shares):
                        yield id, split


def _find_overlapping(stages: Sequence[Path], members: pa.Array) -> Iterator[str]:
    """Yield the ids in clusters whose text overlaps with an evaluation set."""
    for folder in stages if len(members) else ():
        table = shard.read(folder / "documents.parquet", ["id", "labels"])
        for row in table.filter(pc.is_in(table["id"], members)).to_pylist():
            if any(label["name"] == "benchmarks" and label["value"] for label in row["labels"] or ()):
                yield row["id"]
