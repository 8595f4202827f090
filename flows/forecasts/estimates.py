"""Estimate totals of a source from a stratified sample, with intervals.

The estimator is the stratified mean; where the bytes of all units are known, for each quantity the combined ratio
estimator over bytes if that varies less (Cochran, Sampling Techniques, 1977, chapter 6). Intervals are percentiles of a
bootstrap over the units of each stratum, shrunk by the finite population correction (Rao and Wu 1988, JASA 83:231), so
that a stratum read as a whole adds no variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crawlers.sampling.drawn import Stratum

ROUNDS = 2_000  # resamples
INTERVAL = 0.95  # share of the resamples inside the interval
BYTES = "bytes"  # the value of a unit that is the auxiliary variable

Values = Mapping[str, float]  # of one unit: name of a quantity → its value; a missing one is 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A total of the whole source, and its interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Return half the width of the interval as a share of the value; 0 for a value of 0."""
        return (self.high - self.low) / 2 / self.value if self.value else 0.0


def estimate_totals(strata: Sequence[Stratum], units: Mapping[str, Values]) -> dict[str, Estimate]:
    """Return the estimate of each quantity; `units` are the values of the drawn units, by URL.

    A drawn unit without values, such as an address that answered 404, counts as zero.

    >>> whole = [Stratum("files", 10, "counted", ("a", "b"))]
    >>> estimate_totals(whole, {"a": {"chars": 3.0}, "b": {"chars": 5.0}})["chars"].value
    40.0
    """
    strata = join_small(strata)
    names = sorted({name for values in units.values() for name in values} | {BYTES})
    known = all(one.bytes for one in strata)
    total = np.zeros(len(names))
    rounds = np.zeros((ROUNDS, len(names)))
    draw = np.random.default_rng(0)
    for one in strata:
        values = np.array([[units.get(url, {}).get(name, 0.0) for name in names] for url in one.chosen])
        count = len(one.chosen)
        mean = values.mean(axis=0)
        total += one.units * mean
        spread = 0.0
        if count > 1 and one.units > count:
            spread = float(np.sqrt((1 - count / one.units) * count / (count - 1)))
        weights = draw.multinomial(count, np.full(count, 1 / count), size=ROUNDS) / count
        rounds += one.units * (mean + spread * (weights @ values - mean))
    if known:
        at, held = names.index(BYTES), sum(one.bytes for one in strata)
        by_bytes = rounds * _ratio(held, rounds[:, at])[:, None]
        better = by_bytes.std(axis=0) < rounds.std(axis=0)
        total = np.where(better, total * _ratio(held, total[at : at + 1]), total)
        rounds = np.where(better, by_bytes, rounds)
    edges = np.quantile(np.maximum(rounds, 0), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], axis=0)
    return {name: Estimate(float(total[at]), float(edges[0, at]), float(edges[1, at])) for at, name in enumerate(names)}


def join_small(strata: Sequence[Stratum]) -> list[Stratum]:
    """Return strata that each have at least two drawn units, or all of theirs: the others are joined into one.

    One unit shows no variance (collapsed strata; Cochran, Sampling Techniques, 1977, chapter 5A), and a stratum of
    which none was drawn is taken to be like the others.
    """
    small = [one for one in strata if len(one.chosen) < min(2, one.units)]
    rest = [one for one in strata if one not in small]
    if small and rest and sum(len(one.chosen) for one in small) < 2:
        small.append(max(rest, key=lambda one: one.units))
        rest.remove(small[-1])
    if not small:
        return rest
    chosen = tuple(url for one in small for url in one.chosen)
    known = sum(one.bytes for one in small) if all(one.bytes for one in small) else 0
    return [
        *rest,
        *([Stratum("others", sum(one.units for one in small), "estimated", chosen, known)] if chosen else []),
    ]


def weigh_units(strata: Sequence[Stratum]) -> dict[str, float]:
    """Return how many units of the whole each drawn unit is drawn for."""
    return {url: one.units / len(one.chosen) for one in join_small(strata) for url in one.chosen}


def _ratio(held: float, estimated: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(held, estimated, out=np.ones_like(estimated), where=estimated > 0)
    return found
