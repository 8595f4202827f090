"""Train a model of several labels (`malmoi.models`), calibrated on groups left out.

Multinomial logistic regression with L2 regularisation. There are fewer texts than features, so it is solved in the
space that the texts span: the Cholesky factor of their products takes the place of the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.optimize import minimize, minimize_scalar

from malmoi.models import Model

STEPS: Final = 120

Array = npt.NDArray[np.float64]


class Rows(NamedTuple):
    """Texts and their parts as rows of features, with labels, weight, and the index of their text."""

    features: Any  # sparse, a column for each slot
    gold: Array  # a column for each label; each row adds up to 1
    weight: Array
    owner: npt.NDArray[np.intp]


class Solution(NamedTuple):
    """Weights of slots and the bias, a column for each label."""

    slots: Array
    bias: Array


def balance(rows: Rows) -> Array:
    """Return the weights of rows, scaled so that each label weighs the same."""
    total = rows.weight @ rows.gold
    return np.asarray(rows.weight * (rows.gold @ (total.sum() / np.count_nonzero(total) / np.maximum(total, 1e-9))))


def choose_rows(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Return the rows where `chosen` is true."""
    at = np.flatnonzero(chosen)
    return Rows(rows.features[at], rows.gold[at], rows.weight[at], rows.owner[at])


def solve(rows: Rows, strength: float) -> Solution:
    """Return the weights with the least loss; `strength` is the inverse of the L2 penalty."""
    size, labels = rows.gold.shape
    products = (rows.features @ rows.features.T).toarray()
    factor = np.linalg.cholesky(products + 1e-4 * np.eye(size)).astype(np.float32)  # single precision: half the time
    turned = np.ascontiguousarray(factor.T)
    gold, weight = rows.gold.astype(np.float32), balance(rows)[:, None].astype(np.float32)

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
    return Solution(np.asarray(rows.features.T @ dual), found.x[-labels:])


def score(solution: Solution, rows: Rows) -> Array:
    """Return the sum of weights of each row and label."""
    return np.asarray(rows.features @ solution.slots + solution.bias, np.float64)


def leave_groups_out(rows: Rows, groups: Sequence[str], strength: float) -> tuple[npt.NDArray[np.intp], Array]:
    """Return the rows of texts (not of parts), and their sums by a model that no text of their group trained.

    `groups` has a group for each text: its writer.
    """
    names = np.array(groups)[rows.owner]
    whole = np.flatnonzero(np.diff(rows.owner, prepend=-1))
    sums = np.zeros(rows.gold.shape)
    for name in dict.fromkeys(names.tolist()):
        asked = np.intersect1d(whole, np.flatnonzero(names == name))
        solution = solve(choose_rows(rows, names != name), strength)
        sums[asked] = score(solution, choose_rows(rows, np.isin(np.arange(len(names)), asked)))
    return whole, sums[whole]


def find_temperature(sums: Array, gold: Array) -> float:
    """Return the number by which sums are divided so that their probabilities fit the labels best."""

    def measure(logarithm: float) -> float:
        scaled = sums / np.exp(logarithm)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - (scaled * gold).sum(axis=1)))

    return round(float(np.exp(minimize_scalar(measure, bounds=(-2.0, 2.0), method="bounded").x)), 2)


def compute_chances(sums: Array, temperature: float) -> Array:
    """Return the probabilities of the labels, a row for each text."""
    scaled = sums / temperature
    likely = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def quantise(solution: Solution, labels: tuple[str, ...], temperature: float, about: dict[str, Any]) -> Model:
    """Return the model with weights as roots of one byte, with their sign."""
    unit = float(f"{np.abs(solution.slots).max() / 127**2:.4g}")
    roots = np.clip(np.rint(np.sqrt(np.abs(solution.slots) / unit)), 0, 127) * np.sign(solution.slots)
    bias = [round(float(value), 3) for value in solution.bias]
    about = {**about, "labels": labels, "unit": unit, "bias": bias, "temperature": temperature}
    return Model(about, roots.astype(np.int8))
