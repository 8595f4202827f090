"""erasure_proof.json of a patch release: which files changed, and a query that finds none of the erased texts.

It names no id, address or value: documents by the masked ids of the audit tables, texts by their sha256, and only
those so long that nobody finds them by trying.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from malmoi.canonical_json import canonical_json
from malmoi.releases.erasure.erased_documents import Erasure
from malmoi.releases.erasure.patch_release import Patch
from malmoi.releases.manifest import Manifest, ReleaseFile
from malmoi.storage.duckdb_tables import Tables, open_tables

NAME: Final = "erasure_proof.json"
MIN_CHARS: Final = 256  # code points of a text whose digest is shown: a shorter one might be guessed
_SQL: Final = "SELECT count(*) FROM data WHERE text_sha256 IN ({})"
_LIST: Final = re.compile(r"SELECT count\(\*\) FROM data WHERE text_sha256 IN \((?:''|(?:'[0-9a-f]{64}'(?:, )?)+)\)")


def write(folder: Path, base: Manifest, made: Manifest, erasure: Erasure, patch: Patch, day: str) -> None:
    """Write the proof into the patch release `made` in `folder`."""
    shown = sorted({one.text_sha256 for one in erasure.documents if one.n_chars >= MIN_CHARS})
    with open_tables(folder) as tables:
        left = {digest for digest in shown if tables.ask(_make_query([digest])).rows[0][0]}
        query = _make_query(digest for digest in shown if digest not in left)
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
            {"path": before.path, "before": _describe(before), "after": _describe(after) if after else None}
            for before, after in sorted(patch.changed, key=lambda pair: pair[0])
        ],
        "files_unchanged": len(patch.unchanged),
        "query": {"sql": query, "rows": answer},
    }
    (folder / NAME).write_text(canonical_json(value), encoding="utf-8")


def find_faults(folder: Path, made: Manifest, tables: Tables) -> Iterator[str]:
    """Yield how the proof in `folder` disagrees with its release; its query is run only if it has the known form."""
    value: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    if value["after"] != {"version": made.version, "root": made.root, "documents": made.documents}:
        yield "version, root or number of documents are not those of the manifest"
    if value["before"]["documents"] - len(value["erased"]) != made.documents:
        yield "the erased documents are not the difference of the two versions"
    files = {file.path: _describe(file) for file in made.files}
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


def _make_query(digests: Iterable[str]) -> str:
    return _SQL.format(", ".join(f"'{digest}'" for digest in digests) or "''")


def _describe(file: ReleaseFile) -> dict[str, Any]:
    return {"sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}
