"""Collect a random sample of a source into a workspace of its own, curate it, and estimate the whole."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psutil

from crawlers import catalogue
from crawlers.sampling.drawn import CRAWLED, DRAWING, FACT, Sample, Stratum, read_strata
from flows import curate as curating
from flows.collect import collect
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.engine.stage_runs import Curated
from flows.forecasts import unit_results
from flows.forecasts.estimates import Estimate, estimate_totals, weigh_units
from flows.forecasts.unit_results import CPU, EXTRACTED, KEPT, PAYLOAD
from flows.forecasts.unit_times import Timing, time_units
from flows.probing.scratch_workspace import open_scratch
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS, Run
from malmoi.errors import SourceError
from malmoi.recipe import STAGES, Recipe
from malmoi.source import Api, Dump, Feed, Git, Site, Sitemap, Source, TermsCheck
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES
from malmoi.workspace_layout import STAGES as FOLDERS

DISK, COPIES, FETCH = "disk bytes", "characters of copies", "seconds of fetching"
FEW = 40  # captures that are curated before the sample; as many as a host needs for a template
# CPU of a capture in a run, by its time alone: messages and files are added. The whole of web-ko took about 1.2. Three
# samples of 200 pages gave 0.94, 1.09 and 1.63: the difference of two short runs is noisy.
SCALE = (1.0, 1.4)
FIRST = "the first captures of the source, not a random sample: its access point draws none"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected result of collecting a whole source and curating it by a recipe."""

    source: str
    recipe: str
    drawn: str  # how the sample was drawn
    strata: tuple[Stratum, ...]
    sampled: int  # captures
    expected: tuple[int, int]  # captures, as the source declares
    totals: dict[str, Estimate]

    @property
    def units(self) -> float:
        """Return the number of captures of the whole source."""
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
            "captures": {"units": self.units, "counted": self.certainty, "sampled": self.sampled,
                         "expected": list(self.expected)},
            "strata": [{"name": one.name, "units": one.units, "counted": one.counted, "sampled": len(one.chosen),
                        "bytes": one.bytes} for one in self.strata],
            "totals": {name: asdict(one) for name, one in sorted(self.totals.items())},
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
        if isinstance(source.access, DRAWING):
            collect(home, name, progress, sample=sample, contact=contact, terms=terms)
        else:
            collect(home, name, progress, limit=sample.size, contact=contact, terms=terms)
        fetched = time.monotonic() - began
        run = _read_run(home, source, name)
        rows = [row for row in run.rows if row.kind in ITEMS and row.status == 200]
        drawn, strata = read_strata(run.facts)
        if not strata:
            units = tuple(row.url for row in rows)
            drawn, strata = FIRST, [Stratum("captures", max(len(rows), source.expect.at_least), "at least", units)]
        count = sum(one.units for one in strata)
        curated, times, once = _curate(home, recipe, name, run, progress)
        found, clusters = unit_results.read_results(home, curated, rows)
        for url in times.keys() & found.keys():
            found[url][CPU] = times[url]
        totals = estimate_totals(strata, found)
        crawled = run.facts.get(FACT, {}).get(CRAWLED, 0.0)  # CPU seconds
        added = once - crawled + crawled * count / max(1, run.facts.get("fetched", 0))
        totals[CPU] = _shift(totals.get(CPU, Estimate(0, 0, 0)), added)
        totals |= _subtract_copies(totals, clusters, strata)
        totals[DISK] = _estimate_disk(home, run, totals, found)
        totals[FETCH] = _estimate_fetch(source, run, fetched, count)
    bounds = (source.expect.at_least, source.expect.at_most)
    return Forecast(source.name, recipe.name, drawn, tuple(strata), len(rows), bounds, totals)


def _read_run(home: Workspace, source: Source, name: str) -> Run:
    runs = collection.runs(home.captures(source.name))
    if not runs or not any(row.kind in ITEMS and row.status == 200 for row in runs[-1].rows):
        raise SourceError(
            f"{source.name}: the sample holds no capture; run `malmoi sources probe {name}`, which says why."
        )
    return runs[-1]


