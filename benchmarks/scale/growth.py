"""The whole run on more and more documents: what each step costs, what an increment costs, and what grows too fast.

python -m benchmarks.scale.growth [10000 50000] [--only full more changed delta] [--folder F] [--workers 2]

For each size a folder of JSON lines is made from sentences of the real corpora, mixed anew for each document: 65 %
are unique, 20 % near copies, 5 % equal but for white space, and 10 % fill in one of TEMPLATES forms, whose number does
not grow with the corpus. They are run through the recipe below, without Kiwi, to a verified release (`full`); then
again with 1 % more documents in files between the others (`more`), and again after 1 % of the files, one at least, were
changed (`changed`); and anew as two releases of half of the documents, the second compared with the first (`delta`).

A step is the innermost one that runs, so the steps of a run sum up to it: wall seconds, CPU seconds of all processes,
peaks of PSS (10^6 bytes) of all processes and of the one that starts them, mapped files included; a step that is over
before anyone looks has no peak. `grows` is the CPU of a step over that of the size before, divided by how much larger
the input is: 1 is linear. All lies in a temporary folder, below F if given.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.sources.corpora import CORPORA

ROWS = 500  # documents of a file of 1–2 MB; a shard takes a dozen or two of them
KINDS = (("exact", 0.05), ("near", 0.25), ("form", 0.35), ("unique", 1.0))  # shares of documents, each on the last
TEMPLATES = 20
MORE = 100  # one in so many comes later, or changes
Step: TypeAlias = dict[str, float]  # wall, cpu, peak, main

SOURCE = """from pathlib import Path
from malmoi.source import Folder, LicenceClaim, LicenceRule, Source
SOURCE = Source(name={name!r}, title="자라는 말뭉치", publisher="시험", access=Folder(Path({folder!r}), ("*.jsonl",)),
    claim=(LicenceClaim("CC-BY-4.0", "Creative Commons Attribution 4.0", file="LICENSE.md"),),
    rule=LicenceRule(("licence-file",)))
"""
RECIPE = """name = {name!r}
purpose = "To measure how a run grows; not for publishing."
sources = [{source!r}]
shards = 8
clean = [{{ filter = "rights", uses = ["redistribute"] }}, {{ filter = "normalise" }}, {{ filter = "language" }},
  {{ filter = "length" }}]
