"""Forecast a source: collect a random sample, curate it, estimate the whole, and print totals with intervals.

Below: what each unit of the sample gives, and what the whole source costs: CPU, disk and time of fetching.
"""

from __future__ import annotations

import math
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from crawlers.extract import Extraction
from flows import curate as curating
from flows.collect import collect
from flows.console import SafeConsole
from flows.curate import Curated
from flows.engine import worker_pool
from flows.engine.costs import cpu_seconds
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress, format_seconds
from flows.plurals import count_of, count_plural
from flows.probing.probe_source import open_scratch
from flows.reports.crawl_progress import format_size
from malmoi.archive import collection
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import ITEMS, Run, count_alike
from malmoi.errors import SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.processes.workers import CPU_SECONDS, Broken, Done, Workers, attempt
from malmoi.recipe import STAGES, Recipe, Step
from malmoi.source import BUCKET, CommonCrawl, Dump, Expect, Folder, Git, OaiPmh, Source, TermsCheck, Warc
from malmoi.statistics import (
    FACT,
    Estimate,
    Sample,
    Stratum,
    Z,
    estimate_shares,
    estimate_totals,
    read_strata,
    weigh_units,
)
from malmoi.workspace import Workspace
from malmoi.workspace_layout import PAGES
from malmoi.workspace_layout import STAGES as FOLDERS

DISK, COPIES, FETCH = "disk bytes", "characters of copies", "seconds of fetching"
AIM = 0.10  # half the width of an interval of kept characters, as a share; the sample size for it is printed
SHOWN = 12  # rows of a split
Spell: TypeAlias = Callable[[float], str]
# Names of quantities. The parts of a split have the name before their own: "licence: CC-BY-4.0".
DOCUMENTS, EXTRACTED, KEPT_DOCUMENTS, KEPT = "documents", "extracted characters", "kept documents", "kept characters"
LICENCE, DROPPED, CPU, PAYLOAD = "licence: ", "dropped: ", "CPU seconds", "bytes"
UNDER = "kept documents under "  # this and a licence
CAPTURES, PARTS, SHARDS = "captures", "captures that are parts", "shards"  # parts: files of a record
COPY_REASONS = ("exact-copy", "near-copy")  # reasons of a drop in favour of another document
LIKE = 10  # pairs of copies that count as long as the mean document, beside those that were seen
_NAMES = {
    CPU: "CPU",
    DISK: "disk",
    PAYLOAD: "bytes to fetch or read",
    FETCH: "time of fetching",
    KEPT: "kept characters, without copies",
    COPIES: "characters of copies, left out",
}

Quantities: TypeAlias = defaultdict[str, float]  # of one unit


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
        measured = curate(home, recipe, name, run, progress)
        found, clusters = read_results(home, measured.curated, rows, parts)
        for url, seconds in measured.times.items():
            if (unit := parts.get(url, url)) in found:
                found[unit][CPU] += seconds
        totals = estimate_totals(strata, found)
        # One request for each unit unless the fact says otherwise, and one for each of its parts.
        asked, files = fact.get("requests", sum(one.units for one in strata)), totals.pop(PARTS)
        requests = Estimate(asked + files.value, asked + files.low, asked + files.high)
        totals[CPU] = estimate_cpu(measured, totals.get(CPU, Estimate(0, 0, 0)), totals.pop(SHARDS), requests, run)
        totals |= _subtract_copies(totals, clusters, strata)
        totals[DISK] = estimate_disk(home, run, rows, measured, totals, found)
        totals[FETCH] = estimate_fetch(source, run, fetched, requests)
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
    totals: dict[str, Estimate], clusters: Sequence[Cluster], strata: Sequence[Stratum]
) -> dict[str, Estimate]:
    """Return the kept characters without copies, and the characters of copies."""
    kept, documents = (totals.get(name, Estimate(0, 0, 0)) for name in (KEPT, KEPT_DOCUMENTS))
    counted = count_copies(clusters, weigh_units(strata), kept.value / (documents.value or 1.0))
    copies = Estimate(*(min(one, kept.value) for one in counted))
    value = kept.value - copies.value
    below = math.hypot(kept.value - kept.low, copies.high - copies.value)
    above = math.hypot(kept.high - kept.value, copies.value - copies.low)
    return {KEPT: Estimate(value, max(0.0, value - below), value + above), COPIES: copies}


