"""The survey of paragraphs: the keys of each document, and the chain of tasks that joins equal keys.

    sketch of a shard   →  counts of the shard, cut by key     one task a shard
    counts of one part  →  the keys that are repeated          one task a part
    repeated keys       →  table.parquet, sorted by key        one after the other
    table, sketch       →  what each document loses            one task a shard

A task holds one shard, one partition or one row group of the table. Counts are per host within a shard, so a paragraph
in every document of a host is one row per shard. Existing files are reused.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from filters.paragraphs.paragraph_keys import PLAIN_LETTERS, paragraphs, rank_of, scope_of
from malmoi.document import Document
from malmoi.storage import shard, shuffle
from malmoi.storage.atomic_files import sync
from malmoi.storage.shuffle import Run, name_task
from malmoi.survey import Segment, Survey, Surveyed

PART = 1 << 20  # rows of one part; a task over one takes about 100 MB
MAX_PARTS = 1 << 12
SKETCH = pa.schema(
    [
        ("id", pa.string()),
        ("rank", pa.uint64()),
        ("host", pa.string()),
        ("keys", pa.list_(pa.uint64())),
        ("letters", pa.list_(pa.uint32())),
        ("lines", pa.list_(pa.uint32())),
    ]
)


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return the id, its rank, the host, and each key once with the letters and the index of its paragraph.

    The keys of whole paragraphs precede those around holes, so the first key of a paragraph is that of the whole.
    """
    lines = list(paragraphs(doc))
    found: dict[int, tuple[int, int]] = {}
    for line, paragraph in enumerate(lines):
        found.setdefault(paragraph.keys[0], (paragraph.letters, line))
    for line, paragraph in enumerate(lines):
        for key in paragraph.keys[1:]:
            found.setdefault(key, (paragraph.letters, line))
    return {
        "id": doc.id,
        "rank": rank_of(doc),
        "host": scope_of(doc),
        "keys": list(found),
        "letters": [letters for letters, _ in found.values()],
        "lines": [line for _, line in found.values()],
    }


def exchange(
    shards: Sequence[Surveyed],
    segments: Sequence[Segment],
    folder: Path,
    run: Run,
    *,
    min_letters: Annotated[int, Field(ge=PLAIN_LETTERS)] = 40,
    host_documents: Annotated[int, Field(ge=2)] = 10,
    corpus_documents: Annotated[int, Field(ge=2)] = 20,
    corpus_hosts: Annotated[int, Field(ge=2)] = 5,
    plain: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 3.0,
) -> list[Path]:
    """Write `folder/table.parquet` and a file of lost paragraphs for each shard; return the files, in order.

    A paragraph about its page is repeated in a host if `host_documents` documents of it have the paragraph, and in the
    corpus if `corpus_documents` on `corpus_hosts` hosts have it. Any other paragraph needs `plain` times as many of
    each, and `min_letters` letters. Reasons in docs/filters.md.

    Table: key, scope (`host` or `corpus`), host ("" for the corpus), documents, letters, keeper (rank of the document
    that keeps the paragraph). Files: id, and the whole key of each paragraph to remove, as repeated in the `host` or
    in the `corpus`.
    """
    limits = Limits(min_letters, host_documents, corpus_documents, corpus_hosts, plain)
    distinct = {_shard_name(shard): shard for shard in shards}
    targets = {name: folder / f"about-{name}.parquet" for name in distinct}
    table, work = folder / "table.parquet", folder / "parts"
    if not table.exists():
        sketches = [distinct[name].sketch for name in sorted(distinct)]
        write_table(_find_repeated(sketches, limits, work, run), sketches, table)
    if work.exists():
        shutil.rmtree(work)
    missing = [LossJob(distinct[name].sketch, table, target) for name, target in targets.items()]
    list(run(write_losses, [job for job in missing if not job.target.exists()]))
    return [targets[_shard_name(shard)] for shard in shards]


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
    wanted: set[int] = set()
    for path in parts:
        wanted.update(pc.unique(shuffle.gather([path], 0).column("host")).to_pylist())
    names = {CORPUS: ""}  # of the hosts that have repeated paragraphs, by their hashes
    for path in sketches:
        for host in pc.unique(shard.read_parquet(path, ["host"]).column("host")).to_pylist():
            if (hashed := hash_of(host)) in wanted:
                names[hashed] = host
    with (
        _write_atomically(target) as path,
        pq.ParquetWriter(path, TABLE, compression="zstd", compression_level=3) as writer,
    ):
        for group in _regroup_rows(parts):
            hosts = [names[hashed] for hashed in group.column("host").to_pylist()]
            columns = {name: group.column(name).combine_chunks() for name in ("key", "documents", "letters", "keeper")}
            columns |= {"host": pa.array(hosts), "scope": pa.array(["host" if name else "corpus" for name in hosts])}
            writer.write_table(pa.table({name: columns[name] for name in TABLE.names}, schema=TABLE))


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
    keys = by_key.key
    with pq.ParquetFile(job.table) as file:
        for at in range(file.num_row_groups if keys.size else 0):
            bounds = file.metadata.row_group(at).column(0).statistics
            if bounds.min <= int(keys[-1]) and bounds.max >= int(keys[0]):
                for place, corpus in _find_losses(by_key, file.read_row_group(at, columns=["key", "host", "keeper"])):
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


def _find_repeated(sketches: Sequence[Path], limits: Limits, work: Path, run: Run) -> list[Path]:
    """Return the files with the repeated keys, one for each partition, in the order of keys."""
    rows = 0  # paragraphs of the sketches, from the footers of their files
    for path in sketches:
        with pq.ParquetFile(path) as file:
            at = file.schema.names.index("element", file.schema.names.index("host"))
            groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
            rows += sum(int(group.column(at).num_values) for group in groups)
    parts = 1
    while parts < MAX_PARTS and rows > PART * parts:
        parts *= 2
    spread = [
        SpreadJob(path, limits.min_letters, parts, work / f"{parts}-{path.parent.name}-{path.stem}.arrow")
        for path in sketches
    ]
    list(run(spread_counts, [job for job in spread if not job.target.exists()]))
    files = tuple(job.target for job in spread)
    jobs = [CountJob(files, part, limits, work / f"{parts}-{part}.arrow") for part in range(parts if files else 0)]
    list(run(count_repeated, [job for job in jobs if not job.target.exists()]))
    return [job.target for job in jobs]


def _shard_name(shard: Surveyed) -> str:
    return f"{shard.sketch.parent.name}-{shard.sketch.stem}"


SURVEY = Survey(
    name="paragraphs",
    version=1,
    schema=SKETCH,
    sketch=sketch,
    exchange=exchange,
    stage="judged",
    columns=("id", "source", "url", "fetched", "title", "text"),
)
