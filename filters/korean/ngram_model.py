"""A linear model over hashed runs of characters: how much the wording of a text is like that of the texts it was shown.

A list of terms knows what is on it; runs of two or three characters also know endings, signs and
half of a word that nobody listed. The model is small, has no vocabulary and is read in one pass.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from malmoi.canonical_json import spell_on_one_line

Places: TypeAlias = npt.NDArray[np.intp]  # a place among the weights for each run of characters, in their order

LENGTHS = (2, 3)  # characters of a run; the choice of the cross-validation in benchmarks/train_spam.py
BITS = 16
SIZE = 1 << BITS  # places of the hash; the 95,000 different runs that `spam` was shown fill three in four of them
WINDOW = 400  # code points: the length of the longer texts the models were shown
MOST_WINDOWS = 10  # spread over the text: with 4,000 code points it has said what it is
FEWEST = 40  # different runs, about 20 code points: fewer say little, and weigh less by as much as they are fewer
_CODES = "utf-32-le"
_MIX, _STIR = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)  # odd, without a pattern: any such pair would do
_ORDER = np.arange(3 * WINDOW * MOST_WINDOWS, dtype=np.uint16)  # more than the runs of all windows
# Where each place was seen last. A call reads only what it wrote itself; filters run in processes, never in threads.
_LAST = np.empty(SIZE, np.uint16)
_HALF, _REST = np.uint32(15), np.uint32(32 - BITS)
_BLANK, _NOUGHT = np.uint32(0x20), np.uint32(0x30)
# All white space and control characters of ASCII are a blank, all digits a nought.
_FOLDED = np.array([_BLANK if c < 0x20 else _NOUGHT if chr(c).isdigit() else c for c in range(0x40)], np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Weights of the places, one step of a weight, what a text starts from, and the header of their file."""

    weights: npt.NDArray[np.int8]
    step: float
    start: float
    about: dict[str, Any]


@lru_cache(maxsize=8)
def load(path: Path) -> Model:
    """The model in a file of one line of JSON (`step`, `start`, and where it comes from) and `SIZE` signed bytes."""
    head, _, data = path.read_bytes().partition(b"\n")
    about = json.loads(head)
    if len(data) != SIZE or tuple(about["lengths"]) != LENGTHS:
        raise ValueError(f"{path.name}: not the weights this version reads; write them anew with {about['written_by']}")
    return Model(np.frombuffer(data, np.int8), float(about["step"]), float(about["start"]), about)


def dump(model: Model) -> bytes:
    """The bytes of the file of a model."""
    about = {**model.about, "lengths": LENGTHS, "step": model.step, "start": model.start}
    return spell_on_one_line(about).encode() + b"\n" + model.weights.tobytes()


def quantise_model(weights: npt.NDArray[np.float64], start: float, about: dict[str, Any]) -> Model:
    """A model whose weights are held in a byte each; the largest becomes 127."""
    step = float(np.abs(weights).max()) / 127 or 1.0
    return Model(np.round(weights / step).astype(np.int8), step, start, about)


def places(text: str) -> tuple[Places, ...]:
    """For each length the places of the runs in `text`; a number is one digit, white space one blank.

    >>> [len(runs) for runs in places("30만  원")], bool((places("3만")[0] == places("72만")[0]).all())
    ([4, 3], True)
    """
    codes = np.frombuffer(f" {text} ".encode(_CODES, "surrogatepass"), "<u4")
    low = codes < len(_FOLDED)
    codes = np.where(low, _FOLDED.take(codes, mode="clip"), codes)
    same = codes[1:] == codes[:-1]
    same &= (codes[1:] == _NOUGHT) | (codes[1:] == _BLANK)
    codes = codes[1:][~same]  # the first is a blank, and so is the last
    found: list[Places] = []
    runs = codes
    for length in range(2, LENGTHS[-1] + 1):
        runs = runs[:-1] * _MIX + codes[length - 1 :]
        if length in LENGTHS:
            found.append((((runs ^ (runs >> _HALF)) * _STIR) >> _REST).astype(np.intp))
    return tuple(found)


def runs_of(text: str) -> Places:
    """The places of all runs of `text` that a score looks at."""
    return np.concatenate(places(_sample_windows(text)))


def keep_distinct(runs: Places) -> Places:
    """Each place of `runs` one time: what is said ten times is said.

    >>> keep_distinct(np.array([7, 9, 7])).tolist()
    [9, 7]
    """
    return runs[_is_first_occurrence(runs)]


def _is_first_occurrence(runs: Places) -> npt.NDArray[np.bool_]:
    order = _ORDER[: len(runs)]
    _LAST[runs] = order
    return np.equal(_LAST.take(runs), order)


def score(model: Model, text: str, *, windows: bool = False) -> float:
    """How much `text` is like the texts to be found; with `windows` no more than most of its windows are.

    The sum of the weights of the different runs over the square root of their number, so that long and
    short texts compare; 0 is halfway. The windows are of about 400 code points, and over half of them
    reach the answer: what fills less than half of a text never decides. Of a text longer than ten
    windows ten are looked at, spread evenly.
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
    """The windows to look at of a long text, one below the other; a shorter text as it is."""
    if len(text) <= WINDOW * MOST_WINDOWS:
        return text
    starts = [(len(text) - WINDOW) * k // (MOST_WINDOWS - 1) for k in range(MOST_WINDOWS)]
    return "\n".join(text[start : start + WINDOW] for start in starts)


def _score(model: Model, runs: Places) -> float:
    new = _is_first_occurrence(runs)
    # Whole numbers under 2**24: the sum is exact in any order.
    total = float(model.weights.take(runs).astype(np.float32) @ new.astype(np.float32))
    number = int(np.count_nonzero(new))
    return model.start + model.step * total * min(1.0, number / FEWEST) / math.sqrt(max(FEWEST, number))
