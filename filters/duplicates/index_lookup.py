"""Look up near duplicates of a text in the deduplication index: compare its signature with the rows of a segment.

The lookup has no false negatives: signatures that agree in at least `least` values differ in at most
PERMUTATIONS - `least` others; with one band more than that, at least one band is equal in both. Documents that share
a band are compared value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.minhash.bands import Banding
from filters.duplicates.minhash.duplicate_schema import I64, U64, numbers, signatures_in
from filters.duplicates.minhash.similarity import SHORT, Limits, limits
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32, letters_of, signatures
from malmoi.errors import CallError

COLUMNS = ("id", "release", "version", "letters", "signature")
PAIRS = 65_536  # compared at once: 64 MB
_K = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier (2^64 / golden ratio)


@dataclass(frozen=True, slots=True)
class Texts:
    """Query texts: their signatures, shape (texts, PERMUTATIONS), and the number of letters and digits of each."""

    signatures: U32
    letters: I64

    @staticmethod
    def from_strings(texts: Sequence[str]) -> Texts:
        """Compute the sketches of plain texts."""
        return Texts(signatures(texts), np.array([len(letters_of(text)) for text in texts], np.int64))

    @staticmethod
    def from_arrow(rows: pa.Table) -> Texts:
        """Read the sketches from rows of a segment."""
        return Texts(signatures_in(rows.column("signature")), numbers(rows.column("letters")))


@dataclass(frozen=True, slots=True)
class NearCopy:
    """A published document that is a near copy of the text with the number `text`, by estimated Jaccard similarity."""

    text: int
    id: str
    release: str
    version: str
    similarity: float


def find_near_copies(documents: Path, texts: Texts, threshold: float) -> Iterator[NearCopy]:
    """Yield the rows of a segment's `documents.parquet` that are near copies of one of `texts`, in file order.

    `threshold` is an estimated Jaccard similarity; it is at least 0.9 if text or row has under 300 letters and
    digits. Without letters a text has no near copy. CallError if the file has no signatures.
    """
    bounds = limits(threshold)
    cut = exhaustive_banding(bounds[0].least)
    known = [_sort_keys(texts.signatures, band * cut.rows, cut.rows) for band in range(cut.bands)]
    with pq.ParquetFile(documents) as file:
        if not set(COLUMNS) <= set(file.schema_arrow.names):
            raise CallError(f"{documents}: has no signatures; only segments of the survey `copies` can be queried.")
        for number in range(file.metadata.num_row_groups):
            rows = file.read_row_group(number, columns=list(COLUMNS))
            held = Texts.from_arrow(rows)
            names = rows.select(["id", "release", "version"])
            for row, text, agree in _find_agreeing(held, texts, *_candidates(held.signatures, known, cut), bounds):
                said = {name: names.column(name)[row].as_py() for name in names.column_names}
                yield NearCopy(text=text, similarity=agree / PERMUTATIONS, **said)


def exhaustive_banding(least: int) -> Banding:
    """Return a banding in which two signatures that agree in `least` values always share a band.

    >>> exhaustive_banding(103)
    Banding(bands=26, rows=4)
    """
    bands = PERMUTATIONS - least + 1
    return Banding(bands, PERMUTATIONS // bands)


def _sort_keys(texts: U32, first: int, rows: int) -> tuple[U64, I64]:
    found = _keys(texts, first, rows)
    order = np.argsort(found, kind="stable")
    return found[order], order


def _keys(signatures: U32, first: int, rows: int) -> U64:
    """Hash the band of `rows` values from `first` on; a hash collision only costs a comparison."""
    key = np.zeros(len(signatures), np.uint64)
    for value in range(first, first + rows):
        key = (key ^ signatures[:, value]) * _K
        key ^= key >> np.uint64(32)
    return key


def _candidates(rows: U32, known: Sequence[tuple[U64, I64]], cut: Banding) -> tuple[I64, I64]:
    """Return the distinct pairs (row, text) that share a band, sorted."""
    width = len(known[0][0])
    found = [np.empty(0, np.int64)]
    for band, (sorted_keys, order) in enumerate(known):
        own = _keys(rows, band * cut.rows, cut.rows)
        low, high = (np.searchsorted(sorted_keys, own, side) for side in ("left", "right"))
        many = high - low
        row = np.repeat(np.arange(len(own)), many)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        found.append(np.unique(row * width + order[low[row] + nth]))
    both = np.unique(np.concatenate(found))
    return both // max(width, 1), both % max(width, 1)


def _find_agreeing(
    held: Texts, texts: Texts, row: I64, text: I64, bounds: tuple[Limits, Limits]
) -> Iterator[tuple[int, int, int]]:
    """Yield (row, text, number of equal values) of the candidates that reach the threshold."""
    usual, short = bounds
    for at in range(0, len(row), PAIRS):
        i, j = row[at : at + PAIRS], text[at : at + PAIRS]
        agree = (held.signatures[i] == texts.signatures[j]).sum(axis=1)
        least = np.minimum(held.letters[i], texts.letters[j])
        enough = (least > 0) & (agree >= np.where(least < SHORT, short.least, usual.least))
        yield from zip(i[enough].tolist(), j[enough].tolist(), agree[enough].tolist(), strict=True)
