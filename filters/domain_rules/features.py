"""Compute what the model of domains reads: the nouns of a text, their syllables, and the scores of the lists of terms.

The lists know the words of a field, the nouns of the training texts what else such texts speak of.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from filters.domain_rules.term_lists import DOMAINS, score_terms
from filters.korean.softmax_model import Features
from malmoi.document import Morphemes

MODEL: Final = Path(__file__).with_name("domain.model")
BITS: Final = 16  # of the slot of a noun or of two syllables
SLOTS: Final = (1 << BITS) + len(DOMAINS)
LIST_WEIGHT: Final = 0.7  # of the lists beside the nouns; by leaving one writer out, like `PAIRS_FROM`
PAIRS_FROM: Final = 2  # code points of a noun that also counts by its pairs of syllables
FEWEST: Final = 30  # a text with fewer nouns and pairs is measured as if it had so many
_NOUNS: Final = frozenset(("NNG", "NNP", "SL", "SH", "XR"))
_NOUNS_KEPT: Final = 20_000  # whose slots are remembered
_LONGEST: Final = 30  # code points of a noun that are read; a longer one is no word


_NO_SLOTS: Final = np.zeros(0, np.uint32)
_NEVER: Final = np.uint32(1 << BITS)  # not the slot of a noun


class _Slots(dict[str, npt.NDArray[np.uint32]]):
    """The slots of each noun, remembered: of itself, and of its pairs of syllables with `<` and `>` as its bounds."""

    def __missing__(self, noun: str) -> npt.NDArray[np.uint32]:
        if len(self) > _NOUNS_KEPT:
            self.clear()
        word = noun[:_LONGEST].lower()
        names = [word]
        if len(word) >= PAIRS_FROM:
            names += [f"#{a}{b}" for a, b in pairwise(f"<{word}>")]
        codes = [crc32(name.encode("utf-8", "replace")) for name in names]
        slots = self[noun] = np.array(codes, np.uint32) % np.uint32(1 << BITS)
        return slots


_SLOTS_OF = _Slots()


def compute_features(found: Morphemes) -> Features:
    """Return the features of a text: each value is the square root of a share of the nouns, or of a score, 0..1."""
    of_nouns = [_SLOTS_OF[form] for form, tag in zip(found.form, found.tag, strict=True) if tag in _NOUNS]
    every = np.sort(np.concatenate((_NO_SLOTS, *of_nouns)))
    starts = np.flatnonzero(np.diff(every, prepend=_NEVER))
    times = np.diff(starts, append=len(every))
    scores = score_terms(found)
    listed = np.array([(1 << BITS) + DOMAINS.index(name) for name in DOMAINS if name in scores], np.uint32)
    heights = np.array([scores[name] for name in DOMAINS if name in scores], np.float32)
    shares = times / max(FEWEST, len(every))
    values = np.concatenate((np.sqrt(shares), np.float32(LIST_WEIGHT) * np.sqrt(heights)))
    return Features(np.concatenate((every[starts], listed)), values.astype(np.float32))
