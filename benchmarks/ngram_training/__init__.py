"""Train a model of two classes over hashed n-grams (`filters.korean.ngram_model`), and cross-validate it.

Logistic regression with a ridge, solved by Newton's method on the products of the texts: no chance and no order.
Products are sums in one order and in double precision, and the numbers of the header are rounded, so that the same
texts give the same bytes on every processor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from filters.korean import ngram_model
from malmoi.models import Features, Model, dump_model, write_model

RIDGE = 0.003  # strength of the regularisation; up to 0.1 was tried for spam, recall falls by two in a hundred
Floats = npt.NDArray[np.float64]


class Example(NamedTuple):
    """A text to learn from."""

    writer: str  # or fold: its texts are left out together
    label: str
    features: str  # what the model reads
    is_positive: bool


def train(examples: Sequence[Example], module: str, positives: str, digest: str) -> Model:
    """Train the model that recognises positive texts.

    The header names the `module`, the number of `positives` under their name, and the `digest` of the texts.
    """
    gold, matrix = label_examples(examples), _build_matrix(examples)
    about = {
        "written_by": f"python -m {module} --write",
        "texts": len(examples),
        positives: int(gold.sum()),
        "sha256": digest,
        "lengths": ngram_model.LENGTHS,
    }
    dual, start = _solve((matrix @ matrix.T).toarray(), gold)
    return quantise(matrix.T @ dual, {**about, "start": start})


def cross_validate(examples: Sequence[Example]) -> Floats:
    """Return the score of each text by a model that has seen no text of its writer."""
    gold, matrix = label_examples(examples), _build_matrix(examples)
    products = (matrix @ matrix.T).toarray()
    names = np.array([example.writer for example in examples])
    scores = np.zeros(len(examples))
    for name in sorted(set(names.tolist())):
        seen, unseen = np.flatnonzero(names != name), np.flatnonzero(names == name)
        dual, start = _solve(products[np.ix_(seen, seen)], gold[seen])
        scores[unseen] = products[np.ix_(unseen, seen)] @ dual + start
    return scores


def label_examples(examples: Sequence[Example]) -> Floats:
    """Return 1 for each positive text, else 0."""
    return np.array([float(example.is_positive) for example in examples])


def digest_rows(rows: Iterable[Sequence[object]]) -> str:
    """Return SHA-256 (hex) over rows as lines of JSON."""
    return hashlib.sha256("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()).hexdigest()


def quantise(weights: Floats, about: Mapping[str, object]) -> Model:
    """Return the model with weights of one byte; the largest becomes 127."""
    step = float(np.abs(weights).max()) / 127 or 1.0
    return round_numbers(Model({**about, "step": step}, np.round(weights / step).astype(np.int8)))


def round_numbers(model: Model) -> Model:
    """Return the model with `step` and `start` to six digits: the others depend on the processor."""
    return model._replace(about={**model.about, **{n: float(f"{model.about[n]:.6g}") for n in ("step", "start")}})


def stack_features(features: Sequence[Features], slots: int) -> Any:
    """Return features as the rows of a sparse matrix."""
    bounds = np.cumsum([0, *(len(f.slots) for f in features)])
    columns, values = (np.concatenate(column) for column in zip(*features, strict=True))
    return sp.csr_matrix((values.astype(np.float64), columns.astype(np.int32), bounds), shape=(len(features), slots))


def print_model(model: Model, path: Path | None) -> None:
    """Print what a model was trained on, its size and its digest; write it to `path` if one is given."""
    data = dump_model(model)
    print(f"{model.about}\n{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}")
    if path:
        write_model(model, path)


def _build_matrix(examples: Sequence[Example]) -> Any:
    """Return a row of length 1 for each text, less for the shortest: its different n-grams."""
    rows = []
    for example in examples:
        runs = ngram_model.keep_distinct(ngram_model.runs_of(example.features))
        value = min(1.0, len(runs) / ngram_model.FEWEST) * max(ngram_model.FEWEST, len(runs)) ** -0.5
        rows.append(Features(runs.astype(np.uint32), np.full(len(runs), value, np.float32)))
    return stack_features(rows, ngram_model.SIZE)


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
