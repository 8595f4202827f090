"""Find in a release what tombstones ask to erase, and withdraw the files of a published version that name or show it.

Withdrawn files are deleted, and withdrawn.json lists them; the other files stay as they were signed. `malmoi verify`
reports such a release as withdrawn in part.
"""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.erasure.tombstones import Matcher
from malmoi.errors import DataError
from malmoi.release_files import DOCUMENTS, audit_file
from malmoi.releases import manifest as manifests
from malmoi.releases import masked_ids
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.releases.published_rows import reduce_to_site
from malmoi.releases.verification import sha256sums
from malmoi.releases.verification.sha256sums import WithdrawnFile
from malmoi.storage.atomic_files import replace_file

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
        for file in data_tables(folder, made)
        if "text_sha256" in pq.read_schema(folder / file.path).names
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


def find_copies(clusters: pa.Table, ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of an audit table of copies whose cluster has one of `ids`."""
    sought = pa.array(sorted(ids), pa.string())
    touched = pc.or_(pc.is_in(clusters["member"], value_set=sought), pc.is_in(clusters["keeper"], value_set=sought))
    names = clusters["cluster"].filter(touched).combine_chunks()
    found: list[dict[str, Any]] = clusters.filter(pc.is_in(clusters["cluster"], value_set=names)).to_pylist()
    return found


def data_tables(folder: Path, made: Manifest) -> list[ReleaseFile]:
    """Return the files of the release outside audit/ that have rows by document and are present."""
    files = [file for file in made.files if not file.path.startswith(_AUDIT) and (folder / file.path).is_file()]
    return [file for file in files if "id" in pq.read_schema(folder / file.path).names]


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
