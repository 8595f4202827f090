"""How often the intervals of a forecast hold the whole, and how near it comes, in simulated populations of pages.

python -m benchmarks.forecasts.populations [--rounds R] [--pages P] [--sample N]…

Arithmetic alone: pages are lengths, licences and bytes, and nothing is fetched or curated. It prints a line of JSON for
each population, sample size, and whether the bytes of all pages are known before the draw.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from benchmarks.simulation.simulated_texts import draw_length
from flows.probing.forecast import KEPT, LICENCE
from malmoi.statistics import BYTES, Sample, Stratum, draw_by_size, estimate_shares, estimate_totals

KEPT_SHARE = 0.72  # of pages, by all other filters; as many as are Korean in web-ko
LICENCES = ((f"{LICENCE}A", 0.6), (f"{LICENCE}B", 0.9))  # each up to this share of pages; the others have none
NEAR = 0.10  # the goal: deviation of kept characters, and points of a licence share
# Lengths of texts: evenly between two bounds, log-normal with a standard deviation, or as in web-ko.
POPULATIONS = ("even", "lognormal 0.5", "lognormal 0.8", "lognormal 1.0", "web", "web, B three times as long")

Units = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of the rounds 0–1, and the mean half width of the interval of kept characters."""

    covers: float
    near: float
    half_width: float
    licence_covers: float
    licence_near: float


def make_population(kind: str, pages: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Pages with their bytes, kept characters, and those of each licence."""
    draw, found = random.Random(f"{kind} {seed}"), {}
    for number in range(pages):
        if kind == "even":
            length = draw.uniform(500, 3_000)
        elif kind.startswith("lognormal"):
            length = draw.lognormvariate(7, float(kind.split()[1]))
        else:
            length = draw_length(draw)
        share = draw.random()
        licence = next((name for name, end in LICENCES if share < end), "")
        length *= 3 if "three times" in kind and licence == LICENCES[1][0] else 1
        size = length * draw.uniform(2.5, 3.5) + draw.gauss(11_000, 1_500)  # around a text are 11 kB of HTML
        unit = {BYTES: max(200.0, size)}
        if licence and draw.random() < KEPT_SHARE:
            unit |= {KEPT: length, licence: length}
        found[f"{number}"] = unit
    return found


def try_sample(units: Units, size: int, *, known: bool, rounds: int) -> Outcome:
    """Estimate the whole from many samples."""
    whole = sum(unit.get(KEPT, 0.0) for unit in units.values())
    real = sum(unit.get(LICENCES[0][0], 0.0) for unit in units.values()) / whole
    sizes = {name: round(unit[BYTES]) for name, unit in units.items()}
    rows = []
    for seed in range(rounds):
        sample = Sample(size, f"{seed}")
        strata = draw_by_size(sample, sizes) if known else [_draw_blindly(sample, units)]
        drawn = {url: units[url] for one in strata for url in one.chosen}
        kept = estimate_totals(strata, drawn)[KEPT]
        share = estimate_shares(strata, drawn, LICENCE, KEPT)[LICENCES[0][0]]
        near, split = abs(kept.value / whole - 1) <= NEAR, abs(share.value - real) <= NEAR
        rows.append((kept.low <= whole <= kept.high, near, kept.half_width, share.low <= real <= share.high, split))
    return Outcome(*(fmean(column) for column in zip(*rows, strict=True)))


def _draw_blindly(sample: Sample, units: Units) -> Stratum:
    return Stratum("pages", len(units), "counted", tuple(sample.choose(units)))


def list_outcomes(pages: int, samples: Sequence[int], rounds: int) -> Iterator[dict[str, object]]:
    """Yield a line for each population, size of sample, and knowledge of sizes."""
    for kind in POPULATIONS:
        units = make_population(kind, pages)
        lengths = [unit.get(KEPT, 0.0) for unit in units.values()]
        spread = pstdev(lengths) / fmean(lengths)
        for known in (False, True):
            for size in samples:
                found = try_sample(units, size, known=known, rounds=rounds)
                yield {
                    "population": kind,
                    "spread": round(spread, 2),  # standard deviation of kept characters of a page, by their mean
                    "sizes": "known" if known else "unknown",
                    "sample": size,
                    "interval holds the whole": round(found.covers, 3),
                    "within 10 %": round(found.near, 3),
                    "half width": round(found.half_width, 2),
                    "licence interval holds": round(found.licence_covers, 3),
                    "licence within 10 points": round(found.licence_near, 3),
                }


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts.populations")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--pages", type=int, default=5_000)
    parser.add_argument("--sample", action="append", type=int)
    given = parser.parse_args()
    for line in list_outcomes(given.pages, given.sample or (200, 600), given.rounds):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
