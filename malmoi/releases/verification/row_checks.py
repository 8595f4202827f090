"""Check a release row by row: place, order, digest and counts of documents, attributions, and quotes of evidence.

The release asks each of its rows first (`find_unfit`) about faults that one document can have: a document that does not
verify is left out, and the rest is released. Attributions and quotes are checked by the functions that made them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.licensing.licences import folder_name
from malmoi.licensing.proofs import REVIEW
from malmoi.licensing.quoted_licences import is_proof
from malmoi.licensing.rights_decision import NONE, UNKNOWN
from malmoi.release_files import audit_file, morpheme_path
from malmoi.releases.manifest import Manifest
from malmoi.releases.partitioning import GENERAL, PART, Row, h
from malmoi.releases.published_rows import sentence
from malmoi.releases.release_inputs import SourceFacts
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard

_EVIDENCE_ROWS = 8192  # rows held in memory at a time
SHOWN = 3  # faults of a file that are reported
_is_proof = lru_cache(maxsize=4096)(is_proof)  # the pages of a host quote the same mark
BATCH = 1024  # documents held in memory at a time
_COLUMNS = ["id", "text", "text_sha256", "n_chars", "n_bytes", "use", "license"]
_COLUMNS += ["domain", "split", "n_sentences", "n_morphemes", "pii"]
_LAYERS = ["id", "sentences.start", "sentences.end", "morphemes.start", "morphemes.length"]
_PLACEHOLDER = re.compile(r"\[[가-힣A-Z]+[0-9]+\]")


class _Row(NamedTuple):
    """One document with its declared digest and counts."""

    id: str
    text: str
    text_sha256: str
    n_chars: int
    n_bytes: int
    use: str
    licence: str
    domain: str
    split: str
    n_sentences: int | None
    n_morphemes: int | None
    pii: list[dict[str, Any]]


class _Layers(NamedTuple):
    """The analysis of one document."""

    id: str
    n_sentences: int | None
    n_morphemes: int | None
    end: int  # the greatest offset in them, in code points


def find_unfit(
    data: pa.Table, rows: Sequence[Mapping[str, Any]], surrogates: Collection[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (id, (check, fault)) of documents of which `verify` would state a fault.

    `data` has the schema PUBLISHED, `rows` are its rows with their evidence (published_rows.make_rows).
    """
    read = chain.from_iterable(zip(_to_rows(one), _to_layers(one), strict=True) for one in data.to_batches())
    for (row, layers), made in zip(read, rows, strict=True):
        faults = (*_faults_inside(row, surrogates), *_faults_beside(row, layers))
        yield from ((row.id, ("rows", says)) for _, says in faults)
        for one in made["sides"]["licence_evidence"]:
            if fault := find_quote_fault(one):
                yield row.id, ("evidence", fault)
            if one["scope"] == "item" and one["kind"] != REVIEW and one["record"] != made["record"]:
                yield row.id, ("laws", f"evidence of kind {one['kind']} is not from the record of the document")


def list_surrogates(steps: Iterable[tuple[str, str, str]]) -> frozenset[str]:
    """Return the kinds of personal data that a recipe replaces by reserved values, which need no placeholder."""
    params = [json.loads(found) for _, name, found in steps if name == "redact"]
    actions = [pair for one in params for pair in one.get("actions", ())]
    return frozenset(kind for kind, action in actions if action == "surrogate")


