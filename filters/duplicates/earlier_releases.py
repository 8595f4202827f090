"""Look up earlier releases by their sorted band keys and signatures in files.

These files are derived once for each banding, next to the documents of a segment, and mapped into memory. Only
accessed pages are read, so the cost of a new crawl depends on its own size.
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

from filters.duplicates.minhash.bands import Banding, keys
from filters.duplicates.minhash.duplicate_schema import (
    I64,
    SIGNATURE,
    SKETCH,
    U64,
    Flags,
    digests_in,
    numbers,
    signatures_in,
)
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32
from malmoi.errors import StageError
from malmoi.storage import shuffle
from malmoi.storage.shuffle import name_task
from malmoi.survey import Segment

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
    """Run a DeriveJob and return the number of rows of the segment. Existing files are kept."""
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
    _refuse_foreign_file(documents, batch.num_rows, job)
    return int(batch.num_rows)


def _refuse_foreign_file(documents: Path, count: int, job: DeriveJob) -> None:
    """Raise StageError if a derived file is damaged or of another segment: lookups use row numbers."""
    pieces = (shuffle.read_piece(job.keys, band) for band in range(job.banding.bands + 1))
    rows = [np.asarray(piece.column(1)) for piece in pieces]
    said = sum(batch.num_rows for batch in shuffle.read_pieces(job.rows_file))
    if {count, said} != {pq.read_metadata(documents).num_rows} or any(len(row) and row.max() >= count for row in rows):
        raise StageError(
            f"{job.keys}, or {job.signatures_file.name} or {job.rows_file.name} in the same folder, "
            f"does not belong to {documents}. Delete the three files and run again: they are derived anew."
        )


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
    named = sorted(map(_newest_version, segments), key=lambda s: (s[1], s[2], str(s[0].folder)), reverse=True)
    jobs = [DeriveJob(segment, banding) for segment, _, _ in named]
    found: list[Earlier] = []
    newer: dict[str, list[U64]] = {}
    for number, (job, count) in enumerate(zip(jobs, run(derive, jobs), strict=True)):
        documents, alive = job.segment.folder / "documents.parquet", work / f"alive-{number:05d}.arrow"
        one = Earlier(documents, job.keys, job.rows_file, job.signatures_file, alive, base, count)
        found.append(one)
        others = newer.setdefault(named[number][1], [])
        if not alive.exists():
            live, masked = _find_live_rows(job.segment, one.h, sources, others)
            flags = {"alive": live, "masked": masked}
            shuffle.write([pa.record_batch({n: pa.array(f.view(np.uint8)) for n, f in flags.items()})], alive)
        others.append(one.h)
        base += count
    return tuple(found)


def _newest_version(segment: Segment) -> tuple[Segment, str, tuple[int, ...]]:
    """Return a segment, the name of its release, and its newest version."""
    columns = ["release", "version"]  # few distinct values
    with pq.ParquetFile(segment.folder / "documents.parquet", memory_map=True, read_dictionary=columns) as file:
        table = file.read(columns=columns, use_threads=False)
    versions = [tuple(map(int, v.split("."))) for v in pc.unique(table["version"]).to_pylist()]
    return segment, next(iter(pc.unique(table["release"]).to_pylist()), ""), max(versions, default=())


def _find_live_rows(segment: Segment, h: U64, sources: frozenset[str], newer: Sequence[U64]) -> tuple[Flags, Flags]:
    """Return which rows can still be keepers of copies, and which are masked."""
    with pq.ParquetFile(segment.folder / "documents.parquet") as file:
        table = file.read(columns=["source", "id"] if segment.masked else ["source"])
    gone = pc.is_in(table["source"], value_set=pa.array(sorted(sources), pa.string()))
    masked: Flags = np.zeros(len(h), np.bool_)
    if segment.masked:
        masked = np.asarray(pc.is_in(table["id"], value_set=pa.array(segment.masked, pa.string())))
    live: Flags = ~(np.asarray(gone) | masked)
    for other in newer:
        live[positions(h, other)] = False
    return live, masked


def positions(h: U64, others: U64) -> I64:
    """Return the positions in the sorted `h` of the values that `others` has."""
    at = np.searchsorted(h, others)
    inside = at < len(h)
    found: I64 = at[inside][h[at[inside]] == others[inside]]
    return found
