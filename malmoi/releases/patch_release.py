"""Erase from a release: find what tombstones ask for, write a patch release, withdraw files of published versions.

A patch release is the release before without the erased documents; only files that name them get new bytes.

In a touched shard the other row groups keep their rows, so that their pages have the same bytes again. Audit tables
lose the rows about erased documents, or name them by a masked id, as if they had been withdrawn before the release:
stage `6-release` counts them, and in = kept + dropped + failed holds.

erasure_proof.json says which files changed, and has a query that finds none of the erased texts. It names no id,
address or value: documents by the masked ids of the audit tables, texts by their sha256, and only those that are too
long to be guessed.

Withdrawn files of a published version name or show an erased document. They are deleted, and withdrawn.json lists them;
the other files stay as they were signed. `malmoi verify` reports such a release as withdrawn in part.
"""

from __future__ import annotations

import html
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.erasure.tombstones import Matcher
from malmoi.errors import DataError
from malmoi.ledger import File
from malmoi.release_files import DOCUMENTS, audit_file
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
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.published_rows import reduce_to_site
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.split import open_writer
from malmoi.releases.verification import sha256sums
from malmoi.releases.verification.invariants import PROOF, describe_file, make_query
from malmoi.releases.verification.sha256sums import WithdrawnFile
from malmoi.storage import shard
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.duckdb_tables import ROWS, open_tables

MIN_CHARS: Final = 256  # code points of a text whose digest is shown: a shorter one might be guessed
# Audit tables of documents in data/ alone.
_PUBLISHED: Final = ("attribution", "cleared_finds", "licence_evidence", "personal_data")
_COUNTED: Final = ("dropped", "stages")  # audit tables with one more row or count for each erased document
_ID: Final = ("id",)
_MASKED: Final = {"clusters": ("cluster", "keeper", "member"), "dropped": _ID, "failed": _ID, "signals": _ID}
Edit: TypeAlias = Callable[[pa.Table], tuple[pa.Array, pa.Table]]  # of an audit table: mask of rows that go, new rows
Counts: TypeAlias = dict[str, list[residue.Look]]  # changed file → scans of rows that came, and that went (negative)
_MIN_WORDS: Final = 12  # characters of a title or of an address that a page is searched for
_START: Final = 60  # characters of a text that a page may quote
ID_COLUMNS: Final = ("id", "cluster", "keeper", "member")  # of all tables of a release
APART: Final = "ꙮ"  # between columns that are searched together: a letter of one Old Slavic word, so in no value
BATCH: Final = 4096  # rows that are Python objects at a time
_SEARCHED: Final = ("title", "author", "url", "attribution", "text")
_AUDIT: Final = "audit/"


@dataclass(frozen=True, slots=True, order=True)
class ErasedDocument:
    """A published document that must go: its id and what counts and proof need."""

    id: str
    source: str
    text_sha256: str
    n_chars: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What to erase from a release: its documents, and the ids of dropped ones that no table may name."""

    documents: tuple[ErasedDocument, ...]  # in data/, sorted
    hidden: frozenset[str]  # their ids, dropped documents that match, and dropped copies of both

    def __bool__(self) -> bool:
        return bool(self.hidden)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the documents in data/."""
        return frozenset(one.id for one in self.documents)


def find_erasure(folder: Path, made: Manifest, matcher: Matcher) -> Erasure:
    """Return what `matcher` asks to erase from the release in `folder`."""
    quoted: set[str] = set()  # documents for which an audit table quotes a value
    for name in ("licence_evidence", "signals") if matcher.has_values else ():
        table = read_audit(folder, name).select(["id", "quote", "place"])
        for row in table.group_by(["quote", "place"]).aggregate([("id", "distinct")]).to_pylist():
            if matcher.find_value(APART.join((row["quote"], row["place"]))):
                quoted.update(row["id_distinct"])
    documents = {
        document
        for file in made.files
        if not file.path.startswith(_AUDIT) and (folder / file.path).is_file()
        if {"id", "text_sha256"} <= {*pq.read_schema(folder / file.path).names}
        for document in _find_rows(folder, file, matcher, quoted)
    }
    ids = {one.id for one in documents}
    named = (("dropped", "id"), ("failed", "id"), ("clusters", "keeper"), ("clusters", "member"))
    audit_ids = {id for name, column in named for id in read_audit(folder, name)[column].to_pylist()}
    dropped = {id for id in audit_ids if matcher.find_by_id(id) or matcher.find_value(id)}
    copies: tuple[str, ...] = ()
    if ids | dropped:
        clusters = read_audit(folder, "clusters")
        copies = masked_ids.find_cluster_copies(ids | dropped, clusters, [audit_file(folder, "attribution")])
    hidden = {id for id in (*ids, *dropped, *copies) if not masked_ids.number_of(id)}
    return Erasure(tuple(sorted(documents)), frozenset(hidden))


