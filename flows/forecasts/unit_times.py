"""CPU of each unit of a sample: extraction and all filters of a recipe, in a worker process with its limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crawlers.extract import Extraction
from malmoi.archive.capture import IndexRow
from malmoi.processes.workers import CPU_SECONDS, Broken, Done, Workers, attempt
from malmoi.recipe import Step


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
