"""`python -m benchmarks.register_model.train [--write]`: train the model that labels the register of a text.

Multinomial logistic regression with L2 regularisation. There are fewer texts than n-grams, so it is solved in the space
that the texts span: the Cholesky factor of their products takes the place of the features. Temperature comes from
scores of texts whose writer did not train.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from scipy.optimize import minimize, minimize_scalar

from benchmarks.register_model.corpus import Text, compute_rows, read_texts
from filters.register import KINDS
from filters.register_rules.features import BITS, Features
from filters.register_rules.model import MODEL, NONE, Model, dump_model

LABELS: Final = (NONE, *KINDS)
STRENGTH: Final = 30.0  # inverse of the L2 penalty; by leaving one writer out, like PART_WEIGHT
PART_WEIGHT: Final = 0.5  # of a part of a text beside a whole text
STEPS: Final = 120

Array = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """Texts and their parts as rows of n-grams, with label, weight, and the index of their text."""

    grams: Any  # sparse, 2 * 2**BITS columns
    label: npt.NDArray[np.intp]
    weight: Array
    owner: npt.NDArray[np.intp]


class Solution(NamedTuple):
    """Weights of n-grams and the bias, a column for each label."""

    grams: Array
    bias: Array


def build_rows(texts: Sequence[Text]) -> Rows:
    """Analyse texts and their parts; labels weigh the same, however many texts they have (`balance`)."""
    features, owner, weight = list[Features](), list[int](), list[float]()
    for number, text in enumerate(texts):
        rows = compute_rows(text)
        features += rows
        owner += [number] * len(rows)
        weight += [1.0] + [PART_WEIGHT] * (len(rows) - 1)
    label = np.array([LABELS.index(texts[i].register) for i in owner])
    return Rows(_stack(features), label, np.array(weight), np.array(owner))


def _stack(features: Sequence[Features]) -> Any:
    bounds = np.cumsum([0, *(len(f.slots) for f in features)])
    slots, values = (np.concatenate(column) for column in zip(*features, strict=True))
    return sp.csr_matrix((values.astype(np.float64), slots.astype(np.int32), bounds), shape=(len(features), 2 << BITS))


def balance(rows: Rows) -> Array:
    """Return the weights of rows, scaled so that each label weighs the same."""
    total = np.bincount(rows.label, rows.weight, minlength=len(LABELS))
    return np.asarray(rows.weight * (total.sum() / np.count_nonzero(total)) / total[rows.label], np.float64)


def choose_rows(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Return the rows where `chosen` is true."""
    at = np.flatnonzero(chosen)
    return Rows(rows.grams[at], rows.label[at], rows.weight[at], rows.owner[at])


def solve(rows: Rows, strength: float = STRENGTH) -> Solution:
    """Return the weights with the least loss."""
    size, labels = len(rows.label), len(LABELS)
    products = (rows.grams @ rows.grams.T).toarray()
    factor = np.linalg.cholesky(products + 1e-4 * np.eye(size)).astype(np.float32)  # single precision: half the time
    turned = np.ascontiguousarray(factor.T)
    gold, weight = np.eye(labels, dtype=np.float32)[rows.label], balance(rows)[:, None].astype(np.float32)

    def measure(flat: Array) -> tuple[float, Array]:
        inner, bias = flat[:-labels].reshape(size, labels).astype(np.float32), flat[-labels:].astype(np.float32)
        sums = factor @ inner + bias
        sums -= sums.max(axis=1, keepdims=True)
        likely = np.exp(sums)
        total = likely.sum(axis=1, keepdims=True)
        loss = float((weight * gold * (np.log(total) - sums)).sum() + (flat[:-labels] ** 2).sum() / (2 * strength))
        error = (likely / total - gold) * weight
        slope = np.concatenate(((turned @ error + inner / np.float32(strength)).ravel(), error.sum(axis=0)))
        return loss, slope.astype(np.float64)

    found = minimize(measure, np.zeros((size + 1) * labels), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    dual = solve_triangular(factor, found.x[:-labels].reshape(size, labels), trans="T", lower=True)
    return Solution(np.asarray(rows.grams.T @ dual), found.x[-labels:])


def score(solution: Solution, rows: Rows) -> Array:
    """Return the sum of weights of each row and label."""
    return np.asarray(rows.grams @ solution.grams + solution.bias, np.float64)


def leave_writers_out(texts: Sequence[Text], rows: Rows) -> tuple[npt.NDArray[np.intp], Array]:
    """Return the rows of texts (not of parts), and their sums by a model that no text of their writer trained."""
    writers = np.array([text.writer for text in texts])[rows.owner]
    whole = np.flatnonzero(np.diff(rows.owner, prepend=-1))
    sums = np.zeros((len(rows.owner), len(LABELS)))
    for writer in dict.fromkeys(writers.tolist()):
        asked = np.intersect1d(whole, np.flatnonzero(writers == writer))
        solution = solve(choose_rows(rows, writers != writer))
        sums[asked] = score(solution, choose_rows(rows, np.isin(np.arange(len(writers)), asked)))
    return whole, sums[whole]


def find_temperature(sums: Array, label: npt.NDArray[np.intp]) -> float:
    """Return the number by which sums are divided so that their probabilities fit the labels best."""

    def measure(logarithm: float) -> float:
        scaled = sums / np.exp(logarithm)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(label)), label]))

    return round(float(np.exp(minimize_scalar(measure, bounds=(-2.0, 2.0), method="bounded").x)), 2)


def quantise(solution: Solution, temperature: float, about: dict[str, Any]) -> Model:
    """Return the model with weights that are squares of whole numbers up to 127, with their sign."""
    unit = float(f"{np.abs(solution.grams).max() / 127**2:.4g}")
    roots = np.clip(np.rint(np.sqrt(np.abs(solution.grams) / unit)), 0, 127) * np.sign(solution.grams)
    weights = (roots * np.abs(roots)).astype(np.int16)
    bias = np.round(solution.bias, 3).astype(np.float32)
    return Model(LABELS, weights, unit, bias, temperature, about)


def train() -> Model:
    """Train on all texts but the held-out ones."""
    texts = [text for text in read_texts() if text.part != "held-out"]
    rows = build_rows(texts)
    whole, sums = leave_writers_out(texts, rows)
    about = {
        "written_by": "python -m benchmarks.register_model.train --write",
        "texts": len(texts),
        "rows": len(rows.label),
        "writers": dict(Counter(text.writer for text in texts)),
    }
    return quantise(solve(rows), find_temperature(sums, rows.label[whole]), about)


def main(argv: list[str] | None = None) -> int:
    """Train, and write the model if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {MODEL.name}")
    parser.add_argument("--to", type=Path, default=MODEL)
    options = parser.parse_args(argv)
    model = train()
    data = dump_model(model)
    print(f"{model.about} temperature {model.temperature}")
    print(f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}")
    if options.write:
        options.to.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
