"""What dropped documents said about their use: the signals of a stage shard as a release may publish them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.releases import excluded_documents
from malmoi.releases.masked_ids import Names
from malmoi.releases.release_inputs import Redact
from malmoi.releases.release_schema import AUDIT
from malmoi.releases.split import redact_row
from malmoi.storage import shard


@dataclass(frozen=True, slots=True)
class Refused:
    """The work of one task: a finished stage shard of any stage, and the file that takes the signals of its drops."""

    folder: Path
    target: Path
    redact: Redact | None = None
    back: tuple[Path, ...] = ()  # tables with the ids of drops that were taken back: those documents speak elsewhere
    names: Names = field(default_factory=dict)  # of the ids that are withheld
    kinds: frozenset[str] = frozenset()  # of finds of the second detector, of which none may be published


def write_dropped_signals(work: Refused) -> Path:
    """Write the signals of the documents that a stage shard dropped: who asked for a text not to be used."""
    source = work.folder / "dropped.parquet"
    table = shard.read(source, ["id", "signals"]) if source.exists() else None
    rows = [] if table is None else exclude_ids(table, work.back).to_pylist()
    said = [(row["id"], signal) for row in rows for signal in row["signals"] or ()]
    found = [
        _mask_signal(row, work.names[id]) if id in work.names else row
        for id, signal in said
        for row in [redact_row(signal, id, work.redact)]
    ]
    work.target.parent.mkdir(parents=True, exist_ok=True)
    signals = pa.Table.from_pylist(found, AUDIT["signals"])
    pq.write_table(excluded_documents.blank_rows(signals, work.kinds), work.target)
    return work.target


def _mask_signal(signal: dict[str, Any], name: str) -> dict[str, Any]:
    """A signal of a document whose id is withheld: neither its place nor its record, which lead to the page."""
    return {**signal, "id": name, "place": "", "record": ""}


def exclude_ids(table: pa.Table, back: Sequence[Path]) -> pa.Table:
    """The rows of `table` but for those whose `id` stands in one of the tables `back`."""
    if not back or not table.num_rows:
        return table
    ids = pa.concat_tables([shard.read(path, ["id"]) for path in back]).column("id")
    return table.filter(pc.invert(pc.is_in(table.column("id"), value_set=ids)))
