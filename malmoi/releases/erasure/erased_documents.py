"""Find in a release the documents that match tombstones, their recorded copies, and the files that name them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.erasure.tombstones import Matcher
from malmoi.errors import DataError
from malmoi.release_files import audit_file
from malmoi.releases import masked_ids
from malmoi.releases.manifest import Manifest, ReleaseFile

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
    quoted = _find_quoted(folder, matcher)
    documents = {
        found
        for file in data_tables(folder, made)
        if "text_sha256" in pq.read_schema(folder / file.path).names
        for found in _find_rows(folder, file, matcher, quoted)
    }
    ids = {one.id for one in documents}
    dropped = {id for id in _list_audit_ids(folder) if matcher.find_by_id(id) or matcher.find_value(id)}
    copies: tuple[str, ...] = ()
    if ids | dropped:
        clusters = read_audit(folder, "clusters")
        copies = masked_ids.find_cluster_copies(ids | dropped, clusters, [audit_file(folder, "attribution")])
    hidden = {id for id in (*ids, *dropped, *copies) if not masked_ids.number_of(id)}
    return Erasure(tuple(sorted(documents)), frozenset(hidden))


def data_tables(folder: Path, made: Manifest) -> list[ReleaseFile]:
    """Return the files of the release outside audit/ that have rows by document and are present."""
    files = [file for file in made.files if not file.path.startswith(_AUDIT) and (folder / file.path).is_file()]
    return [file for file in files if "id" in pq.read_schema(folder / file.path).names]


def list_naming(folder: Path, made: Manifest, ids: Collection[str]) -> list[ReleaseFile]:
    """Return the Parquet files of the release that name one of `ids` and are present."""
    sought = pa.array(sorted(ids), pa.string())
    return [file for file in made.files if (folder / file.path).is_file() and _names(folder / file.path, sought)]


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


def find_copies(clusters: pa.Table, ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of an audit table of copies whose cluster has one of `ids`."""
    sought = pa.array(sorted(ids), pa.string())
    touched = pc.or_(pc.is_in(clusters["member"], value_set=sought), pc.is_in(clusters["keeper"], value_set=sought))
    names = clusters["cluster"].filter(touched).combine_chunks()
    found: list[dict[str, Any]] = clusters.filter(pc.is_in(clusters["cluster"], value_set=names)).to_pylist()
    return found


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


def _find_quoted(folder: Path, matcher: Matcher) -> set[str]:
    """Return the ids of documents for which an audit table quotes a value."""
    found: set[str] = set()
    for name in ("licence_evidence", "signals") if matcher.has_values else ():
        table = read_audit(folder, name).select(["id", "quote", "place"])
        said = table.group_by(["quote", "place"]).aggregate([("id", "distinct")]).to_pylist()
        hits = (row["id_distinct"] for row in said if matcher.find_value(APART.join((row["quote"], row["place"]))))
        found.update(id for ids in hits for id in ids)
    return found


def _list_audit_ids(folder: Path) -> set[str]:
    """Return the ids of dropped and failed documents and of copies, as the audit tables name them."""
    columns: Sequence[tuple[str, tuple[str, ...]]] = (
        ("dropped", ("id",)),
        ("failed", ("id",)),
        ("clusters", ("keeper", "member")),
    )
    tables = ((read_audit(folder, name), names) for name, names in columns)
    return {id for table, names in tables for name in names for id in table[name].to_pylist()}


def _names(path: Path, sought: pa.Array) -> bool:
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in ID_COLUMNS]
        for name in names:
            for batch in file.iter_batches(65_536, columns=[name]):
                if pc.any(pc.is_in(batch.column(0), value_set=sought)).as_py():
                    return True
    return False
