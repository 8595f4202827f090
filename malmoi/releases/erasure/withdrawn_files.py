"""Withdraw files of a published version after an erasure: they are deleted, and withdrawn.json lists them.

The other files stay as they were signed. `malmoi verify` reports such a release as withdrawn in part.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from malmoi.canonical_json import canonical_json
from malmoi.release_files import DOCUMENTS
from malmoi.releases import exposed_pages
from malmoi.releases import manifest as manifests
from malmoi.releases.erasure.erased_documents import Erasure, list_naming
from malmoi.releases.manifest import Manifest
from malmoi.releases.verification import sha256sums, withdrawn_list
from malmoi.releases.verification.withdrawn_list import WithdrawnFile
from malmoi.storage.atomic_files import replace_file

_MIN_WORDS: Final = 12  # characters of a title or of an address that a page is searched for
_START: Final = 60  # characters of a text that a page may quote


def withdraw_files(folder: Path, made: Manifest, erasure: Erasure, version: str, date: str) -> list[str]:
    """Delete the files of the version in `folder` that name or show what is erased; return their paths.

    withdrawn.json is written first: the next call after a run that was stopped deletes what it lists too.
    """
    rows = {file.path: file.rows for file in made.files}
    paths = [file.path for file in list_naming(folder, made, erasure.hidden)]
    paths += _list_texts_showing(folder, erasure, paths)
    sums = sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8"))
    known = {one.path: one for one in withdrawn_list.read(folder)}
    paths += [path for path in known if path in sums and path not in paths and (folder / path).exists()]
    if not paths:
        return []
    for path in paths:
        known.setdefault(path, WithdrawnFile(path, sums[path], rows.get(path, 0), version, date))
    replace_file(
        folder / withdrawn_list.NAME, canonical_json({"files": [asdict(known[path]) for path in sorted(known)]})
    )
    for path in paths:
        (folder / path).unlink()
    return sorted(paths)


def _list_texts_showing(folder: Path, erasure: Erasure, touched: Sequence[str]) -> list[str]:
    """Return the texts of a version, such as its card, that show an erased id, address, title or text."""
    needed = {manifests.NAME, sha256sums.NAME, withdrawn_list.NAME, "LICENSE.md"}
    paths = [*folder.glob("*"), *(folder / path for path in DOCUMENTS if "/" in path)]
    texts = [path for path in paths if path.is_file() and path.suffix != ".parquet" and path.name not in needed]
    words = set(erasure.hidden)
    for path in touched:
        words.update(_list_words(folder / path, erasure))
    forms = {form for word in words for form in _spell(word)}
    shown = (path for path in texts if _shows(path.read_text(encoding="utf-8", errors="replace"), forms))
    return [sha256sums.relative_name(folder, path) for path in shown]


def _spell(word: str) -> tuple[str, ...]:
    """Return a word as a text, a page or a JSON file shows it.

    >>> _spell("'a'")
    ("'a'", '&#39;a&#39;', '&#x27;a&#x27;', "'a'")
    """
    escaped = html.escape(word)
    as_page = escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as Jinja escapes quotes
    return word, as_page, escaped, json.dumps(word, ensure_ascii=False)[1:-1]


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
                address = "" if url == exposed_pages.site(url) else url
                yield from (word for word in (title, address, start) if len(word) >= _MIN_WORDS)


def _shows(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)
