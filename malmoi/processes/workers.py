"""The one process pool: a document that hangs or crashes a worker costs that document and no other.

Workers (`malmoi/processes/worker_process.py`) are forked by a fork server that has imported what `preload` names,
so a worker costs its own pages only. Items travel in batches of the caller's making; when a batch kills its worker, its
items are tried alone, and an item that fails twice alone is `Broken`. The kernel enforces the CPU
limit (ITIMER_PROF, whose signal ends the process), also inside compiled code that never returns to
Python.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing import forkserver
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from malmoi.boundary import input_errors
from malmoi.errors import StageError
from malmoi.limits import WORKER_CPU_SECONDS
from malmoi.processes.worker_process import (
    END_SECONDS,
    LOST,
    WorkerDied,
    WorkerProcess,
    WorkerTimedOut,
    prepare_fork_server,
)

S = TypeVar("S")
T = TypeVar("T")
B = TypeVar("B")
R = TypeVar("R")

CPU_SECONDS = float(WORKER_CPU_SECONDS.value)  # of one item
# The wall limit of a batch is only for what burns no CPU; it is far above what a loaded machine needs.
WALL_SECONDS, WALL_PER_CPU = 60.0, 100.0
STARTS = 5  # of one worker, before something else than the work is taken for the cause
PAUSE_SECONDS = 0.2  # before the second start; doubled before each further one
_cpu_seconds = 0.0  # in a worker: the limit of the batch at hand


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """What a call returned."""

    value: R


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an item could not be worked on: cpu-limit, wall-limit, killed, memory-limit, or error:<exception>."""

    why: str


class _Failed(Exception):
    """The name of the exception that an item caused."""


Make: TypeAlias = Callable[[S], Callable[[B], R]]


def attempt(call: Callable[[T], R], item: T) -> Done[R] | Broken:
    """`call(item)` under the CPU limit of this worker; what is wrong with the item makes it Broken.

    An OSError with a number is about the machine and a MalmoiError about source or call: both are raised.
    Every other exception is about the item, a panic of compiled Rust included.
    """
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)
    try:
        with input_errors(_Failed, MemoryError):
            return Done(call(item))
    except MemoryError:
        return Broken("memory-limit")
    except _Failed as failed:  # a page nobody foresaw is listed and counted; it must not stop the others
        return Broken(f"error:{failed}")
    finally:
        if _cpu_seconds:
            signal.setitimer(signal.ITIMER_PROF, 0)


def renew() -> None:
    """Within `attempt`: what comes next has a budget of its own, such as the next row of a table."""
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)


