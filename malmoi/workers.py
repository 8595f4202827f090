"""The one process pool: a document that hangs or crashes a worker costs that document and no other.

Workers are forked by a fork server that has imported what `preload` names, so a worker costs its
own pages only. Items travel in batches; when a batch kills its worker, its items are tried alone,
and an item that fails twice alone is `Broken`. The kernel enforces the CPU limit (ITIMER_PROF, whose
signal ends the process), also inside compiled code that never returns to Python.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from pebble import ProcessExpired, ProcessPool

from malmoi.errors import MalmoiError

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

BATCH = 16  # items; small enough that a retry is cheap, large enough that the pipe is not the cost
CPU_SECONDS = 10.0  # of one item; the slowest real page measured took 1.2 s
MEMORY_BYTES = 6 << 30  # address space of one worker, what the fork server shares included


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """What the call returned for one item."""

    value: R


@dataclass(frozen=True, slots=True)
class Broken:
    """Why one item could not be worked on: cpu-limit, wall-limit, killed, memory-limit, or error:<exception>."""

    why: str


Make: TypeAlias = Callable[[S], Callable[[T], R]]


class Workers:
    """A pool of `count` processes; use it as a context manager.

    `preload` names modules that the fork server imports before the first fork. `cpu_seconds` bounds
    one item. With `count=0` everything runs in this process, without limits: for tests and `malmoi try`.
    """

    def __init__(self, count: int, *, preload: Sequence[str] = (), cpu_seconds: float = CPU_SECONDS) -> None:
        self.count = count
        self.preload = tuple(preload)
        self.cpu_seconds = cpu_seconds
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]  # pebble ships types, but not for this method
            self._pool.join()
            self._pool = None

    def map(self, make: Make[S, T, R], shared: S, items: Iterable[T]) -> Iterator[Done[R] | Broken]:
        """`make(shared)(item)` for each item, in order; at most two batches a worker are in flight.

        `make` is called once a batch. An exception about an item makes it Broken, as `error:<name>`;
        OSError is about the machine, and MalmoiError about source or call: both are raised.
        """
        if not self.count:
            yield from _each(make, shared, list(items), 0.0)
            return
        pool = self._started()
        stream = iter(items)
        flying: deque[tuple[list[T], Future[list[Done[R] | Broken]]]] = deque()
        while True:
            while len(flying) < 2 * self.count and (batch := list(islice(stream, BATCH))):
                flying.append((batch, self._submit(pool, make, shared, batch)))
            if not flying:
                return
            batch, future = flying.popleft()
            try:
                yield from future.result()
            except (ProcessExpired, TimeoutError):
                for item in batch:
                    yield self._alone(pool, make, shared, item)

    def _alone(self, pool: ProcessPool, make: Make[S, T, R], shared: S, item: T) -> Done[R] | Broken:
        why = "killed"
        for _ in range(2):
            try:
                return self._submit(pool, make, shared, [item]).result()[0]
            except TimeoutError:
                why = "wall-limit"
            except ProcessExpired as error:
                why = "cpu-limit" if error.exitcode == -signal.SIGPROF else "killed"
        return Broken(why)

    def _submit(
        self, pool: ProcessPool, make: Make[S, T, R], shared: S, batch: list[T]
    ) -> Future[list[Done[R] | Broken]]:
        # The wall limit is only for what burns no CPU; it is far above what a loaded machine needs.
        wall = 10.0 * self.cpu_seconds * len(batch) + 60.0
        args = (make, shared, batch, self.cpu_seconds)
        future: Future[list[Done[R] | Broken]] = pool.schedule(_each, args=args, timeout=wall)
        return future

    def _started(self) -> ProcessPool:
        if self._pool is None:
            context: Any = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(list(self.preload))
            self._pool = ProcessPool(self.count, context=context, initializer=_initialise)
        return self._pool


def cores() -> int:
    """How many workers this machine carries: the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _initialise() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    sys.setrecursionlimit(5000)


def _each(make: Make[S, T, R], shared: S, batch: list[T], cpu_seconds: float) -> list[Done[R] | Broken]:
    answers: list[Done[R] | Broken] = []
    call = make(shared)
    for item in batch:
        if cpu_seconds:
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            answers.append(Done(call(item)))
        except MemoryError:
            answers.append(Broken("memory-limit"))
        except (OSError, MalmoiError):
            raise
        except Exception as error:  # a page nobody foresaw is listed and counted; it must not stop the others
            answers.append(Broken(f"error:{type(error).__name__}"))
        finally:
            if cpu_seconds:
                signal.setitimer(signal.ITIMER_PROF, 0)
    return answers
