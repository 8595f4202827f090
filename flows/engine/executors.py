"""Map jobs over threads of this process; `task_mapper` maps them over Prefect tasks.

A thread waits for worker processes: shards are sent to them in batches, other jobs as a whole (`make_runner`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from flows.engine import worker_pool
from malmoi.storage.shuffle import Run

EngineName: TypeAlias = Literal["local", "ray", "dask"]

FEW = 8  # jobs that take less time than the start of the pool

J = TypeVar("J")
R = TypeVar("R")


class Mapper(Protocol):
    """Run `call` on each job; results in order; the first exception is raised and no new job starts."""

    def __call__(self, call: Callable[[J], R], jobs: Sequence[J], done: Callable[[R], None] = ...) -> list[R]:
        """Run the jobs; call `done` with each result."""


def ignore(_: Any) -> None:
    """Do nothing with a result."""


def thread_mapper(count: int) -> Mapper:
    """Return a mapper of `count` + 1 threads: while one writes its shard, the others keep as many workers busy."""

    def run(call: Callable[[J], R], jobs: Sequence[J], done: Callable[[R], None] = ignore) -> list[R]:
        results: list[R] = []
        with ThreadPoolExecutor(count + 1) as pool:
            futures = [pool.submit(call, job) for job in jobs]
            try:
                for future in futures:
                    results.append(future.result())
                    done(results[-1])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return results

    return run


def make_runner(mapper: Mapper) -> Run:
    """Return a `Run` that maps jobs by `mapper`, each in a worker process; FEW jobs do not start the pool."""

    def run(call: Callable[[J], R], work: list[J]) -> list[R]:
        return mapper(worker_pool.in_worker(call) if len(work) > FEW or worker_pool.is_started() else call, work)

    return run
