"""Write a patch release: the release before without the erased documents; only files that name them get new bytes.

In a touched shard the other row groups keep their rows, so that their pages have the same bytes again. Audit tables
lose the rows about erased documents, or name them by a masked id, as if they had been withdrawn before the release:
stage `6-release` counts them, and in = kept + dropped + failed holds.

erasure_proof.json says which files changed, and has a query that finds none of the erased texts. It names no id,
address or value: documents by the masked ids of the audit tables, texts by their sha256, and only those that are too
long to be guessed.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.errors import DataError
from malmoi.ledger import File
from malmoi.release_files import audit_file
from malmoi.releases import (
    cleared_finds,
    excluded_documents,
    licence_files,
    masked_ids,
    membership,
    residual_pii,
    residue,
)
from malmoi.releases import manifest as manifests
from malmoi.releases.compare import compare
from malmoi.releases.erased_documents import Erasure, explain_damage, list_naming, read_audit
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.split import open_writer
from malmoi.releases.verification.invariants import PROOF, describe_file, make_query
from malmoi.storage import shard
from malmoi.storage.duckdb_tables import ROWS, open_tables

MIN_CHARS: Final = 256  # code points of a text whose digest is shown: a shorter one might be guessed
# Audit tables of documents in data/ alone.
_PUBLISHED: Final = ("attribution", "cleared_finds", "licence_evidence", "personal_data")
_COUNTED: Final = ("dropped", "stages")  # audit tables with one more row or count for each erased document
_ID: Final = ("id",)
_MASKED: Final = {"clusters": ("cluster", "keeper", "member"), "dropped": _ID, "failed": _ID, "signals": _ID}
Edit: TypeAlias = Callable[[pa.Table], tuple[pa.Array, pa.Table]]  # of an audit table: mask of rows that go, new rows
Counts: TypeAlias = dict[str, list[residue.Look]]  # changed file → scans of rows that came, and that went (negative)


@dataclass(frozen=True, slots=True)
class Patch:
    """Files of a patch release, and how it names what was erased."""

    files: tuple[ReleaseFile, ...]
    changed: tuple[tuple[ReleaseFile, ReleaseFile | None], ...]  # before, after; None: no row is left
    masked: tuple[str, ...]  # names of the erased documents, sorted
    members: str  # commitment to the tree of members (malmoi/releases/membership)

    def list_unchanged(self) -> dict[str, str]:
        """Return path → sha256 of the files that are those of the release before."""
        new = {after.path for _, after in self.changed if after}
        return {file.path: file.sha256 for file in self.files if file.path not in new}


def write_patch(base: Path, made: Manifest, erasure: Erasure, folder: Path) -> Patch:
    """Write data/, audit/ and the licence files of the release in `base` without `erasure` into the new `folder`.

    DataError if an audit table or a file to be changed is not the one that the manifest names.
    """
    touched = {file.path for file in list_naming(base, made, erasure.hidden)}
    tables = ((read_audit(base, name), columns) for name, columns in _MASKED.items())
    known = (id for table, columns in tables for name in columns for id in pc.unique(table[name]).to_pylist())
    names = masked_ids.mask_ids(erasure.hidden, 1 + max(map(masked_ids.number_of, known), default=0))
    edits = _list_edits(erasure, names)
    changed: list[tuple[ReleaseFile, ReleaseFile | None]] = []
    kept: list[ReleaseFile] = []
    counts: Counts = {}
    for file in made.files:
        name = Path(file.path).stem if file.path.startswith("audit/") else ""
        if name or file.path in touched:
            found = shard.file_of(base / file.path, file.rows)
            if (found.sha256, found.bytes) != (file.sha256, file.bytes):
                raise explain_damage(base, file.path)
        if file.path == residual_pii.TABLE or name in (membership.MEMBERS, membership.SKETCHES):
            continue  # made of the new files, below
        if name in edits and (file.path in touched or (name in _COUNTED and erasure.documents)):
            changed.append((file, _edit_table(base, folder, name, edits[name], counts)))
        elif not name and file.path in touched:
            changed.append((file, _rewrite_shard(base, folder, file.path, erasure.ids, counts)))
        else:
            link_file(base / file.path, folder / file.path)
            kept.append(file)
    files = [*kept, *(after for _, after in changed if after)]
    members, commitment = membership.write(folder, files, None, earlier=base)
    before = {file.path: file for file in made.files}
    changed += [(before[file.path], file) for file in members if file.path in before]
    files += members
    changed.append(_write_residue(base, folder, made, files, counts))
    files = sorted([*files, *(after for _, after in changed[-1:] if after)])
    licences: set[str] = set()
    for file in files:
        if not file.path.startswith("audit/") and "license" in pq.read_schema(folder / file.path).names:
            licences.update(pc.unique(shard.read_parquet(folder / file.path, ["license"])["license"]).to_pylist())
    licence_files.write(folder, licences, made.publisher)
    return Patch(tuple(files), tuple(changed), tuple(sorted(names[id] for id in erasure.ids)), commitment)


def link_file(source: Path, target: Path) -> None:
    """Make `target` a hard link to `source`, or a copy where the file system has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _list_edits(erasure: Erasure, names: masked_ids.Names) -> Mapping[str, Edit]:
    """Return for each audit table the rows that an erasure deletes and the rows that replace them."""
    gone, hidden = (pa.array(sorted(ids), pa.string()) for ids in (erasure.ids, names))

    def remove(table: pa.Table) -> tuple[pa.Array, pa.Table]:
        return pc.is_in(table["id"], value_set=gone), table.slice(0, 0)

    def mask(name: str) -> Edit:
        def edit(table: pa.Table) -> tuple[pa.Array, pa.Table]:
            hit = reduce(pc.or_, (pc.is_in(table[column], value_set=hidden) for column in _MASKED[name]))
            return hit, masked_ids.rename_ids(table.filter(hit), _MASKED[name], names)

        return edit

    def mask_signals(table: pa.Table) -> tuple[pa.Array, pa.Table]:
        hit, new = mask("signals")(table)
        for name in ("quote", "place", "record"):
            new = new.set_column(new.schema.get_field_index(name), name, pa.repeat("", new.num_rows))
        return hit, new

    def drop(table: pa.Table) -> tuple[pa.Array, pa.Table]:
        by, reason = excluded_documents.WITHDRAWN
        where = {"stage": excluded_documents.STAGE, "filter": by, "reason": reason}
        rows = [{"id": names[one.id], "source": one.source, **where} for one in erasure.documents]
        hit, new = mask("dropped")(table)
        return hit, pa.concat_tables([new, pa.Table.from_pylist(rows, AUDIT["dropped"])])

    def count(table: pa.Table) -> tuple[pa.Array, pa.Table]:
        key = ("stage", "source", "filter", "reason", "outcome")
        counts = Counter({tuple(row[name] for name in key): row["n"] for row in table.to_pylist()})
        for one in erasure.documents:  # from kept to dropped in the last stage
            counts[excluded_documents.STAGE, one.source, "", "", "kept"] -= 1
            counts[excluded_documents.STAGE, one.source, *excluded_documents.WITHDRAWN, "dropped"] += 1
        rows = [dict(zip((*key, "n"), (*place, n), strict=True)) for place, n in sorted(counts.items()) if n]
        return pa.repeat(True, table.num_rows), pa.Table.from_pylist(rows, AUDIT["stages"])

    return {
        **dict.fromkeys(_PUBLISHED, remove),
        "clusters": mask("clusters"),
        "dropped": drop,
        "failed": mask("failed"),
        "signals": mask_signals,
        "stages": count,
    }


