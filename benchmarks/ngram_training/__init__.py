"""Train a model of two classes over hashed n-grams (`filters.korean.ngram_model`), and cross-validate it.

Logistic regression with a ridge, solved by Newton's method on the products of the texts: no chance, no order, the same
weights each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from filters.korean import ngram_model
from malmoi.models import Model

RIDGE = 0.003  # strength of the regularisation; up to 0.1 was tried for spam, recall falls by two in a hundred
Floats = npt.NDArray[np.float64]


def train(features: Sequence[str], gold: Floats, about: Mapping[str, object]) -> Model:
    """Train the model that tells texts with these features: `gold` is 1 for a text of the class, else 0."""
    matrix = _build_matrix(features)
    dual, start = _solve((matrix @ matrix.T).astype(np.float64), gold)
    return quantise(matrix.T.astype(np.float64) @ dual, {"lengths": ngram_model.LENGTHS, **about, "start": start})


def quantise(weights: Floats, about: Mapping[str, object]) -> Model:
    """Return the model with weights of one byte; the largest becomes 127."""
    step = float(np.abs(weights).max()) / 127 or 1.0
    return Model({**about, "step": step}, np.round(weights / step).astype(np.int8))


def cross_validate(features: Sequence[str], gold: Floats, groups: Sequence[object]) -> Floats:
    """Return the score of each text by a model that has seen no text of its group (a writer, a fold)."""
    matrix = _build_matrix(features)
    products = (matrix @ matrix.T).astype(np.float64)
    names = np.array(groups)
    found = np.zeros(len(features))
    for name in sorted(set(groups), key=str):
        seen, unseen = np.flatnonzero(names != name), np.flatnonzero(names == name)
        dual, start = _solve(products[np.ix_(seen, seen)], gold[seen])
        found[unseen] = products[np.ix_(unseen, seen)] @ dual + start
    return found


def _build_matrix(features: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return a row of length 1 for each text, less for the shortest: its different n-grams."""
    matrix = np.zeros((len(features), ngram_model.SIZE), np.float32)
    for row, text in zip(matrix, features, strict=True):
        runs = ngram_model.keep_distinct(ngram_model.runs_of(text))
        row[runs] = min(1.0, len(runs) / ngram_model.FEWEST) * max(ngram_model.FEWEST, len(runs)) ** -0.5
    return matrix


def _solve(products: Floats, gold: Floats) -> tuple[Floats, float]:
    """Return the weights of the texts and the bias: Newton's steps of the logistic loss, until nothing moves."""
    size = len(gold)
    scores = np.zeros(size)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-scores))
        curve = np.maximum(chance * (1 - chance), 1e-6)
        system = np.ones((size + 1, size + 1))
        system[:size, :size] = products + np.diag(RIDGE / curve)
        system[size, size] = 0.0
        solved = np.linalg.solve(system, np.append(scores + (gold - chance) / curve, 0.0))
        before, scores = scores, products @ solved[:size] + solved[size]
        if np.abs(scores - before).max() < 1e-6:
            break
    return solved[:size], float(solved[size])
