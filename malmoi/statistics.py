"""Random samples, and what they say of the whole: draws in strata, totals and shares with 95 % intervals.

The same seed draws the same units, in whatever order they are listed, and a larger sample contains a smaller one: a
unit is chosen by the rank that a hash of its name gives it. A collection writes how it has drawn into its facts, under
FACT, an object:

    how        words: what was read, and what was drawn from it
    of         what the units of the strata are: "files", "records" …
    strata     [{"name", "units", "counted", "chosen": [URL, …], "bytes", "error"}, …]
    parts      captures that belong to the unit of another one, such as files of a record: URL → URL of the unit
    requests   of a whole collection without its parts; absent if each unit is one request
    cpu_seconds, seconds   CPU and time of the requests of the sample, without what every collection takes once

The estimator of a total is the stratified mean; where the bytes of all units are known, for each quantity the combined
ratio estimator over bytes if that varies less; a share is the ratio of two totals (Cochran, Sampling Techniques, 1977,
chapters 5 and 6). The variance of a ratio is that of its residuals (Taylor linearisation), with the finite population
correction, so that a stratum read as a whole adds none, and with the error of estimated numbers of units.

Lengths of texts are skew: few long ones hold much of a source, and a sample that holds none of them underestimates both
the total and its variance. The interval is therefore the inverse of Hall's cubic transformation, which corrects the
studentised estimate for its skewness (Hall 1992, J. R. Stat. Soc. B 54:221), with quantiles of Student's t; of a share
it is that of its logit (Korn and Graubard, Analysis of Health Surveys, 1999, chapter 3). The interval of a rate that
people judge is that of Wilson 1927 (JASA 22:209).
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import heappush, heappushpop, nsmallest
from itertools import accumulate
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np

FACT = "sample"
STRATA = 8  # of units with a known size
LEAST = 12  # units of a sample for each of these strata
Z = 1.959964  # normal quantile of 0.975: intervals are 95 %
BYTES = "bytes"  # the value of a unit that is the auxiliary variable

T = TypeVar("T")
Counted: TypeAlias = Literal["counted", "estimated", "at least"]  # what the number of units is
Values: TypeAlias = Mapping[str, float]  # of one unit: name of a quantity → its value; a missing one is 0
Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample that is asked for: how many units, and the seed of the draw."""

    size: int
    seed: str = "0"

    def rank(self, name: str) -> int:
        """Return the rank of a unit, 0 to 2**64 - 1; the units with the lowest ranks are chosen."""
        return int.from_bytes(
            hashlib.blake2b(f"{self.seed}\n{name}".encode("utf-8", "replace"), digest_size=8).digest()
        )

    def choose(self, names: Iterable[str], count: int | None = None) -> list[str]:
        """Return `count` of the names (default: the size of the sample), lowest rank first.

        >>> Sample(2).choose(["a", "b", "c"]) == Sample(2).choose(["c", "b", "a"]) == Sample(3).choose("abc")[:2]
        True
        """
        return nsmallest(self.size if count is None else count, names, key=self.rank)


