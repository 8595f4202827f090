"""Score the labels of a text by multinomial logistic regression over sparse features.

`register` and `domain` each have one such model; `benchmarks/ngram_training/softmax.py` trains them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from malmoi.canonical_json import spell_on_one_line

NONE: Final = ""  # the label of a text that has none of the others
WHOLE: Final = 1 << 24  # parts of 1 in which values are counted, as many as single precision has


class Features(NamedTuple):
    """The slots of a text, each once, and their values."""

    slots: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]


class Model(NamedTuple):
    """Weights of each label in units of `unit`, the bias, and the temperature by which sums are divided."""

    labels: tuple[str, ...]  # NONE first
    weights: npt.NDArray[np.int16]  # a row for each slot, a column for each label
    unit: float
    bias: npt.NDArray[np.float32]
    temperature: float
    about: dict[str, Any]


def score_labels(found: Features, model: Model) -> npt.NDArray[np.float64]:
    """Return the probability of each label; they add up to 1."""
    weights = model.weights.take(found.slots, axis=0).astype(np.float64)
    # Whole numbers under 2**53: the sum is exact in any order, so it is the same on every processor.
    products = np.rint(found.values * np.float64(WHOLE)) @ weights / WHOLE
    sums = (products * model.unit + model.bias) / model.temperature
    likely: npt.NDArray[np.float64] = np.exp(sums - np.max(sums))
    return np.asarray(likely / likely.sum())


@cache
def load_model(path: Path, slots: int) -> Model:
    """Load a model from a file of one line of JSON and a row of roots of weights in signed 8 bits for each slot: 5 ms.

    Most weights are small and a few are 200 times as large, so that 8 bits hold the root of a weight, with its sign.
    Raises ValueError if the file has another number of rows than `slots`.
    """
    head, _, data = path.read_bytes().partition(b"\n")
    about = json.loads(head)
    labels = tuple(about.pop("labels"))
    if len(data) != slots * len(labels):
        raise ValueError(f"{path.name}: not weights that this version reads; run {about.get('written_by', 'training')}")
    roots = np.frombuffer(data, np.int8).reshape(slots, len(labels)).astype(np.int16)
    bias = np.array(about.pop("bias"), np.float32)
    unit, temperature = (float(about.pop(name)) for name in ("unit", "temperature"))
    return Model(labels, roots * np.abs(roots), unit, bias, temperature, about)


def dump_model(model: Model) -> bytes:
    """Return the bytes of the file of a model."""
    about = {
        **model.about,
        "labels": list(model.labels),
        "unit": model.unit,
        "bias": [round(float(w), 3) for w in model.bias],
        "temperature": model.temperature,
    }
    roots = np.sign(model.weights) * np.rint(np.sqrt(np.abs(model.weights.astype(np.float64))))
    return spell_on_one_line(about).encode() + b"\n" + roots.astype(np.int8).tobytes()
