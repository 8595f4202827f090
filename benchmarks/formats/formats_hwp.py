"""How many Hancom documents a core reads in a second: python -m benchmarks.formats.formats_hwp [FOLDER]."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from crawlers import formats
from malmoi.source import Item

FOLDER = Path(__file__).parents[3] / "shared" / "corpora" / "hwplib-hwpxlib-samples"
ENDINGS = frozenset({".hwp", ".hwpx", ".hml", ".hwt"})
ROUNDS = 5  # each file is read so many times; the first round, which loads the readers, is not counted
SMALL = 100_000  # bytes


def main(arguments: list[str]) -> int:
    """Read all Hancom documents below a folder and print rates, outcomes and peak memory; 2 where there are none."""
    parser = argparse.ArgumentParser(prog="benchmarks.formats.formats_hwp", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args(arguments).folder
    items = [_item(path) for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS]
    if not items:
        print(f"{folder}: no Hancom documents here; name a folder that holds some", file=sys.stderr)
        return 2
    outcomes: Counter[str] = Counter()
    for item in items:
        found = formats.extract(item)
        outcomes[found.reason or "kept"] += 1
    for title, chosen in (("all", items), ("small", [item for item in items if len(item.body) <= SMALL])):
        seconds = _seconds(chosen)
        if seconds:
            size = sum(len(item.body) for item in chosen) / 1e6
            print(
                f"{title:6} {len(chosen):5} files {len(chosen) / seconds:8.0f} files/s/core {size / seconds:7.1f} MB/s"
            )
    print(", ".join(f"{count} {reason}" for reason, count in outcomes.most_common()))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    return 0


def _item(path: Path) -> Item:
    return Item(key=path.name, url=f"file:{path.name}", body=path.read_bytes(), media="", charset="", record="")


def _seconds(items: list[Item]) -> float:
    """CPU seconds for one round over the items."""
    started = time.process_time()
    for _ in range(ROUNDS):
        for item in items:
            formats.extract(item)
    return (time.process_time() - started) / ROUNDS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