judged = [{{ filter = "exact_duplicates" }}, {{ filter = "personal_data" }}, {{ filter = "quarantine" }}]
curated = [{{ filter = "near_duplicates", threshold = 0.8, earlier = {earlier!r} }}, {{ filter = "redact" }}]
"""
# What is told apart of a run: module, function, name of the step.
STEPS = (
    ("flows.run", "collect_all", "collect"),
    ("flows.run", "curate", "plan, ledgers"),
    ("flows.engine.run_surveys", "survey", "slices"),
    ("flows.engine.run_surveys", "_exchanged", "exchange"),
    ("flows.reports.crawl_report", "refresh", "report of sources"),
    ("flows.reports.curation_report", "write", "report of curation"),
    ("flows.run", "release", "release, rest"),
    ("flows.release", "publish", "publish, rest"),
    ("malmoi.releases.audit", "ledgers", "stages read again"),
    ("malmoi.releases.audit", "write", "audit tables"),
    ("flows.engine.run_surveys", "leave", "segment"),
    ("data_cards", "write", "card"),
    ("flows.release", "verify", "verify"),
)
TASKS = (
    "extract",
    "sketch_shard",
    "split",
    "assemble",
    "refused",
)  # steps by the name of a task; a walk's is its stage
out = Console(highlight=False, width=120)


@cache
def sentences() -> tuple[str, ...]:
    """Sentences of the corpora that are mostly Hangul, each once, sorted."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((CORPORA / "boddari" / "unesco").glob("*.txt"))]
    for name in ("wikinews", "book_review01", "book_review02"):
        with (CORPORA / "boddari" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
            texts += [row.get("내용") or "" for row in csv.DictReader(lines)]
    with (CORPORA / "law-ko" / "tax_rulings.jsonl").open(encoding="utf-8") as lines:
        texts += [json.loads(line)["재결요지"] or "" for line in lines]
    parts = {part.strip() for text in texts for part in re.split(r"(?<=[.?!])\s+|\n+", text)}
    return tuple(sorted(p for p in parts if 20 <= len(p) <= 200 and len(re.findall("[가-힣]", p)) > len(p) / 2))


def kind(number: int) -> str:
    """What the document of this number is; the first one is unique."""
    draw = random.Random(f"kind {number}").random() if number else 1.0
    return next(name for name, end in KINDS if draw <= end)


def text(number: int, revision: int = 0) -> str:
    """The text of a document: the same for a number and a revision, whatever the size of the corpus."""
    draw, what = random.Random(f"text {number} {revision}"), kind(number)
    if what == "unique":
        return _prose(draw, draw.randint(4, 24))
    if what == "form":
        form = random.Random(f"form {draw.randrange(TEMPLATES)}")
        return f"{_prose(form, 10)}\n{_prose(draw, 4)}"
    original = next(one for one in iter(lambda: draw.randrange(number), -1) if kind(one) == "unique")
    if what == "exact":
        return text(original).replace("\n", "\n\n")
    return " ".join(word for word in text(original).split(" ") if draw.random() > 0.02)


def _prose(draw: random.Random, count: int) -> str:
    """Sentences of many texts in any order, with other numbers in them, in paragraphs."""
    chosen = (re.sub(r"\d", lambda _: str(draw.randrange(10)), one) for one in draw.choices(sentences(), k=count))
    return "".join(one + ("\n" if draw.random() < 0.25 else " ") for one in chosen).strip()


def write(folder: Path, *given: Any, **named: Any) -> None:
    """Write `files` into a folder; all are of one time, so that the roots of two runs can be compared."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(*given, **named):
        (folder / name).write_text(content, encoding="utf-8")
        os.utime(folder / name, (0, 0))


def files(numbers: Sequence[int], name: str = "{:05d}.jsonl", revision: int = 0) -> Iterator[tuple[str, str]]:
    """Name and content of the licence, and of files of ROWS documents each."""
    yield "LICENSE.md", "Creative Commons Attribution 4.0\n"
    for at in range(0, len(numbers), ROWS):
        rows = ({"id": str(n), "title": f"글 {n}", "text": text(n, revision)} for n in numbers[at : at + ROWS])
        yield name.format(numbers[at] // ROWS), "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@dataclass(slots=True)
class Clock:
    """Costs by step: what passes belongs to the innermost step that runs in the main thread."""

    steps: dict[str, Step] = field(default_factory=dict)
    running: list[str] = field(default_factory=lambda: ["start, end"])
    last: tuple[float, float] = (0.0, 0.0)

    def note(self) -> None:
        """Write what has passed since the last note to the account of the step at hand."""
        now, step = (time.monotonic(), measure.tree_cpu()), self.of(self.running[-1])
        step["wall"], step["cpu"] = step["wall"] + now[0] - self.last[0], step["cpu"] + max(0.0, now[1] - self.last[1])
        self.last = now

    def of(self, name: str) -> Step:
        """The account of a step."""
        return self.steps.setdefault(name, {"wall": 0.0, "cpu": 0.0, "peak": 0.0, "main": 0.0})

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step, within the one that runs."""
        self.note()
        self.running.append(name)
        try:
            yield
        finally:
            self.note()
            self.running.pop()

    def look(self) -> None:
        """Note the memory now, again and again."""
        me = psutil.Process()
        while True:
            step, main = self.of(self.running[-1]), _pss(me)
            others = sum(map(_pss, me.children(recursive=True)))
            step["peak"], step["main"] = max(step["peak"], main + others), max(step["main"], main)
            time.sleep(0.1)


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except (psutil.Error, OSError):  # it has ended
        return 0.0


def drive(recipe: str, workspace: str, workers: str, answer: str) -> int:
    """Run as `malmoi run` does, and write what each step cost."""
    from flows import run as runs
    from flows.engine import executors, worker_pool
    from flows.engine.progress import Progress
    from malmoi.workspace import Workspace

    clock = Clock(last=(time.monotonic(), 0.0))
    threading.Thread(target=clock.look, daemon=True).start()
    for place, name, step in STEPS:
        module = importlib.import_module(place)
        setattr(module, name, clock.step(step)(getattr(module, name)))
    worker_pool.configure(int(workers))
    worker_pool.workers().warm()
    threads = executors.thread_mapper(worker_pool.count())

    def mapper(call: Any, jobs: Any, done: Any = lambda _: None) -> list[Any]:
        task = getattr(call, "args", (call,))[0].__name__  # of a partial the call that it carries
        name = task if task in TASKS else clock.running[-1]
        with clock.step(jobs[0].stage if jobs and task == "walk_shard" else name):
            return threads(call, jobs, done)

    chosen, home = runs.recipe_of(recipe), Workspace.open(Path(workspace))
    with home.lock():
        made = runs.run(home, chosen, runs.sources_of(chosen, recipe, ()), mapper, Progress())
    worker_pool.close()
    clock.note()
    Path(answer).write_text(json.dumps({"steps": clock.steps, "documents": made.documents, "root": made.root}))
    return 0


def run(root: Path, name: str, folder: Path, workspace: Path, workers: int, earlier: str = "same") -> dict[str, Any]:
    """Run a recipe over a folder in a process of its own: what `drive` found, and the usage and disk of the whole."""
    source, recipe, answer, log = (root / (name + end) for end in (".py", ".toml", ".json", ".log"))
    source.write_text(SOURCE.format(name=name, folder=str(folder)), encoding="utf-8")
    recipe.write_text(RECIPE.format(name=name, source=source.name, earlier=earlier), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.scale.growth", "--drive", str(recipe), str(workspace), str(workers)]
    usage = measure.run([*command, str(answer)], log=log)
    if usage.status:
        raise SystemExit(f"growth: the run ended with status {usage.status}: {log.read_text()[-3000:]}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    sizes = [(path.relative_to(workspace).parts[0], path.stat().st_size) for path in workspace.rglob("*")]
    disk = {place: sum(size for name, size in sizes if name == place) / 1e6 for place in sorted(dict(sizes))}
    return {**found, "wall": usage.wall, "cpu": usage.cpu, "peak": usage.peak_mb, "disk": disk}


def grow(root: Path, size: int, only: Sequence[str], workers: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs of one size, each with its name."""
    texts, more = root / "texts", max(1, size // MORE)
    if {*only} - {"delta"}:
        write(texts, range(size))
        yield "full", run(root, "growth", texts, root / "one", workers)
    if "more" in only:
        write(texts, range(size, size + more), "00001-{:05d}.jsonl")
        yield "more", run(root, "growth", texts, root / "one", workers)
    if "changed" in only:
        for first in range(size // ROWS // 2 % MORE * ROWS, size, MORE * ROWS):
            write(texts, range(first, min(first + ROWS, size)), revision=1)
        yield "changed", run(root, "growth", texts, root / "one", workers)
    for half, name in enumerate(("first half", "second half") if "delta" in only else ()):
        place = root / f"half-{half}"
        write(place, range(half * size // 2, (half + 1) * size // 2))
        yield name, run(root, f"half-{half}", place, root / "two", workers, "all")


def show(title: str, found: dict[str, Any], full: dict[str, Any], before: tuple[float, dict[str, Step]] | None) -> None:
    """Print one run; `before` is how much larger the input is than that of a run before, and the steps of that."""
    title += f": {found['wall']:.0f} s, CPU {found['cpu']:.0f} s ({found['cpu'] / full['cpu']:.1%} of the full run), "
    title += f"peak {found['peak']:,.0f} MB, {found['documents']:,} released\nroot {found['root']}"
    out.print(f"\n{title}", soft_wrap=True)
    table = Table("step", "wall s", "CPU s", "of the full run", "peak MB", "main MB", "grows")
    for step, cost in sorted(found["steps"].items(), key=lambda item: -item[1]["wall"]):
        whole = full["steps"].get(step, cost)["cpu"]
        last = before[1].get(step, cost)["cpu"] if before else 0.0
        grows = f"{cost['cpu'] / last / before[0]:.2f}" if before and last > 0.05 else ""
        part = f"{cost['cpu'] / whole:.1%}" if whole and found is not full else ""
        seconds, memory = (f"{cost[n]:,.2f}" for n in ("wall", "cpu")), (f"{cost[n]:,.0f}" for n in ("peak", "main"))
        table.add_row(step, *seconds, part, *memory, grows)
    out.print(table)
    out.print("disk, MB:", *(f"{place} {mb:,.1f}" for place, mb in found["disk"].items() if mb >= 0.05), soft_wrap=True)


def main() -> int:
    """Print the tables for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.growth")
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 50_000], help="documents")
    parser.add_argument("--only", nargs="+", default=["full", "more", "changed", "delta"], help="which runs")
    parser.add_argument("--folder", type=Path, help="where texts and workspaces lie while it runs")
    parser.add_argument("--workers", type=int, default=2)
    given, last = parser.parse_args(), (0, dict[str, Step]())
    if not CORPORA.is_dir():
        parser.error("the corpora are not here; name their folder with MALMOI_CORPORA.")
    for size in given.sizes:
        root, full = Path(tempfile.mkdtemp(prefix="malmoi-growth-", dir=given.folder)), None
        try:
            for name, found in grow(root, size, given.only, given.workers):
                full = full or found
                before = (size / last[0], last[1]) if last[0] and name == "full" else None
                show(f"{size:,} documents, {name}", found, full, before)
                last = (size, found["steps"]) if name == "full" else last
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    os.environ.pop("PREFECT_API_URL", None)
    sys.exit(drive(*sys.argv[2:]) if sys.argv[1:2] == ["--drive"] else main())
