"""Find passages of erased texts in other texts: lists, feeds and quotes have the words of a page that is gone.

Texts are compared as values are (letters and digits only, NFKC, case folded), by 64-bit hashes of all windows of 16
letters, with a secret base. Words that kept documents of the source have as well stay: boilerplate, or a copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from malmoi.erasure.value_digests import MIN_LETTERS, Rolling, normalise_value, to_codes

WINDOW = 16  # letters and digits that are hashed together
ALONE = 18  # letters and digits in a row that count if no kept document has them
SHARED = 40  # those that count if kept documents have them too
COMMON = 3  # kept documents from which on words are common: boilerplate, a formula, a heading
MAX_LETTERS = 1 << 24  # of all erased texts of a source that are sought, 8 bytes each
COPY = 0.5  # share of its windows from which on a kept document is a copy, whose words stay published
_SLICE = 1 << 20  # letters that are searched at a time, some 60 bytes each
_OVERLAP = 1 << 10  # more than the longest title
_Marks = npt.NDArray[np.bool_]


class PassageFinder:
    """Finds passages and titles of erased documents in texts, in time that is linear in both."""

    def __init__(self, erased: Iterable[tuple[str, str]]) -> None:
        """`erased` are titles and texts."""
        self._rolling = Rolling(os.urandom(32))
        plain = [(normalise_value(title), normalise_value(text)) for title, text in erased]
        letters = MAX_LETTERS // max(len(plain), 1)  # of many texts the beginnings: that is what lists show
        titles = {title for title, _ in plain if MIN_LETTERS <= len(title) < _OVERLAP}
        texts = [self._rolling.list_hashes(to_codes(text[:letters]), WINDOW) for _, text in plain]
        self._known = {WINDOW: _sort(texts)}
        for size in sorted({len(title) for title in titles}):
            same = [self._rolling.list_hashes(to_codes(one), size) for one in titles if len(one) == size]
            self._known[-size] = _sort(same)  # negative: a title counts as a whole
        self._kept = {size: np.zeros(len(known), np.uint8) for size, known in self._known.items()}

    def __bool__(self) -> bool:
        return any(map(len, self._known.values()))

    def add_kept(self, title: str, text: str) -> None:
        """Count a document that stays: its words may be common to it and to the erased ones."""
        codes = to_codes(normalise_value(f"{title}\n{text}"))
        for size in self._known:
            found = [self._look_up(codes[at : at + _SLICE + _OVERLAP], size) for at in range(0, len(codes), _SLICE)]
            here = np.unique(np.concatenate([places[hits] for places, hits in found] or [np.empty(0, np.int64)]))
            is_copy = size == WINDOW and sum(int(hits.sum()) for _, hits in found) >= COPY * len(codes)
            self._kept[size][here] = COMMON if is_copy else np.minimum(self._kept[size][here] + 1, COMMON)

    def find(self, plain: str) -> _Marks:
        """Return which letters of a normalised text belong to a passage or title, shape (len(plain),)."""
        found = np.zeros(len(plain), np.bool_)
        for at in range(0, len(plain), _SLICE):
            piece = plain[at : at + _SLICE + _OVERLAP]
            found[at : at + len(piece)] |= self._find(piece)
        return found

    def _find(self, plain: str) -> _Marks:
        codes, marks = to_codes(plain), np.zeros(len(plain) + 1, np.int64)
        for size in self._known:
            places, hits = self._look_up(codes, size)
            if not hits.any():
                continue
            kept = self._kept[size][places]
            if size < 0:
                self._mark(marks, hits & (kept < COMMON), -size, -size)
            else:
                self._mark(marks, hits & (kept == 0), size, ALONE)
                self._mark(marks, hits & (kept < COMMON), size, SHARED)
        found: _Marks = np.cumsum(marks)[:-1] > 0
        return found

    def _look_up(self, codes: npt.NDArray[np.uint64], size: int) -> tuple[npt.NDArray[np.int64], _Marks]:
        """Return the place of each window among the known ones, and whether it is one of them."""
        known, hashes = self._known[size], self._rolling.list_hashes(codes, abs(size))
        if not len(known) or not len(hashes):
            return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.bool_)
        places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        hits: _Marks = known[places] == hashes
        return places, hits

    @staticmethod
    def _mark(marks: npt.NDArray[np.int64], hits: _Marks, size: int, least: int) -> None:
        """Add +1 where a run of windows of at least `least` letters begins, and -1 behind its last letter."""
        edges = np.flatnonzero(np.diff(np.concatenate(([0], hits.view(np.int8), [0]))))
        starts, ends = edges[::2], edges[1::2] + size - 1
        long = ends - starts >= least
        np.add.at(marks, starts[long], 1)
        np.add.at(marks, ends[long], -1)


def _sort(hashes: list[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    return np.unique(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
