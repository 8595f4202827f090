"""Audit tables: counts of each stage, dropped documents with reasons, and licence evidence of published ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from malmoi.errors import StageError
from malmoi.ledger import Ledger
from malmoi.release_files import audit_file
from malmoi.releases import excluded_documents
from malmoi.releases.manifest import ReleaseFile
from malmoi.releases.masked_ids import Names, rename_ids
from malmoi.releases.published_rows import SIDES
from malmoi.releases.quarantine import cleared_finds
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import ROWS, SMALL, sort_into
from malmoi.storage.repeated_ids import find_repeated_ids

FIRST = "2-documents"  # the stage of extraction; later ones have one document for each id
_DROP = {"filter": "by"}  # column of the audit → column of a stage's dropped.parquet

WITHOUT_DROPS = tuple(name for name in SIDES if name != "signals")  # tables with rows of published documents only

Ledgers = Sequence[tuple[str, Sequence[Ledger]]]  # (stage, ledgers of its shards)


def ledgers(inputs: Inputs) -> Ledgers:
    """Read the ledgers of every stage shard of the inputs.

    StageError if a folder has no ledger (not finished) or a file differs from its ledger.
    """
    return [(stage, [_ledger(folder) for folder in sorted(folders)]) for stage, folders in inputs.stages]


def _ledger(folder: Path) -> Ledger:
    try:
        found = Ledger.read(folder / "ledger.json")
    except OSError as error:
        raise StageError(f"{folder}: no ledger, so this shard is not finished; run curate again.") from error
    for file in found.files:
        path = folder / file.name
        if not path.exists() or shard.file_of(path, file.rows) != file:
            raise StageError(f"{path}: differs from its ledger; delete {folder} and run curate again.")
    return found


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
    small = {
        "ablation": pa.Table.from_pylist(inputs.ablation.rows() if inputs.ablation else [], AUDIT["ablation"]),
        cleared_finds.NAME: cleared,
        "clusters": copies,
        "edits": _edits(counted),
        "failed": _failure_table(counted, names),
        "inspection": pa.Table.from_pylist(inputs.inspection.rows() if inputs.inspection else [], AUDIT["inspection"]),
        "judged_grants": pa.Table.from_pylist(inputs.sample.rows() if inputs.sample else [], AUDIT["judged_grants"]),
        "policies": pa.Table.from_pylist([asdict(one) for one in sorted(inputs.policies)], AUDIT["policies"]),
        "sources": _sources(inputs),
        "stages": _stages(counted),
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


def _stages(counted: Ledgers) -> pa.Table:
    """Return one row for each stage, source, filter, reason and outcome, with counts over all shards."""
    n: Counter[tuple[str, ...]] = Counter()
    for stage, found in counted:
        for ledger in found:
            for outcome, per_source in (("in", ledger.entered), ("kept", ledger.kept)):
                n.update({(stage, source, "", "", outcome): k for source, k in per_source.items()})
            n.update({(stage, s, f, r, "dropped"): k for (s, f, r), k in ledger.dropped.items()})
            n.update((stage, f.source, "", f.why, "failed") for f in ledger.failed)
            n.update({(stage, "", "", "unreadable-record", "torn"): len(ledger.torn)} if ledger.torn else {})
    return _count_table(n, "stages")


def _edits(counted: Ledgers) -> pa.Table:
    n: Counter[tuple[str, ...]] = Counter()
    for stage, found in counted:
        for ledger in found:
            n.update({(stage, *key): k for key, k in (ledger.edits or {}).items()})
    return _count_table(n, "edits")


def _count_table(n: Mapping[tuple[str, ...], int], name: str) -> pa.Table:
    schema = AUDIT[name]
    rows = [dict(zip(schema.names, (*key, k), strict=True)) for key, k in sorted(n.items()) if k]
    return pa.Table.from_pylist(rows, schema)


def _failure_table(counted: Ledgers, names: Names) -> pa.Table:
    failed = [(stage, f) for stage, found in counted for ledger in found for f in ledger.failed]
    rows = [(names.get(f.id, f.id), f.source, stage, f.why) for stage, f in failed]
    schema = AUDIT["failed"]
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in sorted(rows)], schema)


def _sources(inputs: Inputs) -> pa.Table:
    schema = AUDIT["sources"]
    found = sorted(inputs.sources, key=lambda s: s.name)
    return pa.Table.from_pylist([{n: getattr(s, n) for n in schema.names} for s in found], schema)


def _write_sorted(target: Path, parts: Sequence[tuple[str, Sequence[Path]]], tmp: Path) -> int:
    """Write an audit table, sorted by all columns: in Arrow if it is small, else by DuckDB, which spills to disk.

    A part is the stage of its files ("" if their columns are those of the table) and the files.
    Both ways give the same bytes: the same order and the same row groups.
    """
    schema = AUDIT[target.stem]
    if sum(path.stat().st_size for _, paths in parts for path in paths) > SMALL:
        return sort_into(target, schema, [(_columns(schema, stage), paths) for stage, paths in parts], tmp=tmp)
    read = [_read_table(path, schema, stage) for stage, paths in parts for path in paths]
    table = pa.concat_tables([schema.empty_table(), *read])
    table = table.sort_by([(name, "ascending") for name in schema.names])
    return shard.write(table, target, row_group_rows=ROWS).rows


def _read_table(path: Path, schema: pa.Schema, stage: str) -> pa.Table:
    if not stage:
        return shard.read(path).select(schema.names)
    table = shard.read(path, [_DROP.get(name, name) for name in schema.names if name != "stage"])
    found = {name: table.column(_DROP.get(name, name)) for name in schema.names if name != "stage"}
    return pa.table([found.get(name, pa.repeat(stage, table.num_rows)) for name in schema.names], schema=schema)


def _drops(inputs: Inputs, names: Names, published: Sequence[Path], tmp: Path) -> list[tuple[str, list[Path]]]:
    """Return for each stage the files with its dropped documents, with published ids.

    Of an entry that two captures show, one may be unreadable and the other one published, in a file of `published`.
    The former is listed as `<id>#again`, as the latter is not dropped.
    """
    found = []
    for stage, folders in inputs.stages:
        paths = [path for folder in sorted(folders) if (path := folder / "dropped.parquet").exists()]
        known = names
        if stage == FIRST and paths:
            twice = find_repeated_ids([*published, *paths], tmp=tmp)
            known = {**names, **{id: f"{names.get(id, id)}#again" for id in twice}}
        found.append((stage, [_name_ids(path, known, tmp / f"{stage}-{i}") for i, path in enumerate(paths)]))
    return found


def _name_ids(path: Path, names: Names, tmp: Path) -> Path:
    """Return the file `path`, or a copy of its columns below `tmp` with published ids."""
    if not names:
        return path
    table = shard.read(path, [_DROP.get(name, name) for name in AUDIT["dropped"].names if name != "stage"])
    if (found := rename_ids(table, ["id"], names)) is table:
        return path
    tmp.mkdir(parents=True)
    shard.write(found, tmp / path.name)
    return tmp / path.name


def _quote_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _columns(schema: pa.Schema, stage: str) -> str:
    if not stage:
        return ", ".join(f'"{name}"' for name in schema.names)
    return ", ".join(
        f"{_quote_literal(stage)} AS stage" if name == "stage" else f'"{_DROP.get(name, name)}" AS "{name}"'
        for name in schema.names
    )
