"""A random sample of the captures of a source, and the strata that it was drawn from.

The same seed draws the same units, in whatever order they are listed, and a larger sample contains a smaller one: a
unit is chosen by the rank that a hash of its name gives it. A collection writes how it has drawn into its facts, under
FACT: {"how": words, "strata": [{"name", "units", "counted", "chosen": [URL, …], "bytes"}, …]}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import heappushpop, nsmallest
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from malmoi.source import Api, Dump, Feed, Folder, Git, Site, Sitemap, Warc

FACT = "sample"
CRAWLED = "cpu_seconds"  # in that fact: CPU of a crawl, its start left out
# Access points whose collector draws a sample; of another one the first captures are taken, and the forecast says so.
DRAWING: tuple[type, ...] = (Site, Sitemap, Feed, Api, Dump, Git, Folder, Warc)
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

    def keep(self, units: Iterable[T], name_of: Callable[[T], str], size_of: Callable[[T], int]) -> Drawn[T]:
        """Draw from a stream that is read once; in memory are only the units that may still be chosen."""
        held: list[tuple[int, int, T]] = []  # a heap with the highest rank first
        count = total = 0
        for at, unit in enumerate(units):
            count, total = count + 1, total + size_of(unit)
            entry = (-self.rank(name_of(unit)), -at, unit)
            if len(held) < self.size:
                held.append(entry)
                if len(held) == self.size:
                    held.sort(key=lambda one: one[:2])
            elif entry[:2] > held[0][:2]:
                heappushpop(held, entry)
        return Drawn([unit for _, _, unit in sorted(held, key=lambda one: -one[1])], count, total)


@dataclass(frozen=True, slots=True)
class Drawn(Generic[T]):
    """The chosen units of a stream, in their order, and the count and bytes of the whole stream."""

    units: list[T]
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """Units of one kind or size, and those of them that were chosen."""

    name: str
    units: float  # in the whole source
    counted: Counted
    chosen: tuple[str, ...]  # URLs
    bytes: int = 0  # of all units; 0 if they are unknown


def draw_by_size(sample: Sample, sizes: Mapping[str, int]) -> list[Stratum]:
    """Draw from units with known sizes (name → bytes), in strata of nearly equal total size.

    Equal shares of the sample from strata of equal total size is close to the best allocation for quantities that grow
    with the size (equal aggregate size; Cochran, Sampling Techniques, 1977, chapter 5A). The few largest units are all
    chosen.

    >>> sizes = {f"{n:03}": 1 for n in range(98)} | {"x": 98}
    >>> [(one.units, len(one.chosen)) for one in draw_by_size(Sample(24), sizes)]
    [(98, 23), (1, 1)]
    """
    groups = _cut_by_size(sizes, max(1, min(STRATA, sample.size // LEAST)))
    left, chosen = sample.size, dict[int, list[str]]()
    for done, at in enumerate(sorted(range(len(groups)), key=lambda at: (len(groups[at]), at))):
        chosen[at] = sample.choose(groups[at], min(len(groups[at]), -(-left // (len(groups) - done))))
        left -= len(chosen[at])
    return [
        Stratum(
            f"{min(map(sizes.__getitem__, group)):,} to {max(map(sizes.__getitem__, group)):,} bytes",
            len(group),
            "counted",
            tuple(sorted(chosen[at])),
            sum(map(sizes.__getitem__, group)),
        )
        for at, group in enumerate(groups)
    ]


def _cut_by_size(sizes: Mapping[str, int], count: int) -> list[list[str]]:
    """Cut the names, smallest unit first, into at most `count` groups of nearly equal total size."""
    total, before = sum(sizes.values()), 0
    groups: dict[int, list[str]] = {}
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        groups.setdefault(min(count - 1, before * count // total) if total else 0, []).append(name)
        before += sizes[name]
    return list(groups.values())


def describe(how: str, strata: Sequence[Stratum]) -> dict[str, Any]:
    """Return the fact of a run about its sample."""
    return {"how": how, "strata": [asdict(one) for one in strata]}


def read_strata(facts: Mapping[str, Any]) -> tuple[str, list[Stratum]]:
    """Return how the sample of a run was drawn, and its strata; ("", []) if the run drew none."""
    said = facts.get(FACT) or {"how": "", "strata": []}
    return said["how"], [Stratum(**{**one, "chosen": tuple(one["chosen"])}) for one in said["strata"]]
