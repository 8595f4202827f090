"""Compare forecasts with the whole run: kept characters, licences and CPU, for several seeds, with the goals of each.

python -m benchmarks.forecasts FOLDER [--case web-ko|cut|simulated|site|sitemap]… [--sample N]… [--seeds S] [--pages P]

It prints a line of JSON for the whole of a case, one for each forecast, and one that says how many met each goal. The
result of a whole run stays in FOLDER, for the same case and number of pages, and is not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.forecasts import cut_corpora, simulated_site
from flows.probing.forecast import CPU, KEPT, KEPT_DOCUMENTS, LICENCE, UNDER
from malmoi.licensing.rights_decision import decide
from malmoi.storage import shard

# Largest deviation, as a share of the whole; of licences in points.
GOALS = {"kept": 0.10, "licences": 0.10, "licences by documents": 0.10, "CPU": 0.25}
CASES = ("web-ko", "cut", "simulated", "site", "sitemap")
SIZED = ("simulated", "site", "sitemap")  # of as many pages as --pages says
HERE = Path(__file__).resolve().parents[1]
RECIPE = {"web-ko": HERE / "recipes" / "real.toml", "simulated": HERE / "recipes" / "simulated.toml"}


@contextmanager
def open_case(case: str, folder: Path, pages: int) -> Iterator[Path]:
    """Prepare the source of a case; yield its file."""
    if case == "web-ko":
        yield HERE / "sources" / "web_ko.py"
    elif case == "cut":
        yield cut_corpora.write(folder / "cut")
    elif case == "simulated":
        archive = folder / f"simulated-{pages}"
        subprocess.run(
            [sys.executable, "-m", "benchmarks.simulated_captures", archive, "--documents", str(pages)], check=True
        )
        os.environ["MALMOI_SIMULATED"] = str(archive)
        yield HERE / "sources" / "simulated.py"
    else:
        with simulated_site.serve(pages) as base:
            path = folder / f"{case}.py"
            path.write_text(simulated_site.write_sources(base)[case], "utf-8")
            yield path


def run_whole(source: Path, recipe: str, workspace: Path) -> dict[str, float]:
    """Collect and curate everything; the quantities that a forecast names. The numbers of an earlier call stay."""
    kept = workspace.with_suffix(".json")
    if kept.exists():
        known: dict[str, float] = json.loads(kept.read_text("utf-8"))
        return known
    shutil.rmtree(workspace, ignore_errors=True)
    log = workspace.with_suffix(".log")
    cpu = 0.0
    for words in (["collect", str(source)], ["curate", recipe, "--source", str(source)]):
        used = measure.run([sys.executable, "-m", "flows.cli.main", *words, "--workspace", str(workspace)], log=log)
        if used.status:
            sys.exit(f"{' '.join(words)} ended with {used.status}; see {log}")
        cpu += used.cpu
    found: Counter[str] = Counter()
    for path in sorted((workspace / "5-curated").glob("*/documents.parquet")):
        for doc in shard.to_documents(shard.read(path)):
            licence = decide(doc.evidence, doc.signals).licence
            found[KEPT] += len(doc.text)
            found[KEPT_DOCUMENTS] += 1
            found[f"{LICENCE}{licence}"] += len(doc.text)
            found[f"{UNDER}{licence}"] += 1
    kept.write_text(json.dumps({**found, CPU: cpu}, ensure_ascii=False), "utf-8")
    return {**found, CPU: cpu}


def run_forecast(source: Path, recipe: str, workspace: Path, sample: int, seed: int) -> dict[str, Any]:
    """Foretell the same from a sample."""
    words = ["sources", "forecast", str(source), "--sample", str(sample), "--seed", str(seed), "--recipe", recipe]
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.main", *words, "--workspace", str(workspace), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(whole: dict[str, float], found: dict[str, Any]) -> dict[str, float]:
    """Deviations of a forecast, as shares of the whole; of licences the largest difference of their shares."""
    kept, cpu = found["totals"][KEPT], found["totals"][CPU]
    gaps, inside = compare_shares(whole, found["shares"], LICENCE, KEPT)
    return {
        "units": found["whole"]["units"],
        "kept": kept["value"] / whole[KEPT] - 1,
        "half width": (kept["high"] - kept["low"]) / 2 / max(1.0, kept["value"]),
        "inside": float(kept["low"] <= whole[KEPT] <= kept["high"]),
        "licences": gaps,
        "licences inside": inside,
        "licences by documents": compare_shares(whole, found["shares"], UNDER, KEPT_DOCUMENTS)[0],
        "CPU": cpu["value"] / whole[CPU] - 1,
        "CPU inside": float(cpu["low"] <= whole[CPU] <= cpu["high"]),
    }


def compare_shares(
    whole: dict[str, float], shares: dict[str, dict[str, float]], prefix: str, of: str
) -> tuple[float, float]:
    """Return the largest difference of a share, and whether all shares are inside their intervals (1) or not (0)."""
    real = {name: whole.get(name, 0.0) / whole[of] for name in (*whole, *shares) if name.startswith(prefix)}
    gaps = [abs(shares.get(name, {"value": 0.0})["value"] - share) for name, share in real.items()]
    inside = all(one["low"] <= real[name] <= one["high"] for name, one in shares.items() if name in real)
    return max(gaps, default=0.0), float(inside)


def judge(line: dict[str, float]) -> dict[str, str]:
    """Whether a forecast met each goal.

    >>> judge({"kept": -0.08, "licences": 0.15, "licences by documents": 0.04, "CPU": 0.3})
    {'kept': 'pass', 'licences': 'fail', 'licences by documents': 'pass', 'CPU': 'fail'}
    """
    return {name: "pass" if abs(line[name]) <= most else "fail" for name, most in GOALS.items()}


def run_case(case: str, folder: Path, pages: int, samples: Sequence[int], seeds: int) -> None:
    """Run one case and print its lines."""
    recipe = str(RECIPE.get(case, "general"))
    kept = folder / (f"{case}-{pages}-whole" if case in SIZED else f"{case}-whole")
    with open_case(case, folder, pages) as source:
        whole = run_whole(source, recipe, kept)
        say({"case": case, "whole": whole})
        for sample in samples:
            passed: Counter[str] = Counter()
            for seed in range(seeds):
                found = run_forecast(source, recipe, folder / f"{case}-forecast", sample, seed)
                line = compare(whole, found)
                goals = judge(line)
                passed.update(name for name, said in goals.items() if said == "pass")
                rounded = {name: round(value, 3) for name, value in line.items()}
                say({"case": case, "sample": sample, "seed": seed, **rounded, "goals": goals})
            counts = {name: f"{passed[name]} of {seeds}" for name in GOALS}
            say({"case": case, "sample": sample, "goals met": counts})


def say(line: dict[str, Any]) -> None:
    """Print a line of JSON at once."""
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--sample", action="append", type=int)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=5_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for case in given.case or CASES:
        run_case(case, given.folder, given.pages, given.sample or (200,), given.seeds)


if __name__ == "__main__":
    main()