@dataclass(slots=True)
class Cluster:
    """Documents of the sample that are copies of each other: the URL of the unit of each, and its characters."""

    members: list[tuple[str, int]] = field(default_factory=list)


def read_results(
    workspace: Workspace, curated: Curated, rows: Sequence[IndexRow], parts: Mapping[str, str]
) -> tuple[dict[str, Quantities], list[Cluster]]:
    """Return the quantities of each unit by its URL, and the clusters of copies.

    `parts` are URLs of captures that belong to the unit of another one, whose URL they lead to. A copy counts as kept,
    with its own licence: how many copies the whole holds is estimated apart.
    """
    url_of = {row.record: parts.get(row.url, row.url) for row in rows}
    found: dict[str, Quantities] = {url: defaultdict(float) for url in url_of.values()}
    for row in rows:
        unit = found[url_of[row.record]]
        unit[PAYLOAD] += row.size
        unit[CAPTURES] += 1
        unit[PARTS] += row.url in parts
        unit[SHARDS] += 1 / count_alike(row.size)
    clusters: dict[str, Cluster] = defaultdict(Cluster)
    for doc, last, by, reason in curating.read_ends(workspace, curated):
        unit = found[url_of[doc.provenance.record]]
        unit[DOCUMENTS] += 1
        unit[EXTRACTED] += len(doc.text)
        keeper = dict(last.labels).get("keeper", "") if reason in COPY_REASONS else ""
        if by and not keeper:
            unit[f"{DROPPED}{by}: {reason}" if reason else f"{DROPPED}{by}"] += 1
            continue
        unit[KEPT_DOCUMENTS] += 1
        unit[KEPT] += len(last.text)
        licence = decide(last.evidence, last.signals).licence
        unit[f"{LICENCE}{licence}"] += len(last.text)
        unit[f"{UNDER}{licence}"] += 1
        clusters[keeper or doc.id].members.append((url_of[doc.provenance.record], len(last.text)))
    for ledger in curated.ledgers("2-documents"):
        for failure in ledger.failed:
            url = failure.url or failure.id.removeprefix(f"{failure.source}/")
            if (url := parts.get(url, url)) in found:
                found[url][f"{DROPPED}failed: {failure.why}"] += 1
    return found, [one for one in clusters.values() if len(one.members) > 1]


def count_copies(clusters: Sequence[Cluster], weights: Mapping[str, float], mean: float) -> tuple[float, float, float]:
    """Return the characters of copies in the whole: an estimate, a lower and an upper bound.

    Two copies are in one sample with the product of their chances, so that each pair that was seen is drawn for as many
    pairs as the product of the weights. This is the number of copies if no text has more than two. Where three or more
    were drawn, the text is frequent, and its copies are counted by their own weights.

    Few pairs meet in a small sample, and each is drawn for many. Their number k is therefore shrunk by k / (k + 1), the
    plug-in estimate of the factor with the smallest mean squared error of a Poisson count; their length, by LIKE pairs
    more, towards the `mean` length of a kept document.
    """
    pairs = [one.members for one in clusters if len(one.members) == 2]
    drawn = [weights[url] * weights[other] for (url, _), (other, _) in pairs]
    frequent = sum(size * weights[url] for one in clusters if len(one.members) > 2 for url, size in one.members[1:])
    seen = sum(size * weights[url] for _, (url, size) in pairs)
    if not pairs:
        return frequent, frequent, frequent
    count, whole = len(pairs), sum(drawn)
    own = sum(weight * size for weight, (_, (_, size)) in zip(drawn, pairs, strict=True)) / whole
    length = (count * own + LIKE * mean) / (count + LIKE)
    estimate = max(seen, length * whole * count / (count + 1))
    error = length * math.sqrt(sum(weight**2 for weight in drawn))  # each pair counts as a Poisson event
    return frequent + estimate, frequent + seen, frequent + estimate + Z * error


