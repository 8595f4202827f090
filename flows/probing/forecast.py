"""Forecast a source: collect a random sample, curate it, estimate the whole, and print totals with intervals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from flows.collect import collect
from flows.console import SafeConsole
from flows.engine.progress import Progress, format_seconds
from flows.plurals import count_of, count_plural
from flows.probing import costs
from flows.probing.costs import (
    CAPTURES,
    CPU,
    DOCUMENTS,
    DROPPED,
    EXTRACTED,
    KEPT,
    KEPT_DOCUMENTS,
    LICENCE,
    PARTS,
    PAYLOAD,
    SHARDS,
    UNDER,
)
from flows.probing.probe_source import open_scratch
from flows.reports.crawl_progress import format_size
from malmoi.archive import collection
from malmoi.archive.collection import ITEMS
from malmoi.errors import SourceError
from malmoi.recipe import Recipe
from malmoi.source import Expect, TermsCheck
from malmoi.statistics import (
    FACT,
    Estimate,
    Sample,
    Stratum,
    estimate_shares,
    estimate_totals,
    read_strata,
    weigh_units,
)
from malmoi.workspace import Workspace

DISK, COPIES, FETCH = "disk bytes", "characters of copies", "seconds of fetching"
AIM = 0.10  # half the width of an interval of kept characters, as a share; the sample size for it is printed
SHOWN = 12  # rows of a split
Spell: TypeAlias = Callable[[float], str]
_NAMES = {
    CPU: "CPU",
    DISK: "disk",
    PAYLOAD: "bytes to fetch or read",
    FETCH: "time of fetching",
    KEPT: "kept characters, without copies",
    COPIES: "characters of copies, left out",
}


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
        *_, run = [None, *collection.runs(home.captures(source.name))]
        if run is None or not any(row.kind in ITEMS and row.status == 200 for row in run.rows):
            raise SourceError(
                f"{source.name}: the sample holds no capture; run `malmoi sources probe {name}`, which says why."
            )
        rows = [row for row in run.rows if row.kind in ITEMS and row.status == 200]
        (drawn, strata), fact = read_strata(run.facts), run.facts[FACT]
        parts: dict[str, str] = fact.get("parts", {})
        measured = costs.curate(home, recipe, name, run, progress)
        found, clusters = costs.read_results(home, measured.curated, rows, parts)
        for url, seconds in measured.times.items():
            if (unit := parts.get(url, url)) in found:
                found[unit][CPU] += seconds
        totals = estimate_totals(strata, found)
        # One request for each unit unless the fact says otherwise, and one for each of its parts.
        asked, files = fact.get("requests", sum(one.units for one in strata)), totals.pop(PARTS)
        requests = Estimate(asked + files.value, asked + files.low, asked + files.high)
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


def show(found: Forecast, out: SafeConsole) -> None:
    """Print a forecast."""
    sampled = count_of(found.sampled, "sampled capture")
    out.print(f"{found.source} by the recipe {found.recipe}, from {sampled}")
    out.print(f"  drawn    {found.drawn}")
    certainty = {"counted": "", "estimated": "about ", "at least": "at least "}[found.certainty]
    expected = "; the source expects {:,} to {:,} captures".format(*found.expected) if found.expected else ""
    out.print(f"  whole    {certainty}{count_plural(found.units, found.of)}{expected}")
    if found.certainty == "at least":
        out.print(
            "  The size of the whole is not known, because its lists were not read to their end: the totals below are "
            "of the part that is known. A larger --sample reads more lists."
        )
    if found.most is not None and found.totals[CAPTURES].value > found.most:
        out.print(
            f"  A collection takes at most max_pages={found.most:,} captures; the totals below are of all of them. "
            "Raise max_pages in the source file, or narrow what it collects."
        )
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="bold")
    table.add_column("")
    for name in ("estimate", "from", "to"):
        table.add_column(name, justify="right")
    for name, one, spell in _list_rows(found):
        table.add_row(Text(name), *(spell(value) for value in (one.value, one.low, one.high)))
    out.print(table, soft_wrap=False)
    out.print(f"  Intervals: 95 %, from the sample alone. {_advise(found)}".rstrip())


def _advise(found: Forecast) -> str:
    """Return what the width of the interval of kept characters says about the size of the sample."""
    kept = found.totals[KEPT]
    drawn = sum(len(one.chosen) for one in found.strata)
    if not kept.value:
        return (
            "Nothing of the sample is kept, so no licence is shown: look at the drops, and at `malmoi sources probe`."
            if found.totals.get(DOCUMENTS)
            else "The sample holds no document: `malmoi sources probe` says what its answers hold instead."
        )
    if kept.half_width <= AIM or drawn >= found.units:
        return ""
    # The width decreases with the root of the sample; the finite population correction makes the need smaller.
    wanted = drawn * (kept.half_width / AIM) ** 2
    wanted = wanted / (1 + wanted / found.units)
    return f"Kept characters are known to ± {kept.half_width:.0%}; for ± {AIM:.0%} take --sample {wanted:,.0f}."


def _list_rows(found: Forecast) -> Iterator[tuple[str, Estimate, Spell]]:
    def count(value: float) -> str:
        return f"{value:,.0f}"

    rows: tuple[tuple[str, Spell], ...] = (
        (CAPTURES, count), (DOCUMENTS, count), (EXTRACTED, count), (KEPT_DOCUMENTS, count), (KEPT, count),
        (COPIES, count),
        (CPU, format_seconds), (DISK, lambda value: format_size(round(value))),
        (PAYLOAD, lambda value: format_size(round(value))), (FETCH, format_seconds),
    )  # fmt: skip
    for name, spell in rows:
        if name in found.totals:
            yield _NAMES.get(name, name), found.totals[name], spell
    # The share of documents is known better than that of characters where lengths vary.
    shares = {name: one for name, one in found.shares.items() if name.startswith(LICENCE)}
    for name, share in sorted(shares.items(), key=lambda pair: (-pair[1].value, pair[0]))[:SHOWN]:
        yield name, found.totals[name], count
        yield "  share of kept characters", share, "{:.0%}".format
        yield "  share of kept documents", found.shares[name.replace(LICENCE, UNDER, 1)], "{:.0%}".format
    parts = [(name, one) for name, one in found.totals.items() if name.startswith(DROPPED)]
    whole = sum(one.value for _, one in parts) or 1.0
    for name, one in sorted(parts, key=lambda pair: (-pair[1].value, pair[0]))[:SHOWN]:
        yield f"{name} ({one.value / whole:.0%} of dropped documents)", one, count


def _subtract_copies(
    totals: dict[str, Estimate], clusters: Sequence[costs.Cluster], strata: Sequence[Stratum]
) -> dict[str, Estimate]:
    """Return the kept characters without copies, and the characters of copies."""
    kept, documents = (totals.get(name, Estimate(0, 0, 0)) for name in (KEPT, KEPT_DOCUMENTS))
    counted = costs.count_copies(clusters, weigh_units(strata), kept.value / (documents.value or 1.0))
    copies = Estimate(*(min(one, kept.value) for one in counted))
    value = kept.value - copies.value
    below = math.hypot(kept.value - kept.low, copies.high - copies.value)
    above = math.hypot(kept.high - kept.value, copies.value - copies.low)
    return {KEPT: Estimate(value, max(0.0, value - below), value + above), COPIES: copies}
