"""Place the documents of a release: copies in clusters, clusters in splits, and splits in shards.

A cluster is a connected component of the tables of copies. No cluster is in two of the splits train, validation and
test. The hash of a key decides: of the smallest id for a cluster, of its own id for another document. A document that
the previous version published keeps its split, and its cluster takes that split over. A cluster that joins documents
of several splits goes to train, where it was read already. A text that overlaps with an evaluation set is never in
test, nor is its cluster.

Shards are cut by use, licence, field and split, and within these by the hash of the id. Their number, a power of two,
follows the size of the texts: a small field has one file. The shard depends on that number and on the id alone: an
erasure rewrites only the shards it touches, and the input order of documents has no effect.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.licensing.licences import folder_name
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import checksummed_files, shard
from malmoi.url_privacy import digest_id

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
Row: TypeAlias = tuple[int, str]  # (H(id), id): the order of rows within a shard
PART = re.compile(rf"({'|'.join(SPLITS)})-(\d{{5}})-of-(\d{{5}})\.parquet")
GENERAL = "general"  # field of a document without one
_I64 = npt.NDArray[np.int64]
Shares: TypeAlias = tuple[tuple[str, float], ...]  # split → its share of all documents, sorted; the rest is train
_AT_ONCE: Final = 65_536  # rows that are Python objects at a time
_EXCEPTIONS: Final = pa.schema([("id", pa.string()), ("split", pa.string())])
# Schema of a table of copies: a row for each copy; docs/releases.md describes the columns.
COPIES = pa.schema(
    [("id", pa.string()), *((f.name, f.type) for f in AUDIT["clusters"] if f.name not in ("cluster", "member"))]
)


def h(id: str) -> int:
    """Return H(id): the first 8 bytes of sha256(id), big endian.

    >>> h("a/1") == int(hashlib.sha256(b"a/1").hexdigest()[:16], 16)
    True
    """
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")


def clusters(paths: Sequence[Path]) -> pa.Table:
    """Return the audit table of copies: each row of the tables once, with its cluster, sorted by all columns.

    A cluster is a connected component (copies of copies), named by its smallest id. The ids of all copies
    are in the memory of one node: about 0.2 pairs a document.

    StageError if a table lacks columns of COPIES.
    """
    tables = [COPIES.empty_table()]
    for path in paths:
        schema = pq.read_schema(checksummed_files.check(path))
        wrong = [f.name for f in COPIES if f.name not in schema.names or schema.field(f.name).type != f.type]
        if wrong:
            raise StageError(
                f"{path}: not a table of copies; {', '.join(wrong)} missing or of another type. Needed: "
                f"{COPIES.names}. If another version of Malmoi wrote it, delete its folder and run curate again."
            )
        tables.append(pq.read_table(path, columns=COPIES.names))
    table = pa.concat_tables(tables)
    if len(paths) > 1:  # one table names a copy once
        table = table.group_by(COPIES.names).aggregate([])
    named = {"cluster": _label_components(table["keeper"], table["id"]), "member": table["id"]}
    columns = {n: named[n] if n in named else table[n] for n in AUDIT["clusters"].names}
    made = pa.table(columns, schema=AUDIT["clusters"])
    return made.sort_by([(n, "ascending") for n in made.column_names])


def _label_components(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    """Return for each pair the smallest id of its connected component."""
    if not len(left):
        return pa.array([], pa.string())
    names = pc.unique(pa.chunked_array([*left.chunks, *right.chunks]))
    names = names.take(pc.array_sort_indices(names))  # so that the smallest number is the smallest id
    a = np.asarray(pc.index_in(left, names).combine_chunks()).astype(np.int64)
    b = np.asarray(pc.index_in(right, names).combine_chunks()).astype(np.int64)
    label = np.arange(len(names))
    while True:
        low = np.minimum(label[a], label[b])
        new = label.copy()
        for side in (a, b):
            np.minimum.at(new, side, low)
            np.minimum.at(new, label[side], low)  # and its root, so that a chain of n takes log n rounds
        new = new[new]
        if np.array_equal(new, label):
            return names.take(pa.array(label[a]))
        label = new


def write_sizes(table: pa.Table, target: Path, n_shards: int) -> dict[int, Path]:
    """Write for each shard number with copies a table (id, n): documents with copies, size of their cluster."""
    target.mkdir(parents=True)
    if not table.num_rows:
        return {}
    both = [table.select(["cluster", n]).rename_columns(["cluster", "id"]) for n in ("keeper", "member")]
    ids = pa.concat_tables(both).group_by(["cluster", "id"]).aggregate([])
    cluster = np.asarray(ids["cluster"].combine_chunks().dictionary_encode().indices)
    sized = pa.table({"id": ids["id"], "n": np.bincount(cluster)[cluster].astype(np.int32)})
    slices = (ids["id"].slice(start, _AT_ONCE).to_pylist() for start in range(0, len(ids), _AT_ONCE))
    shards = np.array([h(id) % n_shards for part in slices for id in part], dtype=np.int64)
    order = np.argsort(shards, kind="stable")
    sized = sized.take(pa.array(order))
    numbers, starts = np.unique(shards[order], return_index=True)
    written = {}
    for number, start, end in zip(numbers.tolist(), starts, [*starts[1:], len(order)], strict=True):
        written[number] = target / f"{number:05d}.parquet"
        pq.write_table(sized.slice(start, end - start), written[number])
    return written


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
    overlapping = set[str]()  # ids in clusters whose text overlaps with an evaluation set
    for folder in stages if len(members) and any(name == TEST for name, _ in shares) else ():
        documents = shard.read(folder / "documents.parquet", ["id", "labels"])
        for row in documents.filter(pc.is_in(documents["id"], members)).to_pylist():
            if any(label["name"] == "benchmarks" and label["value"] for label in row["labels"] or ()):
                overlapping.add(row["id"])
    slices = (pairs.slice(start, _AT_ONCE).to_pylist() for start in range(0, pairs.num_rows, _AT_ONCE))
    rows = (row for part in slices for row in part)  # sorted by cluster, which is the smallest of its ids
    for key, group in groupby(rows, key=lambda row: str(row["cluster"])):
        ids = {id for row in group for id in (row["keeper"], row["member"])}
        earlier = {published[name] for id in ids for name in _names(id) if name in published}
        chosen = next(iter(earlier), "") or split_by_hash(key, shares)
        if len(earlier) > 1 or (chosen == TEST and not overlapping.isdisjoint(ids)):
            chosen = TRAIN
        for id in ids:
            if any(name in found or split_by_hash(name, shares) != chosen for name in _names(id)):
                found[id] = chosen
    table = pa.table([list(found), list(found.values())], schema=_EXCEPTIONS)
    shard.write(table, target)
    return target


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


def read_exceptions(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Return the rows of `write_exceptions` for these documents of a stage."""
    table, wanted = shard.read(path), pa.array([name for id in ids for name in _names(id)], pa.string())
    table = table.filter(pc.is_in(table["id"], wanted))
    return dict(zip(table["id"].to_pylist(), table["split"].to_pylist(), strict=True))


