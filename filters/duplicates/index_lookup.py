"""Look up near duplicates of a text: in a release by 64-byte sketches, in the deduplication index by signatures.

A sketch is hashed bands of the signature. A text and a near copy share at least one with the probability
1 - (1 - s^ROWS)^BANDS, where s is the Jaccard similarity of their shingles: 0.998 at 0.8, 0.95 at 0.7. Candidates are
confirmed by their exact similarity.

The lookup by signatures has no false negatives: those that agree in at least `least` values differ in at most
PERMUTATIONS - `least` others; with one band more than that, at least one band is equal in both. Documents that share
a band are compared value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.bands import KEY_BITS, SHORT, Banding, keys, limits
from filters.duplicates.duplicate_schema import I64, U64, numbers, signatures_in
from filters.duplicates.sketch import PERMUTATIONS, U32, jaccard, letters_of, shingle_hashes, signatures
from malmoi.errors import CallError

BANDS, ROWS = 16, 5  # 4 bytes a band
_BAND = np.dtype("<u4")
_SURPLUS = np.uint64(KEY_BITS - 32)


def sketch_texts(texts: Sequence[str]) -> bytes:
    """Return the sketches of texts, 64 bytes each, joined."""
    found = signatures(texts)
    bands = [(keys(found, band * ROWS, ROWS) >> _SURPLUS).astype(_BAND) for band in range(BANDS)]
    return np.stack(bands, axis=1).tobytes()


def find_candidates(sketches: npt.NDArray[np.uint8], text: str) -> list[int]:
    """Return the rows of `sketches`, shape (n, 64), that share a band with `text`, most shared bands first."""
    if not len(sketches) or not len(letters_of(text)):
        return []
    shared = np.count_nonzero(sketches.view(_BAND) == np.frombuffer(sketch_texts([text]), _BAND), axis=1)
    rows = np.flatnonzero(shared)
    return [int(row) for row in rows[np.argsort(-shared[rows], kind="stable")]]


def measure_similarity(left: str, right: str) -> float:
    """Return the exact Jaccard similarity of the shingles of two texts."""
    return float(jaccard(shingle_hashes(left), shingle_hashes(right)))


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
    usual, short = limits(threshold)
    cut = exhaustive_banding(usual.least)
    known: list[tuple[U64, I64]] = []  # the keys of each band of the texts, sorted, and their texts
    for band in range(cut.bands):
        found = _hash_bands(texts.signatures, band * cut.rows, cut.rows)
        order = np.argsort(found, kind="stable")
        known.append((found[order], order))
    with pq.ParquetFile(documents) as file:
        if not set(COLUMNS) <= set(file.schema_arrow.names):
            raise CallError(f"{documents}: has no signatures; only segments of the survey `copies` can be queried.")
        for number in range(file.metadata.num_row_groups):
            rows = file.read_row_group(number, columns=list(COLUMNS))
            held = Texts.from_arrow(rows)
            names = rows.select(["id", "release", "version"])
            row, text = _candidates(held.signatures, known, cut)
            for at in range(0, len(row), PAIRS):
                i, j = row[at : at + PAIRS], text[at : at + PAIRS]
                agree = (held.signatures[i] == texts.signatures[j]).sum(axis=1)
                least = np.minimum(held.letters[i], texts.letters[j])
                enough = (least > 0) & (agree >= np.where(least < SHORT, short.least, usual.least))
                for of_row, of_text, equal in zip(i[enough], j[enough], agree[enough], strict=True):
                    document = {name: names.column(name)[int(of_row)].as_py() for name in names.column_names}
                    yield NearCopy(text=int(of_text), similarity=int(equal) / PERMUTATIONS, **document)


def exhaustive_banding(least: int) -> Banding:
    """Return a banding in which two signatures that agree in `least` values always share a band.

    >>> exhaustive_banding(103)
    Banding(bands=26, rows=4)
    """
    bands = PERMUTATIONS - least + 1
    return Banding(bands, PERMUTATIONS // bands)


def _hash_bands(signatures: U32, first: int, rows: int) -> U64:
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
        own = _hash_bands(rows, band * cut.rows, cut.rows)
        low, high = (np.searchsorted(sorted_keys, own, side) for side in ("left", "right"))
        many = high - low
        row = np.repeat(np.arange(len(own)), many)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        found.append(np.unique(row * width + order[low[row] + nth]))
    both = np.unique(np.concatenate(found))
    return both // max(width, 1), both % max(width, 1)
