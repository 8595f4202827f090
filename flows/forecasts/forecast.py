"""Collect a random sample of a source into a workspace of its own, curate it, and estimate the whole."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crawlers import catalogue
from crawlers.sampling import FACT, Sample, Stratum, read_strata
from flows.collect import collect
from flows.engine.progress import Progress
from flows.forecasts import costs, unit_results
from flows.forecasts.estimates import Estimate, estimate_shares, estimate_totals, weigh_units
from flows.forecasts.unit_results import CPU, KEPT, KEPT_DOCUMENTS, LICENCE, SHARDS, UNDER
from flows.probing.scratch_workspace import open_scratch
from malmoi.archive import collection
from malmoi.archive.collection import ITEMS, Run
from malmoi.errors import SourceError
from malmoi.recipe import Recipe
from malmoi.source import Expect, Source, TermsCheck
from malmoi.workspace import Workspace

DISK, COPIES, FETCH = "disk bytes", "characters of copies", "seconds of fetching"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected result of collecting a whole source and curating it by a recipe."""

    source: str
    recipe: str
    drawn: str  # how the sample was drawn
    of: str  # what the units of the strata are: "files", "records" …
    strata: tuple[Stratum, ...]
    sampled: int  # captures
    expected: tuple[int, int] | None  # captures, as the source declares
    most: int | None  # captures that one collection takes at most; None without such a bound
    totals: dict[str, Estimate]
    shares: dict[str, Estimate]  # by licence, of kept characters and of kept documents

    @property
    def units(self) -> float:
        """Return the number of units of the whole source."""
        return sum(one.units for one in self.strata)

    @property
    def certainty(self) -> str:
        """Return whether that number is counted, estimated, or a lower bound."""
        kinds = {one.counted for one in self.strata}
        return "at least" if "at least" in kinds else "estimated" if "estimated" in kinds else "counted"

    def to_json(self) -> dict[str, Any]:
        """Return the forecast as an object of JSON; the addresses of the sample are left out."""
        return {
            "source": self.source,
            "recipe": self.recipe,
            "drawn": self.drawn,
            "whole": {"units": self.units, "of": self.of, "counted": self.certainty, "sampled": self.sampled,
                      "expected": list(self.expected) if self.expected else None, "most": self.most},
            "strata": [{"name": one.name, "units": one.units, "counted": one.counted, "sampled": len(one.chosen),
                        "bytes": one.bytes} for one in self.strata],
            "totals": {name: asdict(one) for name, one in sorted(self.totals.items())},
            "shares": {name: asdict(one) for name, one in sorted(self.shares.items())},
        }  # fmt: skip


def forecast(
    workspace: Workspace,
    name: str,
    recipe: Recipe,
    sample: Sample,
    progress: Progress,
    *,
    contact: str | None = None,
    terms: TermsCheck | None = None,
) -> Forecast:
    """Return the forecast of a source; nothing of the sample stays.

    Raises CallError and SourceError as a collection does, and SourceError if nothing was sampled.
    """
    source = catalogue.load(name).source
    with open_scratch(workspace) as home:
        began = time.monotonic()
        collect(home, name, progress, sample=sample, contact=contact, terms=terms)
        fetched = time.monotonic() - began
        run = _read_run(home, source, name)
        rows = [row for row in run.rows if row.kind in ITEMS and row.status == 200]
        (drawn, strata), fact = read_strata(run.facts), run.facts[FACT]
        parts: dict[str, str] = fact.get("parts", {})
        measured = costs.curate(home, recipe, name, run, progress)
        found, clusters = unit_results.read_results(home, measured.curated, rows, parts)
        for url, seconds in measured.times.items():
            if (unit := parts.get(url, url)) in found:
                found[unit][CPU] += seconds
        totals = estimate_totals(strata, found)
        requests = costs.count_requests(fact, strata, totals)
        totals[CPU] = costs.estimate_cpu(
            measured, totals.get(CPU, Estimate(0, 0, 0)), totals.pop(SHARDS), requests, run
        )
        totals |= _subtract_copies(totals, clusters, strata)
        totals[DISK] = costs.estimate_disk(home, run, rows, measured, totals, found)
        totals[FETCH] = costs.estimate_fetch(source, run, fetched, requests)
        shares = estimate_shares(strata, found, LICENCE, KEPT) | estimate_shares(strata, found, UNDER, KEPT_DOCUMENTS)
    bounds = (source.expect.at_least, source.expect.at_most) if source.expect != Expect() else None
    most = getattr(source.access, "max_pages", None)
    return Forecast(source.name, recipe.name, drawn, fact["of"], tuple(strata), len(rows), bounds, most, totals, shares)


def _read_run(home: Workspace, source: Source, name: str) -> Run:
    runs = collection.runs(home.captures(source.name))
    if not runs or not any(row.kind in ITEMS and row.status == 200 for row in runs[-1].rows):
        raise SourceError(
            f"{source.name}: the sample holds no capture; run `malmoi sources probe {name}`, which says why."
        )
    return runs[-1]


def _subtract_copies(
    totals: dict[str, Estimate], clusters: Sequence[unit_results.Cluster], strata: Sequence[Stratum]
) -> dict[str, Estimate]:
    """Return the kept characters without copies, and the characters of copies."""
    kept, documents = (totals.get(name, Estimate(0, 0, 0)) for name in (KEPT, KEPT_DOCUMENTS))
    counted = unit_results.count_copies(clusters, weigh_units(strata), kept.value / (documents.value or 1.0))
    copies = Estimate(*(min(one, kept.value) for one in counted))
    value = kept.value - copies.value
    below = math.hypot(kept.value - kept.low, copies.high - copies.value)
    above = math.hypot(kept.high - kept.value, copies.value - copies.low)
    return {KEPT: Estimate(value, max(0.0, value - below), value + above), COPIES: copies}
