"""`make bench-smoke`: every benchmark on its smallest input, so that one that no longer runs fails the gate.

It runs what the command runs, the part below `if __name__ == "__main__"`, in a process forked from this one, which has
loaded the libraries; three at a time. Where a command has no option for a small input, constants and readers of its
module are replaced by smaller ones. No figure it prints means anything. A benchmark whose corpus is not here ends with
status 2 and says so; with MALMOI_REQUIRE_ALL=1 that fails too.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
AT_ONCE = 3  # of which one waits, for a server or a process
MOST_SECONDS = 150.0  # of one benchmark, wall; a busy machine stays below it
SIMULATED, REAL = "benchmarks/recipes/simulated.toml", "benchmarks/recipes/real.toml"
Shrink = Callable[[Any], Any]


def first(count: int, every: int = 1) -> Shrink:
    """Return a change that makes a reader give `count` of its values only, one of each `every`."""
    return lambda read: lambda *given, **named: list(islice(read(*given, **named), 0, count * every, every))


def spread(*sources: str) -> Shrink:
    """Return a change that makes a reader of texts by id say that they are of these sources, in turn."""
    return lambda read: (
        lambda *given: {f"{sources[n % len(sources)]}/{n}": t for n, t in enumerate(read(*given).values())}
    )


def keep(count: int) -> Shrink:
    """Return a change that keeps the first entries of a dictionary, or the first of a list."""
    return lambda held: dict(islice(held.items(), count)) if isinstance(held, dict) else held[:count]


def value(smaller: object) -> Shrink:
    """Return a change that replaces a constant."""
    return lambda _: smaller


@dataclass(frozen=True, slots=True)
class Case:
    """A command: the module, its arguments ({x} is a path of `prepare`), and names of its module that are smaller."""

    module: str
    arguments: str = ""
    smaller: dict[str, Shrink] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return the command without the name of this package."""
        return f"{self.module} {self.arguments}".strip()


NAMES = {"texts.read_templates": first(40), "texts.read_sets": first(20, every=9), "texts.read_prose": first(20)}
CASES = (
    Case("__main__", smaller={"NEW_EVERY": value(5)}),
    Case("ablation.__main__", "real {work} {folder}/ablation", {
        "RELEASES": value({"wide": "simulated"}), "SOURCES": value(("simulated",)),
    }),
    Case("domain", "benchmarks/labels/domain.jsonl"),
    Case("domain_model", smaller={"read_texts": first(60, every=40)}),
    Case("duplicates.clusters", "--documents 300"),
    Case("duplicates.copies", "--originals 50 --shorts 10 --workspace {work}"),
    Case("duplicates.copies_crowd", "--texts 30", {"CROWDS": keep(1)}),
    Case("duplicates.copies_shingles", "--workspace {work}"),
    Case("duplicates.minhash", "{prose}", {
        "LEAST": value(1), "ROUNDS": value(1), "SYSTEMS": keep(2), "PAIRS": value(2), "LENGTHS": keep(1),
    }),
    Case("erasure", "{work} --mb 1 --folder {folder}"),
    Case("forecasts.populations", "--rounds 2 --pages 200"),
    Case("formats.annexes"),
    Case("formats.formats_encodings", smaller={"texts": first(4)}),
    Case("formats.formats_html"),
    Case("formats.formats_hwp"),
    Case("formats.formats_pdf", smaller={
        "BOMBS": keep(1), "TESTED": value(1_500), "SIZES": keep(1), "WIDTHS": keep(1), "_lines": first(300),
    }),
    Case("gold", f"{REAL} {{work}}"),
    Case("hard_pages.__main__"),
    Case("hard_pages.train", smaller={"FOLDS": value(2), "GUIDE_EVERY": value(100)}),
    Case("homographs", "{work}", {"BEAMS": value((8.0,)), "read_homographs": first(30), "LINES": value(30)}),
    Case("hostile", smaller={"SIZE": value(2_000)}),
    Case("kiwi", "{work}", {"MOST_CHARS": value(2_000), "ODD_CHARS": value(500)}),
    Case("language"),
    Case("overlap", "--workspace {work} --items 50", {
        "gold.texts_of": spread("web-ko", "boddari"), "SOURCES": value(("web-ko", "boddari")), "ITEMS": value(5),
        "SENTENCES": value(5),
    }),
    Case("page_kind_model.__main__", smaller={
        "BUILT": lambda built: dict.fromkeys(built, 4), "EVERY": value(60), "STEPS": value(5), "HARD": keep(1),
    }),
    Case("paragraphs", "30"),
    Case("person_names.measure", "benchmarks/person_names/tune.jsonl", {"read_filled": first(20)}),
    Case("person_names.train", smaller=NAMES),
    Case("person_names.train_privacy", smaller=NAMES),
    Case("personal_data.__main__", "--no-speed"),
    Case("personal_data.rule_page"),
    Case("quality_model.train", "--held"),
    Case("register_model.measure"),
    Case("register_model.train", smaller={"read_texts": first(60, every=20)}),
    Case("scale.common_crawl", "1000 3"),
    Case("scale.cost_model", "--pages 10 --workers 0"),
    Case("scale.incremental", "--documents 20 --workers 0"),
    Case("sentences"),
    Case("simulated_captures", "{folder}/more --documents 5"),
    Case("simulation.git_collection", "--files 10"),
    Case("simulation.release_parts", f"{{work}} {SIMULATED} {{folder}}/parts.json --copies 1"),
    Case("spam", "spam tests/data/spam.jsonl"),
    Case("templates"),
    Case("thresholds", f"{REAL} {{work}}"),
    Case("train_abuse", "--held"),
    Case("train_spam"),
    Case("train_translation"),
)  # fmt: skip
# Servers of Prefect, a cluster, a profiler, four runs: two minutes. `make test-all` runs them.
LONG = (
    Case("forecasts.__main__", "{folder}/forecasts --case simulated --pages 12 --seeds 1 --sample 6"),
    Case("orchestration.__main__", "--documents 8", {"CALLS": value((1, 2)), "WAIT": value(0.5), "KINDS": keep(1)}),
    Case("profile", "{folder}/profile.svg"),
    Case("scale.engines", "--documents 12 --engines local dask"),
)


