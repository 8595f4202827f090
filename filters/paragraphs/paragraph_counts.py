"""Count documents per paragraph: per host within a shard, then per partition of the keys over all shards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from malmoi.storage import shard, shuffle
from malmoi.storage.shuffle import name_task

U64: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

PLACE_BITS = 32
CORPUS = 0  # in place of the hash of a host
COUNTS = pa.schema(
    [
        ("key", pa.uint64()),
        ("host", pa.uint64()),
        ("documents", pa.uint64()),
        ("letters", pa.uint32()),
        ("keeper", pa.uint64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Minimum documents and hosts of a repeated paragraph; times `plain` for one that is not about its page."""

    min_letters: int
    host_documents: int
    corpus_documents: int
    corpus_hosts: int
    plain: float


@dataclass(frozen=True, slots=True)
class SpreadJob:
    """Job: a sketch → its counts, partitioned by key into `parts`."""

    sketch: Path
    min_letters: int
    parts: int  # a power of two
    target: Path


@dataclass(frozen=True, slots=True)
class CountJob:
    """Job: one partition of every shard → the repeated keys in it."""

    files: tuple[Path, ...]
    part: int
    limits: Limits
    target: Path


@dataclass(frozen=True, slots=True)
class Rows:
    """The keys of a shard, one row each: hash of the host, rank, letters, and place (document and line)."""

    key: U64
    host: U64
    rank: U64
    letters: U64
    place: Ints  # row of the document << PLACE_BITS | paragraph in it

    def take_rows(self, at: Ints) -> Rows:
        """Return the rows at the indexes `at`, in their order."""
        return Rows(self.key[at], self.host[at], self.rank[at], self.letters[at], self.place[at])

    def sort_by_key(self) -> Rows:
        """Sort by key."""
        return self.take_rows(np.argsort(self.key, kind="stable"))


@dataclass(frozen=True, slots=True)
class Counts:
    """For each key and host: the number of documents, the fewest letters, and the first rank."""

    key: U64
    host: U64
    documents: U64
    letters: U64
    keeper: U64

    def take_rows(self, at: Ints) -> Counts:
        """Return the rows at the indexes `at`, in their order."""
        return Counts(self.key[at], self.host[at], self.documents[at], self.letters[at], self.keeper[at])

    def merge_runs(self, starts: Ints) -> Counts:
        """Merge each run that begins at `starts` into one row; documents are added."""
        if not starts.size:
            return self
        return Counts(
            self.key[starts],
            self.host[starts],
            np.add.reduceat(self.documents, starts),
            np.minimum.reduceat(self.letters, starts),
            np.minimum.reduceat(self.keeper, starts),
        )

    def table(self) -> pa.Table:
        """Return a table of schema COUNTS."""
        return pa.table(
            [self.key, self.host, self.documents, self.letters.astype(np.uint32), self.keeper], schema=COUNTS
        )


