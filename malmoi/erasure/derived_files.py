"""Purge what was derived from erased documents: stage shards, surveys, reports, lists of the operator.

The simplest safe rule: a folder that names an erased document, or was made from one that does, is deleted whole. The
next run makes it again from the captures. Of the surveys only sketches by document that name none stay; tables,
templates and what describes a host were made from many documents at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import chain, compress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.erasure.tombstones import NAME, Tombstone
from malmoi.errors import StageError
from malmoi.ledger import Ledger
from malmoi.page_ids import is_digest_id
from malmoi.storage import checksummed_files
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER, STAGES, Stage

THREADS = 2
_NAMES = ("documents.parquet", "dropped.parquet")
_CONTENT = frozenset(("text", "morphemes", "sentences"))  # columns that name no document
_READ = ("id", "source", "url", "record", "text", "title", "author")


@dataclass(frozen=True, slots=True)
class Seen:
    """A document in a stage shard; `stone` is its tombstone, or None."""

    id: str
    source: str
    url: str
    record: str
    stone: Tombstone | None = None
    is_bare: bool = False  # dropped for its tombstone while it was extracted, without content


Find = Callable[[dict[str, str]], Tombstone | None]  # of a row with the columns id, url, text, title, author


def read_documents(
    workspace: Workspace,
    find: Find,
    *,
    texts: bool,
    only: Mapping[str, Collection[str]] | None = None,
    stages: Sequence[Stage] = STAGES,
) -> Iterator[Seen]:
    """Yield each document of each stage shard with its tombstone; `texts`: whether `find` needs the texts.

    `only` selects rows: of a column, the values one of which a row must have. Other rows become no Python objects.
    """
    columns = _READ if texts else _READ[:4]
    wanted = {column: pa.array(sorted(values), pa.string()) for column, values in (only or {}).items()}
    paths = [path for stage in stages for name in _NAMES for path in workspace.stage_files(name, stage)]

    def read(path: Path) -> Iterator[dict[str, str]]:
        return _rows(path, (*columns, "by") if path.name == "dropped.parquet" else columns, wanted)

    with ThreadPoolExecutor(THREADS) as pool:  # Arrow releases the GIL; selected rows are few
        for row in chain.from_iterable(pool.map(lambda path: list(read(path)), paths) if wanted else map(read, paths)):
            about = {column: row.get(column) or "" for column in _READ}
            bare = row.get("by") == NAME and is_digest_id(about["id"])
            yield Seen(about["id"], about["source"], about["url"], about["record"], find(about), bare)


def _rows(path: Path, columns: Collection[str], wanted: Mapping[str, pa.Array]) -> Iterator[dict[str, str]]:
    asked = {name: values for name, values in wanted.items() if name in columns}
    try:
        with pq.ParquetFile(path) as file:
            if asked and not any(pc.any(hit).as_py() for _, hit in _batches(file, list(asked), asked)):
                return  # most files: only the columns that decide were read
            for batch, hit in _batches(file, columns, asked):
                yield from (batch.filter(hit) if asked else batch).to_pylist()
    except (pa.ArrowException, OSError):
        return  # damaged; `purge_stages` deletes it


def _batches(
    file: pq.ParquetFile, columns: Collection[str], asked: Mapping[str, pa.Array]
) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Yield the batches of a file, each with its rows that have one of the values asked for."""
    for batch in file.iter_batches(4096, columns=list(columns)):
        hits = [pc.is_in(batch[name], values) for name, values in asked.items()]
        yield batch, reduce(pc.or_, hits) if hits else None


def purge_stages(workspace: Workspace, names: Collection[str]) -> int:
    """Delete the stage shards that name a document of `names` (ids, addresses, records), the latest stage first."""
    sought = pa.array(sorted(names), pa.string())
    count = 0

    def is_named(folder: Path) -> bool:
        return _is_named_in_ledger(folder / LEDGER, names) or any(has_name(folder / n, sought) for n in _NAMES)

    with ThreadPoolExecutor(THREADS) as pool:  # Arrow releases the GIL
        for stage in reversed(STAGES):
            folders = sorted(path for path in workspace.stage(stage, "").glob("*") if path.is_dir())
            for folder in compress(folders, list(pool.map(is_named, folders))):
                delete(workspace, folder)
                count += 1
    return count


