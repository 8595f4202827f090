"""Linear models: the format of their files, and how labels are scored by logistic regression over sparse features.

A file is compressed by Zstandard. It holds the header, one line of JSON (the origin of the model and the numbers beside
its weights), and behind it the weights in the order of their slots. `filters.korean.ngram_model` and
`filters.pii_rules.name_tagger` score by models of other kinds.
"""

from __future__ import annotations

import json
import math
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from malmoi.canonical_json import spell_on_one_line

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NONE: Final = ""  # the label of a text that has none of the others
LEVEL: Final = 19  # of compression; files are read in less than 10 ms at any level
WHOLE: Final = 1 << 24  # parts of 1 in which values are counted, as many as single precision has


class Model(NamedTuple):
    """The header of a file, and its weights."""

    about: dict[str, Any]
    weights: npt.NDArray[np.signedinteger]


class Features(NamedTuple):
    """The slots of a text, each once, and their values."""

    slots: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]


def read_content(path: Path) -> bytes:
    """Return the uncompressed content of a file: versions of filters depend on it, not on its compression."""
    return zstd.decompress(path.read_bytes())


@cache
def load_model(path: Path, shape: tuple[int, ...], dtype: str = "i1", lengths: tuple[int, ...] = ()) -> Model:
    """Load a model once per process; a row of weights belongs to a slot.

    Raises ValueError if the file has another number of weights, or n-grams of other `lengths`.
    """
    header, _, data = read_content(path).partition(b"\n")
    about = json.loads(header)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if len(data) != size or tuple(about.get("lengths", ())) != lengths:
        raise ValueError(f"{path.name}: not weights that this version reads; run {about.get('written_by', 'training')}")
    return Model(about, np.frombuffer(data, dtype).reshape(shape))


def write_model(model: Model, path: Path) -> None:
    """Write a model to a file."""
    path.write_bytes(zstd.compress(dump_model(model), level=LEVEL))


def dump_model(model: Model) -> bytes:
    """Return the uncompressed content of the file of a model."""
    return spell_on_one_line(model.about).encode() + b"\n" + model.weights.tobytes()


def score_labels(features: Features, model: Model) -> npt.NDArray[np.float64]:
    """Return the probability of each label of the header; they add up to 1.

    The model holds the root of each weight in units of `unit`, with its sign: most weights are small and a few are 200
    times as large, so that their roots fit into 8 bits. Sums are divided by `temperature`.
    """
    roots = model.weights.take(features.slots, axis=0).astype(np.float64)
    # Whole numbers under 2**53: the sum is exact in any order, so it is the same on every processor.
    products = np.rint(features.values * np.float64(WHOLE)) @ (roots * np.abs(roots)) / WHOLE
    sums = (products * model.about["unit"] + np.array(model.about["bias"], np.float32)) / model.about["temperature"]
    likely: npt.NDArray[np.float64] = np.exp(sums - np.max(sums))
    return np.asarray(likely / likely.sum())
