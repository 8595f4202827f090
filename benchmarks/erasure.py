"""Erasure and verification of a large release: `python -m benchmarks.erasure WORKSPACE [--mb N] [--folder F] [--keep]`.

WORKSPACE is a finished run over the real corpora (benchmarks/recipes/real.toml). Its documents are multiplied: a copy
has an address of its own, and sentences of the whole pool in random order with their morphemes; a document with
replaced personal data keeps its own sentences. The copies stand in all four stages; there are no captures. The release
has N MB of text in at most 64 shards. Then one document is erased, and the release is verified.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from benchmarks.new_bytes import measure_new_bytes
from flows.erase import erase
from flows.limited_process import find_problems
from flows.release import seal_release
from malmoi.erasure.tombstones import Tombstone
from malmoi.ledger import Ledger
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.residue import outcomes
from malmoi.releases.version_history import put_version
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER, STAGES, Layout

SHARDS = 64
WORKERS = 2
PARAGRAPH = 5  # sentences
PLACEHOLDER = re.compile(r"\[[가-힣A-Z]+[0-9]+\]")
Ints = npt.NDArray[np.int64]
out = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents of a workspace, and their sentences: text, start, and range of morphemes of each."""

    table: pa.Table
    morphemes: tuple[pa.Array, ...]  # form, tag, start, length: flat
    texts: list[str]
    starts: Ints
    first: Ints  # morpheme
    ends: Ints  # of the morphemes, exclusive
    counts: Ints  # sentences of each document
    fixed: list[bool]  # has replaced personal data
    rows: list[int]  # documents to multiply


def read_pool(workspace: Path) -> Pool:
    """Read the last stage of a workspace."""
    paths = Layout(workspace).stage_files("documents.parquet", STAGES[-1])
    table = pa.concat_tables([pq.read_table(path, schema=shard.DOCUMENTS) for path in paths]).combine_chunks()
    spans, layer = table["sentences"].combine_chunks(), table["morphemes"].combine_chunks()
    counts = _count(pc.struct_field(spans, "start"))
    begin, end = (pc.struct_field(spans, n).flatten().to_numpy().astype(np.int64) for n in ("start", "end"))
    flat = tuple(pc.struct_field(layer, name).flatten() for name in ("form", "tag", "start", "length"))
    held = _count(pc.struct_field(layer, "start"))
    document = np.repeat(np.arange(len(counts)), counts)
    place = np.repeat(np.arange(len(held)), held) * (1 << 32) + flat[2].to_numpy()
    whole = table["text"].to_pylist()
    texts = [whole[d][a:b] for d, a, b in zip(document.tolist(), begin.tolist(), end.tolist(), strict=True)]
    first, ends = (np.searchsorted(place, document * (1 << 32) + at) for at in (begin, end))
    replaced = [sum(int(note["outcome"]) for note in _list_redactions(trail)) for trail in table["trail"].to_pylist()]
    marks, heads = np.cumsum([0, *(len(PLACEHOLDER.findall(text)) for text in texts)]), np.cumsum([0, *counts])
    # A placeholder outside of the sentences, as in a table, would be lost.
    rows = [row for row, n in enumerate(replaced) if counts[row] and marks[heads[row + 1]] - marks[heads[row]] >= n]
    return Pool(table, flat, texts, begin, first, ends, counts, [n > 0 for n in replaced], rows)


