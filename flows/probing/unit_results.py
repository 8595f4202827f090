"""Read the results of each unit of a sample: its documents, kept and dropped, from the stages of its workspace."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from crawlers.extract import Extraction
from flows.engine import stage_runs
from flows.engine.stage_runs import Curated
from flows.probing.estimates import Z
from malmoi.archive.capture import IndexRow
from malmoi.archive.collection import count_alike
from malmoi.licensing.rights_decision import decide
from malmoi.processes.workers import CPU_SECONDS, Broken, Done, Workers, attempt
from malmoi.recipe import Step
from malmoi.workspace import Workspace

# Names of quantities. The parts of a split have the name before their own: "licence: CC-BY-4.0".
DOCUMENTS, EXTRACTED, KEPT_DOCUMENTS, KEPT = "documents", "extracted characters", "kept documents", "kept characters"
LICENCE, DROPPED, CPU, PAYLOAD = "licence: ", "dropped: ", "CPU seconds", "bytes"
UNDER = "kept documents under "  # this and a licence
CAPTURES, PARTS, SHARDS = "captures", "captures that are parts", "shards"  # parts: files of a record
COPIES = ("exact-copy", "near-copy")  # reasons of a drop in favour of another document
LIKE = 10  # pairs of copies that count as long as the mean document, beside those that were seen

Quantities: TypeAlias = defaultdict[str, float]  # of one unit


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
    for doc, last, by, reason in stage_runs.read_ends(workspace, curated):
        unit = found[url_of[doc.provenance.record]]
        unit[DOCUMENTS] += 1
        unit[EXTRACTED] += len(doc.text)
        keeper = dict(last.labels).get("keeper", "") if reason in COPIES else ""
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
