"""What dropped documents said about their use: the signals of a stage shard as a release may publish them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
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
    names: Names = field(default_factory=dict)  # of the ids that are withheld
    kinds: frozenset[str] = frozenset()  # of finds of the second detector, of which none may be published


def write_dropped_signals(work: Refused) -> Path:
    """Write the signals of the documents that a stage shard dropped: who asked for a text not to be used."""
    source = work.folder / "dropped.parquet"
    table = shard.read(source, ["id", "signals"]) if source.exists() else None
    rows = [] if table is None else table.to_pylist()
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
