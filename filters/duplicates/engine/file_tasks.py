"""Tasks of deduplication over files: each holds one group of shards or one partition, whatever the corpus size.

    digests ──► copies ──► bands ──► candidates ──► attached ──► compared ──► families (one node, pairs only)
                                                                                 │
                        rows about each shard ◄── judged ◄── members ◄───────────┘

A pair is verified in the group of its right document; the group of the left one attaches the signature. A task
opens only its own shards. An existing file is a checkpoint and is not written again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from filters.duplicates.clusters.keepers import MEMBER, Members, name_keepers
from filters.duplicates.engine import survey_tables, task_values
from filters.duplicates.engine.document_numbers import members_of, members_of_segment
from filters.duplicates.engine.sketch_reading import (
    distinct,
    hold_signatures,
    leaders,
    map_signatures,
    read_digests,
    sort_distinct,
)
from filters.duplicates.engine.task_values import Job, Shape, family_partition, key_partition
from filters.duplicates.minhash.bands import (
    KEY_BITS,
    candidates,
    canonical_order,
    find_repeated_keys,
    keys_of,
    look_up_keys,
    unpack_pairs,
)
from filters.duplicates.minhash.duplicate_schema import (
    COPY,
    DOUBT,
    I64,
    SIGNATURE,
    SURE,
    TABLE,
    Pairs,
    numbers,
    signatures_in,
)
from filters.duplicates.minhash.shingles import batch_of, gather_shingles, read_texts
from filters.duplicates.minhash.similarity import bounds, compare_rows
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32
from malmoi.storage import shuffle as files
from malmoi.storage.shuffle import name_task

AT_ONCE = 6  # bands whose keys are in memory
PAIRS = 1 << 18  # candidates of one batch
_PLACES = 1 << 40  # above every place, so that a pair is sorted as one number
_PLACED = pa.schema([*TABLE, ("place", pa.int64())])
_SIGNED = pa.schema([*MEMBER, ("signature", SIGNATURE)])
_SENT = pa.schema(
    [("left", pa.int64()), ("letters", pa.int64()), ("right", pa.int64()), ("signature", pa.large_binary())]
)


@name_task("list digests of document groups")
@task_values.run_once
def digests(job: Job) -> None:
    """Write the digests of a group, partitioned by digest."""
    held = read_digests(job.shards)
    place = job.start + np.arange(job.shards.count)
    table = pa.table({"key": held.digest, "h": held.h, "place": place})
    files.write_partitions(table, key_partition(held.digest, 64, job.shape.slices), job.shape.slices, job.target)


@name_task("find exact copies in digest partitions")
@task_values.run_once
def copies(job: Job) -> None:
    """Write pairs of equal digests (first document in canonical order, copy), partitioned by group of the copy."""
    shape = job.shape
    table = files.gather(shape.files("digests", shape.groups), job.number)
    order = _canonical_order(table)
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
@task_values.run_once
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
@task_values.run_once
def candidate_pairs(job: Job) -> None:
    """Write pairs that share a key, by group of the left document; in rounds, since one key may have most pairs."""
    shape = job.shape

    def cut() -> Iterator[pa.RecordBatch]:
        for part in shape.key_parts(job.number):
            for left, right in _candidates(shape, part):
                yield from files.partition_rows(
                    pa.table({"left": left, "right": right}), shape.group_of(left), shape.groups
                )

    files.write(cut(), job.target)


def _candidates(shape: Shape, part: int) -> Iterator[tuple[I64, I64]]:
    """Yield pairs that share a key of one partition, in pieces of at most PAIRS."""
    table = files.gather(shape.files("bands", shape.groups), part)
    all_, places = np.asarray(table["key"]), numbers(table["place"])
    for one in shape.earlier:
        asked, published = look_up_keys(all_, *one.band(part // shape.slices), one.live)
        yield places[asked], one.base + published
    row = find_repeated_keys(all_)  # most keys are unique and need no sorting
    row = row[canonical_order(np.asarray(table["h"])[row])]
    place, packed = places[row], candidates(all_[row])
    for at in range(0, max(1, len(packed)), PAIRS):
        left, right = unpack_pairs(packed[at : at + PAIRS])
        yield place[left], place[right]


@name_task("attach signatures to pairs of document groups")
@task_values.run_once
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
@task_values.run_once
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
            sent, at = _unpack_signatures(batch.column(3))
            row = np.searchsorted(met, right - job.start)
            said = compare_rows(sent, at, signatures, row, numbers(batch.column(1)), letters[row], bound)
            found += [(left[said == kind], right[said == kind], kind) for kind in (SURE, DOUBT)]
    files.write_partitions(
        Pairs.from_parts(found).table(), np.zeros(sum(len(part[0]) for part in found), np.int64), 1, job.target
    )


def _unpack_signatures(column: pa.Array) -> tuple[U32, I64]:
    """Return the signatures of a column in which repeated ones are empty, and the index of that of each row."""
    offsets = np.frombuffer(column.buffers()[1], np.int64, len(column) + 1, column.offset * 8)
    data = np.frombuffer(column.buffers()[2], np.uint32)[offsets[0] // 4 : offsets[-1] // 4]
    return data.reshape(-1, PERMUTATIONS), np.cumsum(np.diff(offsets) > 0) - 1


@name_task("list cluster members of document groups")
@task_values.run_once
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
@task_values.run_once
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
@task_values.run_once
def rows(job: Job) -> None:
    """Write the rows about each shard of this group, sorted by id, and every STRIDE-th id as a sample for the sort."""
    shape = job.shape
    table = files.gather(shape.files("judged", shape.families), job.number)
    ids = [pa.array([], pa.string())]
    cut = survey_tables.cut(table.select(TABLE.names), numbers(table["place"]), job.shards.starts[:-1])
    for found, target in zip(cut, job.side_files, strict=True):
        found = found.sort_by("id")
        survey_tables.write([found], target)
        ids.append(found["id"].combine_chunks()[:: survey_tables.STRIDE].cast(pa.string()))
    files.write([pa.record_batch({"id": pa.concat_arrays(ids)})], job.target)


def _canonical_order(table: pa.Table) -> I64:
    """Return the rows in canonical order: by H(id)."""
    return canonical_order(np.asarray(table["h"]))
