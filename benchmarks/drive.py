"""One run of the corridor, timed by stage: `python -m benchmarks.drive RECIPE SOURCE WORKSPACE WORKERS OUT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import tree_cpu
from flows import mapping, pool
from flows import run as runs
from flows.progress import Progress, Step
from malmoi.workspace import Workspace


class Timed(Progress):
    """Notes the CPU seconds of each stage, all processes together."""

    def __init__(self) -> None:
        super().__init__()
        self.cpu: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, size: int, *, standing: int = 0, unit: str = "shards") -> Iterator[Step]:
        before = tree_cpu()
        with super().stage(name, size, standing=standing, unit=unit) as step:
            yield step
        self.cpu[name] = self.cpu.get(name, 0.0) + tree_cpu() - before


def main(recipe: str, source: str, workspace: str, workers: str, out: str) -> None:
    """Run and write {"stages": {name: CPU seconds}, "folder": …}."""
    pool.configure(int(workers))
    pool.workers().warm()  # as the command line does
    home, progress = Workspace.open(Path(workspace)), Timed()
    with home.lock():
        chosen = runs.recipe_of(recipe)
        names = runs.sources_of(chosen, recipe, source.split(",") if source else ())
        made = runs.run(home, chosen, names, mapping.threads(pool.count()), progress)
    pool.close()
    Path(out).write_text(json.dumps({"stages": progress.cpu, "folder": str(made.folder)}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
