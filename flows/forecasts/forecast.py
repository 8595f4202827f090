"""Collect a random sample of a source into a workspace of its own, curate it, and estimate the whole."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from crawlers import catalogue
from crawlers.sampling.drawn import FACT, Sample, Stratum, read_strata
from flows import curate as curating
from flows.collect import collect
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.engine.stage_runs import Curated
from flows.forecasts import unit_results
from flows.forecasts.estimates import Estimate, estimate_shares, estimate_totals, weigh_units
from flows.forecasts.unit_results import CPU, EXTRACTED, KEPT, KEPT_DOCUMENTS, LICENCE, PARTS, PAYLOAD, Quantities
from flows.forecasts.unit_times import Timing, time_units
from flows.probing.scratch_workspace import open_scratch
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS, Run
from malmoi.errors import SourceError
from malmoi.recipe import STAGES, Recipe
from malmoi.source import BUCKET, CommonCrawl, Dump, Expect, Folder, Git, OaiPmh, Source, TermsCheck, Warc
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES
from malmoi.workspace_layout import STAGES as FOLDERS

DISK, COPIES, FETCH = "disk bytes", "characters of copies", "seconds of fetching"
FEW = 40  # captures that are curated before the sample; as many as a host needs for a template
# CPU of a capture in a run, by its time alone: messages and files are added. The whole of web-ko took about 1.2. Three
# samples of 200 pages gave 0.94, 1.09 and 1.63: the difference of two short runs is noisy.
SCALE = (1.0, 1.4)


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
    shares: dict[str, Estimate]  # of kept characters, by licence

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
        measured = _curate(home, recipe, name, run, progress)
        found, clusters = unit_results.read_results(home, measured.curated, rows, parts)
        for url, seconds in measured.times.items():
            if (unit := parts.get(url, url)) in found:
                found[unit][CPU] += seconds
        totals = estimate_totals(strata, found)
        requests = _count_requests(fact, strata, totals)
        totals[CPU] = _estimate_cpu(measured, totals.get(CPU, Estimate(0, 0, 0)), requests, run)
        totals |= _subtract_copies(totals, clusters, strata)
        totals[DISK] = _estimate_disk(home, run, rows, totals, found)
        totals[FETCH] = _estimate_fetch(source, run, fetched, requests)
        shares = estimate_shares(strata, found, LICENCE, KEPT)
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


@dataclass(frozen=True, slots=True)
class _Measured:
    """A curated sample, and its CPU seconds."""

    curated: Curated
    times: dict[str, float]  # of each capture, by its URL
    once: float  # of everything that a run does once, the collection of the sample included
    scale: float  # by which the times were multiplied


def _curate(home: Workspace, recipe: Recipe, name: str, run: Run, progress: Progress) -> _Measured:
    """Curate the sample, and measure the CPU of each capture, and of what every run takes once.

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
    return _Measured(curated, {url: seconds * scale for url, seconds in times.items()}, loaded - part * scale, scale)


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


def _count_requests(fact: Mapping[str, Any], strata: Sequence[Stratum], totals: dict[str, Estimate]) -> Estimate:
    """Return the requests of a whole collection: one for each unit unless the fact says otherwise, and its parts."""
    requests, parts = fact.get("requests", sum(one.units for one in strata)), totals.pop(PARTS)
    return Estimate(requests + parts.value, requests + parts.low, requests + parts.high)


def _estimate_cpu(measured: _Measured, captures: Estimate, requests: Estimate, run: Run) -> Estimate:
    """Return the CPU seconds: of the captures, of their requests, and what a run takes once.

    Two short runs measure the scale badly, so that the interval reaches from one of its bounds to the other.
    """
    crawled = run.facts[FACT].get("cpu_seconds", 0.0)
    each, once = crawled / max(1, run.facts.get("fetched", 0)), measured.once - crawled
    low, high = (bound / measured.scale for bound in SCALE)
    return Estimate(
        once + captures.value + each * requests.value,
        once + captures.low * low + each * requests.low,
        once + captures.high * high + each * requests.high,
    )


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


def _estimate_disk(
    home: Workspace,
    run: Run,
    rows: Sequence[IndexRow],
    totals: Mapping[str, Estimate],
    found: Mapping[str, Quantities],
) -> Estimate:
    """Return the bytes of captures and stages, in proportion to the bytes and the extracted characters sampled.

    What is archived beside the captures, such as robots.txt and lists, counts as it was read.
    """
    archive, taken = run.folder / PAGES, {row.record for row in rows}
    held = [row for row in run.rows if Path(row.path).name == PAGES]
    beside = sum(row.size for row in held if row.record not in taken)
    captured = sum(row.size for row in held) - beside  # 0 if captures stay where they are
    packed = archive.stat().st_size / max(1, captured + beside) if archive.exists() else 0.0
    text = sum(unit[EXTRACTED] for unit in found.values()) or 1
    stages = sum(
        path.stat().st_size for stage in FOLDERS for path in home.stage(stage, "").rglob("*") if path.is_file()
    )
    parts = [(totals[PAYLOAD], packed * bool(captured)), (totals.get(EXTRACTED, Estimate(0, 0, 0)), stages / text)]
    value, low, high = (
        beside * packed + sum(getattr(one, end) * rate for one, rate in parts) for end in ("value", "low", "high")
    )
    return Estimate(value, low, high)


def _estimate_fetch(source: Source, run: Run, fetched: float, requests: Estimate) -> Estimate:
    """Return the seconds of fetching: by the pace of the sample, never faster than the manners of the source."""
    fact, delay = run.facts[FACT], source.manners.delay
    pace = 0.0
    match source.access:
        case Folder() | Warc():
            pass
        case Dump():  # the whole file was fetched for the sample
            return Estimate(fetched, fetched, fetched)
        case Git():
            pace = fetched / max(1, sum(row.kind in ITEMS for row in run.rows))
        case CommonCrawl(data=data):
            is_remote = not isinstance(data, Path) and not data.startswith(BUCKET)
            pace = max(delay * is_remote, fact["seconds"] / max(1, run.facts["fetched"]))
            pace *= not isinstance(data, Path)
        case _:
            # A sample of a site waits for each page, and so has one request at a time.
            flying = 1 if isinstance(source.access, OaiPmh) else source.manners.concurrency
            began, ended = (datetime.fromisoformat(run.facts[name]) for name in ("began", "ended"))
            own = (ended - began).total_seconds() / max(1, run.facts["fetched"])
            pace = max(delay, own / flying)
    return Estimate(requests.value * pace, requests.low * pace, requests.high * pace)
