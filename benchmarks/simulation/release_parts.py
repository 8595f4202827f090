"""Where the CPU of a release goes: whole, and of the next version with the documents of one more shard.

python -m benchmarks.simulation.release_parts WORKSPACE RECIPE OUT [--copies 8] [--unchecked]

The finished stages of a curated workspace are repeated `--copies` times under other ids, addresses and records, and
with texts of their own, so that a release of any size is measured without curating as many pages. Everything runs in
one process. The second release is also made from nothing, and must have the same root.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.index_lookup import sketch_texts
from filters.redact import make_redactor
from flows import release as releases
from flows import run as runs
from flows.curate import curate
from flows.engine.executors import thread_mapper
from flows.engine.progress import Progress
from malmoi.ledger import Ledger
from malmoi.releases.expectation_checks import measure
from malmoi.releases.kept_parts import Kept
from malmoi.releases.publish import publish
from malmoi.releases.release_inputs import Inputs
from malmoi.releases.verification import verify as verifying
from malmoi.storage import shard
from malmoi.workspace import Workspace

# (module, function): each is timed with all that it calls, and without the other functions of this list.
PARTS = (
    ("malmoi.releases.audit", "ledgers"),
    ("malmoi.releases.partitioning", "write_exceptions"),
    ("malmoi.releases.partitioning", "clusters"),
    ("malmoi.releases.partitioning", "write_sizes"),
    ("malmoi.releases.publish", "split"),
    ("malmoi.releases.publish", "assemble"),
    ("malmoi.releases.publish", "find_repeated_ids"),
    ("malmoi.releases.masked_ids", "search"),
    ("malmoi.releases.masked_ids", "find_cluster_copies"),
    ("malmoi.releases.publish", "write_dropped_signals"),
    ("malmoi.releases.audit", "write"),
    ("malmoi.releases.membership", "write"),
    ("malmoi.releases.residual_pii", "write"),
    ("malmoi.releases.changelog", "write"),
    ("data_cards", "write"),
    ("flows.release", "refuse_texts"),
    ("flows.release", "seal"),
    ("malmoi.releases.verification.verify", "_check_sums"),
    ("malmoi.releases.verification.verify", "_check_manifest"),
    ("malmoi.releases.verification.verify", "_check_rows"),
    ("malmoi.releases.verification.verify", "_check_evidence"),
    ("malmoi.releases.verification.verify", "_check_tables"),
)
Spent = dict[str, float]


@contextmanager
def timed(spent: Spent) -> Iterator[None]:
    """Add the CPU seconds of each part to `spent` while the block runs."""
    nested: list[float] = []

    def wrap(key: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            began = time.process_time()
            nested.append(0.0)
            try:
                found = call(*args, **named)
                return list(found) if isinstance(found, Generator) else found
            finally:
                whole, inner = time.process_time() - began, nested.pop()
                spent[key] = spent.get(key, 0.0) + whole - inner
                if nested:
                    nested[-1] += whole

        return run

    held = [(importlib.import_module(module), name) for module, name in PARTS]
    before = [getattr(module, name) for module, name in held]
    threads, verifying.THREADS = verifying.THREADS, 1  # so that the CPU of a process is that of one check
    for (module, name), call in zip(held, before, strict=True):
        setattr(module, name, wrap(f"{module.__name__.rpartition('.')[2]}.{name.strip('_')}", call))
    try:
        yield
    finally:
        verifying.THREADS = threads
        for (module, name), call in zip(held, before, strict=True):
            setattr(module, name, call)


def repeat_stages(inputs: Inputs, numbers: Sequence[int], share: float, target: Path) -> Inputs:
    """Return the inputs with the stages repeated once for each of `numbers`; of the last, only `share` per cent."""
    stages = []
    for stage, folders in inputs.stages:
        made = []
        for number in numbers:
            some = sorted(folders)
            if share < 100 and number == numbers[-1]:
                some = some[:1]
            made += [
                _repeat_shard(folder, target / stage, number, share if len(some) < len(folders) else 100)
                for folder in some
            ]
        stages.append((stage, tuple(made)))
    tables = []
    for path in inputs.clusters:
        table = pq.read_table(path)
        parts = [_rename(table, n) for n in numbers]
        if share < 100:
            here = _list_ids(
                [folder for _, made in stages for folder in made if folder.name.endswith(f"-{numbers[-1]}")]
            )
            parts[-1] = parts[-1].filter(pc.and_(*(pc.is_in(parts[-1][name], here) for name in ("id", "keeper"))))
        home = target / f"clusters-{numbers[-1]}-{path.parent.name}"
        home.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.concat_tables(parts), home / "table.parquet")
        tables.append(home / "table.parquet")
    return replace(inputs, stages=tuple(stages), clusters=tuple(tables))


def _list_ids(folders: Sequence[Path]) -> pa.Array:
    tables = [shard.read(folder / n, ["id"]) for folder in folders for n in ("documents.parquet", "dropped.parquet")]
    return pa.concat_tables(tables)["id"].combine_chunks()


def _repeat_shard(folder: Path, target: Path, number: int, share: float) -> Path:
    home = target / f"{folder.name}-{number}"
    if (home / "ledger.json").exists():
        return home
    home.mkdir(parents=True)
    ledger, files = Ledger.read(folder / "ledger.json"), []
    for name in ("documents.parquet", "dropped.parquet"):
        files.append(shard.write(_rename(shard.read(folder / name), number), home / name))
    (home / "ledger.json").write_text(replace(ledger, files=tuple(files), key=home.name).to_json(), encoding="utf-8")
    return home


def _rename(table: pa.Table, number: int) -> pa.Table:
    for name in ("id", "url", "keeper", "record"):
        if name in table.column_names and pa.types.is_string(table.schema.field(name).type):
            at = table.schema.get_field_index(name)
            table = table.set_column(
                at,
                table.schema.field(at),
                pc.replace_substring(table[name], "://", f"://r{number}.", max_replacements=1),
            )
    if "text" in table.column_names:
        at = table.schema.get_field_index("text")
        text = pc.binary_join_element_wise(table["text"], f"{number}번째", "\n")
        table = table.set_column(at, table.schema.field(at), text)
    return table


def make_release(inputs: Inputs, recipe: Any, folder: Path, tmp: Path) -> tuple[str, Spent, float]:
    """Publish, seal and check one release; return its root, the CPU seconds by part and in all."""
    spent: Spent = {}
    began = time.process_time()
    with timed(spent):
        made = publish(inputs, folder, tmp=tmp, redact=make_redactor(recipe), sketch=sketch_texts)
        releases.seal_release(folder, before=inputs.previous)
        measure(folder, recipe.expect, recipe.review)
    return made.root, spent, time.process_time() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation.release_parts")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("recipe")
    parser.add_argument("out", type=Path)
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--unchecked", action="store_true", help="do not make the second release from nothing as well")
    given = parser.parse_args()
    home, recipe = Workspace.open(given.workspace), runs.recipe_of(given.recipe)
    names = runs.sources_of(recipe, given.recipe, ())
    curated = curate(home, recipe, names, thread_mapper(1), Progress(quiet=True))
    shutil.rmtree(given.out, ignore_errors=True)
    base = releases._gather_inputs(home, recipe, names, curated, "")
    copies = list(range(given.copies))
    first = repeat_stages(replace(base, version="1.0.0"), copies, 100, given.out / "stages")
    second = repeat_stages(base, [*copies, given.copies], 1, given.out / "stages")
    second = replace(second, version="1.1.0", previous=given.out / "1.0.0")
    (given.out / "tmp").mkdir()
    tables = {}
    kept = Kept(given.out / "parts", "")
    for name, made, known in (("1.0.0", first, kept), ("1.1.0", second, kept), ("anew", second, None)):
        if name == "anew" and given.unchecked:
            continue
        inputs = replace(made, kept=known)
        root, spent, whole = make_release(inputs, recipe, given.out / name, given.out / "tmp")
        tables[name] = {**dict(sorted(spent.items())), "whole": whole, "root": root}
        documents = json.loads((given.out / name / "manifest.json").read_text(encoding="utf-8"))["documents"]
        print(f"{name}: {documents:,} documents, {whole:.2f} s of CPU, root {root}")
        for key, seconds in sorted(spent.items(), key=lambda one: -one[1]):
            print(f"  {key:<40} {seconds:8.2f} s")
    (given.out / "parts.json").write_text(json.dumps(tables, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
