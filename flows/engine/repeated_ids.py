"""Give documents that repeat the id of another one an id of their own, before the first filter.

An interface whose pages move while they are read shows an entry twice: two captures then yield one key. The document of
the latest capture keeps the id. The others are copies or revisions, which deduplication judges like any other.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from flows.engine.progress import Progress
from flows.plurals import count_of
from malmoi.ledger import Ledger
from malmoi.storage import shard
from malmoi.storage.repeated_ids import find_repeated_ids
from malmoi.workspace import Workspace

Renamed = tuple[tuple[int, str], ...]  # row of a shard → its new id


def rename_repeated(
    workspace: Workspace, ledgers: Sequence[Ledger], withdrawn: Mapping[str, Collection[str]], progress: Progress
) -> dict[str, Renamed]:
    """Return the new ids of the documents of stage 2-documents that repeat one: key of the ledger → rows.

    Ids in `withdrawn` (by the same key) stay, so that all of their documents are dropped.
    """
    files = {one.key: workspace.stage("2-documents", one.key) / "documents.parquet" for one in ledgers if one.kept}
    if not files:
        return {}
    repeated = set(find_repeated_ids(list(files.values()), tmp=workspace.tmp)).difference(*withdrawn.values())
    if not repeated:
        return {}
    met: dict[str, list[tuple[str, str, str, int]]] = defaultdict(list)  # id → (fetched, record, shard, row)
    for key, file in files.items():
        table = shard.read(file, ["id", "fetched", "record"])
        rows = pc.indices_nonzero(pc.is_in(table["id"], pa.array(sorted(repeated), pa.string())))
        for row, one in zip(rows.to_pylist(), table.take(rows).to_pylist(), strict=True):
            met[one["id"]].append((one["fetched"], one["record"], key, row))
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for id, places in met.items():
        ordered = sorted(places)
        for (_, _, key, row), new in zip(ordered[:-1], _name_others(id, ordered[:-1]), strict=True):
            found[key].append((row, new))
    _say(met, progress)
    return {key: tuple(sorted(rows)) for key, rows in found.items()}


def rename(table: pa.Table, renamed: Renamed) -> pa.Table:
    """Return a table of documents with the new ids of some rows."""
    if not renamed:
        return table
    new = dict(renamed)
    ids = [new.get(row, id) for row, id in enumerate(table["id"].to_pylist())]
    return table.set_column(table.column_names.index("id"), "id", pa.array(ids, pa.string()))


def _name_others(id: str, places: Sequence[tuple[str, str, str, int]]) -> list[str]:
    """Return a new id for each place, by its record."""
    seen: Counter[str] = Counter()
    names = []
    for _, record, _, _ in places:
        mark = hashlib.sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        seen[mark] += 1
        names.append(f"{id}#again-{mark}" + (f"-{seen[mark]}" if seen[mark] > 1 else ""))
    return names


def _say(met: Mapping[str, Sequence[object]], progress: Progress) -> None:
    number = sum(map(len, met.values())) - len(met)
    progress.say(
        f"  {count_of(number, 'document')} repeat the id of another, first {min(met)}: one entry in two captures, or "
        "keys of `items` that are not unique. The latest capture keeps the id"
    )
