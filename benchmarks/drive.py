"""One run of the corridor, timed by stage: `python -m benchmarks.drive RECIPE SOURCE WORKSPACE WORKERS OUT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.engine import worker_pool
from malmoi.processes.import_path import collect_seldom, exclude_imports


def main(recipe: str, source: str, workspace: str, workers: str, out: str) -> None:
    """Run as `malmoi run` does, and write {"stages": {name: CPU seconds}, "folder": …}."""
    collect_seldom()  # as the command line does
    worker_pool.configure(int(workers))
    if not (Path(workspace) / "2-documents").exists():
        worker_pool.workers().warm()  # as the command line does: before the imports below
    from benchmarks.measure import tree_cpu
    from flows import run as runs
    from flows.engine import executors
    from flows.engine.progress import Progress, Step
    from malmoi.workspace import Workspace

    cpu: dict[str, float] = {}

    class Timed(Progress):
        """Notes the CPU seconds of each stage, all processes together."""

        @contextmanager
        def stage(self, name: str, size: int, *, standing: int = 0, unit: str = "shard") -> Iterator[Step]:
            before = tree_cpu()
            with super().stage(name, size, standing=standing, unit=unit) as step:
                yield step
            cpu[name] = cpu.get(name, 0.0) + tree_cpu() - before

    home = Workspace.open(Path(workspace))
    with home.lock():
        chosen = runs.recipe_of(recipe)
        names = runs.sources_of(chosen, recipe, source.split(",") if source else ())
        made = runs.run(home, chosen, names, executors.thread_mapper(worker_pool.count()), Timed())
    worker_pool.close()
    Path(out).write_text(json.dumps({"stages": cpu, "folder": str(made.folder)}), encoding="utf-8")
    exclude_imports()


if __name__ == "__main__":
    main(*sys.argv[1:])
