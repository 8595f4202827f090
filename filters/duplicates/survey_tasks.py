"""Tasks of deduplication over files: each holds one group of shards or one partition, whatever the corpus size.

    digests ──► copies ──► bands ──► candidates ──► attached ──► compared ──► families (one node, pairs only)
                                                                                 │
                        rows about each shard ◄── judged ◄── members ◄───────────┘

A pair is verified in the group of its right document; the group of the left one attaches the signature. A task
opens only its own shards. An existing file is a checkpoint and is not written again.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates import sketch
from filters.duplicates.bands import (
    KEY_BITS,
    Banding,
    bounds,
    candidates,
    canonical_order,
    compare_rows,
    find_repeated_keys,
    keys_of,
    look_up_keys,
    unpack_pairs,
)
from filters.duplicates.duplicate_schema import (
    COPY,
    DOUBT,
    I32,
    I64,
    SIGNATURE,
    SURE,
    TABLE,
    U64,
    Pairs,
    digests_in,
    numbers,
    signatures_in,
)
from filters.duplicates.earlier_releases import Earlier, Layout, members_of, members_of_segment, rows_file
from filters.duplicates.keepers import MEMBER, Members, batch_of, gather_shingles, name_keepers, read_texts
from filters.duplicates.sketch import PERMUTATIONS, U32
from malmoi.storage import shuffle as files
from malmoi.storage.atomic_files import sync
from malmoi.storage.shuffle import name_task


@dataclass(frozen=True, slots=True)
class Shape:
    """Partitioning of the work: places into groups of shards and segments, keys and families into partitions."""

    work: Path
    threshold: float
    banding: Banding
    starts: tuple[int, ...]  # the first place of each group, then of each segment
    groups: int  # number of groups of shards among these
    slices: int  # partitions of a band, and of the digests; a power of two
    together: int  # partitions of bands of one task; all for a small corpus
    families: int  # partitions by family
    earlier: tuple[Earlier, ...]
    texts: bool

    def files(self, name: str, count: int) -> list[Path]:
        """Return the files that the `count` tasks of a step write."""
        return [self.work / name / f"{number:05d}.arrow" for number in range(count)]

    @property
    def candidate_tasks(self) -> int:
        """Return the number of tasks that find candidates."""
        return -(-self.banding.bands * self.slices // self.together)

    def key_parts(self, task: int) -> range:
        """Return the partitions of bands of one of these tasks."""
        return range(task * self.together, min((task + 1) * self.together, self.banding.bands * self.slices))

    def group_of(self, place: I64) -> I64:
        """Return the group or segment of each place."""
        found: I64 = np.searchsorted(np.array(self.starts), place, "right") - 1
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """One task of a step: a group of shards (`layout`) or a partition, by number."""

    shape: Shape
    step: str
    number: int
    layout: Layout | None = None
    first: int = 0  # number of the first shard of the layout
    folder: Path | None = None  # for the rows about each shard

    @property
    def target(self) -> Path:
        """The file that the task writes last."""
        return self.shape.work / self.step / f"{self.number:05d}.arrow"

    @property
    def side_files(self) -> list[Path]:
        """The files that the task writes before its target."""
        if self.step == "members" and self.layout is not None and self.shape.texts:
            return [self.shape.work / "shingles" / self.target.name]
        if self.step == "rows" and self.layout is not None and self.folder is not None:
            return [rows_file(self.folder, self.first + n) for n in range(len(self.layout.shards))]
        return []

    @property
    def start(self) -> int:
        """Return the first place of the group or segment."""
        return self.shape.starts[self.number]

    @property
    def shards(self) -> Layout:
        """Return the layout of a task that has one."""
        assert self.layout is not None
        return self.layout


def run_once(task: Callable[[Job], None]) -> Callable[[Job], Path]:
    """Wrap a task so that it is skipped if its files exist (checkpoint)."""

    @wraps(task)
    def run(job: Job) -> Path:
        if not all(path.exists() for path in [job.target, *job.side_files]):
            task(job)
        return job.target

    return run


def key_partition(key: U64, bits: int, slices: int) -> I64:
    """Return the partition of each key of `bits` bits: its leading bits."""
    width = slices.bit_length() - 1
    return (key >> np.uint64(bits - width)).astype(np.int64) if width else np.zeros(len(key), np.int64)


def family_partition(label: I64, families: int) -> I64:
    """Return the partition of each family."""
    mixed = label.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)).astype(np.int64) % families


AT_ONCE = 6  # bands whose keys are in memory
PAIRS = 1 << 18  # candidates of one batch
_PLACES = 1 << 40  # above every place, so that a pair is sorted as one number
_PLACED = pa.schema([*TABLE, ("place", pa.int64())])
_SIGNED = pa.schema([*MEMBER, ("signature", SIGNATURE)])
_SENT = pa.schema(
    [("left", pa.int64()), ("letters", pa.int64()), ("right", pa.int64()), ("signature", pa.large_binary())]
)


@name_task("list digests of document groups")
@run_once
def digests(job: Job) -> None:
    """Write the digests of a group, partitioned by digest."""
    held = read_digests(job.shards)
    place = job.start + np.arange(job.shards.count)
    table = pa.table({"key": held.digest, "h": held.h, "place": place})
    files.write_partitions(table, key_partition(held.digest, 64, job.shape.slices), job.shape.slices, job.target)


@name_task("find exact copies in digest partitions")
@run_once
def copies(job: Job) -> None:
    """Write pairs of equal digests (first document in canonical order, copy), partitioned by group of the copy."""
    shape = job.shape
    table = files.gather(shape.files("digests", shape.groups), job.number)
    order = canonical_order(np.asarray(table["h"]))
    key, place = np.asarray(table["key"])[order], numbers(table["place"])[order]
    leader = leaders(key)
    copy = np.flatnonzero(leader != np.arange(len(leader)))
    found = [(place[leader[copy]], place[copy], COPY)]
    leading = np.flatnonzero(leader == np.arange(len(leader)))
    for one in shape.earlier:
        left, right = look_up_keys(key[leading], *one.band(shape.banding.bands), one.live)
        found.append((place[leading[left]], one.base + right, COPY))
    pairs = Pairs.from_parts(found)
    files.write_partitions(pairs.table(), shape.group_of(pairs.right), len(shape.starts), job.target)


@name_task("compute bands of document groups")
@run_once
def bands(job: Job) -> None:
    """Write the band keys of a group, by band and key; copies and documents without letters have none."""
    shape = job.shape
    held = read_digests(job.shards)
    shown = held.letters > 0
    met = Pairs.from_arrow([files.read_piece(path, job.number) for path in shape.files("copies", shape.slices)])
    shown[met.right - job.start] = False
    row = np.flatnonzero(shown)
    h, place, (bands, width) = held.h[row], job.start + row, (shape.banding.bands, shape.banding.rows)
    signatures = hold_signatures(job.shards, row)
    many = np.empty((min(AT_ONCE, bands), len(row)), np.uint64)

    def cut() -> Iterator[pa.RecordBatch]:
        for band in range(bands):
            if band % AT_ONCE == 0:
                keys_of(signatures, band * width, width, many[: bands - band], 0, len(row))
            key = many[band % AT_ONCE]
            table = pa.table({"key": key, "h": h, "place": place})
            yield from files.partition_rows(table, key_partition(key, KEY_BITS, shape.slices), shape.slices)

    files.write(cut(), job.target)


@name_task("find candidate pairs in band partitions")
@run_once
def candidate_pairs(job: Job) -> None:
    """Write pairs that share a key, by group of the left document; in rounds, since one key may have most pairs."""
    shape = job.shape

    def pairs_of(part: int) -> Iterator[tuple[I64, I64]]:
        """Yield pairs that share a key of one partition, in pieces of at most PAIRS."""
        table = files.gather(shape.files("bands", shape.groups), part)
        keys, places = np.asarray(table["key"]), numbers(table["place"])
        for one in shape.earlier:
            asked, published = look_up_keys(keys, *one.band(part // shape.slices), one.live)
            yield places[asked], one.base + published
        row = find_repeated_keys(keys)  # most keys are unique and need no sorting
        row = row[canonical_order(np.asarray(table["h"])[row])]
        place, packed = places[row], candidates(keys[row])
        for at in range(0, max(1, len(packed)), PAIRS):
            left, right = unpack_pairs(packed[at : at + PAIRS])
            yield place[left], place[right]

    def cut() -> Iterator[pa.RecordBatch]:
        for part in shape.key_parts(job.number):
            for left, right in pairs_of(part):
                yield from files.partition_rows(
                    pa.table({"left": left, "right": right}), shape.group_of(left), shape.groups
                )

    files.write(cut(), job.target)


@name_task("attach signatures to pairs of document groups")
@run_once
def attach_signatures(job: Job) -> None:
    """Write the distinct candidates whose left document is in this group, with its signature, by group of the right.

    A signature is sent once to each group; it is empty if equal to that of the previous row.
    """
    shape = job.shape
    met = shape.files("candidates", shape.candidate_tasks)
    parts = (batch for path in met for batch in files.read_pieces(path, job.number, shape.groups))
    left, right = distinct(((numbers(b.column(0)) - job.start, numbers(b.column(1))) for b in parts), _PLACES)
    letters = read_digests(job.shards).letters
    group = shape.group_of(right)
    order = np.lexsort((left, group))
    row, right, group = left[order], right[order], group[order]
    again = np.zeros(len(left), np.bool_)
    again[1:] = (row[1:] == row[:-1]) & (group[1:] == group[:-1])
    ends = np.searchsorted(group, np.arange(len(shape.starts) + 1))
    held = np.unique(left)
    signatures = hold_signatures(job.shards, held)

    def cut() -> Iterator[pa.RecordBatch]:
        for low, high in pairwise(ends.tolist()):
            fresh = ~again[low:high]
            offsets = np.concatenate([[0], np.cumsum(fresh * (PERMUTATIONS * 4))]).astype(np.int64)
            data = pa.py_buffer(signatures[np.searchsorted(held, row[low:high][fresh])])
            signed = pa.LargeBinaryArray.from_buffers(
                pa.large_binary(), int(high - low), [None, pa.py_buffer(offsets), data]
            )
            sent = row[low:high]
            columns = [*map(pa.array, (job.start + sent, letters[sent].astype(np.int64), right[low:high])), signed]
            yield pa.record_batch(columns, schema=_SENT)

    files.write(cut(), job.target)


@name_task("compare pairs of document groups")
@run_once
def compare_pairs(job: Job) -> None:
    """Write the candidates with the right document in this group or segment that are sure or in doubt."""
    shape = job.shape
    bound = bounds(shape.threshold)
    batches = [files.read_piece(path, job.number) for path in shape.files("attached", shape.groups)]
    letters: Any
    if job.number < shape.groups:
        rights = [numbers(batch.column(2)).view(np.uint64) for batch in batches]
        met = sort_distinct(rights).astype(np.int64) - job.start
        signatures, letters = hold_signatures(job.shards, met), read_digests(job.shards).letters[met]
    else:
        one = shape.earlier[job.number - shape.groups]
        met, signatures, letters = np.arange(one.count), one.signatures, one.letters
    found: list[tuple[I64, I64, int]] = []
    for batch in batches:
        if batch.num_rows:
            left, right = numbers(batch.column(0)), numbers(batch.column(2))
            # The signatures of a column in which repeated ones are empty, and the index of that of each row.
            column = batch.column(3)
            offsets = np.frombuffer(column.buffers()[1], np.int64, len(column) + 1, column.offset * 8)
            sent = np.frombuffer(column.buffers()[2], np.uint32)[offsets[0] // 4 : offsets[-1] // 4]
            sent, at = sent.reshape(-1, PERMUTATIONS), np.cumsum(np.diff(offsets) > 0) - 1
            row = np.searchsorted(met, right - job.start)
            said = compare_rows(sent, at, signatures, row, numbers(batch.column(1)), letters[row], bound)
            found += [(left[said == kind], right[said == kind], kind) for kind in (SURE, DOUBT)]
    files.write_partitions(
        Pairs.from_parts(found).table(), np.zeros(sum(len(part[0]) for part in found), np.int64), 1, job.target
    )


@name_task("list cluster members of document groups")
@run_once
def members(job: Job) -> None:
    """Write the documents of this group or segment with pairs, by family, with signatures; shingles in a side file."""
    shape = job.shape
    batch = files.read_piece(shape.work / "families.arrow", job.number)
    place, label, needs = numbers(batch.column(0)), numbers(batch.column(1)), np.asarray(batch.column(2)).view(np.bool_)
    part = family_partition(label, shape.families)
    if job.number >= shape.groups:
        one = shape.earlier[job.number - shape.groups]
        about = members_of_segment(one, place - one.base)
        signed = _pack_signatures(one.signatures[place - one.base])
        files.write_partitions(about.append_column("signature", signed), part, shape.families, job.target)
        return
    shards = job.shards
    wanted, parts = place[needs], part[needs]

    def shingles() -> Iterator[pa.RecordBatch]:
        yield from [batch_of(wanted[:0], [])] * shape.families
        cuts = np.searchsorted(wanted, shards.starts)
        for shard, start, low, high in zip(shards.shards, shards.starts[:-1], cuts[:-1], cuts[1:], strict=True):
            for at, texts in read_texts(shard.documents, wanted[low:high] - start):
                table = pa.Table.from_batches([batch_of(wanted[low + at], texts)])
                yield from files.partition_rows(table, parts[low + at], shape.families)

    for target in job.side_files:
        files.write(shingles(), target)
    rows = zip(shards.shards, shards.starts[:-1].tolist(), shards.split(place), strict=True)
    found = [members_of(shard.sketch, here, start, shape.earlier) for shard, start, here in rows if here.size]
    about = pa.concat_tables([MEMBER.empty_table(), *found])
    signed = _pack_signatures(hold_signatures(shards, place - job.start))
    files.write_partitions(about.append_column("signature", signed), part, shape.families, job.target)


def _pack_signatures(rows: U32) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(SIGNATURE, len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])


@name_task("choose representatives in cluster partitions")
@run_once
def judge_families(job: Job) -> None:
    """Write the rows of TABLE about the families of this partition, by group of their documents."""
    shape = job.shape
    table = files.gather(shape.files("members", len(shape.starts)), job.number)
    place = numbers(table["place"])
    met = shape.files("pairs", shape.slices + len(shape.starts))
    pairs = [Pairs.from_arrow([files.read_piece(path, job.number)]) for path in met]
    sent = shape.files("shingles", shape.groups) if shape.texts else []
    batches = (batch for path in sent for batch in files.read_pieces(path, job.number, shape.families))
    shingles = gather_shingles(batches, place, shape.work)
    signatures = map_signatures(map(signatures_in, table["signature"].chunks), shape.work)
    found = Members(table.select(MEMBER.names).combine_chunks(), signatures, shingles)
    rows, about = name_keepers(found, pairs, shape.threshold)
    rows = rows.append_column("place", pa.array(about)).cast(_PLACED)
    files.write_partitions(rows, shape.group_of(about), shape.groups, job.target)


@name_task("list copies of document groups")
@run_once
def rows(job: Job) -> None:
    """Write the rows about each shard of this group, sorted by id, and every STRIDE-th id as a sample for the sort."""
    shape = job.shape
    table = files.gather(shape.files("judged", shape.families), job.number)
    ids = [pa.array([], pa.string())]
    cut = cut_by_shard(table.select(TABLE.names), numbers(table["place"]), job.shards.starts[:-1])
    for found, target in zip(cut, job.side_files, strict=True):
        found = found.sort_by("id")
        write_table([found], target)
        ids.append(found["id"].combine_chunks()[::STRIDE].cast(pa.string()))
    files.write([pa.record_batch({"id": pa.concat_arrays(ids)})], job.target)


READ = 4096  # sketches read at once


@dataclass(frozen=True, slots=True)
class Known:
    """Sketches of the documents of some shards, without signatures, in the order of places."""

    h: U64
    digest: U64  # the first word
    letters: I32


def read_digests(layout: Layout) -> Known:
    """Read all sketches of a layout, without signatures."""
    count = layout.count
    found = Known(np.empty(count, np.uint64), np.empty(count, np.uint64), np.empty(count, np.int32))
    for here, batch in _batches(layout, ["h", "digest", "letters"]):
        found.h[here] = np.asarray(batch.column("h"))
        found.digest[here] = digests_in(batch.column("digest"))[:, 0]
        found.letters[here] = np.asarray(batch.column("letters"))
    return found


def hold_signatures(layout: Layout, rows: I64) -> U32:
    """Read the signatures of the documents of a layout at sorted row numbers."""
    signatures = np.empty((len(rows), PERMUTATIONS), np.uint32)
    for here, batch in _batches(layout, ["signature"]):
        low, high = np.searchsorted(rows, [here.start, here.stop])
        if high > low:
            signatures[low:high] = signatures_in(batch.column("signature"))[rows[low:high] - here.start]
    signatures.flags.writeable = False
    return signatures


def map_signatures(parts: Iterable[U32], folder: Path) -> U32:
    """Write signatures to a mapped unnamed file in `folder`: if memory is short they go to disk."""
    count = 0
    with tempfile.TemporaryFile(dir=folder) as file:
        for part in parts:
            file.write(np.ascontiguousarray(part).data)
            count += len(part)
        file.flush()
        shape = (count, PERMUTATIONS)
        found = np.memmap(file, np.uint32, "r", shape=shape) if count else np.empty(shape, np.uint32)
    found.flags.writeable = False
    return np.asarray(found)


def _batches(layout: Layout, columns: list[str]) -> Iterator[tuple[slice, pa.RecordBatch]]:
    """Yield the sketches of a layout in batches, with the slice of its documents that each covers."""
    at = 0
    for shard in layout.shards:
        with pq.ParquetFile(shard.sketch, memory_map=True) as file:
            for batch in file.iter_batches(READ, columns=columns, use_threads=False):
                yield slice(at, at + batch.num_rows), batch
                at += batch.num_rows


def distinct(pairs: Iterable[tuple[I64, I64]], stride: int) -> tuple[I64, I64]:
    """Return the distinct pairs, sorted; `stride` is above all numbers on the right."""
    all_ = np.concatenate([np.empty(0, np.int64), *(left * stride + right for left, right in pairs)])
    left, right = np.divmod(sort_distinct([all_.view(np.uint64)]).view(np.int64), max(stride, 1))
    return left, right


def sort_distinct(parts: Sequence[U64]) -> U64:
    """Return the distinct numbers, sorted."""
    all_ = np.concatenate([np.empty(0, np.uint64), *parts])
    all_.sort()
    return all_[: sketch.keep_distinct(all_)]


def leaders(digest: U64) -> I64:
    """Return for each document, in canonical order, the first one with the same digest.

    >>> leaders(np.array([7, 3, 7, 7], np.uint64)).tolist()
    [0, 1, 0, 0]
    """
    _, first, run = np.unique(digest, return_index=True, return_inverse=True)
    found: I64 = first[run]
    return found


STRIDE = 512  # every STRIDE-th id of a sorted shard is sampled, to cut all rows into even ranges
GROUP = 4096  # rows of a row group; pieces are written in multiples of it, so that the cut has no effect


def write_table(tables: Iterable[pa.Table], target: Path) -> None:
    """Write concatenated tables of schema TABLE; the bytes do not depend on how they are cut."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetWriter(part, TABLE, compression="zstd", compression_level=3) as writer:
            held = TABLE.empty_table()
            for table in tables:
                held = pa.concat_tables([held, table])
                whole = held.num_rows // GROUP * GROUP
                if whole:
                    writer.write_table(held.slice(0, whole).combine_chunks(), row_group_size=GROUP)
                    held = held.slice(whole).combine_chunks()
            writer.write_table(held.combine_chunks(), row_group_size=GROUP)
        sync(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync(target.parent)


def cut_by_shard(rows: pa.Table, place: I64, starts: I64) -> list[pa.Table]:
    """Split rows by shard: `place` is the place of the document of each row; shard i starts at `starts[i]`."""
    shard = np.searchsorted(starts, place, "right") - 1
    order = np.argsort(shard, kind="stable")
    moved = rows.take(pa.array(order))
    ends = np.searchsorted(shard[order], np.arange(len(starts)), "right")
    return [moved.slice(at, end - at) for at, end in zip([0, *ends[:-1]], ends, strict=True)]
