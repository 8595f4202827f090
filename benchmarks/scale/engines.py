"""What a cluster costs beside this machine.

python -m benchmarks.scale.engines [--documents 20000] [--engines local dask ray]

The same archive of simulated pages is run on two worker processes of this machine, on a Dask cluster of two workers
with one thread, and on a Ray cluster of two nodes with one core. All are on this machine, so the figures hold the cost
of the engine and not that of a network. The releases have to be equal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import measure, simulated_captures
from benchmarks.measure import Usage
from malmoi.workspace_layout import Layout

HERE = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RECIPE = str(HERE / "recipes" / "simulated.toml")
DASK, RAY = "127.0.0.1:8786", "127.0.0.1:6389"
START_SECONDS = 20.0  # of the processes of a cluster
MOST = 1.3  # wall time of an engine by that of this machine, at most
RAY_NODE = ("--num-cpus", "1", "--object-store-memory", str(100 << 20), "--disable-usage-stats", "--block")
CLUSTERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "local": (),
    "dask": (
        ("dask", "scheduler", "--host", DASK.partition(":")[0], "--port", "8786", "--no-dashboard"),
        *[("dask", "worker", f"tcp://{DASK}", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard")] * 2,
    ),
    "ray": (
        ("ray", "start", "--head", "--port", "6389", "--include-dashboard=false", *RAY_NODE),
        ("ray", "start", "--address", RAY, *RAY_NODE),
    ),
}
OPTIONS = {
    "local": ("--workers", "2"),
    "dask": ("--engine", "dask", "--address", f"tcp://{DASK}"),
    "ray": ("--engine", "ray", "--address", RAY),
}
out = Console(highlight=False)


@contextlib.contextmanager
def cluster(engine: str, log: Path) -> Iterator[None]:
    """Start the processes of a cluster, and end them."""
    started = []
    with log.open("ab") as stream:
        try:
            for command in CLUSTERS[engine]:
                started.append(subprocess.Popen([BIN / command[0], *command[1:]], stdout=stream, stderr=stream))
                time.sleep(START_SECONDS / 2)
            yield
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def run(engine: str, archives: Path, folder: Path) -> tuple[Usage, str]:
    """Run one engine; its usage, with the CPU of the whole cluster, and the checksums of its release."""
    workspace, before = folder / engine, os.times()
    command = [str(BIN / "malmoi"), "run", RECIPE, "--workspace", str(workspace), *OPTIONS[engine]]
    with cluster(engine, folder / f"{engine}-cluster.txt"):
        used = measure.run(command, {"MALMOI_SIMULATED": str(archives)}, folder / f"{engine}.txt")
    after = os.times()
    if used.status:
        sys.exit((folder / f"{engine}.txt").read_text(encoding="utf-8"))
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    (version,) = Layout(workspace).releases("simulated").glob("[0-9]*")
    return Usage(used.status, used.wall, cpu, used.peak_mb), (version / "SHA256SUMS").read_text(encoding="utf-8")


def main() -> int:
    """Measure the engines one after the other; 1 if a release differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--engines", nargs="+", choices=CLUSTERS, default=list(CLUSTERS))
    asked = parser.parse_args()
    table = Table("engine", "wall s", "of the first", "CPU s", "of the first", title=f"{asked.documents:,} documents")
    found: list[tuple[Usage, str]] = []
    with tempfile.TemporaryDirectory(prefix="malmoi-engines-") as name:
        simulated_captures.write(Path(name, "archives"), asked.documents)
        for engine in asked.engines:
            found.append(run(engine, Path(name, "archives"), Path(name)))
            (used, _), first = found[-1], found[0][0]
            numbers = (used.wall, used.wall / first.wall, used.cpu, used.cpu / first.cpu)
            table.add_row(engine, *(f"{number:.2f}" for number in numbers))
    out.print(table)
    same = len({sums for _, sums in found}) == 1
    out.print(f"goal: ≤ {MOST} of the wall time; the releases are {'equal' if same else 'NOT equal'}")
    return not same


if __name__ == "__main__":
    raise SystemExit(main())
