"""Check attribution and licence quotes document by document, by the functions that made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from malmoi.errors import StageError
from malmoi.licensing.proofs import REVIEW
from malmoi.licensing.quoted_licences import is_proof
from malmoi.licensing.rights_decision import NONE, UNKNOWN
from malmoi.release_files import audit_file
from malmoi.releases.attribution import sentence
from malmoi.releases.manifest import Manifest
from malmoi.releases.release_inputs import SourceFacts
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard

BATCH = 8192  # rows held in memory at a time
SHOWN = 3  # faults of a file that are reported
_is_proof = lru_cache(maxsize=4096)(is_proof)  # the pages of a host quote the same mark


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
    facts = {one.name: one for one in sources}
    wrong = (
        f"the attribution of {row['id']} is not the template of its source filled in"
        for row in _rows(folder / path, ["id", "source", "title", "author", "date", "url", "license", "attribution"])
        if row["source"] in facts and row["attribution"] != _fill_in(facts[row["source"]], row)
    )
    return islice(wrong, SHOWN)


def _fill_in(source: SourceFacts, row: dict[str, Any]) -> str | None:
    named = {name: row[name] for name in ("title", "author", "date", "url")}
    try:
        return sentence(source, **named, licence=row["license"])
    except StageError:
        return None  # the template has a field that does not exist


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
    rows = _rows(audit_file(folder, "licence_evidence"), ["id", "licence", "kind", "quote"])
    return islice((f"{row['id']}: {fault}" for row in rows if (fault := find_quote_fault(row))), SHOWN)


def find_quote_fault(row: Mapping[str, Any]) -> str:
    """Return what is wrong with the quote of a published piece of evidence, or ""."""
    if row["licence"] in (NONE, UNKNOWN) or row["kind"] == REVIEW:  # the reason of a person may name other licences
        return ""
    named = _is_proof(row["licence"], row["kind"], row["quote"])
    return "" if named else f"the quote of kind {row['kind']} does not name {row['licence']}"


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=columns):
            yield from batch.to_pylist()