def main(cases: Sequence[Case] = CASES) -> int:
    """Run all, print a line for each, and return 1 if one failed."""
    os.environ.update(DO_NOT_TRACK="1", PREFECT_SERVER_ANALYTICS_ENABLED="false", OMP_NUM_THREADS="1")
    from benchmarks import drive  # imports that every child shares
    from filters import morphology
    from flows import run as _  # noqa: F401
    from malmoi import recipe

    began, worst = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="malmoi-smoke-") as name:
        folder = Path(name)
        paths = prepare(folder)
        for one in recipe.list_filters():
            recipe.load_filter(one)
        morphology.load()
        assert drive
        for case, status, seconds in run_all(cases, folder, paths):
            log = (folder / f"{case.module}.log").read_text(encoding="utf-8", errors="replace")
            absent = status == 2 and ("not here" in log or "not there" in log or "are not at" in log)
            failed = status != 0 and not (absent and os.environ.get("MALMOI_REQUIRE_ALL") != "1")
            print(
                f"{seconds:5.1f} s  {'FAILED' if failed else 'absent' if status else 'ran':6}  {case.title}", flush=True
            )
            if failed:
                print("\n".join(f"    {line}" for line in log.splitlines()[-25:]))
            worst = max(worst, int(failed))
    print(f"{len(cases)} benchmarks, {time.monotonic() - began:.0f} s")
    return worst


def prepare(folder: Path) -> dict[str, str]:
    """Make the inputs that several share: simulated pages, a finished run of them, their text, and few real pages."""
    from benchmarks import simulated_captures
    from benchmarks.sources.corpora import CORPORA
    from malmoi.archive import capture
    from malmoi.storage import shard

    simulated_captures.write(folder / "pages", 40)
    os.environ["MALMOI_SIMULATED"] = str(folder / "pages")
    run = ["-m", "benchmarks.drive", SIMULATED, str(HERE / "sources" / "simulated.py"), str(folder / "work"), "0"]
    if status := subprocess.run([sys.executable, *run, str(folder / "answer.json")], cwd=ROOT, check=False).returncode:
        raise SystemExit(f"smoke: the run of simulated pages ended with status {status}")
    tables = (folder / "work").glob("2-documents/*/documents.parquet")
    texts = [text for path in tables for text in shard.read(path, ["text"])["text"].to_pylist()]
    (folder / "prose.txt").write_text("\n".join(texts), encoding="utf-8")
    if (archive := CORPORA / "web-ko" / "web-ko.warc.gz").is_file():
        (folder / "real").mkdir()
        (folder / "real" / "SOURCE.txt").symlink_to(archive.parent / "SOURCE.txt")
        with (folder / "real" / "few.warc.gz").open("wb") as stream:
            for entry in islice(capture.scan(archive), 0, 300, 8):
                if not isinstance(entry, capture.Torn):
                    page = entry[2]
                    stream.write(capture.warc_record(page.url, page.fetched, page.status, page.headers, page.body))
    os.environ["BENCH_CORPUS"], os.environ["BENCH_PEER"] = str(folder / "real" / "few.warc.gz"), "none"
    return {"folder": str(folder), "work": str(folder / "work"), "prose": str(folder / "prose.txt")}


def run_all(cases: Sequence[Case], folder: Path, paths: dict[str, str]) -> Iterator[tuple[Case, int, float]]:
    """Run the cases in processes forked from this one; yield each as it ends, with its status and its seconds."""
    waiting, running = list(cases), dict[int, tuple[Case, float]]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            case = waiting.pop(0)
            if not (pid := os.fork()):
                run_child(case, folder / f"{case.module}.log", paths)
            running[pid] = case, time.monotonic()
        pid, status = os.waitpid(-1, 0)
        if pid in running:
            case, began = running.pop(pid)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # servers that it has left, if it was ended
            yield case, os.waitstatus_to_exitcode(status), time.monotonic() - began


def run_child(case: Case, log: Path, paths: dict[str, str]) -> None:
    """In a forked process: run a case as its command does, and end."""
    status: object = 1
    try:
        os.setsid()
        signal.alarm(int(MOST_SECONDS))
        with log.open("wb", buffering=0) as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
        status = run_case(case, paths)
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1 if status else 0)


def run_case(case: Case, paths: dict[str, str]) -> int:
    """Import the module of a case, make it smaller, and run what stands below `if __name__ == "__main__"`."""
    module = importlib.import_module(f"benchmarks.{case.module}")
    for name, shrink in case.smaller.items():
        *places, last = name.split(".")
        owner = reduce(getattr, places, module)
        setattr(owner, last, shrink(getattr(owner, last)))
    sys.argv = [str(module.__file__), *case.arguments.format(**paths).split()]
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    (below,) = (one for one in tree.body if isinstance(one, ast.If) and "__main__" in ast.unparse(one.test))
    exec(compile(ast.Module(below.body, []), str(module.__file__), "exec"), vars(module))
    return 0


if __name__ == "__main__":
    sys.exit(main(LONG if sys.argv[1:] == ["--long"] else CASES))