class Lowest(Generic[T]):
    """The units with the lowest ranks among those that are added; in memory are only those that may still be chosen."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.added = 0
        self._held: list[tuple[int, int, T]] = []  # a heap with the highest rank first

    def add(self, rank: int, unit: T) -> None:
        """Add a unit; of equal ranks the earlier one is lower."""
        entry = (-rank, -self.added, unit)
        self.added += 1
        if len(self._held) < self.count:
            heappush(self._held, entry)
        elif self._held and entry[:2] > self._held[0][:2]:
            heappushpop(self._held, entry)

    def units(self) -> list[T]:
        """Return the chosen units, in the order in which they were added."""
        return [unit for _, _, unit in sorted(self._held, key=lambda entry: -entry[1])]


@dataclass(frozen=True, slots=True)
class Stratum:
    """Units of one kind or size, and those of them that were chosen."""

    name: str
    units: float  # in the whole source
    counted: Counted
    chosen: tuple[str, ...]  # URLs
    bytes: int = 0  # of all units; 0 if they are unknown
    error: float = 0.0  # standard error of the number of units


def draw_by_size(sample: Sample, sizes: Mapping[str, int]) -> list[Stratum]:
    """Draw from units with known sizes (name → bytes), as `draw_stream`.

    >>> sizes = {f"{n:03}": 1 for n in range(98)} | {"x": 98}
    >>> [(stratum.units, len(stratum.chosen)) for stratum in draw_by_size(Sample(24), sizes)]
    [(98, 23), (1, 1)]
    """
    return draw_stream(sample, sizes.items, lambda unit: unit[0], lambda unit: unit[1])[0]


def draw_stream(
    sample: Sample, read: Callable[[], Iterable[T]], name_of: Callable[[T], str], size_of: Callable[[T], int]
) -> tuple[list[Stratum], list[T]]:
    """Draw from units with known sizes in strata of nearly equal total size; `read` is called twice.

    Equal shares of the sample from strata of equal total size is close to the best allocation for quantities that grow
    with the size (equal aggregate size; Cochran, Sampling Techniques, 1977, chapter 5A). The few largest units are all
    chosen. Return the strata, smallest sizes first, and the chosen units in the order of the stream.
    """
    sizes = sorted(map(size_of, read()))
    edges = _cut_by_size(sizes, max(1, min(STRATA, sample.size // LEAST)))
    groups = [Counter[str]() for _ in edges]
    for size in sizes:
        groups[bisect_right(edges, size) - 1].update(units=1, bytes=size)
    rest, lowest = sample.size, dict[int, Lowest[tuple[int, T]]]()
    for done, i in enumerate(sorted(range(len(groups)), key=lambda i: (groups[i]["units"], i))):
        lowest[i] = Lowest(min(groups[i]["units"], -(-rest // (len(groups) - done))))
        rest -= lowest[i].count
    for number, unit in enumerate(read()):
        lowest[bisect_right(edges, size_of(unit)) - 1].add(sample.rank(name_of(unit)), (number, unit))
    strata, chosen = [], list[tuple[int, T]]()
    for i, first in enumerate(edges):
        drawn = lowest[i].units()
        last = sizes[bisect_right(sizes, edges[i + 1] - 1) - 1] if i + 1 < len(edges) else sizes[-1]
        names = tuple(sorted(name_of(unit) for _, unit in drawn))
        name = f"{first:,} to {last:,} bytes"
        strata.append(Stratum(name, groups[i]["units"], "counted", names, groups[i]["bytes"]))
        chosen += drawn
    return strata, [unit for _, unit in sorted(chosen, key=lambda pair: pair[0])]


def _cut_by_size(sizes: Sequence[int], count: int) -> list[int]:
    """Return the smallest size of each of at most `count` groups of nearly equal total size; `sizes` are sorted."""
    total = sum(sizes)
    before = accumulate(sizes, initial=0)
    first: dict[int, int] = {}
    for size, lower in zip(sizes, before, strict=False):
        first.setdefault(min(count - 1, lower * count // total) if total else 0, size)
    return sorted(set(first.values()))


def describe(how: str, of: str, strata: Sequence[Stratum], **more: Any) -> dict[str, Any]:
    """Return the fact of a run about its sample; `of` names its units, `more` are the other keys of the fact."""
    return {FACT: {"how": how, "of": of, "strata": [asdict(stratum) for stratum in strata], **more}}


def read_strata(facts: Mapping[str, Any]) -> tuple[str, list[Stratum]]:
    """Return how the sample of a run was drawn, and its strata; ("", []) if the run drew none."""
    fact = facts.get(FACT) or {"how": "", "strata": []}
    return fact["how"], [Stratum(**{**row, "chosen": tuple(row["chosen"])}) for row in fact["strata"]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A total of the whole, or a share 0–1 of one, and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Return half the width of the interval as a share of the value; 0 for a value of 0."""
        return (self.high - self.low) / 2 / self.value if self.value else 0.0


def estimate_rate(rate: float, n: float) -> Estimate:
    """Return a rate 0–1 with Wilson's interval for a sample of `n` documents; `n` > 0. Rounded to four decimals.

    >>> estimate_rate(0.06, 50)
    Estimate(value=0.06, low=0.0206, high=0.1622)
    """
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(max(0.0, rate * (1 - rate)) / n + Z**2 / (4 * n * n))
    return Estimate(round(rate, 4), max(0.0, round(middle - half, 4)), min(1.0, round(middle + half, 4)))


