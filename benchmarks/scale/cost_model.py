"""What a terabyte of HTML costs: terms measured at some sizes, fitted, and multiplied (docs/scale.md).

python -m benchmarks.scale.cost_model [--pages 1000 3000 8000] [--workers 2] [--folder F] [--json FILE] [--from FILE]
python -m benchmarks.scale.cost_model --index 20000 100000 [--folder F]

For each size, simulated pages (`benchmarks.simulated_captures`) go from archives to a verified release by
`benchmarks/recipes/simulated.toml`, in a process of its own. Measured are CPU seconds by stage, the peak of memory of
all processes and of the one that plans, bytes by folder of the workspace, and the number of jobs in each call of the
mapper, which give the task runs of Prefect. Each term is fitted as fixed + rate × pages by least squares; `off` is the
largest deviation of a measured value from the line. The last table multiplies the rates: it is an extrapolation.
--index only collects pages of one line, which costs little, and measures what the process that plans needs for each:
CPU, memory, bytes of the index. All lies in a temporary folder, below F if given; --from prints the tables of a file
that --json wrote.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import drive, measure, simulated_captures
from benchmarks.simulation.simulated_pages import name_page
from malmoi.archive import capture

HERE = Path(__file__).parents[1]
RECIPE = str(HERE / "recipes" / "simulated.toml")
SOURCE = str(HERE / "sources" / "simulated.py")
TERABYTE = 10**12  # bytes of HTML, decoded
SIZES = (1_000, 3_000, 8_000)  # pages
FOLDERS = ("1-captures", "2-documents", "3-clean", "4-judged", "5-curated", "surveys", "6-releases")
UNITS = {"cpu": "ms", "disk": "bytes", "peak": "bytes", "html": "bytes"}
out = Console(highlight=False, width=110)
Terms = dict[str, float]


def measure_run(folder: Path, pages: int, workers: int) -> Terms:
    """Write pages, run them, and return the value of each term for all of them (CPU in ms, sizes in bytes)."""
    archives, home = folder / f"archives-{pages}", folder / f"workspace-{pages}"
    simulated_captures.write(archives, pages)
    env, answer = {"MALMOI_SIMULATED": str(archives)}, folder / f"answer-{pages}.json"
    command = [sys.executable, "-m", "benchmarks.scale.cost_model", "--run", str(home), str(workers), str(answer)]
    used = measure.run(command, env, folder / "log.txt")
    if used.status:
        raise SystemExit(f"cost_model: the run ended with {used.status}: {(folder / 'log.txt').read_text()[-2000:]}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    stages: dict[str, float] = found["stages"]
    terms = {f"cpu {name}": 1000 * seconds for name, seconds in stages.items()}
    terms["cpu start, end"] = 1000 * (used.cpu - sum(stages.values()))
    terms |= {"cpu all": 1000 * used.cpu, "cpu of the planning process": 1000 * found["main_cpu"]}
    terms |= {"html decoded": float(_count_bytes(archives)), "html in archives": float(_size(archives))}
    terms |= {f"disk {name}": float(_size(home / name)) for name in FOLDERS}
    terms["disk all"] = float(_size(home))
    terms |= {"peak all processes": used.peak_mb * 1e6, "peak of the planning process": found["main_bytes"]}
    terms |= {f"jobs {at}": float(jobs) for at, jobs in enumerate(found["calls"])}
    return terms


def run_once(workspace: str, workers: str, answer: str) -> None:
    """Run the recipe as `malmoi run` does, and write what only this process knows."""
    from flows.engine import executors

    calls: list[int] = []
    make: Callable[[int], Any] = executors.thread_mapper

    def make_counting(count: int) -> Any:
        mapper = make(count)

        def run(call: Any, jobs: Sequence[Any], *more: Any, **named: Any) -> Any:
            calls.append(len(jobs))
            return mapper(call, jobs, *more, **named)

        return run

    executors.thread_mapper = make_counting
    drive.main(RECIPE, SOURCE, workspace, workers, answer)
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = json.loads(Path(answer).read_text(encoding="utf-8"))
    found |= {"calls": calls, "main_bytes": 1024 * used.ru_maxrss, "main_cpu": used.ru_utime + used.ru_stime}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


def weigh_index(workspace: str, answer: str) -> None:
    """Write by how many bytes this process grows to plan the extraction of all captures: at the end, at its peak."""
    from crawlers import catalogue
    from flows.curate import extract_jobs
    from malmoi.workspace import Workspace

    home, process = Workspace.open(Path(workspace)), psutil.Process()
    catalogue.load(SOURCE)
    gc.collect()
    before = process.memory_info().rss
    jobs = list(extract_jobs(home, SOURCE))
    held = process.memory_info().rss - before
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    Path(answer).write_text(json.dumps([held, peak, len(jobs)]), encoding="utf-8")


def measure_index(folder: Path, pages: int) -> Terms:
    """Collect pages of one line, and return what collecting and planning took: CPU in ms, sizes in bytes."""
    archives, home, answer = folder / f"lines-{pages}", folder / f"index-{pages}", folder / "answer.json"
    archives.mkdir()
    (archives / "SOURCE.txt").write_text(f"{simulated_captures.LICENCE}\n", encoding="utf-8")
    for at in range(0, pages, simulated_captures.ARCHIVE):
        with (archives / f"{at:09}.warc.gz").open("wb") as stream:
            for number in range(at, min(at + simulated_captures.ARCHIVE, pages)):
                _, url = name_page(0, number)
                body = f"<p>{number}</p>".encode()
                stream.write(capture.warc_record(url, "2026-01-01T00:00:00Z", 200, simulated_captures.HEADERS, body))
    env = {"MALMOI_SIMULATED": str(archives)}
    malmoi = [sys.executable, "-m", "flows.cli.main", "collect", SOURCE, "--workspace", str(home)]
    weigh = [sys.executable, "-m", "benchmarks.scale.cost_model", "--weigh", str(home), str(answer)]
    spent = []
    for command in (malmoi, weigh):
        used = measure.run(command, env, folder / "log.txt")
        if used.status:
            raise SystemExit(f"cost_model: {command[3]} ended with {used.status}: {(folder / 'log.txt').read_text()}")
        spent.append(1000 * used.cpu)
    held, peak, shards = json.loads(answer.read_text(encoding="utf-8"))
    terms = {"cpu collect, ms": spent[0], "cpu plan, ms": spent[1], "memory while planned, bytes": held}
    terms |= {"memory at the peak, bytes": peak, "index on disk, bytes": _size(home / "1-captures"), "shards": shards}
    return {name: float(value) for name, value in terms.items()}


def show_index(measured: dict[int, Terms]) -> None:
    """Print what was measured, with lines."""
    sizes = sorted(measured)
    table = Table("term", *(f"{size:,} pages" for size in sizes), "fixed", "a page", title="index of captures")
    for name, first in measured[sizes[0]].items():
        line = fit_line(sizes, [measured[size][name] for size in sizes]) if len(sizes) > 1 else (0.0, first / sizes[0])
        table.add_row(name, *(f"{measured[size][name]:,.0f}" for size in sizes), f"{line[0]:,.0f}", f"{line[1]:,.3f}")
    out.print(table)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _count_bytes(archives: Path) -> int:
    found = (one for path in sorted(archives.glob("*.warc.gz")) for one in capture.scan(path))
    return sum(len(one[2].body) for one in found if not isinstance(one, capture.Torn))


def fit_line(sizes: Sequence[int], values: Sequence[float]) -> tuple[float, float, float]:
    """Fit a line by least squares; return fixed part, rate, and largest deviation as a share of the value.

    >>> [round(one, 3) for one in fit_line([100, 200, 300], [12.0, 22.0, 32.0])]
    [2.0, 0.1, 0.0]
    """
    rate, fixed = np.polyfit(np.array(sizes, float), np.array(values, float), 1)
    off = max(abs(fixed + rate * x - y) / abs(y) if y else 0.0 for x, y in zip(sizes, values, strict=True))
    return float(fixed), float(rate), float(off)


def count_task_runs(calls: Sequence[tuple[float, float]], pages: float) -> int:
    """Return the task runs of Prefect for so many pages, of calls with `fixed + rate × pages` jobs each.

    For infinitely many pages, return the most that these calls can make.

    >>> count_task_runs([(1, 0), (0, 0.01)], 100), count_task_runs([(1, 0), (0, 0.01)], 1_000_000)
    (0, 40)
    """
    from flows.engine.task_mapper import GROUPS, SMALLEST  # imports Prefect, which a measured run does not

    if math.isinf(pages):
        return GROUPS * len(calls)
    jobs = [max(1, round(fixed + rate * pages)) for fixed, rate in calls]
    return sum(max(1, min(GROUPS, one // SMALLEST)) for one in jobs if one >= SMALLEST)


def show(measured: dict[int, Terms]) -> None:
    """Print what was measured with its lines, and what they give for large inputs."""
    sizes = sorted(measured)
    names = [name for name in measured[sizes[-1]] if name.split()[0] in UNITS]
    lines = {name: fit_line(sizes, [measured[size].get(name, 0.0) for size in sizes]) for name in names}
    table = Table("term", *(f"{size:,} pages" for size in sizes), "fixed", "a page", "off", title="measured")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in names:
        fixed, rate, off = lines[name]
        unit = UNITS[name.split()[0]]
        scale, shown = (1000.0, "s") if unit == "ms" else (1e6, "MB")
        cells = (f"{measured[size].get(name, 0.0) / scale:,.1f} {shown}" for size in sizes)
        table.add_row(name, *cells, f"{fixed / scale:,.1f} {shown}", f"{rate:,.2f} {unit}", f"{off:.0%}")
    out.print(table)
    count = min(sum(name.startswith("jobs") for name in terms) for terms in measured.values())
    calls = [fit_line(sizes, [measured[size][f"jobs {at}"] for size in sizes])[:2] for at in range(count)]
    page = lines["html decoded"][1]
    rows = [("1 million pages", 10**6), *((f"{n} TB of HTML", round(n * TERABYTE / page)) for n in (1, 10))]
    table = Table("", *(f"{title} ({pages:,} pages)" for title, pages in rows), title="extrapolated")
    for what, value in _list_costs(lines, calls):
        table.add_row(what, *(value(pages) for _, pages in rows))
    out.print(table)


def _list_costs(lines: dict[str, tuple[float, float, float]], calls: list[tuple[float, float]]) -> list[Any]:
    def line(name: str, unit: float, says: str) -> tuple[str, Callable[[int], str]]:
        fixed, rate, _ = lines[name]
        return name, lambda pages: f"{(fixed + rate * pages) / unit:,.1f} {says}"

    return [
        line("cpu all", 3.6e6, "hours"),
        line("html in archives", 1e9, "GB"),
        *(line(f"disk {name}", 1e9, "GB") for name in FOLDERS),
        line("disk all", 1e9, "GB"),
        ("task runs of Prefect", lambda pages: f"{count_task_runs(calls, pages):,}"),
        ("task runs at most", lambda _: f"{count_task_runs(calls, math.inf):,}"),
        ("shards", lambda pages: f"{math.ceil(pages / 256):,}"),
    ]


def main() -> None:
    """Measure and print, or print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.cost_model")
    parser.add_argument("--pages", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--index", type=int, nargs="+", help="collect and plan only, so many pages of one line")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--from", dest="given", type=Path)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--weigh", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        return run_once(*given.run)
    if given.weigh:
        return weigh_index(*given.weigh)
    measured: dict[int, Terms] = {}
    if given.index:
        with tempfile.TemporaryDirectory(prefix="malmoi-cost-", dir=given.folder) as folder:
            return show_index({pages: measure_index(Path(folder), pages) for pages in given.index})
    if given.given:
        measured = {int(size): terms for size, terms in json.loads(given.given.read_text(encoding="utf-8")).items()}
    else:
        measure.INTERVAL = 0.5  # seconds; to read the memory of large processes takes some of their CPU
        with tempfile.TemporaryDirectory(prefix="malmoi-cost-", dir=given.folder) as folder:
            for pages in sorted(given.pages):
                measured[pages] = measure_run(Path(folder), pages, given.workers)
                out.print(f"{pages:,} pages: {measured[pages]['cpu all'] / pages:.2f} ms of CPU a page")
                if given.json:
                    given.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return show(measured)


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    main()
