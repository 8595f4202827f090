"""Number the documents of a survey, and read them: those of the shards, then those of earlier releases.

The place of a document counts through the shards in a fixed order. Earlier releases are looked up by their sorted band
keys and signatures in files, derived once for each banding next to the documents of a segment and mapped into memory.
Only accessed pages are read, so the cost of a new crawl depends on its own size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.bands import Banding, keys
from filters.duplicates.duplicate_schema import (
    I64,
    SIGNATURE,
    SKETCH,
    U64,
    Flags,
    digests_in,
    numbers,
    signatures_in,
)
from filters.duplicates.keepers import MEMBER
from filters.duplicates.sketch import PERMUTATIONS, U32
from malmoi.errors import StageError
from malmoi.storage import shard, shuffle
from malmoi.storage.on_demand import fetch
from malmoi.storage.shuffle import name_task
from malmoi.survey import Segment, Surveyed

_FEW = ["date", "release", "version"]  # columns of few distinct values, read as dictionaries
_KNOWN = [name for name in MEMBER.names if name not in ("place", "published", "release")]


@dataclass(frozen=True, slots=True)
class Layout:
    """The shards, sorted by file name, with the place of the first document of each, and the end."""

    shards: tuple[Surveyed, ...]
    starts: I64

    @property
    def count(self) -> int:
        """Return the number of documents."""
        return int(self.starts[-1] - self.starts[0])

    def groups(self, documents: int) -> list[tuple[int, int]]:
        """Return runs of shards (first, end) with about `documents` documents each."""
        found, first = [], 0
        for number in range(len(self.shards)):
            if self.starts[number + 1] - self.starts[first] >= documents or number + 1 == len(self.shards):
                found.append((first, number + 1))
                first = number + 1
        return found

    def part(self, first: int, last: int) -> Layout:
        """Return the shards from `first` to before `last`, with their places in the whole layout."""
        return Layout(self.shards[first:last], self.starts[first : last + 1])

    def split(self, places: I64) -> list[I64]:
        """Split sorted places into row numbers of each shard."""
        cuts = np.searchsorted(places, self.starts)
        return [places[a:b] - s for a, b, s in zip(cuts[:-1], cuts[1:], self.starts[:-1], strict=True)]

    def sources(self) -> frozenset[str]:
        """Return the sources of the documents."""
        names = set[str]()
        for surveyed in self.shards:
            fetch(surveyed.documents)
            names.update(pc.unique(shard.read_parquet(surveyed.documents, ["source"])["source"]).to_pylist())
        return frozenset(names)


def lay_out(shards: Sequence[Surveyed]) -> Layout:
    """Return the layout of `shards`, independent of their order."""
    ordered = tuple(sorted(shards, key=lambda s: (str(s.sketch), str(s.documents))))
    counts = [pq.read_metadata(s.sketch).num_rows for s in ordered]
    return Layout(ordered, np.cumsum([0, *counts], dtype=np.int64))


def rows_file(folder: Path, number: int) -> Path:
    """Return the path of the rows about the shard of that number."""
    return folder / f"rows-{number:05d}.parquet"


def members_of(sketch: Path, rows: I64, place: int, earlier: Sequence[Earlier]) -> pa.Table:
    """Return the documents at `rows` of a shard that starts at `place`, as a table of schema MEMBER."""
    table = read_rows(sketch, [*_KNOWN, "h"] if earlier else _KNOWN, rows)
    known = find_published(np.asarray(table["h"]), earlier) if earlier else np.zeros(len(rows), np.bool_)
    extra = {
        "place": pa.array(place + rows, pa.int64()),
        "published": pa.array(known),
        "release": pa.array([""]).take(pa.array(np.zeros(len(rows), np.int64))),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def find_published(h: U64, earlier: Sequence[Earlier]) -> Flags:
    """Return whether each id is in an earlier release and has not been withdrawn since."""
    found = np.zeros(len(h), np.bool_)
    order = np.argsort(h)
    for one in earlier:
        found[order[positions(h[order], one.hashes_unmasked)]] = True
    return found


def members_of_segment(one: Earlier, rows: I64) -> pa.Table:
    """Return the documents at `rows` of a segment, as a table of schema MEMBER."""
    table = one.rows(rows)
    extra = {
        "place": pa.array(one.base + rows, pa.int64()),
        "published": pa.array(np.ones(len(rows), np.bool_)),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def read_rows(path: Path, columns: Sequence[str], rows: I64) -> pa.Table:
    """Read rows of a Parquet file by sorted number; row groups without any of them are skipped."""
    plain = dict.fromkeys(_FEW, pa.string())
    with pq.ParquetFile(path, memory_map=True, read_dictionary=[n for n in _FEW if n in columns]) as file:
        counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.cumsum([0, *counts])
        hit = np.flatnonzero(np.diff(np.searchsorted(rows, starts)))
        if not len(hit):
            schema = pa.schema([pa.field(n, plain.get(n, file.schema_arrow.field(n).type)) for n in columns])
            return schema.empty_table()
        table = file.read_row_groups(hit.tolist(), columns=list(columns), use_threads=False)
        group = np.searchsorted(starts, rows, "right") - 1
        first = np.cumsum([0, *np.diff(starts)[hit]])  # the first row of each group that is read, in the table
        table = table.take(pa.array(first[np.searchsorted(hit, group)] + rows - starts[group])).select(columns)
        return table.cast(pa.schema([pa.field(f.name, plain.get(f.name, f.type)) for f in table.schema]))


BATCH = 65536  # rows of a segment in memory while its files are derived
KNOWN = pa.schema([*(field for field in SKETCH if field.name not in ("h", "signature")), ("release", pa.string())])
_KEYS = pa.schema([("key", pa.uint64()), ("row", pa.uint32())])
_SIGNED = pa.schema([("h", pa.uint64()), ("letters", pa.int64()), ("signature", SIGNATURE)])


@dataclass(frozen=True, slots=True)
class Earlier:
    """The files of a segment, as a survey reads them; its row i has the place `base` + i."""

    documents: Path
    keys: Path  # one batch a band, and one for the digests
    rows_file: Path  # the columns KNOWN of each row
    signatures_file: Path  # H(id), letters and signatures, in one batch
    alive: Path  # flags `alive` and `masked` of each row
    base: int
    count: int

    def band(self, number: int) -> tuple[U64, U32]:
        """Return the sorted keys of a band (the last: of the digests), and the row of each key."""
        batch = shuffle.read_piece(self.keys, number)
        return np.asarray(batch.column(0)), np.asarray(batch.column(1))

    def rows(self, rows: I64) -> pa.Table:
        """Return the columns KNOWN of the documents at sorted row numbers."""
        batches = shuffle.read_pieces(self.rows_file)
        starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
        cuts = np.searchsorted(rows, starts)
        some = [
            batch.take(pa.array(rows[low:high] - start))
            for batch, start, low, high in zip(batches, starts[:-1], cuts[:-1], cuts[1:], strict=True)
        ]
        return pa.Table.from_batches(some, KNOWN)

    @property
    def h(self) -> U64:
        """Return H(id) of each row, ascending."""
        return np.asarray(shuffle.read_piece(self.signatures_file, 0).column(0))

    @property
    def letters(self) -> I64:
        """Return the number of letters of each row."""
        return numbers(shuffle.read_piece(self.signatures_file, 0).column(1))

    @property
    def signatures(self) -> U32:
        """Return the signature of each row."""
        return signatures_in(shuffle.read_piece(self.signatures_file, 0).column(2))

    @property
    def hashes_unmasked(self) -> U64:
        """Return H(id) of the rows that are not masked, ascending: a withdrawn document counts as never published."""
        return self.h[~np.asarray(shuffle.read_piece(self.alive, 0).column(1)).view(np.bool_)]

    @property
    def live(self) -> Flags:
        """Return for each row whether it can still be the keeper of copies."""
        return np.asarray(shuffle.read_piece(self.alive, 0).column(0)).view(np.bool_)


@dataclass(frozen=True, slots=True)
class DeriveJob:
    """A task: derive from a segment the files for lookups with one banding."""

    segment: Segment
    banding: Banding

    @property
    def keys(self) -> Path:
        """Path of the band keys."""
        return self.segment.folder / f"bands-{self.banding.bands}x{self.banding.rows}.arrow"

    @property
    def rows_file(self) -> Path:
        """Path of the columns KNOWN."""
        return self.segment.folder / "members.arrow"

    @property
    def signatures_file(self) -> Path:
        """Path of the signatures."""
        return self.segment.folder / "signatures.arrow"


@name_task("index segments of earlier releases")
def derive(job: DeriveJob) -> int:
    """Run a DeriveJob and return the number of rows of the segment. Existing files are kept.

    Raises StageError if one of them is damaged or of another segment.
    """
    documents, rows = job.segment.folder / "documents.parquet", job.banding.rows
    if not job.signatures_file.exists():
        _copy_signatures(documents, job.signatures_file)
    if not job.rows_file.exists():
        shuffle.write(_read_known(documents), job.rows_file)
    batch = shuffle.read_piece(job.signatures_file, 0)
    if not job.keys.exists():
        signatures, lettered = signatures_in(batch.column(2)), np.flatnonzero(numbers(batch.column(1)) > 0)
        parts = [digests_in(b.column(0))[:, 0] for b in _batches(documents, ["digest"])]
        digest = np.concatenate([np.empty(0, np.uint64), *parts])
        bands = (_sort_keys(keys(signatures, band * rows, rows), lettered) for band in range(job.banding.bands))
        shuffle.write((*bands, _sort_keys(digest, np.arange(len(digest)))), job.keys)
    # Lookups use row numbers, so no derived file may be damaged or of another segment.
    row_numbers = [np.asarray(shuffle.read_piece(job.keys, band).column(1)) for band in range(job.banding.bands + 1)]
    known = sum(piece.num_rows for piece in shuffle.read_pieces(job.rows_file))
    count = int(batch.num_rows)
    if {count, known} != {pq.read_metadata(documents).num_rows} or any(
        len(numbered) and numbered.max() >= count for numbered in row_numbers
    ):
        raise StageError(
            f"{job.keys}, or {job.signatures_file.name} or {job.rows_file.name} in the same folder, "
            f"does not belong to {documents}. Delete the three files and run again: they are derived anew."
        )
    return count


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(BATCH, columns=columns)


def _read_known(documents: Path) -> Iterator[pa.RecordBatch]:
    """Yield the columns KNOWN of a segment, at least one batch; `release` is `name/version`."""
    names = KNOWN.names[:-1]
    count = pq.read_metadata(documents).num_rows
    if not count:
        yield pa.RecordBatch.from_pylist([], KNOWN)
    for batch in _batches(documents, [*names, "release", "version"]) if count else ():
        release = pc.binary_join_element_wise(batch.column("release"), batch.column("version"), "/")
        yield pa.record_batch([*(batch.column(name) for name in names), release], schema=KNOWN)


def _copy_signatures(documents: Path, target: Path) -> None:
    """Copy the signatures of a segment into one batch, through a file to save memory."""
    h, letters, count = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], 0
    with tempfile.TemporaryFile(dir=target.parent) as file:
        for batch in _batches(documents, _SIGNED.names):
            h.append(np.asarray(batch.column("h")))
            letters.append(numbers(batch.column("letters")))
            file.write(signatures_in(batch.column("signature")).tobytes())
            count += batch.num_rows
        file.flush()
        data = np.memmap(file, np.uint8, "r", shape=(count * PERMUTATIONS * 4,)) if count else np.empty(0, np.uint8)
        signed = pa.FixedSizeBinaryArray.from_buffers(SIGNATURE, count, [None, pa.py_buffer(data)])
        columns = [pa.array(np.concatenate(h)), pa.array(np.concatenate(letters)), signed]
        shuffle.write([pa.record_batch(columns, schema=_SIGNED)], target)


def _sort_keys(key: U64, rows: I64) -> pa.RecordBatch:
    order = rows[np.argsort(key[rows], kind="stable")]
    return pa.record_batch([pa.array(key[order]), pa.array(order.astype(np.uint32))], schema=_KEYS)


def open_segments(
    segments: Sequence[Segment], banding: Banding, base: int, sources: frozenset[str], work: Path, run: shuffle.Run
) -> tuple[Earlier, ...]:
    """Open the segments, newest first; their rows have the places from `base` on. `work` gets a file for each.

    A row is no longer alive if its source is among those of the new documents (`sources`): the document is
    either among them or gone. Rows that are masked, or that a newer version of the release has again, are not
    alive either.
    """
    named = []
    for segment in segments:
        columns = ["release", "version"]  # few distinct values
        with pq.ParquetFile(segment.folder / "documents.parquet", memory_map=True, read_dictionary=columns) as file:
            table = file.read(columns=columns, use_threads=False)
        versions = [tuple(map(int, v.split("."))) for v in pc.unique(table["version"]).to_pylist()]
        name = next(iter(pc.unique(table["release"]).to_pylist()), "")
        named.append((segment, name, max(versions, default=())))
    named.sort(key=lambda s: (s[1], s[2], str(s[0].folder)), reverse=True)
    jobs = [DeriveJob(segment, banding) for segment, _, _ in named]
    opened: list[Earlier] = []
    newer: dict[str, list[U64]] = {}
    for number, (job, count) in enumerate(zip(jobs, run(derive, jobs), strict=True)):
        documents, alive = job.segment.folder / "documents.parquet", work / f"alive-{number:05d}.arrow"
        one = Earlier(documents, job.keys, job.rows_file, job.signatures_file, alive, base, count)
        opened.append(one)
        others = newer.setdefault(named[number][1], [])
        if not alive.exists():
            with pq.ParquetFile(documents) as file:
                table = file.read(columns=["source", "id"] if job.segment.masked else ["source"])
            gone = np.asarray(pc.is_in(table["source"], value_set=pa.array(sorted(sources), pa.string())))
            masked: Flags = np.zeros(count, np.bool_)
            if job.segment.masked:
                masked = np.asarray(pc.is_in(table["id"], value_set=pa.array(job.segment.masked, pa.string())))
            live = ~(gone | masked)
            for other in others:
                live[positions(one.h, other)] = False
            flags = {"alive": live, "masked": masked}
            shuffle.write([pa.record_batch({n: pa.array(f.view(np.uint8)) for n, f in flags.items()})], alive)
        others.append(one.h)
        base += count
    return tuple(opened)


def positions(h: U64, others: U64) -> I64:
    """Return the positions in the sorted `h` of the values that `others` has."""
    at = np.searchsorted(h, others)
    inside = at < len(h)
    found: I64 = at[inside][h[at[inside]] == others[inside]]
    return found
