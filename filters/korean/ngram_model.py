"""Linear model over hashed character n-grams: how similar the wording of a text is to that of the training texts.

A list of terms finds only its terms; n-grams of two or three characters also catch endings, signs and parts of
unlisted words. The model is small, has no vocabulary and needs one pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from malmoi.models import Model, load_model

Codes: TypeAlias = npt.NDArray[np.uint32]
Places: TypeAlias = npt.NDArray[np.intp]  # index of a weight for each n-gram of characters, in text order

LENGTHS = (2, 3)  # characters of an n-gram; chosen by the cross-validation in benchmarks/train_spam.py
BITS = 16
SIZE = 1 << BITS  # slots of the hash; the 95,000 different n-grams in the training data of `spam` fill three in four
WINDOW = 400  # code points: the length of the longer training texts
MOST_WINDOWS = 10  # spread over the text: 4,000 code points are enough to classify it
FEWEST = 40  # different n-grams, about 20 code points: with fewer the score shrinks in proportion
_CODES = "utf-32-le"
_MIX, _STIR = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)  # odd, without a pattern: any such pair works
_ORDER = np.arange(3 * WINDOW * MOST_WINDOWS, dtype=np.uint16)  # more than the n-grams of all windows
# Last position of each slot. A call reads only what it wrote itself; filters run in processes, never in threads.
_LAST = np.empty(SIZE, np.uint16)
_HALF, _REST = np.uint32(15), np.uint32(32 - BITS)
_BLANK, _NOUGHT = np.uint32(0x20), np.uint32(0x30)
# All white space and control characters of ASCII become a blank, all digits a 0.
_FOLDED = np.array([_BLANK if c < 0x20 else _NOUGHT if chr(c).isdigit() else c for c in range(0x40)], np.uint32)


def load(path: Path, lengths: tuple[int, ...] = LENGTHS) -> Model:
    """Load a model of `SIZE` weights; its header says their `step`, and the `start` of a score."""
    return load_model(path, (SIZE,), lengths=lengths)


def places(text: str) -> tuple[Places, ...]:
    """Return the slots of the n-grams in `text` for each length; a number is one digit, white space one blank.

    >>> [len(runs) for runs in places("30만  원")], bool((places("3만")[0] == places("72만")[0]).all())
    ([4, 3], True)
    """
    return hash_ngrams(fold_codes(text), LENGTHS)


def fold_codes(text: str) -> Codes:
    """Return the code points of `text` and a blank; a number is one 0, white space one blank.

    >>> "".join(map(chr, fold_codes("30만  원")))
    '0만 원 '
    """
    codes = np.frombuffer(f" {text} ".encode(_CODES, "surrogatepass"), "<u4")
    low = codes < len(_FOLDED)
    codes = np.where(low, _FOLDED.take(codes, mode="clip"), codes)
    same = codes[1:] == codes[:-1]
    same &= (codes[1:] == _NOUGHT) | (codes[1:] == _BLANK)
    kept: Codes = codes[1:][~same]  # the first is a blank, and so is the last
    return kept


def hash_ngrams(codes: Codes, lengths: Sequence[int]) -> tuple[Places, ...]:
    """Return the slots of the n-grams of `codes` for each length, ascending; none where there are fewer codes."""
    found: list[Places] = []
    runs = codes
    for length in range(1, lengths[-1] + 1):
        if length > 1:
            runs = runs[:-1] * _MIX + codes[length - 1 :]
        if length in lengths:
            found.append((((runs ^ (runs >> _HALF)) * _STIR) >> _REST).astype(np.intp))
    return tuple(found)


def runs_of(text: str) -> Places:
    """Return the slots of all n-grams of `text` that a score reads."""
    return np.concatenate(places(_sample_windows(text)))


def keep_distinct(runs: Places) -> Places:
    """Return each slot of `runs` once: repeats do not add evidence.

    >>> keep_distinct(np.array([7, 9, 7])).tolist()
    [9, 7]
    """
    return runs[_is_first_occurrence(runs)]


def _is_first_occurrence(runs: Places) -> npt.NDArray[np.bool_]:
    order = _ORDER[: len(runs)]
    _LAST[runs] = order
    return np.equal(_LAST.take(runs), order)


def score(model: Model, text: str, *, windows: bool = False) -> float:
    """Score the similarity of `text` to the positive training texts; with `windows`, at most that of most windows.

    The sum of the weights of the different n-grams over the square root of their number, so that long and short texts
    compare; 0 is the midpoint. The windows are of about 400 code points, and over half of them reach the returned
    score: what fills less than half of a text never decides. Of a text longer than ten windows ten are read, spread
    evenly.
    """
    found = places(_sample_windows(text))
    whole = _score(model, np.concatenate(found))
    number = min(MOST_WINDOWS, len(found[0]) // WINDOW)
    if not windows or number < 2:
        return whole
    bounds = [len(found[0]) * k // number for k in range(number + 1)]
    parts = (np.concatenate([runs[start:end] for runs in found]) for start, end in pairwise(bounds))
    return min(whole, sorted(_score(model, part) for part in parts)[(number - 1) // 2])


def _sample_windows(text: str) -> str:
    """Return the sampled windows of a long text, separated by line breaks; a shorter text unchanged."""
    if len(text) <= WINDOW * MOST_WINDOWS:
        return text
    starts = [(len(text) - WINDOW) * k // (MOST_WINDOWS - 1) for k in range(MOST_WINDOWS)]
    return "\n".join(text[start : start + WINDOW] for start in starts)


def _score(model: Model, runs: Places) -> float:
    new = _is_first_occurrence(runs)
    # Whole numbers under 2**24: the sum is exact in any order.
    total = float(model.weights.take(runs).astype(np.float32) @ new.astype(np.float32))
    number = int(np.count_nonzero(new))
    evidence = model.about["step"] * total * min(1.0, number / FEWEST) / math.sqrt(max(FEWEST, number))
    return float(model.about["start"] + evidence)