class Drawn:
    """A sample in strata: the values of the drawn units, by URL.

    A drawn unit without values, such as an address that answered 404, counts as zero.
    """

    def __init__(self, strata: Sequence[Stratum], units: Mapping[str, Values]) -> None:
        self.strata = join_small(strata)
        self._units = units
        self._freedom = max(1, sum(len(s.chosen) - 1 for s in self.strata if len(s.chosen) < s.units))

    def read(self, name: str) -> list[Array]:
        """Return the values of a quantity, an array for each stratum."""
        return [
            np.array([self._units.get(url, {}).get(name, 0.0) for url in stratum.chosen]) for stratum in self.strata
        ]

    def sum(self, values: Sequence[Array]) -> float:
        """Return the estimated total."""
        return float(sum(stratum.units * row.mean() for stratum, row in zip(self.strata, values, strict=True)))

    def measure_error(self, values: Sequence[Array]) -> tuple[float, float]:
        """Return the variance and the third central moment of the estimated total."""
        variance = third = 0.0
        for stratum, row in zip(self.strata, values, strict=True):
            count, share = len(row), min(1.0, len(row) / stratum.units) if stratum.units else 1.0
            gap = row - row.mean()
            variance += (stratum.error * float(row.mean())) ** 2
            if count > 1:
                variance += stratum.units**2 * (1 - share) * float(gap @ gap) / (count - 1) / count
                third += stratum.units**3 * (1 - share) * (1 - 2 * share) * float((gap**3).mean()) / count**2
        return variance, third

    def add_interval(self, value: float, values: Sequence[Array]) -> Estimate:
        """Return `value` with its interval; `values` are those, or the residuals, that its error is made of."""
        variance, third = self.measure_error(values)
        if variance <= 0:
            return Estimate(value, value, value)
        error, quantile = math.sqrt(variance), _quantile(self._freedom)
        skewness = third / variance**1.5
        low, high = (value - error * _untransform(bound, skewness) for bound in (quantile, -quantile))
        return Estimate(value, min(low, value), max(high, value))

    def add_share_interval(self, share: float, residuals: Sequence[Array]) -> Estimate:
        """Return a share 0–1 with its interval, which is symmetric for the logit of the share."""
        spread = share * (1 - share)
        if spread <= 0:
            return Estimate(share, share, share)
        error = math.sqrt(self.measure_error(residuals)[0]) * _quantile(self._freedom) / spread
        middle = math.log(share / (1 - share))
        low, high = (1 / (1 + math.exp(-(middle + shift))) for shift in (-error, error))
        return Estimate(share, low, high)


def estimate_totals(strata: Sequence[Stratum], units: Mapping[str, Values]) -> dict[str, Estimate]:
    """Return the estimate of each quantity; `units` are the values of the drawn units, by URL.

    >>> whole = [Stratum("files", 10, "counted", ("a", "b"))]
    >>> estimate_totals(whole, {"a": {"chars": 3.0}, "b": {"chars": 5.0}})["chars"].value
    40.0
    """
    drawn = Drawn(strata, units)
    totals = {}
    size = drawn.read(BYTES)
    whole, read = float(sum(stratum.bytes for stratum in drawn.strata)), drawn.sum(size)
    is_known = all(stratum.bytes for stratum in drawn.strata) and read > 0
    for name in sorted({name for values in units.values() for name in values} | {BYTES}):
        values = drawn.read(name)
        seen, total = float(sum(row.sum() for row in values)), drawn.sum(values)
        estimate = drawn.add_interval(total, values)
        if is_known:
            residuals = [(row - total / read * other) * whole / read for row, other in zip(values, size, strict=True)]
            if drawn.measure_error(residuals)[0] < drawn.measure_error(values)[0]:
                estimate = drawn.add_interval(total * whole / read, residuals)
        low = min(estimate.value, max(estimate.low, seen))  # the whole holds the sample
        totals[name] = Estimate(estimate.value, low, estimate.high)
    return totals


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
    total, shares = drawn.sum(values), {}
    for name in sorted({name for unit in units.values() for name in unit if name.startswith(prefix)}) if total else ():
        part = drawn.read(name)
        share = drawn.sum(part) / total
        residuals = [(mine - share * all_) / total for mine, all_ in zip(part, values, strict=True)]
        shares[name] = drawn.add_share_interval(share, residuals)
    return shares


def join_small(strata: Sequence[Stratum]) -> list[Stratum]:
    """Return strata that each have at least two drawn units, or all of theirs: the others are joined into one.

    One unit shows no variance (collapsed strata; Cochran, Sampling Techniques, 1977, chapter 5A), and a stratum of
    which none was drawn is taken to be like the others.
    """
    small = [stratum for stratum in strata if len(stratum.chosen) < min(2, stratum.units)]
    rest = [stratum for stratum in strata if stratum not in small]
    if small and rest and sum(len(stratum.chosen) for stratum in small) < 2:
        small.append(max(rest, key=lambda stratum: stratum.units))
        rest.remove(small[-1])
    if not small:
        return [stratum for stratum in rest if stratum.chosen]
    chosen = tuple(url for stratum in small for url in stratum.chosen)
    if not chosen:
        return rest
    size = sum(stratum.bytes for stratum in small) if all(stratum.bytes for stratum in small) else 0
    error = math.hypot(*(stratum.error for stratum in small))
    joined = Stratum("others", sum(stratum.units for stratum in small), "estimated", chosen, size, error)
    return [*(stratum for stratum in rest if stratum.chosen), joined]


def weigh_units(strata: Sequence[Stratum]) -> dict[str, float]:
    """Return how many units of the whole each drawn unit is drawn for."""
    return {url: s.units / len(s.chosen) for s in join_small(strata) for url in s.chosen}


def _quantile(freedom: int) -> float:
    """Return the quantile 0.975 of Student's t, by the expansion of Cornish and Fisher.

    >>> [round(_quantile(freedom), 2) for freedom in (5, 20, 200)]
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
