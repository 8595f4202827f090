"""Run the jobs of a release in worker processes: each is one call, as a whole, and needs no batches.

Threads of the flow would hold its interpreter lock together, and their tables would be in its memory at the same time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import TypeVar

import pyarrow as pa

from flows.engine import worker_pool
from flows.engine.executors import Mapper
from malmoi.errors import StageError
from malmoi.processes.workers import Broken
from malmoi.storage.shuffle import Run, find_task_name

FEW = 8  # jobs that take less time than the start of the pool

J = TypeVar("J")
R = TypeVar("R")


def make_runner(mapper: Mapper) -> Run:
    """Return a `Run` that maps jobs by `mapper`, each in a worker process; FEW jobs do not start the pool."""

    def run(call: Callable[[J], R], work: list[J]) -> list[R]:
        return mapper(bind_to_worker(call) if len(work) > FEW or worker_pool.is_started() else call, work)

    return run


def bind_to_worker(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return a function that runs `call` in a worker process; it is picklable, and named as `call`.

    It raises what `call` raises. StageError if the worker is killed whenever it runs this job.
    """
    return update_wrapper(partial(_run_in_worker, call), call)


def _run_in_worker(call: Callable[[J], R], job: J) -> R:
    ((_, answer),) = worker_pool.workers().map(_make_call, call, [job], lambda one: [one])
    if isinstance(answer, Broken):
        raise StageError(
            f"{find_task_name(call)}: the worker process ended each time ({answer.why}). Nothing was published. Look "
            "at the kernel's log for the OOM killer, give the machine more memory or use fewer `--workers`, then run "
            "the same command again."
        )
    return answer.value


def _make_call(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return `call` for a worker, which then gives freed memory back to the system: jobs differ in size."""

    def run(job: J) -> R:
        try:
            return call(job)
        finally:
            pa.default_memory_pool().release_unused()

    return run
