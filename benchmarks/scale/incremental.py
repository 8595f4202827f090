"""What a run over an existing workspace costs: with nothing new, and with 1 % more pages, against the first run.

python -m benchmarks.scale.incremental [--documents 10000] [--add 1] [--change 0] [--folder F] [--check]

N simulated pages (`benchmarks.simulated_captures`) go through `benchmarks/recipes/simulated.toml` in
workspaces below F, each time in a process of its own: the whole (`full`), again (`nothing`), after `--add` per cent
more pages and `--change` per cent with other text (`more`), and again (`nothing more`). `--check` also runs a new
workspace with the same captures and earlier releases (`scratch`), and compares the roots of the manifests: published
documents are preferred as representatives.

The table gives CPU seconds (user + system, all processes) of each stage; `share` is that of the full run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import measure, simulated_captures
from malmoi.workspace import Workspace

HERE = Path(__file__).parents[1]
RECIPE, SOURCE = HERE / "recipes" / "simulated.toml", HERE / "sources" / "simulated.py"
out = Console(highlight=False, width=140)


def run(root: Path, pages: Path, workspace: Path, workers: int) -> dict[str, Any]:
    """Run the recipe once in a process of its own; return steps, `cpu` and `peak`, and what the manifest says."""
    answer, log = root / "answer.json", root / "log.txt"
    command = [sys.executable, "-m", "benchmarks.drive", str(RECIPE), str(SOURCE), str(workspace), str(workers)]
    usage = measure.run([*command, str(answer)], {"MALMOI_SIMULATED": str(pages)}, log)
    if usage.status:
        raise SystemExit(f"incremental: the run ended with status {usage.status}: {log.read_text()[-3000:]}")
    found = json.loads(answer.read_text(encoding="utf-8"))
    made = json.loads((Path(found["folder"]) / "manifest.json").read_text(encoding="utf-8"))
    steps: dict[str, float] = found["stages"]
    steps["start, reports, end"] = usage.cpu - sum(steps.values())
    about = {"root": made["root"], "documents": made["documents"], "cpu": usage.cpu, "peak": usage.peak_mb}
    return {"steps": steps, **about}


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
    sys.exit(main())
