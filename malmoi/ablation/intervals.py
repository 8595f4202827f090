"""Means with 95 % intervals over seeds and items, and paired differences: a bootstrap that resamples both.

Every input is measured on the same items with the same seeds, so one resample serves all inputs (paired bootstrap;
Efron and Tibshirani 1993; Koehn 2004 for tests of machine translation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESAMPLES = 2_000
MEAN = "mean of sets"  # no name of a set: it has spaces
_AT_ONCE = 100  # resamples computed together


@dataclass(frozen=True, slots=True)
class Measured:
    """One set: the values of each input, shape (inputs, seeds, items), and the weight of each item.

    The result of a set is the sum of the values by the sum of the weights: bits by code points, or passes by pairs.
    """

    values: Floats
    weights: Floats


def compare(sets: Mapping[str, Measured], inputs: Sequence[str]) -> dict[str, Any]:
    """Return for each set, and for the mean of all (MEAN), the result of each input and its difference from the first.

    A result is `{mean, low, high, seeds}`, rounded to five digits; a difference also has `same_sign`: whether all seeds
    agree. The mean of all gives each set the same weight.

    >>> one = Measured(np.array([[[1.0, 3.0]], [[2.0, 4.0]]]), np.array([1.0, 1.0]))
    >>> found = compare({"a": one}, ["x", "y"])
    >>> found["a"]["y"]["mean"], found["a"]["y"]["difference"]["seeds"], found[MEAN]["x"]["mean"]
    (3.0, [1.0], 2.0)
    """
    exact = {name: one.values.sum(2) / one.weights.sum() for name, one in sets.items()}  # (inputs, seeds)
    drawn = {name: _resample(one, place) for place, (name, one) in enumerate(sets.items())}
    exact[MEAN] = np.mean(list(exact.values()), axis=0)
    drawn[MEAN] = np.mean(list(drawn.values()), axis=0)
    return {
        name: {
            given: _describe(exact[name][at], drawn[name][:, at])
            | ({"difference": _compare_to_first(exact[name], drawn[name], at)} if at else {})
            for at, given in enumerate(inputs)
        }
        for name in exact
    }


def _compare_to_first(exact: Floats, drawn: Floats, at: int) -> dict[str, Any]:
    seeds = exact[at] - exact[0]
    same = bool(np.all(seeds > 0) or np.all(seeds < 0))
    return _describe(seeds, drawn[:, at] - drawn[:, 0]) | {"same_sign": same}


def _describe(seeds: Floats, drawn: Floats) -> dict[str, Any]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    numbers = {"mean": float(seeds.mean()), "low": float(low), "high": float(high)}
    return {key: round(value, 5) for key, value in numbers.items()} | {"seeds": [round(float(x), 5) for x in seeds]}


def _resample(one: Measured, number: int) -> Floats:
    """Return the result of each input in each resample, shape (RESAMPLES, inputs); all sets draw the same seeds."""
    _, seeds, items = one.values.shape
    of_seeds = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
    of_items = np.random.default_rng([1, number])
    found = []
    for at in range(0, RESAMPLES, _AT_ONCE):
        drawn = of_items.multinomial(items, np.full(items, 1 / items), _AT_ONCE).astype(float)
        sums = np.einsum("isn,rn->ris", one.values, drawn)
        found.append(np.einsum("ris,rs->ri", sums, of_seeds[at : at + _AT_ONCE]) / (drawn @ one.weights)[:, None])
    return np.concatenate(found)
