"""Schemas of deduplication: the sketch of a document, pairs of documents, and the table of copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.duplicates.sketch import PERMUTATIONS, U32

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

PAIRS = pa.schema([("left", pa.int64()), ("right", pa.int64()), ("kind", pa.uint8())])
SIGNATURE = pa.binary(PERMUTATIONS * 4)
SKETCH = pa.schema(
    [
        ("id", pa.string()),
        ("h", pa.uint64()),  # H(id): the order in which documents are compared, independent of shards
        ("digest", pa.binary(32)),  # sha256 of the text without white space
        ("letters", pa.int64()),  # letters and digits
        ("rights", pa.int8()),  # 0: the freest
        ("surface", pa.int8()),  # number of surface faults; 0: the cleanest
        ("date", pa.string()),
        ("signature", SIGNATURE),
    ]
)
TABLE = pa.schema(
    [
        ("id", pa.string()),
        ("keeper", pa.string()),
        ("kind", pa.string()),
        ("similarity", pa.float64()),
        ("measured", pa.string()),
        ("reason", pa.string()),
        ("release", pa.string()),
    ]
)
NO, DOUBT, SURE, COPY = 0, 1, 2, 3  # kinds of pairs: COPY by equal digests, the others by signatures

KINDS = ("near", "exact")
MEASURED = ("estimated", "exact")
REASONS = ("rights", "earlier-release", "completeness", "surface", "date", "id")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of places, shape (pairs,) each; `kind` is COPY, SURE or DOUBT. The right document of a COPY is the copy."""

    left: I64
    right: I64
    kind: npt.NDArray[np.uint8]

    @staticmethod
    def from_parts(parts: Sequence[tuple[I64, I64, int]]) -> Pairs:
        """Build pairs from parts (left, right, kind)."""
        left, right = (np.concatenate([np.empty(0, np.int64), *(part[i] for part in parts)]) for i in (0, 1))
        kind = np.repeat(np.array([part[2] for part in parts], np.uint8), [len(part[0]) for part in parts])
        return Pairs(left, right, kind)

    def table(self) -> pa.Table:
        """Return a table of schema PAIRS."""
        return pa.table([self.left, self.right, self.kind], schema=PAIRS)

    @staticmethod
    def from_arrow(batches: Sequence[pa.RecordBatch]) -> Pairs:
        """Build pairs from batches of schema PAIRS."""
        table = pa.Table.from_batches(batches, PAIRS)
        return Pairs(numbers(table["left"]), numbers(table["right"]), np.asarray(table["kind"]))


def signatures_in(column: pa.ChunkedArray | pa.Array) -> U32:
    """Return a column of signatures as a matrix of shape (documents, PERMUTATIONS); zero-copy if it has one chunk."""
    return column_bytes(column).view("<u4").reshape(-1, PERMUTATIONS)


def digests_in(column: pa.ChunkedArray | pa.Array) -> U64:
    """Return a column of digests as a matrix of 64-bit words, shape (documents, 4)."""
    return column_bytes(column).view("<u8").reshape(-1, 4)


def column_bytes(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.uint8]:
    """Return the concatenated bytes of a fixed-width column."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # pyarrow returns a chunked array if there are no chunks
        array = pa.array([], column.type)
    width = array.type.byte_width
    data = array.buffers()[1]
    if data is None:
        return np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8, len(array) * width, array.offset * width)


def numbers(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Return a column of numbers as int64."""
    return np.asarray(column).astype(np.int64, copy=False)