def _find_rows(folder: Path, table: ReleaseFile, matcher: Matcher, quoted: Collection[str]) -> Iterator[ErasedDocument]:
    columns = ["id", "source", "text_sha256", "n_chars"]
    exact = matcher.list_exact_keys()
    columns += ["url"] if exact is None else []
    columns += [name for name in _SEARCHED if matcher.has_values and name not in columns]
    read = 0
    with pq.ParquetFile(folder / table.path) as file:
        for batch in file.iter_batches(BATCH, columns=columns):
            read += batch.num_rows
            if exact is not None:  # no row becomes a Python object but those that match
                ids, texts = (pa.array(keys, pa.string()) for keys in exact)
                hit = pc.or_(pc.is_in(batch["id"], value_set=ids), pc.is_in(batch["text_sha256"], value_set=texts))
                batch = batch.filter(hit)
            for row in batch.to_pylist():
                if exact is not None or row["id"] in quoted or _matches(row, matcher):
                    yield ErasedDocument(row["id"], row["source"], row["text_sha256"], row["n_chars"])
    if read != table.rows:  # Arrow may read a damaged page as no rows
        raise explain_damage(folder, table.path)


def _matches(row: dict[str, Any], matcher: Matcher) -> bool:
    found = matcher.find_by_id(row["id"]) or matcher.find_by_url(row["url"])
    found = found or matcher.find_by_digest(row["text_sha256"])
    if found is None and matcher.has_values:
        found = matcher.find_value(APART.join([row["id"], *(row[name] for name in _SEARCHED)]))
    return found is not None


def withdraw_files(folder: Path, made: Manifest, erasure: Erasure, version: str, date: str) -> list[str]:
    """Delete the files of the version in `folder` that name or show what is erased; return their paths.

    withdrawn.json is written first: the next call after a run that was stopped deletes what it lists too.
    """
    rows = {file.path: file.rows for file in made.files}
    paths = [file.path for file in list_naming(folder, made, erasure.hidden)]
    # The texts of the version, such as its card, that show an erased id, address, title or text.
    needed = {manifests.NAME, sha256sums.NAME, sha256sums.WITHDRAWN, "LICENSE.md"}
    words = erasure.hidden.union(*(_list_words(folder / path, erasure) for path in paths))
    forms = {form for word in words for form in _spell(word)}
    for page in (*folder.glob("*"), *(folder / path for path in DOCUMENTS if "/" in path)):
        if page.is_file() and page.suffix != ".parquet" and page.name not in needed:
            text = page.read_text(encoding="utf-8", errors="replace")
            if any(form in text for form in forms):
                paths.append(sha256sums.relative_name(folder, page))
    sums = sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8"))
    known = {one.path: one for one in sha256sums.read_withdrawn(folder)}
    paths += [path for path in known if path in sums and path not in paths and (folder / path).exists()]
    if not paths:
        return []
    for path in paths:
        known.setdefault(path, WithdrawnFile(path, sums[path], rows.get(path, 0), version, date))
    replace_file(
        folder / sha256sums.WITHDRAWN, canonical_json({"files": [asdict(known[path]) for path in sorted(known)]})
    )
    for path in paths:
        (folder / path).unlink()
    return sorted(paths)


def _list_words(path: Path, erasure: Erasure) -> Iterable[str]:
    """Yield what a page may show of the erased documents of a shard."""
    with pq.ParquetFile(path) as file:
        names = [name for name in ("title", "url", "text") if name in file.schema_arrow.names]
        if "id" not in file.schema_arrow.names or len(names) < 3:
            return
        for batch in file.iter_batches(1024, columns=["id", *names]):
            ids = batch["id"].to_pylist()
            for at in (n for n, id in enumerate(ids) if id in erasure.ids):
                title, url, text = (batch[name][at].as_py() for name in names)
                start = text.strip().partition("\n")[0][:_START]
                address = "" if url == reduce_to_site(url) else url
                yield from (word for word in (title, address, start) if len(word) >= _MIN_WORDS)


def _spell(word: str) -> tuple[str, ...]:
    """Return a word as a text, a page or a JSON file shows it.

    >>> _spell("'a'")
    ("'a'", '&#39;a&#39;', '&#x27;a&#x27;', "'a'")
    """
    escaped = html.escape(word)
    as_page = escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as Jinja escapes quotes
    return word, as_page, escaped, json.dumps(word, ensure_ascii=False)[1:-1]


def list_naming(folder: Path, made: Manifest, ids: Collection[str]) -> list[ReleaseFile]:
    """Return the Parquet files of the release that name one of `ids` and are present."""
    sought = pa.array(sorted(ids), pa.string())

    def is_naming(path: Path) -> bool:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in ID_COLUMNS]
            columns = (batch.column(0) for name in names for batch in file.iter_batches(65_536, columns=[name]))
            return any(pc.any(pc.is_in(column, value_set=sought)).as_py() for column in columns)

    return [file for file in made.files if (folder / file.path).is_file() and is_naming(folder / file.path)]


def read_audit(folder: Path, name: str) -> pa.Table:
    """Read an audit table of a release."""
    with pq.ParquetFile(audit_file(folder, name)) as file:
        return file.read()


def explain_damage(folder: Path, path: str) -> DataError:
    """Return the error for a file that is not the one of the manifest."""
    return DataError(
        f"{folder / path}: not the file that the manifest names; nothing was written. Restore it from a copy: "
        f"`malmoi verify {folder}` names each such file."
    )


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
