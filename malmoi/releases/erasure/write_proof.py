"""erasure_proof.json of a patch release: which files changed, and a query that finds none of the erased texts.

It names no id, address or value: documents by the masked ids of the audit tables, texts by their sha256, and only
those that are too long to be guessed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from malmoi.canonical_json import canonical_json
from malmoi.releases.erasure.erased_documents import Erasure
from malmoi.releases.erasure.patch_release import Patch
from malmoi.releases.manifest import Manifest
from malmoi.releases.verification.erasure_proof import NAME, describe_file, make_query
from malmoi.storage.duckdb_tables import open_tables

MIN_CHARS: Final = 256  # code points of a text whose digest is shown: a shorter one might be guessed


def write(folder: Path, base: Manifest, made: Manifest, erasure: Erasure, patch: Patch, day: str) -> None:
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
    (folder / NAME).write_text(canonical_json(value), encoding="utf-8")
