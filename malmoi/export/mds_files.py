"""Write documents as MDS, the format of MosaicML Streaming: `index.json` and `shard.00000.mds` and so on.

A shard, little endian: number of samples (u32), start of each sample and end of the last (u32), the JSON of the
columns, the samples. A sample: the size of each column of variable size (u32), then their values. Columns are sorted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from malmoi.canonical_json import spell_on_one_line
from malmoi.export.written_files import Place

_COLUMNS = ("attribution", "domain", "id", "license", "source", "text", "title", "url")  # all are strings
LARGEST = (1 << 32) - (1 << 20)  # starts are 32-bit numbers


class MdsFiles:
    """Shards of at most `limit` bytes, one sample a document."""

    unit = "samples"  # of a shard

    def __init__(self, folder: Path, columns: Sequence[str], limit: int) -> None:
        self.columns = [name for name in _COLUMNS if name in columns]
        self._folder, self._limit = folder, min(limit, LARGEST)
        self._facts = {
            "column_encodings": ["str"] * len(self.columns),
            "column_names": self.columns,
            "column_sizes": [None] * len(self.columns),
            "compression": None,
            "format": "mds",
            "hashes": [],
            "size_limit": self._limit,
            "version": 2,
        }
        self._head = spell_on_one_line(self._facts).encode()
        self._samples: list[bytes] = []
        self._size = 0
        self._shards: list[dict[str, Any]] = []

    def write(self, table: pa.Table) -> list[Place]:
        """Add one sample for each row."""
        found = []
        for batch in table.select(self.columns).to_batches(max_chunksize=1024):
            for values in zip(*(batch[name].to_pylist() for name in self.columns), strict=True):
                sample = _encode([(value or "").encode() for value in values])
                if self._samples and self._size + len(sample) + 4 > self._limit:
                    self._end_shard()
                found.append(Place(self._name, len(self._samples), 1))
                self._size += len(sample) + 4 if self._samples else len(sample) + 12 + len(self._head)
                self._samples.append(sample)
        return found

    def close(self) -> dict[str, Any]:
        """Write the last shard and `index.json`."""
        self._end_shard()
        index = json.dumps({"shards": self._shards, "version": 2})
        (self._folder / "index.json").write_text(index, encoding="utf-8")
        return {"shards": len(self._shards)}

    @property
    def _name(self) -> str:
        return f"shard.{len(self._shards):05}.mds"

    def _end_shard(self) -> None:
        count = len(self._samples)
        starts = np.cumsum([4 + 4 * (count + 1) + len(self._head), *map(len, self._samples)]).astype("<u4")
        with (self._folder / self._name).open("wb") as file:
            file.write(np.array([count], "<u4").tobytes() + starts.tobytes() + self._head)
            file.writelines(self._samples)
        raw = {"basename": self._name, "bytes": int(starts[-1]), "hashes": {}}
        self._shards.append({**self._facts, "raw_data": raw, "samples": count, "zip_data": None})
        self._samples, self._size = [], 0


def _encode(values: Sequence[bytes]) -> bytes:
    return np.array([len(value) for value in values], "<u4").tobytes() + b"".join(values)
