"""Results of an ablation: means with 95 % intervals, and the part that a release states."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RESAMPLES = 2_000
MEAN = "mean of sets"  # no name of a set: it has spaces
_AT_ONCE = 100  # resamples computed together


class Measured(NamedTuple):
    """One set: the values of each input, shape (inputs, seeds, items), and the weight of each item.

    The result of a set is the sum of the values by the sum of the weights: bits by code points, or passes by pairs.
    """

    values: Floats
    weights: Floats


def compare(sets: Mapping[str, Measured], inputs: Sequence[str]) -> dict[str, Any]:
    """Return for each set, and for the mean of all (MEAN), the result of each input and its difference from the first.

    A result is `{mean, low, high, seeds}`, rounded to five digits; a difference also has `same_sign`: whether all seeds
    agree. Every input is measured on the same items with the same seeds, so one resample of both serves all inputs
    (paired bootstrap; Efron and Tibshirani 1993; Koehn 2004).

    >>> bits = compare({"a": Measured(np.array([[[1.0, 3.0]], [[2.0, 4.0]]]), np.array([1.0, 1.0]))}, ["x", "y"])
    >>> bits["a"]["y"]["mean"], bits["a"]["y"]["difference"]["seeds"], bits[MEAN]["x"]["mean"]
    (3.0, [1.0], 2.0)
    """
    exact = {name: values.sum(2) / weights.sum() for name, (values, weights) in sets.items()}  # (inputs, seeds)
    drawn = {}  # (RESAMPLES, inputs)
    for number, (name, (values, weights)) in enumerate(sets.items()):
        _, seeds, items = values.shape
        of_seeds = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
        of_items, results = np.random.default_rng([1, number]), []
        for place in range(0, RESAMPLES, _AT_ONCE):
            counts = of_items.multinomial(items, np.full(items, 1 / items), _AT_ONCE).astype(float)
            sums = np.einsum("isn,rn->ris", values, counts)
            weighted = np.einsum("ris,rs->ri", sums, of_seeds[place : place + _AT_ONCE])
            results.append(weighted / (counts @ weights)[:, None])
        drawn[name] = np.concatenate(results)
    exact[MEAN], drawn[MEAN] = (np.mean(list(sets.values()), axis=0) for sets in (exact, drawn))

    def describe(seeds: Floats, resampled: Floats) -> dict[str, Any]:
        numbers = zip(("mean", "low", "high"), (seeds.mean(), *np.percentile(resampled, [2.5, 97.5])), strict=True)
        return {key: round(float(x), 5) for key, x in numbers} | {"seeds": [round(float(x), 5) for x in seeds]}

    table: dict[str, Any] = {}
    for name, of_inputs in exact.items():
        table[name] = {given: describe(of_inputs[i], drawn[name][:, i]) for i, given in enumerate(inputs)}
        for i, given in enumerate(inputs[1:], 1):
            seeds = of_inputs[i] - of_inputs[0]
            table[name][given]["difference"] = describe(seeds, drawn[name][:, i] - drawn[name][:, 0]) | {
                "same_sign": bool(np.all(seeds > 0) or np.all(seeds < 0))
            }
    return table


@dataclass(frozen=True, slots=True)
class Measurement:
    """The bits per character of one input on one held-out set, or their mean over all sets (MEAN)."""

    held_out: str
    input: str
    condition: str  # SQL that selects the documents of the input; "" = all
    bits: float  # mean of all seeds; low and high: its 95 % interval
    low: float
    high: float
    difference: float | None = None  # from the baseline; None for the baseline itself
    difference_low: float | None = None
    difference_high: float | None = None
    same_sign: bool | None = None  # whether the difference has one sign in all seeds


@dataclass(frozen=True, slots=True)
class Ablation:
    """The ablation of one version of a release: the inputs that are this version, and the baseline of the plan."""

    version: str
    root: str  # Merkle root
    method: int  # version of training and measurement (flows/ablation/run.py)
    setting: str
    tokens: int  # that each input gives
    seeds: int
    command: str
    baseline: str  # name of the first input of the plan
    measurements: tuple[Measurement, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of audit/ablation.parquet, one for each held-out set and input."""
        same = {name: getattr(self, name) for name in self.__slots__ if name != "measurements"}
        return [same | asdict(row) for row in self.measurements]


def select_result(facts: Mapping[str, Any], version: str, root: str, names: Collection[str]) -> Ablation:
    """Return of ablation.json what concerns one version of a release, whose inputs are called `names`."""
    baseline, rows = facts["inputs"][0]["name"], []
    for held_out, results in facts["bits"].items():
        for given in facts["inputs"]:
            name = given["name"]
            if name in names or name == baseline:
                result, difference = results[name], results[name].get("difference")
                numbers = (difference[key] for key in ("mean", "low", "high", "same_sign")) if difference else ()
                rows.append(
                    Measurement(held_out, name, given["where"], result["mean"], result["low"], result["high"], *numbers)
                )
    setting, tokens = facts["setting"]["name"], facts["tokens"]["each_input"]
    return Ablation(
        version, root, facts["version"], setting, tokens, facts["seeds"], facts["command"], baseline, tuple(rows)
    )


def parse_result(kept: Mapping[str, Any]) -> Ablation:
    """Return the ablation of a file that the workspace keeps; TypeError or KeyError if it is not one."""
    return Ablation(**{**kept, "measurements": tuple(Measurement(**row) for row in kept["measurements"])})