def _names(id: str) -> tuple[str, str]:
    """Return the ids under which a document may be published."""
    return id, digest_id(id)


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One shard of a release: use, licence expression, field, split, number, and the number of shards of these."""

    use: str
    licence: str
    domain: str
    split: str
    shard: int
    of: int

    def path(self) -> str:
        """Return the path of its file, relative to the release.

        >>> Partition("redistribute", "CC-BY-SA-4.0 OR MIT", "law", "train", 0, 4).path()
        'data/redistribute/CC-BY-SA-4.0_OR_MIT/law/train-00000-of-00004.parquet'
        """
        return f"data/{'/'.join(self.folders())}/{self.split}-{self.shard:05d}-of-{self.of:05d}.parquet"

    def folders(self) -> list[str]:
        """Return the names of its folders below data/."""
        return [self.use, folder_name(self.licence), folder_name(self.domain)]

    def merge(self, n: int) -> Partition:
        """Return the shard that holds this one if there are only `n` shards; `n` divides `of`."""
        return replace(self, shard=self.shard % n, of=n)


def partition_of(row: Mapping[str, Any], most: int) -> Partition:
    """Return the partition of a published row with `most` shards for its use, licence, field and split."""
    return Partition(row["use"], row["license"], row["domain"] or GENERAL, row["split"], h(row["id"]) % most, most)


def limit_shards(shards: int) -> int:
    """Return the most shards of a field: the greatest power of two that is not above the recipe's `shards`.

    >>> limit_shards(4), limit_shards(6), limit_shards(1)
    (4, 4, 1)
    """
    return 1 << shards.bit_length() - 1


def count_shards(size: int, most: int, least: int) -> int:
    """Return the number of shards for `size` bytes of text: a power of two up to `most`, with `least` bytes in each.

    >>> count_shards(0, 4, 10), count_shards(39, 4, 10), count_shards(40, 4, 10), count_shards(999, 4, 10)
    (1, 2, 4, 4)
    """
    n = 1
    while 2 * n <= most and size >= 2 * n * least:
        n *= 2
    return n
