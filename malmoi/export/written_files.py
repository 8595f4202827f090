"""Write documents in the formats of trainers: JSON lines, MDS of MosaicML Streaming, tokens of Megatron-Core."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa

from malmoi.canonical_json import spell_on_one_line
from malmoi.errors import CallError
from malmoi.export.tokenizer import Facts, Tokenizer

PREFIX = "tokens"
_MAGIC = b"MMIDIDX\x00\x00"
_UINT16_BELOW = 65500  # size of the vocabulary from which Megatron-Core takes 32 bits
_BATCH = 2048
_COLUMNS = ("attribution", "domain", "id", "license", "source", "text", "title", "url")  # all are strings
LARGEST = (1 << 32) - (1 << 20)  # starts are 32-bit numbers
Compression = Literal["none", "gzip", "zstd"]
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
META = ("title", "date", "author", "source", "url", "license", "use", "attribution", "register", "domain", "quality")
_BREAKS = "\u2028\u2029\x85"  # legal in JSON, but some readers of lines split there


@dataclass(frozen=True, slots=True)
class Place:
    """Where one document is: a file, and start and length in the unit of the format."""

    file: str
    start: int
    length: int


class Writer(Protocol):
    """Writes documents in the order in which they come."""

    unit: str  # of start and length: bytes or tokens

    @property
    def columns(self) -> Sequence[str]:
        """Columns of the release that the format needs."""
        ...

    def write(self, table: pa.Table) -> list[Place]:
        """Write the rows of `table`; return the place of each."""
        ...

    def close(self) -> dict[str, Any]:
        """Finish the files; return facts for export.json."""
        ...


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


class MdsFiles:
    """`index.json` and shards of at most `limit` bytes (shard.00000.mds and so on), one sample a document.

    A shard, little endian: number of samples (u32), start of each sample and end of the last (u32), the JSON of the
    columns, the samples. A sample: the size of each column of variable size (u32), then their values. Columns are
    sorted.
    """

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
                encoded = [(value or "").encode() for value in values]
                sample = np.array([len(value) for value in encoded], "<u4").tobytes() + b"".join(encoded)
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


class MegatronFiles:
    """The pair of files that `--data-path <folder>/tokens` of Megatron-LM names.

    `tokens.bin` holds the token ids of all documents, each followed by the token that ends a document. `tokens.idx` is
    little endian: the magic `MMIDIDX` and two zero bytes, version 1 (u64), code of the number type (u8), number of
    sequences (u64), number of document indices (u64); then the length of each sequence (i32), its start in bytes
    (i64), and the document indices (i64): 0, then the number of sequences up to the end of each document. Here a
    document is one sequence.
    """

    unit = "tokens"
    columns = ("text",)

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        small = tokenizer.facts.vocabulary < _UINT16_BELOW
        self._type: np.dtype[Any] = np.dtype("<u2" if small else "<i4")
        self._code = 8 if small else 4
        self._tokenizer, self._end = tokenizer, np.array([tokenizer.facts.end], self._type)
        self._folder, self._at = folder, 0
        self._lengths: list[int] = []
        self._bin = (folder / f"{PREFIX}.bin").open("wb")

    def write(self, table: pa.Table) -> list[Place]:
        """Write the tokens of each row."""
        found = []
        for batch in table.select(["text"]).to_batches(max_chunksize=_BATCH):
            for tokens in self._tokenizer.encode(batch["text"].to_pylist()):
                self._bin.write(tokens.astype(self._type).tobytes())
                self._bin.write(self._end.tobytes())
                found.append(Place(f"{PREFIX}.bin", self._at, len(tokens) + 1))
                self._lengths.append(len(tokens) + 1)
                self._at += len(tokens) + 1
        return found

    def close(self) -> dict[str, Any]:
        """Close the token file and write its index."""
        self._bin.close()
        lengths = np.array(self._lengths, "<i4")
        starts = (np.cumsum(lengths, dtype=np.int64) - lengths) * self._type.itemsize
        with (self._folder / f"{PREFIX}.idx").open("wb") as file:
            file.write(_MAGIC + struct.pack("<QBQQ", 1, self._code, len(lengths), len(lengths) + 1))
            for numbers in (lengths, starts.astype("<i8"), np.arange(len(lengths) + 1, dtype="<i8")):
                file.write(numbers.tobytes())
        return {"dtype": "uint16" if self._code == 8 else "int32", "tokens_with_ends": self._at}


def refuse_tokenizer(facts: Facts) -> None:
    """Raise CallError if a tokenizer has no token ids, or no token that ends a document."""
    if not facts.vocabulary:
        raise CallError(f"{facts.name} counts and has no token ids; pass --tokenizer bytes or a file.")
    if facts.end is None:
        raise CallError(
            f"{facts.name} has no token that is known to end a document; name one of its vocabulary with --end-token."
        )