def _list_redactions(trail: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [note for note in trail if note["verb"] == "mend" and note["reason"].startswith("pii:")]


def make_copy(pool: Pool, number: int) -> pa.Table:
    """Return copy `number` of the documents; equal numbers give equal copies."""
    chance = np.random.default_rng(number)
    heads = np.cumsum(pool.counts) - pool.counts
    rows = pool.rows
    chosen = [
        chance.permutation(pool.counts[row]) + heads[row]
        if pool.fixed[row]
        else chance.integers(0, len(pool.texts), pool.counts[row])
        for row in rows
    ]
    texts, starts = zip(*(_join(pool, one.tolist()) for one in chosen), strict=True)
    picked, placed = np.concatenate(chosen), np.concatenate(starts)
    sizes = pool.ends[picked] - pool.first[picked]
    moved = np.repeat(placed - pool.starts[picked], sizes)
    steps = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    taken = np.repeat(pool.first[picked], sizes) + steps
    form, tag, start, length = (one.take(pa.array(taken)) for one in pool.morphemes)
    start = pa.array(start.to_numpy() + moved, pa.uint32())
    ends = placed + [len(pool.texts[i]) for i in picked.tolist()]
    per = pool.counts[rows]
    words = np.add.reduceat(sizes, np.cumsum(per) - per)
    table = pool.table.take(pa.array(rows))
    named = {
        "id": [f"{id}-{number}" for id in table["id"].to_pylist()],
        "url": [f"{url}{'&' if '?' in url else '?'}copy={number}" for url in table["url"].to_pylist()],
        "text": list(texts),
        "sentences": _nest((pa.array(placed, pa.uint32()), pa.array(ends, pa.uint32())), per, shard.SENTENCES),
        "morphemes": _nest((form, tag, start, length), words, shard.MORPHEMES),
    }
    columns = {name: named.get(name, table[name]) for name in table.column_names}
    return pa.table(columns, schema=shard.DOCUMENTS)


def _join(pool: Pool, sentences: Sequence[int]) -> tuple[str, Ints]:
    parts = [pool.texts[i] for i in sentences]
    apart = ["\n\n" if n % PARAGRAPH == 0 else " " for n in range(1, len(parts))] + [""]
    starts = np.cumsum([0, *(len(part) + len(gap) for part, gap in zip(parts, apart, strict=True))])[:-1]
    return "".join(part + gap for part, gap in zip(parts, apart, strict=True)), starts


def _count(lists: pa.Array) -> Ints:
    counts: Ints = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return counts


def _nest(flat: Sequence[pa.Array], counts: Ints, kind: pa.StructType) -> pa.StructArray:
    offsets = pa.array(np.cumsum([0, *counts.tolist()]), pa.int32())
    return pa.StructArray.from_arrays([pa.ListArray.from_arrays(offsets, one) for one in flat], fields=list(kind))


def write_copy(pool: Pool, workspace: Workspace, number: int) -> int:
    """Write one copy as a finished shard of every stage, its file once; return the bytes of its texts."""
    table, key = make_copy(pool, number), f"{number:032x}"
    kept, edits = Counter(table["source"].to_pylist()), Counter[tuple[str, str, str]]()
    for source, trail in zip(table["source"].to_pylist(), table["trail"].to_pylist(), strict=True):
        for note in _list_redactions(trail):
            edits[source, note["by"], note["reason"]] += int(note["outcome"])
    for stage in STAGES:
        folder = workspace.stage(stage, key)
        folder.mkdir(parents=True)
        documents, first = folder / "documents.parquet", workspace.stage(STAGES[0], key) / "documents.parquet"
        if stage == STAGES[0]:
            shard.write(table, documents)
        else:
            documents.hardlink_to(first)
        files = (
            shard.file_of(documents, table.num_rows),
            shard.write(shard.to_dropped_table([]), folder / "dropped.parquet"),
        )
        ledger = Ledger(stage, key, kept, kept, {}, (), edits if stage == STAGES[-1] else None, files)
        (folder / LEDGER).write_text(ledger.to_json(), encoding="utf-8")
    return int(pc.sum(pc.binary_length(table["text"])).as_py())


def describe_inputs(made: Manifest, workspace: Workspace) -> Inputs:
    """Return the inputs of the large release: those of the small one, with the stages of `workspace`."""
    return Inputs(
        name="large", purpose=made.purpose, recipe_name=made.recipe_name, recipe_digest=made.recipe_digest,
        shards=SHARDS, sources=made.sources, software=made.software, fetched_until=made.date,
        filters=made.recipe_filters, recipe_steps=made.recipe_steps, splits=made.splits,
        stages=tuple((stage, tuple(workspace.shards(stage))) for stage in STAGES),
        second_look=outcomes(()),  # counts finds and excludes no document: the texts are searched once
    )  # fmt: skip


def _sketch(texts: Sequence[str]) -> bytes:
    """Return digests in the place of sketches: no near copy is sought, and sketching 1 GB takes minutes."""
    return b"".join(hashlib.sha512(text.encode()).digest() for text in texts)


def make_copies(small: Path, workspace: Workspace, size: int) -> None:
    """Multiply the documents of the workspace `small` to `size` bytes of text."""
    pool, written = read_pool(small), 0
    for number in count():
        written += write_copy(pool, workspace, number)
        if written >= size:
            break


def publish_copies(small: Path, workspace: Workspace) -> Path:
    """Publish the copies with the facts of the release of `small`; return the release."""
    inputs = describe_inputs(manifests.read(next(iter(Layout(small).release_folders(manifests.NAME)))), workspace)
    with workspace.temporary_folder() as folder, ProcessPoolExecutor(WORKERS, get_context("spawn")) as workers:

        def run(call: Callable[[Any], Any], work: list[Any]) -> list[Any]:
            return list(workers.map(call, work))

        with timed("publish"):
            made = publish(inputs, folder, tmp=workspace.tmp, run=run, sketch=_sketch)
        with timed("card, sums and verification before it is visible"):
            seal_release(folder)
        target = workspace.releases(made.name) / made.version
        put_version(workspace, folder, target)
    return target


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the wall time of a step."""
    began = time.monotonic()
    yield
    out.print(f"{what}: {time.monotonic() - began:.1f} s", soft_wrap=True)


def measure_erasure(workspace: Workspace, base: Path) -> None:
    """Erase the middle document of the release in `base`, and print time, files and new bytes."""
    made = manifests.read(base)
    file = max((one for one in made.files if one.path.startswith("data/")), key=lambda one: one.rows)
    ids = pq.read_table(base / file.path, columns=["id"])["id"]
    stone = Tombstone("id", ids[len(ids) // 2].as_py(), "2026-11-24", "measured")
    kept = base.parent.with_name("before")  # the versions before lose the touched files
    shutil.copytree(base, kept, copy_function=lambda a, b: Path(b).hardlink_to(a))
    with timed("erase one document"):
        done = erase(workspace, made.name, [stone], b"")
    after = base.parent / done.version
    out.print(f"  {len(done.files)} files changed: {', '.join(done.files)}", soft_wrap=True)
    for path in done.files:
        new, size = measure_new_bytes(kept / path, after / path)
        out.print(f"  {path}: {new:,} of {size:,} bytes in new chunks, {new / size:.1%}", soft_wrap=True)


def measure_verification(folder: Path) -> None:
    """Verify the release in `folder` and print the speed by the bytes of its files."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    text = sum(
        pc.sum(pq.read_table(path, columns=["n_bytes"])["n_bytes"]).as_py() for path in folder.glob("data/**/*.parquet")
    )
    began = time.monotonic()
    found = find_problems(folder)
    wall = time.monotonic() - began
    out.print(
        f"verify: {wall:.1f} s, {size / 1e6:,.0f} MB of files ({size / 1e6 / wall:,.0f} MB/s), "
        f"{text / 1e6:,.0f} MB of text ({text / 1e6 / wall:,.0f} MB/s), {len(found)} findings",
        soft_wrap=True,
    )
    for one in found[:5]:
        out.print(f"  {one}")


def main() -> int:
    """Make the release, erase one document of it, verify it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.erasure")
    parser.add_argument("workspace", type=Path, help="a finished run over the real corpora")
    parser.add_argument("--mb", type=int, default=1000, help="10^6 bytes of text")
    parser.add_argument("--folder", type=Path, help="where the workspace lies while it runs")
    parser.add_argument("--keep", action="store_true", help="keep the workspace")
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="malmoi-erasure-", dir=given.folder))
    try:
        workspace = Workspace.open(root / "workspace")
        with timed("copies of the documents"):
            make_copies(given.workspace, workspace, given.mb * 1_000_000)
        release = publish_copies(given.workspace, workspace)
        measure_verification(release)
        measure_erasure(workspace, release)
    finally:
        if not given.keep:
            shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
