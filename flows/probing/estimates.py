"""Estimate totals of a source, and shares of them, from a stratified sample, with intervals.

The estimator is the stratified mean; where the bytes of all units are known, for each quantity the combined ratio
estimator over bytes if that varies less; a share is the ratio of two totals (Cochran, Sampling Techniques, 1977,
chapters 5 and 6). The variance of a ratio is that of its residuals (Taylor linearisation), with the finite population
correction, so that a stratum read as a whole adds none, and with the error of estimated numbers of units.

Lengths of texts are skew: few long ones hold much of a source, and a sample that holds none of them underestimates both
the total and its variance. The interval is therefore the inverse of Hall's cubic transformation, which corrects the
studentised estimate for its skewness (Hall 1992, J. R. Stat. Soc. B 54:221), with quantiles of Student's t; of a share
it is that of its logit (Korn and Graubard, Analysis of Health Surveys, 1999, chapter 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from crawlers.sampling import Stratum

Z = 1.959964  # normal quantile of 0.975: intervals are 95 %
BYTES = "bytes"  # the value of a unit that is the auxiliary variable

Values = Mapping[str, float]  # of one unit: name of a quantity → its value; a missing one is 0
Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A total of the whole source, or a share 0–1 of one, and its interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Return half the width of the interval as a share of the value; 0 for a value of 0."""
        return (self.high - self.low) / 2 / self.value if self.value else 0.0


class Drawn:
    """A sample in strata: the values of the drawn units, by URL.

    A drawn unit without values, such as an address that answered 404, counts as zero.
    """

    def __init__(self, strata: Sequence[Stratum], units: Mapping[str, Values]) -> None:
        self.strata = join_small(strata)
        self._units = units
        self._freedom = max(1, sum(len(one.chosen) - 1 for one in self.strata if len(one.chosen) < one.units))

    def read(self, name: str) -> list[Array]:
        """Return the values of a quantity, an array for each stratum."""
        return [np.array([self._units.get(url, {}).get(name, 0.0) for url in one.chosen]) for one in self.strata]

    def sum(self, values: Sequence[Array]) -> float:
        """Return the estimated total."""
        return float(sum(one.units * row.mean() for one, row in zip(self.strata, values, strict=True)))

    def measure_error(self, values: Sequence[Array]) -> tuple[float, float]:
        """Return the variance and the third central moment of the estimated total."""
        variance = third = 0.0
        for one, row in zip(self.strata, values, strict=True):
            count, share = len(row), min(1.0, len(row) / one.units) if one.units else 1.0
            gap = row - row.mean()
            variance += (one.error * float(row.mean())) ** 2
            if count > 1:
                variance += one.units**2 * (1 - share) * float(gap @ gap) / (count - 1) / count
                third += one.units**3 * (1 - share) * (1 - 2 * share) * float((gap**3).mean()) / count**2
        return variance, third

    def add_interval(self, value: float, values: Sequence[Array]) -> Estimate:
        """Return `value` with its interval; `values` are those, or the residuals, that its error is made of."""
        variance, third = self.measure_error(values)
        if variance <= 0:
            return Estimate(value, value, value)
        error, quantile = math.sqrt(variance), _quantile(self._freedom)
        skewness = third / variance**1.5
        low, high = (value - error * _untransform(one, skewness) for one in (quantile, -quantile))
        return Estimate(value, min(low, value), max(high, value))

    def add_share_interval(self, share: float, residuals: Sequence[Array]) -> Estimate:
        """Return a share 0–1 with its interval, which is symmetric for the logit of the share."""
        spread = share * (1 - share)
        if spread <= 0:
            return Estimate(share, share, share)
        error = math.sqrt(self.measure_error(residuals)[0]) * _quantile(self._freedom) / spread
        middle = math.log(share / (1 - share))
        low, high = (1 / (1 + math.exp(-(middle + one))) for one in (-error, error))
        return Estimate(share, low, high)


def estimate_totals(strata: Sequence[Stratum], units: Mapping[str, Values]) -> dict[str, Estimate]:
    """Return the estimate of each quantity; `units` are the values of the drawn units, by URL.

    >>> whole = [Stratum("files", 10, "counted", ("a", "b"))]
    >>> estimate_totals(whole, {"a": {"chars": 3.0}, "b": {"chars": 5.0}})["chars"].value
    40.0
    """
    drawn = Drawn(strata, units)
    found = {}
    size = drawn.read(BYTES)
    held, read = float(sum(one.bytes for one in drawn.strata)), drawn.sum(size)
    known = all(one.bytes for one in drawn.strata) and read > 0
    for name in sorted({name for values in units.values() for name in values} | {BYTES}):
        values = drawn.read(name)
        seen, total = float(sum(row.sum() for row in values)), drawn.sum(values)
        one = drawn.add_interval(total, values)
        if known:
            residuals = [(row - total / read * other) * held / read for row, other in zip(values, size, strict=True)]
            if drawn.measure_error(residuals)[0] < drawn.measure_error(values)[0]:
                one = drawn.add_interval(total * held / read, residuals)
        found[name] = Estimate(one.value, min(one.value, max(one.low, seen)), one.high)  # the whole holds the sample
    return found


def estimate_shares(
    strata: Sequence[Stratum], units: Mapping[str, Values], prefix: str, whole: str
) -> dict[str, Estimate]:
    """Return the share of `whole` that each quantity has whose name begins with `prefix`.

    >>> units = {"a": {"chars": 4.0, "by: A": 4.0}, "b": {"chars": 12.0, "by: B": 12.0}}
    >>> estimate_shares([Stratum("files", 2, "counted", ("a", "b"))], units, "by: ", "chars")["by: A"].value
    0.25
    """
    drawn = Drawn(strata, units)
    values = drawn.read(whole)
    total, found = drawn.sum(values), {}
    for name in sorted({name for one in units.values() for name in one if name.startswith(prefix)}) if total else ():
        part = drawn.read(name)
        share = drawn.sum(part) / total
        residuals = [(mine - share * all_) / total for mine, all_ in zip(part, values, strict=True)]
        found[name] = drawn.add_share_interval(share, residuals)
    return found


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
        return [one for one in rest if one.chosen]
    chosen = tuple(url for one in small for url in one.chosen)
    if not chosen:
        return rest
    known = sum(one.bytes for one in small) if all(one.bytes for one in small) else 0
    error = math.hypot(*(one.error for one in small))
    joined = Stratum("others", sum(one.units for one in small), "estimated", chosen, known, error)
    return [*(one for one in rest if one.chosen), joined]


def weigh_units(strata: Sequence[Stratum]) -> dict[str, float]:
    """Return how many units of the whole each drawn unit is drawn for."""
    return {url: one.units / len(one.chosen) for one in join_small(strata) for url in one.chosen}


def _quantile(freedom: int) -> float:
    """Return the quantile 0.975 of Student's t, by the expansion of Cornish and Fisher.

    >>> [round(_quantile(one), 2) for one in (5, 20, 200)]
    [2.55, 2.09, 1.97]
    """
    first = (Z**3 + Z) / 4 / freedom
    return Z + first + (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96 / freedom**2


def _untransform(quantile: float, skewness: float) -> float:
    """Return the studentised value that Hall's transformation maps to `quantile`.

    >>> _untransform(2.0, 0.0), round(_untransform(-2.0, 0.2), 2)
    (2.0, -2.4)
    """
    if abs(skewness) < 1e-6:
        return quantile
    return 3 / skewness * (math.cbrt(1 + skewness * (quantile - skewness / 6)) - 1)
