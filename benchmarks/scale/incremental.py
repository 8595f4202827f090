"""What a run over an existing workspace costs: with nothing new, and with 1 % more pages, against the first run.

python -m benchmarks.scale.incremental [--documents 10000] [--add 1] [--change 0] [--folder F] [--check]

N simulated pages (`benchmarks.simulated_captures`) go through `malmoi run benchmarks/recipes/simulated.toml` in
workspaces below F, each time in a process of its own: the whole (`full`), again (`nothing`), after `--add` per cent
more pages and `--change` per cent with other text (`more`), and again (`nothing more`). `--check` also runs a new
workspace with the same captures and earlier releases (`scratch`), and compares the roots of the manifests: published
documents are preferred as representatives.

The table gives CPU seconds (user + system, all processes) of the innermost step that runs, so the steps of a run add
up to it; `share` is that of the full run. Steps before the imports of the command are in `start, end`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import measure, simulated_captures
from benchmarks.scale.growth import Clock
from malmoi.workspace import Workspace

RECIPE = Path(__file__).parents[1] / "recipes" / "simulated.toml"
# Timed besides the stages that a run reports: module, function, name of the step.
STEPS = (
    ("flows.run", "collect_all", "collect, rest"),
    ("flows.run", "curate", "curate, rest"),
    ("flows.reports.crawl_report", "refresh", "crawl report"),
    ("flows.reports.curation_report", "write", "curation report"),
    ("flows.run", "release", "release, rest"),
)
out = Console(highlight=False, width=140)


def drive(workspace: str, workers: str, answer: str) -> int:
    """Run `malmoi run` in this process, and write the CPU seconds of each step, documents and root."""
    clock = Clock(last=(time.monotonic(), 0.0))
    from flows.cli.main import app
    from flows.engine import progress

    class Timed(progress.Progress):
        """Notes the CPU seconds of each stage."""

        @contextmanager
        def stage(self, name: str, size: int, *, standing: int = 0, unit: str = "shard") -> Iterator[progress.Step]:
            with clock.step(name), super().stage(name, size, standing=standing, unit=unit) as step:
                yield step

    progress.Progress = Timed  # type: ignore[misc]
    for place, name, step in STEPS:
        module = importlib.import_module(place)
        setattr(module, name, clock.step(step)(getattr(module, name)))
    made: list[Any] = []
    runs = importlib.import_module("flows.run")
    publish = runs.release

    def keep(*given: Any, **named: Any) -> Any:
        made.append(publish(*given, **named))
        return made[-1]

    setattr(runs, "release", keep)  # noqa: B010 (mypy)
    app(["run", str(RECIPE), "--workspace", workspace, "--workers", workers], result_action="return_value")
    clock.note()
    steps = {name: cost["cpu"] for name, cost in clock.steps.items()}
    Path(answer).write_text(json.dumps({"steps": steps, "root": made[0].root, "documents": made[0].documents}))
    return 0


def run(root: Path, pages: Path, workspace: Path, workers: int) -> dict[str, Any]:
    """Run the recipe once in a process of its own; return what `drive` wrote, with `cpu` and `peak` of the whole."""
    answer, log = root / "answer.json", root / "log.txt"
    command = [
        sys.executable,
        "-m",
        "benchmarks.scale.incremental",
        "--drive",
        str(workspace),
        str(workers),
        str(answer),
    ]
    usage = measure.run(command, {"MALMOI_SIMULATED": str(pages)}, log)
    if usage.status:
        raise SystemExit(f"incremental: the run ended with status {usage.status}: {log.read_text()[-3000:]}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    found["steps"]["end of processes"] = usage.cpu - sum(found["steps"].values())
    return {**found, "cpu": usage.cpu, "peak": usage.peak_mb}


def compare(
    root: Path, documents: int, workers: int, *, add: float, change: float, check: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the runs, each with its name; `add` and `change` are per cent of the pages."""
    pages, workspace = root / "pages", root / "workspace"
    simulated_captures.write(pages, documents)
    yield "full", run(root, pages, workspace, workers)
    yield "nothing", run(root, pages, workspace, workers)
    home = Workspace(workspace)
    if check:
        fresh = Workspace.open(root / "scratch")
        for place in (home.releases(""), home.index("")):
            shutil.copytree(place, fresh.root / place.relative_to(home.root), symlinks=True)
    simulated_captures.write(pages, documents, add=add, change=change)
    yield "more", run(root, pages, workspace, workers)
    yield "nothing more", run(root, pages, workspace, workers)
    if check:
        shutil.copytree(home.captures(""), fresh.captures(""), ignore=shutil.ignore_patterns(".*"))
        yield "scratch", run(root, pages, fresh.root, workers)


def show(found: dict[str, dict[str, Any]]) -> None:
    """Print CPU seconds of each step of all runs, and shares of the full run."""
    full = found["full"]
    table = Table("CPU s", *found, *(f"{name}, share" for name in found if name != "full"))
    names = sorted({name for one in found.values() for name in one["steps"]}, key=lambda n: -full["steps"].get(n, 0.0))
    for name in names:
        cpu = [one["steps"].get(name, 0.0) for one in found.values()]
        table.add_row(name, *(f"{c:,.2f}" for c in cpu), *(f"{c / full['cpu']:.2%}" for c in cpu[1:]))
    cpu = [one["cpu"] for one in found.values()]
    table.add_row("all", *(f"{c:,.2f}" for c in cpu), *(f"{c / full['cpu']:.2%}" for c in cpu[1:]))
    table.add_row("peak, MB", *(f"{one['peak']:,.0f}" for one in found.values()))
    table.add_row("documents", *(f"{one['documents']:,}" for one in found.values()))
    table.add_row("root", *(one["root"][:12] for one in found.values()))
    out.print(table)


def main() -> int:
    """Print the table; status 1 if a root differs from that of a run from scratch."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.incremental")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--add", type=float, default=1, metavar="PERCENT")
    parser.add_argument("--change", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--folder", type=Path, help="where pages and workspaces lie while it runs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="compare with a run from scratch")
    given, found = parser.parse_args(), dict[str, dict[str, Any]]()
    root = Path(tempfile.mkdtemp(prefix="malmoi-incremental-", dir=given.folder))
    try:
        shares = {"add": given.add, "change": given.change}
        for name, one in compare(root, given.documents, given.workers, **shares, check=given.check):
            found[name] = one
            out.print(f"{name}: CPU {one['cpu']:,.1f} s", style="dim")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    show(found)
    return int("scratch" in found and found["scratch"]["root"] != found["more"]["root"])


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    sys.exit(drive(*sys.argv[2:]) if sys.argv[1:2] == ["--drive"] else main())
