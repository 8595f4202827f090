"""Publish the signals (opt-outs and notes) of dropped documents, without personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.releases import excluded_documents
from malmoi.releases.masked_ids import Names
from malmoi.releases.published_rows import redact_row
from malmoi.releases.release_inputs import Redact
from malmoi.releases.release_schema import AUDIT
from malmoi.storage import shard
from malmoi.storage.shuffle import name_task


@dataclass(frozen=True, slots=True)
class Refused:
    """A task: a finished shard of any stage, and the output file for the signals of its dropped documents."""

    folder: Path
    target: Path
    redact: Redact | None = None
    names: Names = field(default_factory=dict)  # of masked ids
    kinds: frozenset[str] = frozenset()  # kinds of finds of the second detector that must not be published


@name_task("list signals of dropped documents of shards")
def write_dropped_signals(work: Refused) -> Path:
    """Write the signals of the documents that a stage shard dropped, such as opt-outs; return the file."""
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
    """Mask a signal of a document with a masked id: no place and no record, which lead to the page."""
    return {**signal, "id": name, "place": "", "record": ""}
