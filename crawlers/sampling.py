"""A random sample of the captures of a source, and the strata that it was drawn from.

The same seed draws the same units, in whatever order they are listed, and a larger sample contains a smaller one: a
unit is chosen by the rank that a hash of its name gives it. A collection writes how it has drawn into its facts, under
FACT, an object:

    how        words: what was read, and what was drawn from it
    of         what the units of the strata are: "files", "records" …
    strata     [{"name", "units", "counted", "chosen": [URL, …], "bytes", "error"}, …]
    parts      captures that belong to the unit of another one, such as files of a record: URL → URL of the unit
    requests   of a whole collection without its parts; absent if each unit is one request
    cpu_seconds, seconds   CPU and time of the requests of the sample, without what every collection takes once
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import heappush, heappushpop, nsmallest
from itertools import accumulate
from typing import Any, Generic, Literal, TypeAlias, TypeVar

FACT = "sample"
STRATA = 8  # of units with a known size
LEAST = 12  # units of a sample for each of these strata

T = TypeVar("T")
Counted: TypeAlias = Literal["counted", "estimated", "at least"]  # what the number of units is


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
        return [unit for _, _, unit in sorted(self._held, key=lambda one: -one[1])]


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
    >>> [(one.units, len(one.chosen)) for one in draw_by_size(Sample(24), sizes)]
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
    left, kept = sample.size, dict[int, Lowest[tuple[int, T]]]()
    for done, at in enumerate(sorted(range(len(groups)), key=lambda at: (groups[at]["units"], at))):
        kept[at] = Lowest(min(groups[at]["units"], -(-left // (len(groups) - done))))
        left -= kept[at].count
    for number, unit in enumerate(read()):
        kept[bisect_right(edges, size_of(unit)) - 1].add(sample.rank(name_of(unit)), (number, unit))
    strata, chosen = [], list[tuple[int, T]]()
    for at, first in enumerate(edges):
        drawn = kept[at].units()
        last = sizes[bisect_right(sizes, edges[at + 1] - 1) - 1] if at + 1 < len(edges) else sizes[-1]
        names = tuple(sorted(name_of(unit) for _, unit in drawn))
        name = f"{first:,} to {last:,} bytes"
        strata.append(Stratum(name, groups[at]["units"], "counted", names, groups[at]["bytes"]))
        chosen += drawn
    return strata, [unit for _, unit in sorted(chosen, key=lambda pair: pair[0])]


def _cut_by_size(sizes: Sequence[int], count: int) -> list[int]:
    """Return the smallest size of each of at most `count` groups of nearly equal total size; `sizes` are sorted."""
    total = sum(sizes)
    before = accumulate(sizes, initial=0)
    first: dict[int, int] = {}
    for size, held in zip(sizes, before, strict=False):
        first.setdefault(min(count - 1, held * count // total) if total else 0, size)
    return sorted(set(first.values()))


def describe(how: str, of: str, strata: Sequence[Stratum], **more: Any) -> dict[str, Any]:
    """Return the fact of a run about its sample; `of` names its units, `more` are the other keys of the fact."""
    return {FACT: {"how": how, "of": of, "strata": [asdict(one) for one in strata], **more}}


def read_strata(facts: Mapping[str, Any]) -> tuple[str, list[Stratum]]:
    """Return how the sample of a run was drawn, and its strata; ("", []) if the run drew none."""
    said = facts.get(FACT) or {"how": "", "strata": []}
    return said["how"], [Stratum(**{**one, "chosen": tuple(one["chosen"])}) for one in said["strata"]]