def find_faults(folder: Path, path: str, n_shards: int, surrogates: Collection[str] = ()) -> Iterator[str]:
    """Yield the first fault of each kind in the shard `path`: place, order, digest, counts, ids and offsets beside."""
    parts = path.split("/")
    named = PART.fullmatch(parts[-1])
    if len(parts) != 5 or not named:
        yield "its path is not data/<use>/<licence>/<field>/<split>-<shard>-of-<n>.parquet"
        return
    number, of = int(named[2]), int(named[3])
    if of > n_shards or of.bit_count() != 1:
        yield f"is part of {of} shards; not a power of two up to {n_shards}, the number in the manifest"
        return
    seen: set[str] = set()
    last: Row = (-1, "")
    layers = chain.from_iterable(map(_to_layers, _read_batches(folder / morpheme_path(path), _LAYERS)))
    for row in chain.from_iterable(map(_to_rows, _read_batches(folder / path, _COLUMNS))):
        here: Row = (h(row.id), row.id)
        faults = chain(
            _faults(row, here, last, number, of, [*parts[1:4], named[1]]),
            _faults_inside(row, surrogates),
            _faults_beside(row, next(layers, None)),
        )
        for kind, says in faults:
            if kind not in seen:
                seen.add(kind)
                yield says
        last = here
    if next(layers, None) is not None:
        yield f"{morpheme_path(path)} has more rows"


