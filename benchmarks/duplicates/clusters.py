"""Copies at the scale of the web: documents a second, peak memory and disk of the survey, on simulated signatures.

python -m benchmarks.duplicates.clusters [--documents 300 3000 1000000] [--increment] [--folder F]

The corpus: 70 % of the documents are unique; 10 % share a template (Jaccard 0.5 to 0.7 with each other), and 20 % are
copies at Jaccard 0.8 to 1 of an original, in clusters whose sizes follow a power law; one cluster
holds 1 % of all. Signatures are drawn as MinHash draws them: a value of a copy is that of its
original with the probability of their Jaccard similarity. There are no texts, so the estimate decides.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.duplicates.duplicate_schema import I64, SIGNATURE, SKETCH, U64
from filters.duplicates.sketch import PERMUTATIONS, U32
from malmoi.survey import Segment, Surveyed

SHARD = 50_000  # documents of a simulated shard
SMALL = 10_000  # documents up to which a run starts as the first one of a process does: it compiles nothing
TEMPLATE_SHARE, COPY_SHARE, LARGEST = 0.1, 0.2, 0.01
THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class Corpus:
    """For each document: the number of its original or template (-1: none), and its Jaccard similarity to it."""

    group: I64
    share: Any


def plan(count: int, seed: int = 7) -> Corpus:
    """The planted truth about `count` documents, in random order; an original has similarity 1 to itself."""
    draw = np.random.default_rng(seed)
    copies, templates = int(count * COPY_SHARE), int(count * TEMPLATE_SHARE)
    many = _clusters(draw, copies, [int(count * LARGEST)], count)
    first = np.concatenate([[True], many[1:] != many[:-1]])
    share = np.where(first, 1.0, draw.uniform(0.8, 1.0, len(many)))
    stems = _clusters(draw, templates, [], count) + int(many[-1]) + 1
    alike = np.sqrt(draw.uniform(0.5, 0.7, templates))  # two documents of a template share what both have of it
    rest = count - len(many) - templates
    group = np.concatenate([many, stems, np.full(rest, -1)])
    order = draw.permutation(count)
    return Corpus(group[order], np.concatenate([share, alike, np.zeros(rest)])[order])


def _clusters(draw: np.random.Generator, members: int, sizes: list[int], count: int) -> I64:
    """The number of the cluster of each of `members`: sizes by a power law, at most a thousandth of the corpus."""
    while sum(sizes) < members:
        sizes = sizes + (draw.pareto(1.5, 10_000) * 2 + 2).astype(int).clip(2, count // 1000 + 2).tolist()
    return np.repeat(np.arange(len(sizes)), sizes)[:members]


def _mix(x: U64) -> U64:
    """SplitMix64's finalizer; changes `x` in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(31)
    return x


def _signed(start: int, group: I64, share: Any) -> U32:
    value = np.arange(1, PERMUTATIONS + 1, dtype=np.uint64)
    row = np.arange(start, start + len(group), dtype=np.uint64)[:, None]
    own = _mix(row * np.uint64(PERMUTATIONS) + value)
    found = (own >> np.uint64(32)).astype(np.uint32)
    alike = np.flatnonzero(group >= 0)
    chance = (_mix(own[alike]) >> np.uint64(11)).astype(np.float64) / (1 << 53)
    shared = group[alike].astype(np.uint64)[:, None] * np.uint64(PERMUTATIONS) + value
    shared = _mix(shared ^ np.uint64(0x5851F42D4C957F2D)) >> np.uint64(32)
    found[alike] = np.where(chance < share[alike][:, None], shared.astype(np.uint32), found[alike])
    return found


def simulate(count: int, folder: Path, seed: int = 7, start: int = 0, source: str = "s") -> None:
    """Write the sketches of a corpus as shards below `folder`."""
    corpus = plan(count, seed)
    for at in range(0, count, SHARD):
        end = min(at + SHARD, count)
        table = sketches(start + at, corpus.group[at:end], corpus.share[at:end], source)
        target = folder / f"{at // SHARD:05d}"
        target.mkdir(parents=True)
        pq.write_table(table, target / "sketch.parquet", compression="zstd", row_group_size=4096)
        pq.write_table(pa.table({"source": [source] * table.num_rows}), target / "documents.parquet")


