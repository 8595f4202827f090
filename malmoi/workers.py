"""The one process pool: a document that hangs or crashes a worker costs that document and no other.

Workers are forked by a fork server that has imported what `preload` names, so a worker costs its
own pages only. Items travel in batches of the caller's making; when a batch kills its worker, its
items are tried alone, and an item that fails twice alone is `Broken`. The kernel enforces the CPU
limit (ITIMER_PROF, whose signal ends the process), also inside compiled code that never returns to
Python.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, TimeoutError
from dataclasses import dataclass
from multiprocessing import forkserver
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from pebble import ProcessExpired, ProcessPool

from malmoi.errors import MalmoiError, StageError

S = TypeVar("S")
T = TypeVar("T")
B = TypeVar("B")
R = TypeVar("R")

CPU_SECONDS = 10.0  # of one item; the slowest real page measured took 1.2 s
RESTARTS = 5  # of a pool that broke, before something else than the work is taken for the cause
MEMORY_BYTES = 6 << 30  # address space of one worker, what the fork server shares included
_cpu_seconds = 0.0  # in a worker: the limit of the batch at hand


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """What a call returned."""

    value: R


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an item could not be worked on: cpu-limit, wall-limit, killed, memory-limit, or error:<exception>."""

    why: str


Make: TypeAlias = Callable[[S], Callable[[B], R]]


def attempt(call: Callable[[T], R], item: T) -> Done[R] | Broken:
    """`call(item)` under the CPU limit of this worker; what is wrong with the item makes it Broken.

    OSError is about the machine and MalmoiError about source or call: both are raised.
    """
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)
    try:
        return Done(call(item))
    except MemoryError:
        return Broken("memory-limit")
    except (OSError, MalmoiError):
        raise
    except Exception as error:  # a page nobody foresaw is listed and counted; it must not stop the others
        return Broken(f"error:{type(error).__name__}")
    finally:
        if _cpu_seconds:
            signal.setitimer(signal.ITIMER_PROF, 0)


def renew() -> None:
    """Within `attempt`: what comes next has a budget of its own, such as the next row of a table."""
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)


@dataclass(frozen=True, slots=True)
class _Flight(Generic[R]):
    pool: ProcessPool
    future: Future[R]


class Workers:
    """A pool of `count` processes; use it as a context manager.

    `preload` names modules that the fork server imports before the first fork. `cpu_seconds` bounds
    one item. With `count=0` everything runs in this process, without limits: for tests.
    """

    def __init__(self, count: int, *, preload: Sequence[str] = (), cpu_seconds: float = CPU_SECONDS) -> None:
        self.count = count
        self.preload = tuple(preload)
        self.cpu_seconds = cpu_seconds
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]  # pebble ships types, but not for this method
            self._pool.join()
            self._pool = None

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
        flying: deque[tuple[B, _Flight[R]]] = deque()
        while True:
            while len(flying) < 2 * self.count and (batch := next(stream, None)) is not None:
                flying.append((batch, self._submit(make, shared, batch)))
            if not flying:
                return
            batch, flight = flying.popleft()
            try:
                yield batch, Done(self._landed(flight, make, shared, batch))
            except (ProcessExpired, TimeoutError):
                for one in single(batch):
                    yield one, self._alone(make, shared, one)

    def _alone(self, make: Make[S, B, R], shared: S, one: B) -> Done[R] | Broken:
        why = "killed"
        for _ in range(2):
            try:
                return Done(self._landed(self._submit(make, shared, one), make, shared, one))
            except TimeoutError:
                why = "wall-limit"
            except ProcessExpired as error:
                why = "cpu-limit" if error.exitcode == -signal.SIGPROF else "killed"
        return Broken(why)

    def _submit(self, make: Make[S, B, R], shared: S, batch: B) -> _Flight[R]:
        # The wall limit is only for what burns no CPU; it is far above what a loaded machine needs.
        args = (make, shared, batch, self.cpu_seconds)
        for _ in range(RESTARTS):
            pool = self._started()
            try:
                return _Flight(pool, pool.schedule(_work, args=args, timeout=100.0 * self.cpu_seconds + 60.0))
            except RuntimeError:
                self._abandon(pool)
        raise StageError(f"the worker pool broke {RESTARTS} times; look for what kills processes on this machine.")

    def _landed(self, flight: _Flight[R], make: Make[S, B, R], shared: S, batch: B) -> R:
        """What a flight brought. A worker that dies while it takes its work breaks the whole pool: then once more."""
        for _ in range(RESTARTS):
            try:
                return flight.future.result()
            except (RuntimeError, CancelledError):
                if flight.pool.active:
                    raise  # an exception of the call
                self._abandon(flight.pool)
                flight = self._submit(make, shared, batch)
        return flight.future.result()

    def _abandon(self, pool: ProcessPool) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()

    def warm(self) -> None:
        """Start the fork server and return at once; it imports while the caller goes on."""
        if self.count:
            self._context()
            forkserver.ensure_running()

    def _context(self) -> Any:
        context: Any = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(self.preload))
        return context

    def _started(self) -> ProcessPool:
        with self._lock:  # shards are worked on by several threads, and the first of each would make a pool
            if self._pool is None:
                self._pool = ProcessPool(self.count, context=self._context(), initializer=_initialise)
            return self._pool


def cores() -> int:
    """How many workers this machine carries: the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _initialise() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    sys.setrecursionlimit(5000)


def _work(make: Make[S, B, R], shared: S, batch: B, cpu_seconds: float) -> R:
    global _cpu_seconds
    _cpu_seconds = cpu_seconds
    return make(shared)(batch)