@dataclass(frozen=True, slots=True)
class Timing:
    """Input of a worker that times the captures of one shard."""

    extraction: Extraction
    stages: tuple[tuple[Step, ...], ...]


def time_units(jobs: Iterable[tuple[Timing, tuple[IndexRow, ...]]], workers: Workers) -> dict[str, float]:
    """Return URL → CPU seconds; a capture that ends its worker counts with the limit of a document.

    The first capture is read twice and timed the second time: what a worker loads once is not part of a unit.
    """
    found: dict[str, float] = {}
    for timing, rows in jobs:
        for (row,), answer in workers.map(make_timer, timing, [(row,) for row in rows], lambda batch: [batch]):
            found[row.url] = CPU_SECONDS if isinstance(answer, Broken) else answer.value
    return found


def make_timer(timing: Timing) -> Callable[[tuple[IndexRow, ...]], float]:
    """Return the worker function that times one capture."""
    from crawlers.extract import extractor
    from malmoi import recipe as recipes
    from malmoi.apply import Bound, Kept, walk

    extract = extractor(timing.extraction)
    stages: list[tuple[list[Callable[..., Any]], tuple[Bound, ...]]] = []
    for steps in timing.stages:
        surveys = recipes.surveys(steps)
        empty: Mapping[str, Any] = {survey.name: {} for survey, _ in surveys}
        stages.append(([survey.sketch for survey, _ in surveys], recipes.bind(steps, empty)))
    warm: list[bool] = []

    def walk_capture(row: IndexRow) -> None:
        for outcome in extract(row):
            for sketches, filters in stages:
                if not isinstance(outcome, Kept):
                    break
                for sketch in sketches:
                    sketch(outcome.document)
                outcome = walk(outcome.document, filters)

    def measure(batch: tuple[IndexRow, ...]) -> float:
        (row,) = batch
        if not warm:
            warm.append(True)
            attempt(walk_capture, row)
        began = time.process_time()
        answer = attempt(walk_capture, row)
        return time.process_time() - began if isinstance(answer, Done) or answer.why != "cpu-limit" else CPU_SECONDS

    return measure


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
    marks = [cpu_seconds()]
    parts = min(CUT, len(few))
    for label, count in (("first", parts), ("second", 1), ("third", parts)):
        beside = _open_beside(home, label)
        for number in range(count):  # each part is a run of its own, so a shard
            copy = beside.captures(run.facts["source"]) / f"{number + 1:04}"
            shutil.copytree(run.folder, copy)
            rows = [row for row in run.rows if row.kind not in ITEMS or row.url in set(few[number::count])]
            collection.rewrite(collection.read_run(copy), rows, run.facts)
        curating.curate(beside, recipe, [name], thread_mapper(worker_pool.count()), Progress(quiet=True))
        marks.append(cpu_seconds())
    curated = curating.curate(home, recipe, [name], thread_mapper(worker_pool.count()), progress)
    marks.append(cpu_seconds())
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
    # Bytes of the stages for each extracted character, and those that even an empty shard takes, from the sample and
    # its FEW captures; a sample of little more than these counts as proportional.
    few, whole = _size_of_stages(_open_beside(home, "second")), _size_of_stages(home)
    read = sum(found[url][EXTRACTED] for url in measured.few if url in found)
    extracted = sum(unit[EXTRACTED] for unit in found.values())
    rate, once = whole / (extracted or 1), 0.0
    if extracted >= 2 * read and whole > few and read:
        rate = (whole - few) / (extracted - read)
        once = max(0.0, whole - rate * extracted)
    value, low, high = (
        beside * packed + once + getattr(captures, end) * packed * bool(captured) + getattr(text, end) * rate
        for end in ("value", "low", "high")
    )
    return Estimate(value, low, high)


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