def find_mixed(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (path, fault) where the files of one field and split are cut into different numbers of shards."""
    numbers: dict[str, str] = {}
    for path in sorted(paths):
        if named := PART.search(path):
            of = numbers.setdefault(path[: named.end(1)], named[3])
            if of != named[3]:
                yield path, f"is part of {named[3]} shards; another file of its split says {of}"


def list_checks(folder: Path, made: Manifest, *, quotes: bool = True) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield (path, its faults) for the files of a release that hold attributions, declarations and `quotes`."""
    for file in made.files:
        if file.path.startswith("data/") and (folder / file.path).is_file():
            yield file.path, find_attribution_faults(folder, file.path, made.sources)
    yield "audit/sources.parquet", find_source_faults(folder, made.sources)
    if quotes:
        yield "audit/licence_evidence.parquet", find_quote_faults(folder)


def find_attribution_faults(folder: Path, path: str, sources: Sequence[SourceFacts]) -> Iterator[str]:
    """Yield the first documents of the shard `path` whose attribution is not the template of their source filled in."""
    facts, names = {one.name: one for one in sources}, ("title", "author", "date", "url")

    def is_filled_in(row: Mapping[str, Any]) -> bool:
        try:
            named = {name: row[name] for name in names}
            return bool(row["attribution"] == sentence(facts[row["source"]], **named, licence=row["license"]))
        except StageError:
            return False  # the template has a field that does not exist

    wrong = (
        f"the attribution of {row['id']} is not the template of its source filled in"
        for row in _read_records(folder / path, ["id", "source", *names, "license", "attribution"])
        if row["source"] in facts and not is_filled_in(row)
    )
    return islice(wrong, SHOWN)


def find_source_faults(folder: Path, sources: Sequence[SourceFacts]) -> Iterator[str]:
    """Yield the sources whose declarations in the audit table are not those of the manifest."""
    names = AUDIT["sources"].names
    held = {row["name"]: row for row in shard.read(audit_file(folder, "sources")).to_pylist()}
    for one in sources:
        row = {name: value for name in names for value in (getattr(one, name),)} | {"licences": list(one.licences)}
        if held.pop(one.name, None) != row:
            yield f"the declarations of source {one.name} are not those of the manifest"
    yield from (f"the manifest does not declare the source {name}" for name in sorted(held))


def find_quote_faults(folder: Path) -> Iterator[str]:
    """Yield the first pieces of evidence whose quote names another licence, or none where its kind is a name."""
    rows = _read_records(audit_file(folder, "licence_evidence"), ["id", "licence", "kind", "quote"])
    return islice((f"{row['id']}: {fault}" for row in rows if (fault := find_quote_fault(row))), SHOWN)


def find_quote_fault(row: Mapping[str, Any]) -> str:
    """Return what is wrong with the quote of a published piece of evidence, or ""."""
    if row["licence"] in (NONE, UNKNOWN) or row["kind"] == REVIEW:  # the reason of a person may name other licences
        return ""
    named = _is_proof(row["licence"], row["kind"], row["quote"])
    return "" if named else f"the quote of kind {row['kind']} does not name {row['licence']}"


def _read_records(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in _read_batches(path, columns, _EVIDENCE_ROWS):
        yield from batch.to_pylist()


def _read_batches(path: Path, columns: list[str], rows: int = BATCH) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(rows, columns=columns)


def _to_rows(batch: pa.RecordBatch) -> Iterator[_Row]:
    return map(_Row, *(batch[name].to_pylist() for name in _COLUMNS))


def _to_layers(batch: pa.RecordBatch) -> Iterator[_Layers]:
    """Yield the analysis of each row; Arrow counts the long lists, since an object for each morpheme would dominate."""
    (sentences, starts), (_, ends) = (_lists(batch["sentences"], name) for name in ("start", "end"))
    morphemes, behind = _lists(batch["morphemes"], "start", "length")
    last = np.maximum(np.maximum(starts, ends), behind)
    return map(_Layers, batch["id"].to_pylist(), sentences, morphemes, last.tolist())


def _lists(layer: pa.StructArray, *names: str) -> tuple[list[int | None], npt.NDArray[np.int64]]:
    """Return the number of items of each row of a layer, and the greatest sum of their fields `names` (0 if none).

    A row whose lists differ in length counts as not analysed, and ends outside any text.
    """
    lists = [pc.struct_field(layer, name) for name in names]
    lengths = [pc.list_value_length(found) for found in lists]
    unequal = np.zeros(len(layer), dtype=bool)
    if any(length != lengths[0] for length in lengths):
        sizes = [pc.fill_null(length, -1).to_numpy() for length in lengths]
        unequal = np.any([size != sizes[0] for size in sizes], axis=0)
        lists = [pc.if_else(pa.array(unequal), pa.scalar(None, found.type), found) for found in lists]
        lengths = [pc.list_value_length(found) for found in lists]
    counts = pc.fill_null(lengths[0], 0).to_numpy()
    sums = sum(found.flatten().to_numpy().astype(np.int64) for found in lists)
    greatest = np.zeros(len(counts), dtype=np.int64)
    starts = np.cumsum(counts) - counts
    if len(sums):
        greatest[counts > 0] = np.maximum.reduceat(sums, starts[counts > 0])
    greatest[unequal] = np.iinfo(np.int64).max
    return lengths[0].to_pylist(), greatest


def _faults(row: _Row, here: Row, last: Row, number: int, of: int, place: list[str]) -> Iterator[tuple[str, str]]:
    id, text = row.id, row.text
    encoded = text.encode()
    if here[0] % of != number:
        yield "shard", f"{id} belongs into shard {here[0] % of}"
    if here <= last:
        yield "order", f"{id} is not in order of H(id), or appears twice"
    if place != [row.use, folder_name(row.licence), folder_name(row.domain or GENERAL), row.split]:
        yield "place", f"{id} is {row.use} under {row.licence}, {row.domain or GENERAL}, {row.split}: another file"
    if hashlib.sha256(encoded).hexdigest() != row.text_sha256:
        yield "digest", f"the text of {id} does not match its text_sha256"
    if (len(text), len(encoded)) != (row.n_chars, row.n_bytes):
        yield "size", f"{id} has {len(text)} code points and {len(encoded)} bytes; n_chars and n_bytes differ"


def _faults_inside(row: _Row, surrogates: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the fault that a text has fewer placeholders than values replaced in it by placeholders."""
    replaced = sum(one["n"] for one in row.pii if one["kind"] not in surrogates)
    if replaced and (left := len(_PLACEHOLDER.findall(row.text))) < replaced:
        yield "placeholders", f"{row.id} has {left} placeholders, fewer than the {replaced} values replaced in its text"


def _faults_beside(row: _Row, beside: _Layers | None) -> Iterator[tuple[str, str]]:
    if beside is None or beside.id != row.id:
        yield "pairs", f"morphemes/ has {beside.id if beside else 'no row'} where this file has {row.id}"
        return
    if (held := beside[1:3]) != (row.n_sentences, row.n_morphemes):
        yield "layers", f"{row.id} has {held} sentences and morphemes; n_sentences and n_morphemes differ"
    if beside.end > row.n_chars:
        yield "offsets", f"{row.id} has a sentence or morpheme that ends outside its text"
