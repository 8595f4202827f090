"""Write archives of simulated pages, for measuring what no real corpus is large enough for.

python -m benchmarks.simulated_captures FOLDER --documents 100000 [--seed S] [--add P] [--change P] [--remove P]
MALMOI_SIMULATED=FOLDER malmoi run benchmarks/recipes/simulated.toml --workspace W

Lengths, markup, languages and copies are distributed as in the real corpora (`benchmarks.simulation`); the words mean
nothing. The page of a number is the same for a seed, whatever else is written, and its address tells nothing of the
number. So a second call on the same folder makes the next state of the same sites, and touches no file that stays:
`--add` writes P % new pages into archives of their own, `--change` fetches the first P % again with other text,
`--remove` leaves the last P % out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.simulation.simulated_pages import name_page, write_page
from benchmarks.simulation.simulated_texts import compose_text, seed_draw
from malmoi.archive import capture

ARCHIVE = 2_000  # pages of an archive
LICENCE = "Simulated pages CC-BY-4.0"
FETCHED = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")  # of the first text of a page and of its change
HEADERS = (("Content-Type", "text/html; charset=utf-8"),)
STATE = "simulation.json"


def write(folder: Path, documents: int, *, seed: int = 0, add: float = 0, change: float = 0, remove: float = 0) -> int:
    """Bring the archives of a folder to this state (shares in per cent); how many pages were written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SOURCE.txt").write_text(f"{LICENCE}\n", encoding="utf-8")
    kept = documents - round(documents * remove / 100)
    plan = dict(plan_archives("pages", 0, kept))
    plan |= plan_archives("changed", 0, min(kept, round(documents * change / 100)))
    plan |= plan_archives("added", documents, documents + round(documents * add / 100))
    wanted = {name: [seed, first, last] for name, (first, last) in plan.items()}
    state = folder / STATE
    held = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
    for name in held.keys() - wanted.keys():
        (folder / name).unlink(missing_ok=True)
    missing = [name for name in wanted if held.get(name) != wanted[name]]
    state.write_text(json.dumps({k: v for k, v in wanted.items() if k not in missing}), encoding="utf-8")
    with ProcessPoolExecutor() as pool:
        for one in [pool.submit(write_archive, folder / name, seed, *plan[name]) for name in missing]:
            one.result()
    state.write_text(json.dumps(wanted), encoding="utf-8")
    return sum(last - first for name, (first, last) in plan.items() if name in missing)


def plan_archives(kind: str, first: int, last: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, first number and end of each archive.

    >>> list(plan_archives("pages", 0, 2_500))
    [('pages-000000.warc.gz', (0, 2000)), ('pages-000001.warc.gz', (2000, 2500))]
    """
    for at in range(first, last, ARCHIVE):
        yield f"{kind}-{(at - first) // ARCHIVE:06}.warc.gz", (at, min(at + ARCHIVE, last))


def write_archive(path: Path, seed: int, first: int, last: int) -> None:
    """Write the pages of these numbers; equal arguments give equal bytes."""
    revision = path.name.startswith("changed")
    with path.open("wb") as stream:
        for number in range(first, last):
            host, url = name_page(seed, number)
            text = compose_text(seed, number, int(revision))
            body = write_page(host, text, seed_draw(seed, number, 3))
            stream.write(capture.warc_record(url, FETCHED[revision], 200, HEADERS, body))


def main() -> None:
    """Write the archives and say how long that took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated_captures")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    for name in ("add", "change", "remove"):
        parser.add_argument(f"--{name}", type=float, default=0, metavar="PERCENT")
    given, began = vars(parser.parse_args()), time.monotonic()
    written = write(given.pop("folder"), given.pop("documents"), **given)
    spent = time.monotonic() - began
    print(f"{written:,} pages written, {spent:.1f} s, {written / max(spent, 0.001):,.0f} pages/s")


if __name__ == "__main__":
    main()
