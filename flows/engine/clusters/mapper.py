"""Map jobs over the nodes of a cluster, where a task is a group of jobs, or each over a worker process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, update_wrapper

import pyarrow as pa

from flows.engine import worker_pool
from flows.engine.clusters.node_tasks import Engine, call_on
from flows.engine.executors import EngineName, J, Mapper, R, group_mapper, thread_mapper
from malmoi.errors import CallError, StageError
from malmoi.processes.workers import Broken
from malmoi.storage.shuffle import Run, find_task_name

TASKS = 256  # of one stage at most, so that many nodes are busy and the driver keeps few records
FEW = 8  # jobs that take less time than the start of the pool


@contextmanager
def open_mapper(name: EngineName, address: str = "") -> Iterator[Mapper]:
    """Open a mapper over the threads of this machine, or over the cluster at `address`; errors as `open_engine`."""
    with open_engine(name, address) as engine:
        yield map_over(engine)


def map_over(engine: Engine | None) -> Mapper:
    """Return a mapper over the nodes of a cluster, two tasks a slot; with None over the threads of this machine."""
    if engine is None:
        return thread_mapper(worker_pool.count())
    return group_mapper(2 * engine.slots, partial(call_on, engine), cut_groups)


@contextmanager
def open_engine(name: EngineName, address: str = "") -> Iterator[Engine | None]:
    """Connect to the cluster at `address`; None for this machine.

    Raises CallError if the package of the engine is missing, or no cluster answers.
    """
    if name == "local":
        if address:
            raise CallError(f"--address {address} names a cluster; say which by --engine ray or --engine dask.")
        yield None
        return
    engine: Engine
    if name == "ray":
        from flows.engine.clusters.ray_engine import RayEngine

        engine = RayEngine(address)
    else:
        from flows.engine.clusters.dask_engine import DaskEngine

        engine = DaskEngine(address)
    try:
        yield engine
    finally:
        engine.close()


def cut_groups(jobs: Sequence[J], most: int = TASKS) -> list[Sequence[J]]:
    """Cut jobs into at most `most` groups of equal size, in order.

    >>> cut_groups([1, 2, 3, 4, 5], most=3)
    [[1, 2], [3, 4], [5]]
    """
    size = -(-len(jobs) // most)
    return [jobs[at : at + size] for at in range(0, len(jobs), size or 1)]


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
