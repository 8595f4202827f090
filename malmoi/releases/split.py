"""Shuffle the documents of a release: split stage shards into partitions, and assemble the shards of the release.

A split writes the published rows of a curated stage shard, one record batch a partition; an assembly writes a shard of
the release from the batches of its partition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import compress, groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.licensing.review_decisions import Decision
from malmoi.recipe import digest
from malmoi.release_files import morpheme_path
from malmoi.releases import cleared_finds, excluded_documents, kept_parts, residue
from malmoi.releases.cleared_finds import Cleared, Detail
from malmoi.releases.excluded_documents import (
    QUARANTINED,
    RELEASE,
    UNVERIFIED,
    WITHDRAWN,
    ExclusionRules,
    LeftOut,
    ListedFind,
    list_faults,
)
from malmoi.releases.manifest import ReleaseFile
from malmoi.releases.membership import SKETCH_BYTES, Sketch
from malmoi.releases.partitioning import Partition, Shares, Splits, count_shards, h, partition_of, read_exceptions
from malmoi.releases.published_rows import SIDES, find_refusal, make_rows, make_tables
from malmoi.releases.release_inputs import Redact, SourceFacts
from malmoi.releases.release_schema import (
    AUDIT,
    DATA,
    DICTIONARY,
    ENCODING,
    MORPHEME_DATA,
    MORPHEME_DICTIONARY,
    PUBLISHED,
    STATISTICS,
)
from malmoi.releases.residue import Look
from malmoi.releases.verification.row_checks import find_unfit
from malmoi.storage import shard
from malmoi.storage.shuffle import name_task
from malmoi.url_privacy import digest_id

_Tables: TypeAlias = dict[str, pa.Table]
AT_ONCE = 1024  # documents that are Python objects at a time, about 12 kB each
SKETCH: Final = "sketch"
SKETCHED: Final = PUBLISHED.append(pa.field(SKETCH, pa.binary(SKETCH_BYTES), nullable=False))
KEYS = ("id", "n_bytes", SKETCH)
_PLACES = {name: place for place, name in enumerate(SKETCHED.names)}
GROUP_BYTES = 16 * 1024 * 1024  # of text in one row group (UTF-8): its morphemes take 300 MB while it is written


@dataclass(frozen=True, slots=True)
class Split:
    """A task: a finished stage shard, and the folder for its output."""

    folder: Path
    target: Path
    n_shards: int  # most shards of a field, a power of two
    sources: tuple[SourceFacts, ...]
    redact: Redact | None = None
    sought: ExclusionRules = field(default_factory=ExclusionRules)
    cleared: tuple[Decision, ...] = ()  # that clear finds, in effect
    shares: Shares = ()
    exceptions: Path | None = None  # documents whose split is not that of their own hash
    sketch: Sketch | None = None
    key: str = ""  # digest of all other inputs, which all shards of a release share; "": nothing is kept
    content: str = ""  # sha256 (hex) of the documents of the shard
    surrogates: frozenset[str] = frozenset()  # kinds of personal data that are replaced by reserved values


@dataclass(frozen=True, slots=True)
class SplitResult:
    """Output of a split: `documents.arrow`, whose record batch i has the rows of partition i; excluded documents.

    The scans of the second detector are those of the rows: of partition i, and of each table of SIDES.
    """

    target: Path
    partitions: tuple[Partition, ...]
    sizes: tuple[int, ...]  # bytes of text of each partition
    kept: tuple[tuple[str, int], ...] = ()  # source → documents
    out: tuple[LeftOut, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (id, published id), malmoi/releases/published_rows.py
    looks: tuple[tuple[Look, ...], ...] = ()
    side_looks: tuple[tuple[str, tuple[Look, ...]], ...] = ()
    cleared: tuple[Cleared, ...] = ()


@name_task("split shards into release partitions")
def split(work: Split) -> SplitResult:
    """Write the published form of the documents of a stage shard, cut by partition; reuse an earlier one if it is kept.

    Withdrawn documents, those that must not be published, and those that the second detector or a check of `verify`
    quarantines, are excluded.

    StageError if the source of a document is not declared.
    """
    ids = shard.read(work.folder / "documents.parquet", ["id"]).column("id").to_pylist()
    exceptions = read_exceptions(work.exceptions, ids) if work.exceptions else {}
    gone = [id for id in ids if not work.sought.withdrawn.isdisjoint((id, digest_id(id)))]
    if not work.key:
        work.target.mkdir(parents=True)
        return _write(work, work.target, exceptions, frozenset(gone))
    sources = {id.partition("/")[0] for id in ids}
    cleared = [astuple(one) for one in work.cleared if one.source in sources]
    part = work.target / digest([work.key, work.content, sorted(exceptions.items()), gone, cleared])[:32]
    found = kept_parts.recall(part) or kept_parts.keep(
        part, lambda folder: astuple(_write(work, folder, exceptions, frozenset(gone)))[1:]
    )
    return _parse_result(part, *found)


def _parse_result(
    target: Path, partitions: Any, sizes: Any, kept: Any, out: Any, renamed: Any, *rest: Any
) -> SplitResult:
    """Return the result whose fields were written as JSON."""

    def parse_look(values: Any) -> Look:
        file, column, read, characters, found = values
        return Look(file, column, read, characters, tuple(map(tuple, found)))

    def parse_left_out(id: str, source: str, why: Any, digest: str, finds: Any, signals: Any) -> LeftOut:
        found = tuple(ListedFind(*find) for find in finds)
        return LeftOut(id, source, (why[0], why[1]), digest, found, tuple(map(tuple, signals)))

    looks, side_looks, cleared = rest
    return SplitResult(
        target,
        tuple(Partition(*one) for one in partitions),
        tuple(sizes),
        tuple(map(tuple, kept)),
        tuple(parse_left_out(*one) for one in out),
        tuple(map(tuple, renamed)),
        tuple(tuple(map(parse_look, one)) for one in looks),
        tuple((name, tuple(map(parse_look, one))) for name, one in side_looks),
        tuple(Cleared(*one) for one in cleared),
    )


def _write(work: Split, target: Path, exceptions: Mapping[str, str], gone: frozenset[str]) -> SplitResult:
    table = shard.read(work.folder / "documents.parquet")
    made, rows, out = [PUBLISHED.empty_table()], list[_Placed](), list[LeftOut]()
    beside: dict[str, list[pa.Table]] = {name: [AUDIT[name].empty_table()] for name in SIDES}
    splits, unfit = Splits(work.shares, exceptions), defaultdict[str, list[tuple[str, str]]](list)
    for at in range(0, table.num_rows, AT_ONCE):
        piece = table.slice(at, AT_ONCE)
        facts = piece.drop_columns(["text", "morphemes", "sentences"]).to_pylist()
        facts = [fact | {"text": text} for fact, text in zip(facts, piece["text"], strict=True)]  # not decoded yet
        why = [WITHDRAWN if f["id"] in gone else (RELEASE, find_refusal(f, work.redact)) for f in facts]
        out += [_make_left_out(fact, reason) for fact, reason in zip(facts, why, strict=True) if reason[1]]
        here = [not reason for _, reason in why]
        facts = list(compress(facts, here))
        published = make_rows(work.folder, facts, work.sources, work.redact, splits)
        for fields, fact in zip(published, facts, strict=True):
            said = {name: fact[name] for name in ("id", "source", "signals")}
            rows.append(_Placed(partition_of(fields, work.n_shards), h(fields["id"]), fields["id"], said))
        tables = make_tables(piece.filter(pa.array(here, pa.bool_())), published)
        made.append(tables.pop("data"))
        for id, fault in find_unfit(made[-1], published, work.surrogates):
            unfit[id].append(fault)
        for name, side in tables.items():
            beside[name].append(side)
    order = sorted(range(len(rows)), key=lambda i: rows[i][:3])
    data = pa.concat_tables(made).take(pa.array(order, pa.int64())).combine_chunks()
    rows = [rows[i] for i in order]
    sides = {name: pa.concat_tables(tables).combine_chunks() for name, tables in beside.items()}
    looks, found = _search(data, rows, sides, work.sought)
    left, cleared = _judge_finds(work, found, rows, data)
    for row in (row for row in rows if row.id in unfit.keys() - left.keys()):
        left[row.id] = _make_left_out(row.fact, UNVERIFIED, found=list_faults(unfit[row.id]))
    out += left.values()
    if left:  # rare: the rest is scanned again
        rows = [row for row in rows if row.id not in left]
        data, sides = _leave_out(data, left), {name: _leave_out(side, left) for name, side in sides.items()}
        looks, _ = _search(data, rows, sides, ExclusionRules())
    for name, side in sides.items():
        pq.write_table(side, target / f"{name}.parquet")
    partitions = [(one, len(list(group))) for one, group in groupby(row.partition for row in rows)]
    _write_batches(data, [n for _, n in partitions], work.sketch, target / "documents.arrow")
    sizes, ends = np.asarray(data["n_bytes"]), np.cumsum([n for _, n in partitions], dtype=np.int64)
    return SplitResult(
        target,
        tuple(partition for partition, _ in partitions),
        tuple(int(part.sum()) for part in np.split(sizes, ends)[:-1]),
        tuple(sorted(Counter(row.fact["source"] for row in rows).items())),
        tuple(out),
        tuple((row.fact["id"], row.id) for row in rows if row.fact["id"] != row.id),
        tuple(map(tuple, looks["data"])),
        tuple((name, tuple(looks[name][0])) for name in SIDES),
        tuple(one for one in cleared if one.id not in left),
    )


class _Placed(NamedTuple):
    """A published row: its place in the release, and what an exclusion would say of it."""

    partition: Partition
    hash: int  # H(id)
    id: str
    fact: Mapping[str, Any]  # of the document in the stage


def _search(
    data: pa.Table, rows: Sequence[_Placed], sides: _Tables, sought: ExclusionRules
) -> tuple[dict[str, list[list[Look]]], dict[str, list[Detail]]]:
    """Scan all tables with the second detector: counts by table, of `data` for each partition, and finds by id."""
    partitions = [number for number, (_, group) in enumerate(groupby(row.partition for row in rows)) for _ in group]
    looks, places = {}, []
    for name, table in {"data": data, **sides}.items():
        groups = np.array(partitions if name == "data" else [0] * table.num_rows, np.int64)
        count = 1 + (partitions[-1] if partitions else -1) if name == "data" else 1
        looks[name], finds = residue.look_by_group(table, groups, count)
        places.append(excluded_documents.Scanned(name, table, finds))
    return looks, excluded_documents.choose_finds(places, sought)


def _judge_finds(
    work: Split, found: Mapping[str, Sequence[Detail]], rows: Sequence[_Placed], data: pa.Table
) -> tuple[dict[str, LeftOut], tuple[Cleared, ...]]:
    """Return the documents that finds exclude, by published id, and the finds that are cleared in the others."""
    left, cleared = dict[str, LeftOut](), list[Cleared]()
    for number, row in enumerate(rows) if found else ():
        if finds := found.get(row.id):
            seen = cleared_finds.digest_finds(row.fact["id"], data["text"][number].as_py(), finds)
            mine = (row.fact["id"], row.fact["source"])
            stay, gone = cleared_finds.clear_finds(*mine, finds, seen, work.cleared)
            if stay:
                listed = excluded_documents.list_finds(finds, work.redact)
                left[row.id] = _make_left_out(row.fact, QUARANTINED, seen, listed)
            else:
                cleared += cleared_finds.list_rows(row.id, gone)
    return left, tuple(cleared)


def _leave_out(table: pa.Table, ids: Iterable[str]) -> pa.Table:
    gone = pc.is_in(table.column("id"), value_set=pa.array(list(ids), pa.string()))
    return table.filter(pc.invert(gone)).combine_chunks()


def _write_batches(data: pa.Table, counts: Sequence[int], sketch: Sketch | None, target: Path) -> None:
    """Write the rows of each partition as one record batch, with the sketch of each text.

    Arrow's format is read in a third of the time of Parquet.
    """
    made = sketch(data.column("text").to_pylist()) if sketch else b"\0" * SKETCH_BYTES * data.num_rows
    sketches = pa.Array.from_buffers(SKETCHED.field(SKETCH).type, data.num_rows, [None, pa.py_buffer(made)])
    data, at = data.append_column(SKETCHED.field(SKETCH), sketches), 0
    with pa.ipc.new_file(
        target, SKETCHED, options=pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    ) as writer:
        for n in counts:
            writer.write_batch(data.slice(at, n).combine_chunks().to_batches()[0])
            at += n


def _make_left_out(
    fact: Mapping[str, Any], why: tuple[str, str], seen: str = "", found: tuple[ListedFind, ...] = ()
) -> LeftOut:
    signals = tuple((signal["name"], signal["effect"]) for signal in fact["signals"] or ())
    return LeftOut(fact["id"], fact["source"], why, seen, found, signals)


@dataclass(frozen=True, slots=True)
class Assembly:
    """A task: a partition, the (file, batch) pairs that hold its rows, sizes of clusters, folder of the release."""

    partition: Partition
    parts: tuple[tuple[Path, int], ...]
    sizes: tuple[Path, ...]  # tables (id, n): documents of this shard that have copies
    folder: Path


def gather(parted: Sequence[SplitResult], shard_bytes: int) -> dict[Partition, tuple[tuple[Path, int], ...]]:
    """Return for each shard, in order, the files and record batches with its rows; small shards are merged.

    The number of shards of a field follows the bytes of all its texts, so that only content decides.
    """
    totals = Counter[Partition]()
    for one in parted:
        for partition, size in zip(one.partitions, one.sizes, strict=True):
            totals[partition.merge(1)] += size
    found: dict[Partition, list[tuple[Path, int]]] = {}
    for one in parted:
        for i, partition in enumerate(one.partitions):
            n = count_shards(totals[partition.merge(1)], partition.of, shard_bytes)
            found.setdefault(partition.merge(n), []).append((one.target / "documents.arrow", i))
    return {partition: tuple(sorted(found[partition])) for partition in sorted(found)}


@dataclass(frozen=True, slots=True)
class Assembled:
    """The files of a shard, and the sketches of its texts in the order of its rows, joined."""

    files: tuple[ReleaseFile, ...]
    sketches: bytes


@name_task("assemble release shards")
def assemble(work: Assembly) -> Assembled:
    """Write one shard and the file of its morphemes, sorted by H(id), then id; equal documents give equal bytes.

    Memory holds the ids and sketches of all rows, and one row group of one file, so it does not grow with the shard.
    """
    keys = pa.Table.from_batches([_read_batch(path, i, KEYS) for path, i in work.parts]).combine_chunks()
    ids = keys.column("id").to_pylist()
    order = sorted(range(len(ids)), key=lambda i: (h(ids[i]), ids[i]))
    # A row group is cut when its text reaches GROUP_BYTES, so that only content decides.
    groups, size = list[list[int]](), GROUP_BYTES
    for i, n_bytes in zip(order, keys.column("n_bytes").take(pa.array(order, pa.int64())).to_pylist(), strict=True):
        if size >= GROUP_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(i)
        size += n_bytes
    sketches = keys.column(SKETCH).take(pa.array(order, pa.int64())).to_pylist()
    sizes: dict[str, int] = {}
    for path in work.sizes:
        sizes.update(zip(*(c.to_pylist() for c in shard.read_parquet(path, ["id", "n"]).columns), strict=True))
    data = work.partition.path()
    described = []
    for name, schema in ((data, DATA), (morpheme_path(data), MORPHEME_DATA)):
        target = work.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_writer(target, schema) as writer:
            for rows in groups:
                group = _read_rows(work.parts, rows, schema)
                if schema is DATA:
                    own = [sizes.get(id, 1) for id in group.column("id").to_pylist()]  # 1: it has no copies
                    place = DATA.get_field_index("cluster_size")
                    group = group.set_column(place, DATA.field(place), pa.array(own, pa.int32()))
                writer.write_table(group, row_group_size=len(rows))
                del group  # before the next one is read
        file = shard.file_of(target, len(ids))
        described.append(ReleaseFile(name, file.sha256, file.bytes, file.rows))
    return Assembled(tuple(described), b"".join(sketches))


def open_writer(target: Path, schema: pa.Schema = DATA) -> pq.ParquetWriter:
    """Open a shard, or a file of morphemes, for writing: equal row groups give equal bytes."""
    beside = "morphemes" in schema.names
    return pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=MORPHEME_DICTIONARY if beside else DICTIONARY,
        column_encoding=ENCODING if beside else None,
        write_statistics=False if beside else STATISTICS,
        write_page_index=True,
        use_content_defined_chunking=True,
    )


def _read_batch(path: Path, number: int, names: Sequence[str]) -> pa.RecordBatch:
    """Read some columns of a batch, in this order; the others are not decompressed."""
    # For a batch of few rows, threads of Arrow take three times the CPU.
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=[_PLACES[name] for name in names])
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source, options=options) as file:
        return file.get_batch(number).select(names)


def _read_rows(parts: Sequence[tuple[Path, int]], rows: Sequence[int], schema: pa.Schema) -> pa.Table:
    """Read some rows of the parts, in this order; a row is named by its position in all parts, one after the other."""
    wanted = np.sort(rows)
    pieces, first = [], 0
    for path, number in parts:
        batch = _read_batch(path, number, schema.names)
        here = wanted[slice(*np.searchsorted(wanted, (first, first + batch.num_rows)))] - first
        first += batch.num_rows
        # A slice would keep the whole batch in memory.
        pieces.append(batch if len(here) == batch.num_rows else batch.take(pa.array(here)))
    # `take` of nested columns in many chunks costs twice as much.
    table = pa.Table.from_batches(pieces, schema).combine_chunks()
    pieces.clear()
    return table.take(pa.array(np.searchsorted(wanted, rows))).combine_chunks()
