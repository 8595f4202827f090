"""Costs of a whole source: CPU, disk and time of fetching, measured on its sample."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from crawlers.sampling import FACT, Stratum
from flows import curate as curating
from flows.engine import worker_pool
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from flows.engine.stage_runs import Curated
from flows.probing.estimates import Estimate
from flows.probing.unit_results import EXTRACTED, PARTS, PAYLOAD, Quantities, Timing, time_units
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS, Run
from malmoi.recipe import STAGES, Recipe
from malmoi.source import BUCKET, CommonCrawl, Dump, Folder, Git, OaiPmh, Source, Warc
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES
from malmoi.workspace_layout import STAGES as FOLDERS

FEW = 40  # captures that are curated before the sample; as many as a host needs for a template
CUT = 8  # shards into which these are cut, to measure a shard
# CPU of a capture in a run, by its time alone: messages, files and surveys are added. Bounds of what two short runs may
# measure. On a loaded machine three samples of 200 simulated pages gave 1.92 to 2.03, and their whole took about 1.8.
SCALE = (1.0, 2.5)
SCALE_ERROR = 0.2  # of a measured scale, as a share: half of the interval of the CPU of captures


@dataclass(frozen=True, slots=True)
class Measured:
    """A curated sample, and its CPU seconds."""

    curated: Curated
    times: dict[str, float]  # of each capture, by its URL
    once: float  # of everything that a run does once, the collection of the sample included
    shard: float  # of a shard, its captures left out
    few: tuple[str, ...]  # URLs of the captures that were curated before


def curate(home: Workspace, recipe: Recipe, name: str, run: Run, progress: Progress) -> Measured:
    """Curate the sample, and measure the CPU of each capture, and of what every run takes once.

    FEW captures are curated three times before. The first time also loads models and libraries, in shards enough for
    every worker to load them. The second time differs from the sample by its captures only, and so separates what a run
    costs from what a capture costs; the third time cuts the same captures into more shards, and so measures a shard.
    Each capture is then read alone, and the CPU of the captures is split in proportion to these times.
    """
    few = [row.url for row in run.rows if row.kind in ITEMS][:FEW]
    marks = [_cpu_seconds()]
    parts = min(CUT, len(few))
    for label, count in (("first", parts), ("second", 1), ("third", parts)):
        _curate_few(home, label, recipe, name, run, [few[at::count] for at in range(count)])
        marks.append(_cpu_seconds())
    curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), progress)
    marks.append(_cpu_seconds())
    loaded, (small, cut, used) = marks[1], (end - begin for begin, end in pairwise(marks[1:]))
    shard = max(0.0, (cut - small) / (parts - 1)) if parts > 1 else 0.0
    steps = tuple(recipe.stage(stage) for stage in STAGES)
    timings = [(Timing(job.extraction, steps), job.rows) for job in curating.extract_jobs(home, name)]
    times = time_units(timings, worker_pool.workers())
    whole, part = sum(times.values()), sum(times.get(url, 0.0) for url in few)
    used -= shard * (len(timings) - 1)
    scale = (used - small) / (whole - part) if len(times) >= 2 * len(few) and whole > part else used / (whole or 1.0)
    scale = min(max(scale, SCALE[0]), SCALE[1])
    scaled = {url: seconds * scale for url, seconds in times.items()}
    once = loaded - part * scale - shard * (parts - 1)
    return Measured(curated, scaled, once, shard, tuple(few))


def _curate_few(
    home: Workspace, label: str, recipe: Recipe, name: str, run: Run, parts: Sequence[Sequence[str]]
) -> None:
    """Curate the captures with these URLs in a workspace beside `home`; each part is a run of its own, so a shard."""
    small = _open_beside(home, label)
    for number, urls in enumerate(parts, 1):
        copy = small.captures(run.facts["source"]) / f"{number:04}"
        shutil.copytree(run.folder, copy)
        rows = [row for row in run.rows if row.kind not in ITEMS or row.url in set(urls)]
        collection.rewrite(collection.read_run(copy), rows, run.facts)
    curating.curate(small, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and its descendants so far."""
    found = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        try:
            found += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


def count_requests(fact: Mapping[str, Any], strata: Sequence[Stratum], totals: dict[str, Estimate]) -> Estimate:
    """Return the requests of a whole collection: one for each unit unless the fact says otherwise, and its parts."""
    requests, parts = fact.get("requests", sum(one.units for one in strata)), totals.pop(PARTS)
    return Estimate(requests + parts.value, requests + parts.low, requests + parts.high)


def estimate_cpu(measured: Measured, captures: Estimate, shards: Estimate, requests: Estimate, run: Run) -> Estimate:
    """Return the CPU seconds: of the captures, their requests and shards, and what a run takes once.

    Two short runs measure the scale of a capture with an error of SCALE_ERROR, which the interval includes.
    """
    crawled = run.facts[FACT].get("cpu_seconds", 0.0)
    each, once = crawled / max(1, run.facts.get("fetched", 0)), measured.once - crawled

    def total(end: str, scale: float) -> float:
        further = max(0.0, getattr(shards, end) - 1)
        own = getattr(captures, end) * scale
        return float(once + own + each * getattr(requests, end) + measured.shard * further)

    return Estimate(total("value", 1.0), total("low", 1 - SCALE_ERROR), total("high", 1 + SCALE_ERROR))


def estimate_disk(
    home: Workspace,
    run: Run,
    rows: Sequence[IndexRow],
    measured: Measured,
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
    captures, text = totals[PAYLOAD], totals.get(EXTRACTED, Estimate(0, 0, 0))
    rate, once = _measure_stages(home, measured, found)
    value, low, high = (
        beside * packed + once + getattr(captures, end) * packed * bool(captured) + getattr(text, end) * rate
        for end in ("value", "low", "high")
    )
    return Estimate(value, low, high)


def _measure_stages(home: Workspace, measured: Measured, found: Mapping[str, Quantities]) -> tuple[float, float]:
    """Return the bytes of the stages for each extracted character, and those that even an empty shard takes.

    Both follow from the sample and its FEW captures; a sample of little more than these counts as proportional.
    """
    few, whole = _size_of_stages(_open_beside(home, "second")), _size_of_stages(home)
    read = sum(found[url][EXTRACTED] for url in measured.few if url in found)
    text = sum(unit[EXTRACTED] for unit in found.values())
    if text < 2 * read or whole <= few or not read:
        return whole / (text or 1), 0.0
    rate = (whole - few) / (text - read)
    return rate, max(0.0, whole - rate * text)


def _size_of_stages(home: Workspace) -> int:
    return sum(path.stat().st_size for stage in FOLDERS for path in home.stage(stage, "").rglob("*") if path.is_file())


def _open_beside(home: Workspace, label: str) -> Workspace:
    return Workspace.open(home.root.parent / label)


def estimate_fetch(source: Source, run: Run, fetched: float, requests: Estimate) -> Estimate:
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
