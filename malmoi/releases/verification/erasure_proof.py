"""Check erasure_proof.json of a patch release (malmoi/releases/erasure/write_proof.py) against the release."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.storage.duckdb_tables import Tables

NAME: Final = "erasure_proof.json"
_SQL: Final = "SELECT count(*) FROM data WHERE text_sha256 IN ({})"
_LIST: Final = re.compile(r"SELECT count\(\*\) FROM data WHERE text_sha256 IN \((?:''|(?:'[0-9a-f]{64}'(?:, )?)+)\)")


def find_faults(folder: Path, made: Manifest, tables: Tables) -> Iterator[str]:
    """Yield how the proof in `folder` disagrees with its release; its query is run only if it has the known form."""
    value: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    if value["after"] != {"version": made.version, "root": made.root, "documents": made.documents}:
        yield "version, root or number of documents are not those of the manifest"
    if value["before"]["documents"] - len(value["erased"]) != made.documents:
        yield "the erased documents are not the difference of the two versions"
    files = {file.path: describe_file(file) for file in made.files}
    for one in value["files"]:
        if files.get(one["path"]) != one["after"]:
            yield f"{one['path']} is not the file that the proof names"
    sql = str(value["query"]["sql"])
    if not _LIST.fullmatch(sql):
        yield "its query is not one that this version makes; it was not run"
    elif tables.ask(sql).rows[0][0] != 0 or value["query"]["rows"] != 0:
        yield "its query finds a document: an erased text is in data/"
    names = {str(row[0]) for row in tables.ask("SELECT id FROM dropped WHERE reason = 'withdrawn'").rows}
    if not names.issuperset(value["erased"]):
        yield "audit/dropped.parquet does not list the erased documents as withdrawn"


def make_query(digests: Iterable[str]) -> str:
    """Return the query that counts the documents with one of these texts."""
    return _SQL.format(", ".join(f"'{digest}'" for digest in digests) or "''")


def describe_file(file: ReleaseFile) -> dict[str, Any]:
    """Return digest, size and rows of a file, as the proof names them."""
    return {"sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}
