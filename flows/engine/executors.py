"""Map jobs over threads; `clusters` maps groups of them over nodes, `task_mapper` over Prefect tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

EngineName: TypeAlias = Literal["local", "ray", "dask"]

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
    return group_mapper(count + 1, lambda call, jobs: list(map(call, jobs)), lambda jobs: [[job] for job in jobs])


def group_mapper(
    threads: int, run: Callable[[Any, Any], list[Any]], cut: Callable[[Sequence[Any]], Sequence[Any]]
) -> Mapper:
    """Return a mapper that calls `run(call, group)` in `threads` threads for the groups into which `cut` cuts jobs."""

    def map_groups(call: Callable[[J], R], jobs: Sequence[J], done: Callable[[R], None] = ignore) -> list[R]:
        results: list[R] = []
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(run, call, group) for group in cut(jobs)]
            try:
                for future in futures:
                    for result in future.result():
                        results.append(result)
                        done(result)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return results

    return map_groups
