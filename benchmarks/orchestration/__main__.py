"""What Prefect costs beside the work: CPU of task runs, share of a large run, time until the first task.

python -m benchmarks.orchestration [--documents 2000] [--at 100000] [--folder F]

A server runs on loopback with a database of its own. Its CPU and that of the flow are measured for flows of empty
tasks, of which the slope gives the cost of a task run and the rest that of a flow run. Simulated pages, a quarter of
the documents and all of them, give the CPU of a page and the jobs of each call of the mapper, without Prefect; both
are extrapolated to `--at` documents, and the jobs become task runs by the rule of flows/engine/task_mapper.py. The
time until the first task is measured from the start of the command: with that server, and with the temporary one of
`--prefect`, the first time with a new database and then with that of the run before.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure, simulated_captures
from flows.engine.task_mapper import GROUPS, SMALLEST

RECIPE = "benchmarks/recipes/simulated.toml"
CALLS = (1, 11)  # of empty stages
KINDS = ("new database ", "known database")  # of the temporary server
WAIT = 10.0  # seconds: the server writes events after the flow has ended
ENV = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "WARNING"}


@contextmanager
def start_server(home: Path) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    """Start a server with its database in `home`; yield the environment of its clients, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**ENV, "PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 300
        while not _answers(f"{env['PREFECT_API_URL']}/health"):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit((home / "server.log").read_text())
            time.sleep(0.5)
        yield env, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def read_cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and its descendants so far."""
    family = [process, *process.children(recursive=True)]
    return sum(one.cpu_times().user + one.cpu_times().system for one in family)


def measure_command(command: list[str], env: dict[str, str], log: Path) -> float:
    """CPU seconds of a command, which must succeed."""
    used = measure.run([sys.executable, *command], env, log)
    if used.status:
        raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()}")
    return used.cpu


def measure_tasks(folder: Path) -> tuple[float, float]:
    """CPU seconds of one task run and of a flow run without tasks, of client and server together."""
    found = []
    with start_server(folder) as (env, server):
        for calls in CALLS:
            before = read_cpu(server)
            command = ["-m", "benchmarks.orchestration.empty_tasks", str(calls)]
            found.append(measure_command(command, env, folder / "log"))
            time.sleep(WAIT)
            found[-1] += read_cpu(server) - before
    task = (found[1] - found[0]) / ((CALLS[1] - CALLS[0]) * GROUPS)
    return task, found[0] - CALLS[0] * GROUPS * task


def measure_work(folder: Path, documents: int, at: int) -> tuple[float, float]:
    """CPU seconds of a run over `at` pages without Prefect, and its number of task runs, extrapolated."""
    cpu, calls = [], []
    for size in (documents // 4, documents):
        simulated_captures.write(folder / "pages", size)
        shutil.rmtree(folder / "w", ignore_errors=True)
        command = ["-m", "benchmarks.orchestration.counted_run", RECIPE, str(folder / "w"), str(folder / "calls.json")]
        env = {**ENV, "MALMOI_SIMULATED": str(folder / "pages")}
        cpu.append(measure_command(command, env, folder / "log"))
        calls.append(json.loads((folder / "calls.json").read_text())["calls"])
    if len(calls[0]) != len(calls[1]):
        raise SystemExit("the number of calls grows with the corpus: the rule of this benchmark is wrong")
    grown = (at - documents) / (documents - documents // 4)
    jobs = [(stage, round(b + grown * (b - a))) for (stage, a), (_, b) in zip(*calls, strict=True)]
    return cpu[1] + grown * (cpu[1] - cpu[0]), sum(count_task_runs(stage, n) for stage, n in jobs)


def count_task_runs(is_stage: bool, jobs: int) -> int:
    """Task runs of one call of the mapper.

    >>> count_task_runs(True, 1), count_task_runs(False, 7), count_task_runs(False, 80), count_task_runs(True, 100_000)
    (1, 0, 10, 40)
    """
    if jobs < (1 if is_stage else SMALLEST):
        return 0
    return max(1, min(GROUPS, jobs // SMALLEST))


def time_first_task(folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start of the command until its first task run starts, and CPU seconds of the command."""
    shutil.rmtree(folder / "w", ignore_errors=True)
    began = datetime.now(UTC)
    command = ["-m", "flows.cli.main", "collect", "benchmarks/sources/simulated.py", "--prefect", "--workspace"]
    cpu = measure_command([*command, str(folder / "w"), "--limit", "1"], env, folder / "log")
    with sqlite3.connect(Path(env["PREFECT_HOME"]) / "prefect.db") as database:
        rows = database.execute("SELECT start_time FROM task_run WHERE start_time IS NOT NULL").fetchall()
    starts = [datetime.fromisoformat(at).replace(tzinfo=UTC) for (at,) in rows]
    return min((at - began).total_seconds() for at in starts if at > began), cpu


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="What Prefect costs beside the work.")
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--at", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    args: Any = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        work, runs = measure_work(folder, args.documents, args.at)
        task, flow = measure_tasks(folder)
        cost = runs * task + flow
        print(f"one task run                 {1000 * task:6.0f} ms of CPU, client and server")
        print(f"a flow run without tasks     {flow:6.1f} s of CPU")
        print(f"work, {args.at:,} documents    {work:6.0f} s of CPU, extrapolated from {args.documents:,}")
        print(f"task runs                    {runs:6.0f}")
        print(f"orchestration                {cost:6.0f} s of CPU, {cost / (work + cost):.1%} of the whole")
        env = {**ENV, "MALMOI_SIMULATED": str(folder / "pages")}
        with start_server(folder) as (client, _):
            print(
                "first task, with a server    {:6.1f} s, {:.1f} s of CPU".format(*time_first_task(folder, env | client))
            )
        for says in KINDS:
            new = folder / "temporary"
            new.mkdir(exist_ok=True)
            found = time_first_task(folder, env | {"PREFECT_HOME": str(new)})
            print(f"first task, {says:16} {found[0]:6.1f} s, {found[1]:.1f} s of CPU with the temporary server")


if __name__ == "__main__":
    main()