def _is_named_in_ledger(path: Path, names: Collection[str]) -> bool:
    try:
        ledger = Ledger.read(path)
    except (StageError, FileNotFoundError):
        return path.parent.exists()  # unfinished or damaged: what it names is unknown
    if not all(path.with_name(file.name).exists() for file in ledger.files):
        return True  # damaged
    failed = {word for one in ledger.failed for word in (one.id, one.id.partition("/")[2], one.url)}
    return not failed.isdisjoint(names) or any(word in names for one in ledger.torn for word in one.split())


def has_name(path: Path, sought: pa.Array) -> bool:
    """Whether a string of a Parquet file, outside of texts, is one of `sought`; also if the file cannot be read."""
    if not path.exists():
        return False
    try:
        meta = pq.read_metadata(path)
        columns = _list_strings(meta)
        # As dictionaries: an equal string is compared once, and most strings of a stage are repeated.
        with pq.ParquetFile(path, metadata=meta, read_dictionary=columns) as file:
            for batch in file.iter_batches(1 << 16, columns=columns):
                if any(pc.any(pc.is_in(leaf, sought)).as_py() for column in batch.columns for leaf in _leaves(column)):
                    return True
    except (pa.ArrowException, OSError):
        return True
    return False


def _list_strings(meta: pq.FileMetaData) -> list[str]:
    """Return the paths of the columns with strings, nested ones too, outside of texts."""
    leaves = (meta.schema.column(n) for n in range(len(meta.schema)))
    found = (leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY")
    return [path for path in found if path.partition(".")[0] not in _CONTENT]


def _leaves(column: Any) -> Iterator[pa.Array]:
    """Yield the string arrays of a column, nested ones too."""
    if pa.types.is_list(column.type):
        yield from _leaves(column.flatten())
    elif pa.types.is_struct(column.type):
        for child in column.flatten():
            yield from _leaves(child)
    elif pa.types.is_dictionary(column.type):
        yield from _leaves(column.dictionary)
    elif pa.types.is_string(column.type):
        yield column


def purge_surveys(workspace: Workspace, names: Collection[str]) -> int:
    """Delete all surveys except the index and the sketches of shards that name no document of `names`."""
    sought, index = pa.array(sorted(names), pa.string()), workspace.index("")
    count = 0
    for folder in sorted(path for path in workspace.surveys.glob("*") if path.is_dir() and path != index):
        if not _is_clean_sketch(folder, sought):
            delete(workspace, folder)
            count += 1
    return count


def _is_clean_sketch(folder: Path, sought: pa.Array) -> bool:
    sketch = folder / "sketch.parquet"
    if {path.name for path in folder.iterdir()} != {sketch.name, checksummed_files.NAME}:
        return False
    try:
        by_document = pq.read_schema(sketch).names[0] == "id"
    except (pa.ArrowException, OSError):
        return False
    return by_document and not has_name(sketch, sought)


def purge_reports(workspace: Workspace, ids: Collection[str]) -> int:
    """Delete reports and rejected releases, which a run writes again; remove documents from the lists of quarantine."""
    count = 0
    for folder in sorted(workspace.rejections("").glob("*/*")):
        delete(workspace, folder)
        count += 1
    for path in sorted(workspace.report("").parent.glob("*")):
        if path.suffix in (".html", ".json"):
            path.unlink()
            count += 1
    for path in workspace.quarantines().values():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["id"] not in ids]
        if not kept:
            path.unlink()
        elif len(kept) < len(lines):
            replace_file(path, "\n".join(kept) + "\n")
        count += len(kept) < len(lines)
    return count


def delete(workspace: Workspace, folder: Path) -> None:
    """Delete a finished folder: it is moved away atomically, then deleted."""
    with workspace.temporary_folder() as born:
        folder.rename(born / folder.name)
        shutil.rmtree(born / folder.name)


def sweep_temporary(workspace: Workspace) -> None:
    """Delete leftovers of stopped runs in tmp/, and the results that releases keep for their next version."""
    for path in (*workspace.tmp.iterdir(), *workspace.release_parts("").glob("*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
