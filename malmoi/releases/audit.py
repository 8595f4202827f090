"""Audit tables: counts of each stage, dropped documents with reasons and signals, evidence of published documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.ledger import Ledger
from malmoi.release_files import audit_file
from malmoi.releases import cleared_finds, excluded_documents
from malmoi.releases.manifest import ReleaseFile
from malmoi.releases.masked_ids import Names, rename_ids
from malmoi.releases.published_rows import SIDES, redact_row
from malmoi.releases.release_inputs import Inputs, Redact
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import ROWS, SMALL, find_repeated_ids, quote_string, sort_into
from malmoi.storage.shuffle import name_task

FIRST = "2-documents"  # the stage of extraction; later ones have one document for each id
_DROP = {"filter": "by"}  # column of the audit → column of a stage's dropped.parquet
WITHOUT_DROPS = tuple(name for name in SIDES if name != "signals")  # tables with rows of published documents only
Ledgers = Sequence[tuple[str, Sequence[Ledger]]]  # (stage, ledgers of its shards)


def ledgers(inputs: Inputs) -> Ledgers:
    """Read the ledgers of every stage shard of the inputs.

    StageError if a folder has no ledger (not finished) or a file differs from its ledger.
    """

    def read(folder: Path) -> Ledger:
        try:
            ledger = Ledger.read(folder / "ledger.json")
        except OSError as error:
            raise StageError(f"{folder}: no ledger, so this shard is not finished; run curate again.") from error
        for file in ledger.files:
            path = folder / file.name
            if not path.exists() or shard.file_of(path, file.rows) != file:
                raise StageError(f"{path}: differs from its ledger; delete {folder} and run curate again.")
        return ledger

    return [(stage, list(map(read, sorted(folders)))) for stage, folders in inputs.stages]


def write(
    inputs: Inputs,
    counted: Ledgers,
    sides: Mapping[str, Sequence[Path]],
    left: Path,
    cleared: pa.Table,
    copies: pa.Table,
    names: Names,
    folder: Path,
    tmp: Path,
) -> list[ReleaseFile]:
    """Write audit/*.parquet of the release in `folder`, except `residue`, for which the second detector reads them.

    Every table is sorted: the same rows give the same bytes. `sides` (the parts of each table in SIDES), `left` (the
    drops of the last step), `cleared` and `copies` have masked ids already (`names`).
    """
    audit_file(folder, "stages").parent.mkdir(parents=True)
    stages, edits, failed = Counter[tuple[str, ...]](), Counter[tuple[str, ...]](), list[tuple[str, ...]]()
    for stage, ledger in ((stage, one) for stage, of_shards in counted for one in of_shards):
        for outcome, per_source in (("in", ledger.entered), ("kept", ledger.kept)):
            stages.update({(stage, source, "", "", outcome): n for source, n in per_source.items()})
        stages.update({(stage, *key, "dropped"): n for key, n in ledger.dropped.items()})
        stages.update((stage, one.source, "", one.why, "failed") for one in ledger.failed)
        stages.update({(stage, "", "", "unreadable-record", "torn"): len(ledger.torn)} if ledger.torn else {})
        edits.update({(stage, *key): n for key, n in (ledger.edits or {}).items()})
        failed += [(names.get(one.id, one.id), one.source, stage, one.why) for one in ledger.failed]
    failures = [dict(zip(AUDIT["failed"].names, row, strict=True)) for row in sorted(failed)]
    by_name = sorted(inputs.sources, key=lambda source: source.name)
    sources = [{name: getattr(source, name) for name in AUDIT["sources"].names} for source in by_name]
    small = {
        "ablation": pa.Table.from_pylist(inputs.ablation.rows() if inputs.ablation else [], AUDIT["ablation"]),
        cleared_finds.NAME: cleared,
        "clusters": copies,
        "edits": _count_table(edits, "edits"),
        "failed": pa.Table.from_pylist(failures, AUDIT["failed"]),
        "inspection": pa.Table.from_pylist(inputs.inspection.rows() if inputs.inspection else [], AUDIT["inspection"]),
        "judged_grants": pa.Table.from_pylist(inputs.sample.rows() if inputs.sample else [], AUDIT["judged_grants"]),
        "policies": pa.Table.from_pylist([asdict(one) for one in sorted(inputs.policies)], AUDIT["policies"]),
        "sources": pa.Table.from_pylist(sources, AUDIT["sources"]),
        "stages": _count_table(stages, "stages"),
    }
    rows = {}
    for name, table in small.items():
        rows[name] = table.num_rows
        shard.write(table, audit_file(folder, name), row_group_rows=ROWS)
    for name, paths in sides.items():
        rows[name] = _write_sorted(audit_file(folder, name), [("", paths)], tmp)
    drops = [*_drops(inputs, names, sides["attribution"], tmp), (excluded_documents.STAGE, [left])]
    rows["dropped"] = _write_sorted(audit_file(folder, "dropped"), drops, tmp)
    files = [shard.file_of(audit_file(folder, name), rows[name]) for name in sorted(rows)]
    return [ReleaseFile(f"audit/{f.name}", f.sha256, f.bytes, f.rows) for f in files]


def _count_table(n: Mapping[tuple[str, ...], int], name: str) -> pa.Table:
    schema = AUDIT[name]
    rows = [dict(zip(schema.names, (*key, k), strict=True)) for key, k in sorted(n.items()) if k]
    return pa.Table.from_pylist(rows, schema)


def _write_sorted(target: Path, parts: Sequence[tuple[str, Sequence[Path]]], tmp: Path) -> int:
    """Write an audit table, sorted by all columns: in Arrow if it is small, else by DuckDB, which spills to disk.

    A part is the stage of its files ("" if their columns are those of the table) and the files.
    Both ways give the same bytes: the same order and the same row groups.
    """
    schema = AUDIT[target.stem]
    columns = {name: _DROP.get(name, name) for name in schema.names}  # of a file of a stage
    if sum(path.stat().st_size for _, paths in parts for path in paths) > SMALL:
        selected = []
        for stage, paths in parts:
            own = [f'"{name}"' for name in columns]
            if stage:
                own = [f'"{column}" AS "{name}"' for name, column in columns.items()]
                own[schema.names.index("stage")] = f"{quote_string(stage)} AS stage"
            selected.append((", ".join(own), paths))
        return sort_into(target, schema, selected, tmp=tmp)
    tables = [schema.empty_table()]
    for stage, path in ((stage, path) for stage, paths in parts for path in paths):
        table = shard.read(path, [column for name, column in columns.items() if name != "stage"] if stage else None)
        if stage:
            named = {name: table.column(column) for name, column in columns.items() if name != "stage"}
            named["stage"] = pa.repeat(stage, table.num_rows)
            table = pa.table([named[name] for name in columns], schema=schema)
        tables.append(table.select(schema.names))
    table = pa.concat_tables(tables).sort_by([(name, "ascending") for name in schema.names])
    return shard.write(table, target, row_group_rows=ROWS).rows


def _drops(inputs: Inputs, names: Names, published: Sequence[Path], tmp: Path) -> list[tuple[str, list[Path]]]:
    """Return for each stage the files with its dropped documents, with published ids.

    Of an entry that two captures show, one may be unreadable and the other one published, in a file of `published`.
    The former is listed as `<id>#again`, as the latter is not dropped.
    """
    columns = [_DROP.get(name, name) for name in AUDIT["dropped"].names if name != "stage"]
    drops = []
    for stage, folders in inputs.stages:
        paths = [path for folder in sorted(folders) if (path := folder / "dropped.parquet").exists()]
        known = names
        if stage == FIRST and paths:
            twice = find_repeated_ids([*published, *paths], tmp=tmp)
            known = {**names, **{id: f"{names.get(id, id)}#again" for id in twice}}
        for number, path in enumerate(paths if known else ()):
            table = shard.read(path, columns)
            if (renamed := rename_ids(table, ["id"], known)) is not table:
                paths[number] = tmp / f"{stage}-{number}" / path.name  # a copy with published ids
                paths[number].parent.mkdir(parents=True)
                shard.write(renamed, paths[number])
        drops.append((stage, paths))
    return drops


@dataclass(frozen=True, slots=True)
class Refused:
    """A task: a finished shard of any stage, and the output file for the signals of its dropped documents."""

    folder: Path
    target: Path
    redact: Redact | None = None
    names: Names = field(default_factory=dict)  # of masked ids
    kinds: frozenset[str] = frozenset()  # kinds of finds of the second detector that must not be published


@name_task("list signals of dropped documents of shards")
def write_dropped_signals(work: Refused) -> Path:
    """Write the signals of the documents that a stage shard dropped, such as opt-outs; return the file."""
    source = work.folder / "dropped.parquet"
    table = shard.read(source, ["id", "signals"]) if source.exists() else None
    rows = [] if table is None else table.to_pylist()
    said = [(row["id"], signal) for row in rows for signal in row["signals"] or ()]
    found = [
        # No place and no record of a document with a masked id: they lead to its page.
        {**row, "id": work.names[id], "place": "", "record": ""} if id in work.names else row
        for id, signal in said
        for row in [redact_row(signal, id, work.redact)]
    ]
    work.target.parent.mkdir(parents=True, exist_ok=True)
    signals = pa.Table.from_pylist(found, AUDIT["signals"])
    pq.write_table(excluded_documents.blank_rows(signals, work.kinds), work.target)
    return work.target