def _curate(
    home: Workspace, recipe: Recipe, name: str, run: Run, progress: Progress
) -> tuple[Curated, dict[str, float], float]:
    """Curate the sample; return the result, the CPU seconds of each capture, and those that every run takes once.

    FEW captures are curated twice before. The first time also loads models and libraries; the second time differs from
    the sample by its captures only, and so separates what a run costs from what a capture costs. Each capture is then
    read alone, and the CPU of the captures is split in proportion to these times.
    """
    few = [row.url for row in run.rows if row.kind in ITEMS][:FEW]
    _curate_few(home, "first", recipe, name, run, few)
    loaded = _cpu_seconds()
    _curate_few(home, "second", recipe, name, run, few)
    before = _cpu_seconds()
    curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), progress)
    used, small = _cpu_seconds() - before, before - loaded
    times = time_units(_list_timings(home, recipe, name), worker_pool.workers())
    whole, part = sum(times.values()), sum(times.get(url, 0.0) for url in few)
    scale = (used - small) / (whole - part) if len(times) >= 2 * len(few) and whole > part else used / (whole or 1.0)
    scale = min(max(scale, SCALE[0]), SCALE[1])
    return curated, {url: seconds * scale for url, seconds in times.items()}, loaded - part * scale


def _curate_few(home: Workspace, label: str, recipe: Recipe, name: str, run: Run, urls: Sequence[str]) -> None:
    """Curate the captures with these URLs in a workspace of their own, beside `home`."""
    small = Workspace.open(home.root.parent / label)
    copy = small.captures(run.facts["source"]) / run.folder.name
    shutil.copytree(run.folder, copy)
    rows = [row for row in run.rows if row.kind not in ITEMS or row.url in set(urls)]
    collection.rewrite(collection.read_run(copy), rows, run.facts)
    curating.curate(small, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))


def _list_timings(home: Workspace, recipe: Recipe, name: str) -> Iterator[tuple[Timing, tuple[IndexRow, ...]]]:
    stages = tuple(recipe.stage(stage) for stage in STAGES)
    return ((Timing(job.extraction, stages), job.rows) for job in curating.extract_jobs(home, name))


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and its descendants so far."""
    found = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        try:
            found += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


def _shift(one: Estimate, by: float) -> Estimate:
    return Estimate(one.value + by, one.low + by, one.high + by)


def _subtract_copies(
    totals: dict[str, Estimate], clusters: Sequence[unit_results.Cluster], strata: Sequence[Stratum]
) -> dict[str, Estimate]:
    """Return the kept characters without copies, and the characters of copies."""
    kept = totals.get(KEPT, Estimate(0, 0, 0))
    copies = Estimate(*(min(one, kept.value) for one in unit_results.count_copies(clusters, weigh_units(strata))))
    value = kept.value - copies.value
    return {
        KEPT: Estimate(value, max(0.0, kept.low - copies.high), kept.high - copies.low),
        COPIES: copies,
    }


def _estimate_disk(home: Workspace, run: Run, totals: dict[str, Estimate], found: dict[str, Any]) -> Estimate:
    """Return the bytes of captures and stages, in proportion to the bytes and the extracted characters sampled."""
    payload, text = (sum(unit[name] for unit in found.values()) or 1 for name in (PAYLOAD, EXTRACTED))
    archive = run.folder / PAGES
    parts = [(totals[PAYLOAD], (archive.stat().st_size if archive.exists() else 0) / payload)]
    stages = sum(
        path.stat().st_size for stage in FOLDERS for path in home.stage(stage, "").rglob("*") if path.is_file()
    )
    parts.append((totals.get(EXTRACTED, Estimate(0, 0, 0)), stages / text))
    return Estimate(*(sum(getattr(one, end) * rate for one, rate in parts) for end in ("value", "low", "high")))


def _estimate_fetch(source: Source, run: Run, fetched: float, units: float) -> Estimate:
    """Return the seconds of fetching: of a crawl by the pace of the sample, never faster than its manners."""
    match source.access:
        case Site() | Sitemap() | Feed() | Api():
            began, ended = (datetime.fromisoformat(run.facts[name]) for name in ("began", "ended"))
            pace = (ended - began).total_seconds() / max(1, run.facts["fetched"])
            seconds = units * max(source.manners.delay, pace / source.manners.concurrency)
        case Dump():
            seconds = fetched  # the whole file was fetched for the sample
        case Git():
            seconds = fetched * units / max(1, sum(row.kind in ITEMS for row in run.rows))
        case _:
            seconds = 0.0
    return Estimate(seconds, seconds, seconds)