class Workers:
    """A pool of `count` processes; use it as a context manager.

    `preload` names modules that the fork server imports before the first fork. `cpu_seconds` bounds
    one item. With `count=0` everything runs in this process, without limits: for tests.

    One thread drives each worker, so every wait for a worker has one owner and a bound: the wall limit of
    a batch, START_SECONDS of a start. What passes its bound is killed, and its future gets the exception.
    """

    def __init__(self, count: int, *, preload: Sequence[str] = (), cpu_seconds: float = CPU_SECONDS) -> None:
        self.count = count
        self.preload = tuple(preload)
        self.cpu_seconds = cpu_seconds
        self._tasks: queue.SimpleQueue[tuple[Future[Any], tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._started: set[WorkerProcess] = set()
        self._drivers: list[threading.Thread] = []
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the workers; a batch that is under way ends with a StageError. Takes 3 × END_SECONDS at most."""
        with self._lock:
            self._closed = True
            drivers, started = tuple(self._drivers), tuple(self._started)
        for worker in started:
            worker.kill()
        for _ in drivers:
            self._tasks.put(None)
        until = time.monotonic() + 3 * END_SECONDS
        for driver in drivers:
            driver.join(max(0.0, until - time.monotonic()))

    def map(
        self, make: Make[S, B, R], shared: S, batches: Iterable[B], single: Callable[[B], list[B]]
    ) -> Iterator[tuple[B, Done[R] | Broken]]:
        """Each batch with what `make(shared)(batch)` returned, in order; two batches a worker are in flight.

        The call works through the items of its batch, each inside `attempt`. A batch that kills its
        worker is cut by `single` into batches of one item; one of those that kills its worker twice
        comes as Broken.
        """
        if not self.count:
            call = make(shared)
            yield from ((batch, Done(call(batch))) for batch in batches)
            return
        stream = iter(batches)
        flying: deque[tuple[B, Future[R]]] = deque()
        try:
            while True:
                while len(flying) < 2 * self.count and (batch := next(stream, None)) is not None:
                    flying.append((batch, self._submit(make, shared, batch)))
                if not flying:
                    return
                batch, future = flying.popleft()
                try:
                    yield batch, Done(future.result())
                except (WorkerDied, WorkerTimedOut):
                    for one in single(batch):
                        yield one, self._run_single(make, shared, one)
        finally:
            for _, future in flying:
                future.cancel()

    def _run_single(self, make: Make[S, B, R], shared: S, one: B) -> Done[R] | Broken:
        why: list[str] = []
        for _ in range(STARTS):
            try:
                return Done(self._submit(make, shared, one).result())
            except WorkerTimedOut:
                why.append("wall-limit")
            except WorkerDied as error:
                if error.exitcode == LOST:  # the fork server died: that says nothing about the item
                    continue
                why.append("cpu-limit" if error.exitcode == -signal.SIGPROF else "killed")
            if len(why) == 2:
                return Broken(why[-1])
        raise StageError(
            f"the fork server of the worker processes died {STARTS} times in a row. Something on this machine ends "
            "processes: look at the kernel's log for the OOM killer and at the memory limit of this shell or "
            "container, then run the same command again."
        )

    def _submit(self, make: Make[S, B, R], shared: S, batch: B) -> Future[R]:
        future: Future[R] = Future()
        self._tasks.put((future, (make, shared, batch, self.cpu_seconds)))
        self._require_open()
        with self._lock:  # shards are worked on by several threads
            while len(self._drivers) < self.count:
                driver = threading.Thread(target=self._drive, name="malmoi-worker-driver", daemon=True)
                driver.start()
                self._drivers.append(driver)
        return future

    def _drive(self) -> None:
        """In a thread: hand each batch to the one worker of this thread, which is started anew when it died."""
        worker: WorkerProcess | None = None
        seconds = WALL_PER_CPU * self.cpu_seconds + WALL_SECONDS
        while (task := self._tasks.get()) is not None:
            future, args = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if worker is None or not worker.is_waiting():
                    worker = self._replace(worker)
                future.set_result(worker.call(_work, args, seconds))
            except BaseException as error:  # whoever waits for the future is told, whatever it is
                future.set_exception(error)
        if worker is not None:
            worker.end()

    def _replace(self, worker: WorkerProcess | None) -> WorkerProcess:
        """A started worker in the place of one that ended."""
        if worker is not None:
            worker.end()
            with self._lock:
                self._started.discard(worker)
        for number in range(STARTS):
            if number:
                time.sleep(PAUSE_SECONDS * 2 ** (number - 1))
            self._require_open()
            try:
                started = WorkerProcess(prepare_fork_server(self.preload))
            except (EOFError, OSError) as error:
                last = error
                continue
            with self._lock:
                self._started.add(started)
            if self._closed:
                started.end()
            self._require_open()
            return started
        raise StageError(
            f"a worker process could not be started {STARTS} times (last: {type(last).__name__}: {last}). Something "
            "on this machine ends processes or forbids new ones: look at the kernel's log for the OOM killer and at "
            "the limits of this shell or container (`ulimit -a`), then run the same command again."
        )

    def _require_open(self) -> None:
        if self._closed:
            raise StageError("the worker processes were stopped; run the same command again.")

    def warm(self) -> None:
        """Start the fork server and return at once; it imports while the caller goes on."""
        if self.count:
            prepare_fork_server(self.preload)
            forkserver.ensure_running()


def cores() -> int:
    """How many workers this machine carries: the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(make: Make[S, B, R], shared: S, batch: B, cpu_seconds: float) -> R:
    global _cpu_seconds
    _cpu_seconds = cpu_seconds
    return make(shared)(batch)
