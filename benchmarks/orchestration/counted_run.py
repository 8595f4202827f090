"""Run a recipe over the threads of this machine, and write how many jobs each call of the mapper had.

python -m benchmarks.orchestration.counted_run RECIPE WORKSPACE OUT.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from flows import run as runs
from flows.engine import worker_pool
from flows.engine.executors import ignore, thread_mapper
from flows.engine.progress import Progress
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES

J = TypeVar("J")
R = TypeVar("R")


def main(recipe: str, workspace: str, out: str) -> None:
    """Collect, curate and release; write [is a stage, number of jobs] of each call."""
    calls: list[tuple[bool, int]] = []
    progress, inner = Progress(quiet=True), thread_mapper(worker_pool.count())

    def count(call: Callable[[J], R], jobs: Sequence[J], done: Callable[[R], None] = ignore) -> list[R]:
        calls.append((progress.step.name in STAGES, len(jobs)))
        return inner(call, jobs, done)

    home, chosen = Workspace.open(Path(workspace)), runs.recipe_of(recipe)
    with home.lock():
        made = runs.run(home, chosen, runs.sources_of(chosen, recipe, ()), count, progress)
    Path(out).write_text(json.dumps({"calls": calls, "documents": made.documents}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
