"""`malmoi try`: run one stage by itself on files or JSON lines, to tune, debug or compare.

Output is one JSON object per line, in input order; the fields are stable. Nothing is written to a workspace. A worker
process reads the documents under the limits of a run: one that exceeds them is `failed`, the others continue.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO, TypeAlias

from flows import input_files
from flows.input_files import RawInput, Row
from flows.plurals import count_of
from malmoi.errors import CallError
from malmoi.processes.workers import Broken, Workers

STAGES = ("extract", "rights", "language", "clean", "judge", "segment", "pii", "domain", "duplicates")
BATCH = 16  # documents per batch; a program that writes into a pipe waits for each batch
BATCH_BYTES = 8 << 20  # a batch of this size is full; two are in memory
Batch: TypeAlias = tuple[RawInput, ...]

# One worker process, kept for the next call in this process.
_pool = Workers(1, preload=("flows.try_worker",))
atexit.register(_pool.__exit__, None, None, None)


def run(stage: str, files: Sequence[Path], jsonl: Path | None, recipe_name: str, out: TextIO) -> None:
    """Run `stage` on the input and write one JSON object per document to `out`.

    A document that exceeds a limit of malmoi/processes/workers.py, and a file that cannot be read, gives
    `{"id", "outcome": "failed", "reason"}`.

    Raises CallError for an unknown stage, for input that is not JSON lines (with the line number), for a missing
    field that the stage needs, and at the end for unreadable files.
    """
    if stage not in STAGES:
        raise CallError(f"unknown stage {stage!r}: choose one of {', '.join(STAGES)}.")
    if recipe_name.endswith(".toml"):  # a kept worker runs in the folder of an earlier call
        recipe_name = str(Path(recipe_name).absolute())
    unread: list[str] = []

    def read() -> Iterator[RawInput]:
        for row in input_files.read_inputs(files, jsonl):
            if row.reason == input_files.UNREADABLE:
                unread.append(f"{row.name}: {row.detail}")
            yield row

    rows = read()
    _pool.warm()
    answers = _answer_rows(stage, rows, recipe_name, alone=str(jsonl) == "-")
    if stage == "duplicates":
        from flows.try_worker import cluster

        answers = cluster(list(answers), recipe_name)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for answer in answers:
        out.write(encode(answer) + "\n")
        if str(jsonl) == "-":
            out.flush()
    if unread:
        raise CallError(f"{count_of(len(unread), 'file')} could not be read ({unread[0]}); name readable files.")


def _answer_rows(stage: str, rows: Iterable[RawInput], recipe: str, *, alone: bool) -> Iterator[Row]:
    """Yield the answer to each row, in order; a wrong call is raised after the answers before it."""
    changed = Path(recipe).stat().st_mtime_ns if Path(recipe).is_file() else 0
    for batches in ([(row,)] for row in rows) if alone else (_group_batches(rows),):
        for batch, found in _pool.map(_load_worker, (stage, recipe, changed), batches, lambda b: [(row,) for row in b]):
            if isinstance(found, Broken):
                yield from (input_files.failure_row(row, found.why) for row in batch)
                continue
            for answer in found.value:
                if isinstance(answer, CallError):
                    raise answer
                yield answer


def _load_worker(shared: tuple[str, str, int]) -> Callable[[Batch], list[Row | CallError]]:
    from flows.try_worker import make_stage_worker  # in the worker: this process does not load lxml or Kiwi

    return make_stage_worker(shared)


def _group_batches(rows: Iterable[RawInput]) -> Iterator[Batch]:
    batch: list[RawInput] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH or sum(len(one.body) for one in batch) > BATCH_BYTES:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