def sketches(start: int, group: I64, share: Any, source: str) -> pa.Table:
    """Sketches of documents as they would be stored; what the signature does not say is drawn from the number."""
    numbers = range(start, start + len(group))
    ids = [f"{source}/{n:010d}" for n in numbers]
    digests = [hashlib.sha256(i.encode()).digest() for i in ids]
    signed = pa.FixedSizeBinaryArray.from_buffers(
        SIGNATURE, len(group), [None, pa.py_buffer(_signed(start, group, share).tobytes())]
    )
    columns = {
        "id": ids,
        "h": np.array([int.from_bytes(d[:8], "big") for d in digests], np.uint64),
        "digest": pa.array(digests, pa.binary(32)),
        "letters": np.array([600 + n * 7919 % 1400 for n in numbers], np.int64),
        "rights": np.array([n % 3 // 2 for n in numbers], np.int8),
        "surface": np.zeros(len(group), np.int8),
        "date": [f"20{n % 20 + 5:02d}-{n % 12 + 1:02d}-01" for n in numbers],
        "signature": signed,
    }
    return pa.table(columns, schema=SKETCH)


class Memory:
    """The largest anonymous memory of this process, read from /proc every hundredth of a second; in MB.

    Anonymous is what cannot be dropped: pages of mapped files can, and do not count.
    """

    def __enter__(self) -> Memory:
        """Start to look."""
        self.peak = self.start = _anonymous()
        self.cpu = 0.0  # s, of looking
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.01):
            self.peak = max(self.peak, _anonymous())
            self.cpu = time.thread_time()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._done.set()
        self._thread.join()


def _anonymous() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def survey(folder: Path, threads: int, index: Path | None) -> dict[str, Any]:
    """Run the survey over the shards below `folder` and measure it; up to SMALL documents kernels stay as they are."""
    import flows.engine.preload  # noqa: F401 - what the first call would import
    from filters.duplicates import bands, compiled_kernels, duplicate_survey, keepers, sketch

    shards = [Surveyed(p.parent / "documents.parquet", p) for p in sorted(folder.glob("*/sketch.parquet"))]
    out, warm = folder.parent / "out", folder.parent / "warm"
    shutil.rmtree(out, ignore_errors=True)
    segments = [Segment(index)] if index else []
    large = sum(pq.read_metadata(shard.sketch).num_rows for shard in shards) > SMALL
    with Memory() as memory, ThreadPoolExecutor(threads) as pool:
        if large:
            found = [vars(module).values() for module in (bands, keepers, sketch)]
            every = [one for values in found for one in values if isinstance(one, compiled_kernels.Kernel)]
            compiled_kernels.use_compiled(every, compile=True)
        if large or segments:
            duplicate_survey.find(shards[:1], segments, warm, pool.map, THRESHOLD, texts=False)  # compiles, derives
        base, memory.peak = _anonymous(), 0.0
        wall, cpu = time.perf_counter(), time.process_time() - memory.cpu
        duplicate_survey.find(shards, segments, out, pool.map, THRESHOLD, texts=False)
        wall, cpu = time.perf_counter() - wall, time.process_time() - memory.cpu - cpu
    shutil.rmtree(warm, ignore_errors=True)
    return {"wall_s": wall, "cpu_s": cpu, "base_mb": base, "peak_mb": memory.peak}


def index(shards: Path, folder: Path) -> None:
    """The segment that a release of all documents of the shards leaves."""
    table = pa.concat_tables([pq.read_table(path) for path in sorted(shards.glob("*/sketch.parquet"))])
    table = table.take(pa.array(np.argsort(np.asarray(table["h"]))))
    for name, value in (("source", "old"), ("release", "simulated"), ("version", "1.0.0")):
        table = table.append_column(name, pa.array([value]).take(pa.array(np.zeros(table.num_rows, np.int64))))
    folder.mkdir()
    pq.write_table(table, folder / "documents.parquet", compression="zstd", row_group_size=4096)


def recall(shards: Path, out: Path, count: int) -> dict[str, float]:
    """Of the planted pairs of original and copy, by Jaccard similarity: the share of which not both are kept."""
    corpus = plan(count)
    table = pq.read_table(out / "table.parquet", columns=["id", "keeper"])
    head = np.arange(count)
    ids = [np.array([int(i[-10:]) for i in table[name].to_pylist()], np.int64) for name in ("id", "keeper")]
    head[ids[0]] = ids[1]
    original = np.full(int(np.max(corpus.group)) + 1, -1)
    first = np.flatnonzero(corpus.share == 1.0)
    original[corpus.group[first]] = first
    copy = np.flatnonzero((corpus.group >= 0) & (corpus.share < 1) & (corpus.share >= 0.8))
    copy = copy[original[corpus.group[copy]] >= 0]
    other = original[corpus.group[copy]]
    met = (head[copy] != copy) | (head[other] != other)
    found = {}
    for low in (0.8, 0.85, 0.9, 0.95):
        some = (corpus.share[copy] >= low) & (corpus.share[copy] < low + 0.05)
        if some.any():
            found[f"{low:.2f}"] = round(float(met[some].mean()), 5)
    return found


def main() -> None:
    """Print a line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="*", default=[300, 3000, 1_000_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--increment", action="store_true", help="also 1 %% new documents against a segment of all")
    parser.add_argument("--child", nargs=2)
    args = parser.parse_args()
    if args.child:
        folder, segment = args.child
        print(json.dumps(survey(Path(folder), args.threads, Path(segment) if segment else None)))
        return
    for count in args.documents:
        with tempfile.TemporaryDirectory(dir=args.folder) as name:
            shards = Path(name) / "shards"
            simulate(count, shards)
            found = child(shards, args.threads)
            found |= {f"per_s_of_{clock}": count / found[f"{clock}_s"] for clock in ("wall", "cpu")}
            found |= {"threads": args.threads, "recall": recall(shards, Path(name) / "out", count)}
            print(json.dumps({"documents": count, **found}), flush=True)
            if args.increment and count > SMALL:
                index(shards, Path(name) / "segment")
                simulate(count // 100, Path(name) / "new" / "shards", seed=8, start=count, source="new")
                found = child(Path(name) / "new" / "shards", args.threads, str(Path(name) / "segment"))
                print(json.dumps({"documents": count // 100, "increment": True, **found}), flush=True)


def child(shards: Path, threads: int, index: str = "") -> dict[str, Any]:
    """`survey` in a process of its own, so that nothing else counts."""
    call = [
        sys.executable,
        "-m",
        "benchmarks.duplicates.clusters",
        "--threads",
        str(threads),
        "--child",
        str(shards),
        index,
    ]
    found: dict[str, Any] = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    return found


if __name__ == "__main__":
    main()
