"""Write documents as JSON lines, in files of a limited size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from malmoi.export.written_files import Place

Compression = Literal["none", "gzip", "zstd"]
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
META = ("title", "date", "author", "source", "url", "license", "use", "attribution", "register", "domain", "quality")
_BREAKS = "\u2028\u2029\x85"  # legal in JSON, but some readers of lines split there


class JsonlFiles:
    """part-00000.jsonl and so on: `id`, `text` and `meta`, or every column of the release."""

    unit = "bytes"  # of the uncompressed file

    def __init__(
        self, folder: Path, columns: Sequence[str], limit: int, compression: Compression = "none", *, flat: bool = False
    ) -> None:
        """`columns` are those of the release; `flat` writes all of them, else `META` goes into the object `meta`."""
        self._meta = [] if flat else [name for name in META if name in columns]
        self.columns = list(columns) if flat else ["id", "text", *self._meta]
        self._folder, self._limit, self._compression = folder, limit, compression
        self._stream: Any = None
        self._name, self._files, self._size = "", 0, 0

    def write(self, table: pa.Table) -> list[Place]:
        """Write one line for each row."""
        found = []
        for batch in table.select(self.columns).to_batches(max_chunksize=1024):
            for row in batch.to_pylist():
                line = self._encode(row)
                if self._stream is None or (self._size and self._size + len(line) > self._limit):
                    self._open_next()
                self._stream.write(line)
                found.append(Place(self._name, self._size, len(line)))
                self._size += len(line)
        return found

    def close(self) -> dict[str, Any]:
        """Close the last file."""
        self._end_file()
        return {"compression": self._compression, "parts": self._files}

    def _encode(self, row: dict[str, Any]) -> bytes:
        if self._meta:
            row = {"id": row["id"], "text": row["text"], "meta": {name: row[name] for name in self._meta}}
        line = json.dumps(row, ensure_ascii=False)
        for char in _BREAKS:
            line = line.replace(char, f"\\u{ord(char):04x}")
        return f"{line}\n".encode()

    def _open_next(self) -> None:
        self._end_file()
        self._name = f"part-{self._files:05}.jsonl{_ENDINGS[self._compression]}"
        self._stream = pa.output_stream(
            str(self._folder / self._name), None if self._compression == "none" else self._compression, 1 << 16
        )
        self._files, self._size = self._files + 1, 0

    def _end_file(self) -> None:
        if self._stream is not None:
            self._stream.close()
