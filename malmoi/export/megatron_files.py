"""Write documents as token files of Megatron-Core: `tokens.bin` and `tokens.idx`.

`tokens.bin` holds the token ids of all documents, each followed by the token that ends a document. `tokens.idx` is
little endian: the magic `MMIDIDX` and two zero bytes, version 1 (u64), code of the number type (u8), number of
sequences (u64), number of document indices (u64); then the length of each sequence (i32), its start in bytes (i64), and
the document indices (i64): 0, then the number of sequences up to the end of each document. Here a document is one
sequence.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from malmoi.errors import CallError
from malmoi.export.tokenizer import Facts, Tokenizer
from malmoi.export.written_files import Place

PREFIX = "tokens"
_MAGIC = b"MMIDIDX\x00\x00"
_UINT16_BELOW = 65500  # size of the vocabulary from which Megatron-Core takes 32 bits
_BATCH = 2048


def refuse_tokenizer(facts: Facts) -> None:
    """Raise CallError if a tokenizer has no token ids, or no token that ends a document."""
    if not facts.vocabulary:
        raise CallError(f"{facts.name} counts and has no token ids; pass --tokenizer bytes or a file.")
    if facts.end is None:
        raise CallError(
            f"{facts.name} has no token that is known to end a document; name one of its vocabulary with --end-token."
        )


class MegatronFiles:
    """The pair of files that `--data-path <folder>/tokens` of Megatron-LM names."""

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
