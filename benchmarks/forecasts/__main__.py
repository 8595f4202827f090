"""Compare forecasts with the whole run: kept characters, licences and CPU, for several seeds.

python -m benchmarks.forecasts FOLDER [--case web-ko|cut|simulated|site|sitemap]… [--sample N]… [--seeds S] [--pages P]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.forecasts import cut_corpora, simulated_site
from malmoi.licensing.rights_decision import decide
from malmoi.storage import shard

CASES = ("web-ko", "cut", "simulated", "site", "sitemap")
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
        archive = folder / "simulated"
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
            found["kept characters"] += len(doc.text)
            found[f"licence: {decide(doc.evidence, doc.signals).licence}"] += len(doc.text)
    kept.write_text(json.dumps({**found, "CPU seconds": cpu}, ensure_ascii=False), "utf-8")
    return {**found, "CPU seconds": cpu}


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
    totals = found["totals"]
    kept, cpu = totals["kept characters"], totals["CPU seconds"]
    names = {name for name in (*whole, *totals) if name.startswith("licence: ")}
    own = sum(totals[name]["value"] for name in names if name in totals) or 1.0
    shares = [
        abs(totals.get(name, {"value": 0.0})["value"] / own - whole.get(name, 0.0) / whole["kept characters"])
        for name in names
    ]
    return {
        "captures": found["captures"]["units"],
        "kept": kept["value"] / whole["kept characters"] - 1,
        "half width": (kept["high"] - kept["low"]) / 2 / max(1.0, kept["value"]),
        "inside": float(kept["low"] <= whole["kept characters"] <= kept["high"]),
        "licences": max(shares, default=0.0),
        "CPU": cpu["value"] / whole["CPU seconds"] - 1,
    }


def main() -> None:
    """Run the cases and print a line of JSON for each forecast."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--sample", action="append", type=int)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=5_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for case in given.case or CASES:
        recipe = str(RECIPE.get(case, "general"))
        with open_case(case, given.folder, given.pages) as source:
            whole = run_whole(source, recipe, given.folder / f"{case}-whole")
            print(json.dumps({"case": case, "whole": whole}, ensure_ascii=False), flush=True)
            for sample in given.sample or (200, 600):
                for seed in range(given.seeds):
                    found = run_forecast(source, recipe, given.folder / f"{case}-forecast", sample, seed)
                    line = {name: round(value, 3) for name, value in compare(whole, found).items()}
                    print(json.dumps({"case": case, "sample": sample, "seed": seed, **line}), flush=True)


if __name__ == "__main__":
    main()