@name_task("count paragraphs of shards")
def spread_counts(job: SpreadJob) -> None:
    """Run a SpreadJob."""
    rows = rows_of(shard.read_parquet(job.sketch, ["rank", "host", "keys", "letters", "lines"]))
    rows = rows.take_rows(np.flatnonzero(is_about_page(rows.key) | (rows.letters >= job.min_letters)))
    ones = Counts(rows.key, rows.host, np.ones(rows.key.size, np.uint64), rows.letters, rows.rank)
    found = _merge_by_host(ones)
    bits = job.parts.bit_length() - 1
    part = (found.key >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(found.key.size, np.int64)
    shuffle.write_partitions(found.table(), part, job.parts, job.target)


@name_task("find repeated paragraphs in partitions")
def count_repeated(job: CountJob) -> None:
    """Run a CountJob: write rows of hosts and corpus that reach the thresholds, by key, the corpus first."""
    hosts = _merge_by_host(counts_of(shuffle.gather(job.files, job.part)))
    starts = _find_run_starts(hosts.key)
    corpus = replace(hosts.merge_runs(starts), host=np.full(starts.size, CORPUS, np.uint64))
    several = np.diff(np.append(starts, hosts.key.size)).astype(np.uint64)
    limits = job.limits

    def reaches(found: Counts, measured: U64, limit: int) -> Mask:
        reached: Mask = measured >= np.where(is_about_page(found.key), limit, limit * limits.plain)
        return reached

    wide = reaches(corpus, corpus.documents, limits.corpus_documents) & reaches(corpus, several, limits.corpus_hosts)
    chosen = join_counts(
        corpus.take_rows(np.flatnonzero(wide)),
        hosts.take_rows(np.flatnonzero(reaches(hosts, hosts.documents, limits.host_documents))),
    )
    table = chosen.take_rows(np.lexsort((chosen.host, chosen.key))).table().combine_chunks()
    shuffle.write(table.to_batches() or [pa.RecordBatch.from_pylist([], COUNTS)], job.target)


def is_about_page(key: U64) -> Mask:
    """Return which keys belong to paragraphs about their page."""
    odd: Mask = key & np.uint64(1) == 1
    return odd


def rows_of(sketch: pa.Table) -> Rows:
    """Return the paragraphs in a sketch, document by document."""
    lengths = sketch.column("keys").combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
    document = np.repeat(np.arange(sketch.num_rows), lengths)
    return Rows(
        key=_flatten_column(sketch, "keys").astype(np.uint64, copy=False),
        host=hashes_of(sketch.column("host"))[document],
        rank=u64_column(sketch, "rank")[document],
        letters=_flatten_column(sketch, "letters").astype(np.uint64),
        place=document << PLACE_BITS | _flatten_column(sketch, "lines").astype(np.int64),
    )


def counts_of(table: pa.Table) -> Counts:
    """Return the counts in a table of schema COUNTS."""
    return Counts(*(u64_column(table, name) for name in COUNTS.names))


def join_counts(one: Counts, other: Counts) -> Counts:
    """Concatenate the rows of both."""

    def both(column: Callable[[Counts], U64]) -> U64:
        return np.concatenate([column(one), column(other)])

    return Counts(
        both(lambda c: c.key),
        both(lambda c: c.host),
        both(lambda c: c.documents),
        both(lambda c: c.letters),
        both(lambda c: c.keeper),
    )


def hashes_of(names: pa.ChunkedArray) -> U64:
    """Return the hash of each host in a column; "" is CORPUS."""
    coded = names.combine_chunks().dictionary_encode()
    hashes = np.array([hash_of(name) if name else CORPUS for name in coded.dictionary.to_pylist()], np.uint64)
    found: U64 = hashes[coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
    return found


def hash_of(host: str) -> int:
    """Hash the name of a host to 63 bits, followed by a 1: never CORPUS."""
    return int.from_bytes(blake2b(host.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") | 1


def u64_column(table: pa.Table, name: str) -> U64:
    """Return a column of whole numbers."""
    found: U64 = table.column(name).to_numpy().astype(np.uint64, copy=False)
    return found


def _flatten_column(sketch: pa.Table, name: str) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = sketch.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return found


def _merge_by_host(counts: Counts) -> Counts:
    """Merge into one row for each key and host, sorted by both."""
    order = np.argsort(counts.key)
    same = np.diff(counts.key[order]) == 0 if order.size else np.empty(0, bool)
    again = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False)) if order.size else order
    few = order[again]  # most keys occur once: only the others need sorting by host
    order[again] = few[np.lexsort((counts.host[few], counts.key[few]))]
    counts = counts.take_rows(order)
    return counts.merge_runs(_find_run_starts(counts.key, counts.host))


def _find_run_starts(*columns: Any) -> Ints:
    """Return where runs of equal values begin."""
    if not columns[0].size:
        return np.empty(0, np.int64)
    changes = np.zeros(columns[0].size - 1, dtype=bool)
    for column in columns:
        changes |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(changes) + 1])
