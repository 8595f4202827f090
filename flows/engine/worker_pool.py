"""The worker pool of this process, started when the first shard needs it."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import TypeVar

from malmoi.errors import StageError
from malmoi.processes.worker_process import require_memory
from malmoi.processes.workers import Broken, Workers, cores

J = TypeVar("J")
R = TypeVar("R")

_lock = threading.Lock()
_workers: Workers | None = None
_count: int | None = None


def configure(count: int | None) -> None:
    """Set the number of worker processes; None means one per core. Takes effect at the next start."""
    global _count
    close()
    _count = count


def count() -> int:
    """Return the number of worker processes, running or not."""
    return cores() if _count is None else _count


def workers() -> Workers:
    """Return the pool; start it first if necessary."""
    global _workers
    with _lock:
        if _workers is None:
            require_memory()
            _workers = Workers(count(), preload=("flows.engine.preload",))
        return _workers


def is_started() -> bool:
    """Return whether the pool was started, so that a call costs no imports."""
    return _workers is not None


def in_worker(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return a function that runs `call` in a worker process; it is picklable, and named as `call`.

    It raises what `call` raises. StageError if the worker is killed whenever it runs this job.
    """
    return update_wrapper(partial(_run_in_worker, call), call)


def _run_in_worker(call: Callable[[J], R], job: J) -> R:
    ((_, answer),) = workers().map(_make_call, call, [job], lambda one: [one])
    if isinstance(answer, Broken):
        raise StageError(
            f"{call.__name__.strip('_').replace('_', ' ')}: the worker process ended each time ({answer.why}). Nothing "
            "was published. Look at the kernel's log for the OOM killer, give the machine more memory or use fewer "
            "`--workers`, then run the same command again."
        )
    return answer.value


def _make_call(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return `call` for a worker that gives the memory of the tables of a job back to the system: jobs differ in size."""
    from pyarrow import default_memory_pool  # not before the fork server starts, which imports at the same time

    def run(job: J) -> R:
        try:
            return call(job)
        finally:
            default_memory_pool().release_unused()

    return run


def close() -> None:
    """Stop the worker processes."""
    global _workers
    with _lock:
        if _workers is not None:
            _workers.close()
            _workers = None


atexit.register(close)
