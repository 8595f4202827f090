"""Split a curated stage shard into published rows, one record batch a partition (first step of the shuffle)."""

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
from malmoi.releases import excluded_documents, exposed_pages, kept_parts, residue
from malmoi.releases.data_splits import Shares, Splits, read_exceptions
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
from malmoi.releases.membership.member_tables import SKETCH_BYTES, Sketch
from malmoi.releases.partitioning import Partition, h, partition_of
from malmoi.releases.published_rows import SIDES, find_refusal, make_rows, make_tables
from malmoi.releases.quarantine import cleared_finds
from malmoi.releases.quarantine.cleared_finds import Cleared, Detail
from malmoi.releases.release_inputs import Redact, SourceFacts
from malmoi.releases.release_schema import AUDIT, PUBLISHED
from malmoi.releases.residue import Look
from malmoi.releases.verification.row_checks import find_unfit
from malmoi.storage import shard
from malmoi.storage.shuffle import name_task

_Tables: TypeAlias = dict[str, pa.Table]
AT_ONCE = 1024  # documents that are Python objects at a time, about 12 kB each
SKETCH: Final = "sketch"
SKETCHED: Final = PUBLISHED.append(pa.field(SKETCH, pa.binary(SKETCH_BYTES), nullable=False))


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
    renamed: tuple[tuple[str, str], ...] = ()  # (id, published id), malmoi/releases/exposed_pages.py
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
    gone = [id for id in ids if not work.sought.withdrawn.isdisjoint((id, exposed_pages.digest_id(id)))]
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
        rows += [_place(row, fact, work.n_shards) for row, fact in zip(published, facts, strict=True)]
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


def _place(row: Mapping[str, Any], fact: Mapping[str, Any], n_shards: int) -> _Placed:
    said = {name: fact[name] for name in ("id", "source", "signals")}
    return _Placed(partition_of(row, n_shards), h(row["id"]), row["id"], said)


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
