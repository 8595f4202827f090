"""Speed and correctness of text extraction from Hancom documents.

    python -m benchmarks.formats.formats_hwp [FOLDER] [--gold TEXTS] [--peer TEXTS]…

Without `--gold`: files per second and core, outcomes and peak memory. With it: the shingle F1 of each document below
`TEXTS`, which holds `a/b.hwp.txt` for `FOLDER/a/b.hwp`; an empty text means that the document has no text. A peer is a
folder of texts that another reader wrote, under the same names.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import mean

from benchmarks.hard_pages.measures import score_text
from crawlers import formats
from malmoi.source import Item

FOLDER = Path(__file__).parents[3] / "shared" / "corpora" / "hwplib-hwpxlib-samples"
ENDINGS = frozenset({".hwp", ".hwpx", ".hml", ".hwt"})
ROUNDS = 5  # each file is read so many times; the first round, which loads the readers, is not counted


def main(arguments: list[str]) -> int:
    """Read all Hancom documents below a folder and print rates or scores; 2 where there are none."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.formats.formats_hwp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--gold", type=Path)
    parser.add_argument("--peer", type=Path, action="append", default=[])
    options = parser.parse_args(arguments)
    paths = [path for path in sorted(options.folder.rglob("*")) if path.suffix.lower() in ENDINGS]
    if not paths:
        print(f"{options.folder}: no Hancom documents here; name a folder that holds some", file=sys.stderr)
        return 2
    if options.gold:
        return _print_scores(options.folder, paths, options.gold, options.peer)
    _print_rates([_item(path) for path in paths])
    return 0


def _print_scores(folder: Path, paths: list[Path], gold: Path, peers: list[Path]) -> int:
    names = [path.relative_to(folder) for path in paths if _text_path(gold, path.relative_to(folder)).is_file()]
    if not names:
        print(f"{gold}: no texts of the documents in {folder}; name them like a/b.hwp.txt", file=sys.stderr)
        return 2
    readers = {"malmoi": {name: formats.extract(_item(folder / name)).text for name in names}}
    readers |= {peer.name: {name: _read_text(peer, name) for name in names} for peer in peers}
    for reader, texts in readers.items():
        scores = {name: score_text(_read_text(gold, name), texts[name]).shingle for name in names}
        with_text = [name for name in names if _read_text(gold, name).strip()]
        if reader == "malmoi":
            for name in sorted(with_text, key=lambda name: (scores[name], name)):
                print(f"{scores[name]:.4f}  {name}")
        for ending in sorted({name.suffix.lower() for name in with_text}):
            found = [scores[name] for name in with_text if name.suffix.lower() == ending]
            print(f"{reader:20} {ending:6} {len(found):4} texts  mean {mean(found):.4f}  lowest {min(found):.4f}")
        wrong = [str(name) for name in names if name not in with_text and texts[name].strip()]
        print(f"{reader:20} {len(wrong)} of {len(names) - len(with_text)} without text have words: {', '.join(wrong)}")
    return 0


def _text_path(folder: Path, name: Path) -> Path:
    return folder / name.with_name(f"{name.name}.txt")


def _read_text(folder: Path, name: Path) -> str:
    path = _text_path(folder, name)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _print_rates(items: list[Item]) -> None:
    outcomes = Counter(formats.extract(item).reason or "kept" for item in items)
    seconds = _seconds(items)
    size = sum(len(item.body) for item in items) / 1e6
    print(f"{len(items)} files {len(items) / seconds:.0f} files/s/core {size / seconds:.1f} MB/s")
    print(", ".join(f"{count} {reason}" for reason, count in outcomes.most_common()))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


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