def _edit_table(base: Path, folder: Path, name: str, edit: Edit, counts: Counts) -> ReleaseFile:
    path, table = f"audit/{name}.parquet", read_audit(base, name)
    gone, new = edit(table)
    counts[path] = [*_scan_rows(path, table.filter(gone), -1), *_scan_rows(path, new)]
    table = pa.concat_tables([table.filter(pc.invert(gone)), new.cast(AUDIT[name])])
    if new.num_rows:
        table = table.sort_by([(column, "ascending") for column in table.column_names])
    target = audit_file(folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return _describe(path, shard.write(table, target, row_group_rows=ROWS))


def _rewrite_shard(base: Path, folder: Path, path: str, ids: Iterable[str], counts: Counts) -> ReleaseFile | None:
    """Write a shard without the rows of `ids`, row group by row group; None, and no file, if no row is left."""
    erased, rows, target = pa.array(sorted(ids), pa.string()), 0, folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    counts[path] = []
    with pq.ParquetFile(base / path) as file, open_writer(target, file.schema_arrow) as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            hit = pc.is_in(group["id"], value_set=erased)
            counts[path] += _scan_rows(path, group.filter(hit), -1)
            group = group.filter(pc.invert(hit)).combine_chunks()
            if group.num_rows:
                writer.write_table(group, row_group_size=group.num_rows)
                rows += group.num_rows
    if rows:
        # Counts of distinct values do not add up: they are taken anew.
        counts[path] += [look for look in residue.look(folder, path, ending=residue.DISTINCT) if look.column]
        return _describe(path, shard.file_of(target, rows))
    target.unlink()
    for empty in target.relative_to(folder).parents:
        if not any((folder / empty).iterdir()):
            (folder / empty).rmdir()
    return None


def _scan_rows(path: str, rows: pa.Table, sign: int = 1) -> list[residue.Look]:
    """Scan rows that a file gets, or loses (`sign` −1): what they add to the counts of its columns."""
    return [
        residue.Look(
            path, look.column, sign * look.values, sign * look.characters, tuple((k, sign * n) for k, n in look.found)
        )
        for look in residue.look_at_rows(rows)
    ]


def _write_residue(
    base: Path, folder: Path, made: Manifest, files: Iterable[ReleaseFile], counts: Counts
) -> tuple[ReleaseFile, ReleaseFile]:
    """Write the table of the second detector: the counts of a changed file are those of before and of its rows.

    Files without rows, and all files if another version of the detector counted them, are scanned anew.
    """
    before = next(file for file in made.files if file.path == residual_pii.TABLE)
    held, sizes = read_audit(base, "residue"), {file.path: file.rows for file in files}
    does, was_empty = residual_pii.read_outcomes(held), {file.path for file in made.files if not file.rows}
    known = set(held["detector"].to_pylist()) == {residue.DETECTOR}
    anew = {path for path, rows in sizes.items() if not known or not rows or path in was_empty & counts.keys()}
    looks = [one for path in sorted(anew) for one in residue.look(folder, path)]
    if residual_pii.find_uncleared(folder, looks, does, cleared_finds.read_places(folder)):
        raise DataError(
            f"the second detector finds personal data in the patch of {base}; nothing was published. Release again "
            "with this version of Malmoi, then erase."
        )
    changed = counts.keys() & sizes.keys() - anew
    stays = pa.array(sorted(sizes.keys() - anew), pa.string())
    rows = [
        row
        for row in held.filter(pc.is_in(held["path"], value_set=stays)).to_pylist()
        if row["path"] not in changed or not row["field"].endswith(residue.DISTINCT)  # counted anew
    ]
    looks += [look for path in changed for look in counts[path]]
    table = residual_pii.table(looks, does, len(sizes), rows)
    return before, _describe(residual_pii.TABLE, shard.write(table, audit_file(folder, "residue"), row_group_rows=ROWS))


def _describe(path: str, file: File) -> ReleaseFile:
    return ReleaseFile(path, file.sha256, file.bytes, file.rows)


def describe_patch(made: Manifest, patch: Patch, version: str) -> Manifest:
    """Return the manifest of the patch of a release."""
    return replace(
        made, version=version, files=patch.files, documents=made.documents - len(patch.masked), members=patch.members
    )


def write_proof(folder: Path, base: Manifest, made: Manifest, erasure: Erasure, patch: Patch, day: str) -> None:
    """Write the proof into the patch release `made` in `folder`."""
    shown = sorted({one.text_sha256 for one in erasure.documents if one.n_chars >= MIN_CHARS})
    with open_tables(folder) as tables:
        left = {digest for digest in shown if tables.ask(make_query([digest])).rows[0][0]}
        query = make_query(digest for digest in shown if digest not in left)
        answer = tables.ask(query).rows[0][0]
    value = {
        "release": made.name,
        "before": {"version": base.version, "root": base.root, "documents": base.documents},
        "after": {"version": made.version, "root": made.root, "documents": made.documents},
        "date": day,
        "erased": list(patch.masked),
        "erased_by_source": dict(Counter(one.source for one in erasure.documents)),
        "texts_of_other_documents": len(left),  # an equal text that was not asked to go
        "texts_too_short_to_show": len({one.text_sha256 for one in erasure.documents}) - len(shown),
        "files": [
            {"path": before.path, "before": describe_file(before), "after": describe_file(after) if after else None}
            for before, after in sorted(patch.changed, key=lambda pair: pair[0])
        ],
        "files_unchanged": len(patch.list_unchanged()),
        "query": {"sql": query, "rows": answer},
    }
    (folder / PROOF).write_text(canonical_json(value), encoding="utf-8")


def is_repeated(folder: Path, before: Path) -> bool:
    """Whether the new release in `folder` repeats the release `before`: the same root, or the documents of a patch.

    The stages of the run after an erasure leave the erased documents out earlier, so that the counts in its audit
    tables differ from those of the patch; its documents do not. A capture that is newer than those of the patch makes a
    version, as it may have been dropped.
    """
    new, old = manifests.read(folder), manifests.read(before)
    if new.root == old.root or not (before / PROOF).exists():
        return new.root == old.root
    facts = (replace(made, version="", date="", files=(), members="") for made in (new, old))  # the rest follows
    if new.date > old.date or next(facts) != next(facts):
        return False
    found = compare(before, folder)
    return not (found.added or found.removed or any(found.changed.values()))
