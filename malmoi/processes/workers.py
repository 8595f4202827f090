"""Process pool: a document that hangs or crashes a worker fails alone; the others are processed.

A fork server that has imported the modules in `preload` forks the workers, so that a worker costs only the memory
pages it changes. The caller cuts items into batches. If a batch kills its
worker, its items are retried one by one, and an item that fails twice alone is `Broken`. The kernel enforces
the CPU limit (ITIMER_PROF, whose signal ends the process), also inside compiled code that never returns to Python.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import resource
import signal
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

import psutil

from malmoi.boundary import input_errors
from malmoi.errors import CallError, StageError
from malmoi.limits import WORKER_CPU_SECONDS
from malmoi.processes.fork_server import START_SECONDS, ForkServer, start_fork_server

END_SECONDS = 5.0  # until the fork server has reported the exit status of a worker
LEAST_MEMORY_BYTES = 4 << 30  # below this, libraries fail to load at unpredictable places
LOST = 255  # exit status of a worker whose fork server died first, so that it was not read


class WorkerDied(Exception):
    """The worker ended during a call; `exitcode` is negative for a signal, LOST if unknown."""

    def __init__(self, exitcode: int) -> None:
        super().__init__(exitcode)
        self.exitcode = exitcode


class WorkerTimedOut(Exception):
    """The worker was killed because a call exceeded its timeout."""


S = TypeVar("S")
T = TypeVar("T")
B = TypeVar("B")
R = TypeVar("R")
CPU_SECONDS = float(WORKER_CPU_SECONDS.value)  # of one item
# The wall-clock timeout of a batch is for code that waits without CPU; a loaded machine stays far below it.
WALL_SECONDS, WALL_PER_CPU = 60.0, 100.0
STARTS = 5  # attempts for one worker, before the machine and not the work is taken for the cause
PAUSE_SECONDS = 0.2  # before the second start; doubled before each further start
_cpu_seconds = 0.0  # in a worker: the CPU limit of the current batch


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """The result of a call."""

    value: R


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an item could not be processed: cpu-limit, wall-limit, killed, memory-limit, or error:<exception>."""

    why: str


class _Failed(Exception):
    """Has the name of the exception that an item caused."""


Make: TypeAlias = Callable[[S], Callable[[B], R]]


def attempt(call: Callable[[T], R], item: T) -> Done[R] | Broken:
    """Return `call(item)` under the CPU limit of this worker, or Broken if the item causes an exception.

    An OSError with an errno is about the machine and a MalmoiError about source or call: both are raised.
    Every other exception is about the item, a panic of compiled Rust included.
    """
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)
    try:
        with input_errors(_Failed, MemoryError):
            return Done(call(item))
    except MemoryError:
        return Broken("memory-limit")
    except _Failed as failed:  # an unforeseen page is listed and counted; it must not stop the others
        return Broken(f"error:{failed}")
    finally:
        if _cpu_seconds:
            signal.setitimer(signal.ITIMER_PROF, 0)


def renew() -> None:
    """Within `attempt`: restart the CPU budget, for example for the next row of a table."""
    if _cpu_seconds:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds)


class Workers:
    """A pool of `count` processes; use it as a context manager.

    `preload` names modules that the fork server imports before the first fork. `cpu_seconds` bounds
    one item. With `count=0` everything runs in this process, without limits: for tests.

    One thread drives each worker, so every wait for a worker has one owner and a timeout: the wall limit of
    a batch, START_SECONDS of a start. A worker that exceeds it is killed, and the future gets the exception.
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
        """Kill the workers; a running batch ends with a StageError. Takes 3 × END_SECONDS at most."""
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
        """Yield each batch with the result of `make(shared)(batch)`, in order; two batches a worker are in flight.

        The call processes the items of its batch, each inside `attempt`. If a batch kills its worker,
        `single` cuts it into batches of one item; an item that kills its worker twice is yielded as Broken.
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
        with self._lock:  # several threads process shards
            while len(self._drivers) < self.count:
                driver = threading.Thread(target=self._drive, name="malmoi-worker-driver", daemon=True)
                driver.start()
                self._drivers.append(driver)
        return future

    def _drive(self) -> None:
        """In a thread: send each batch to the worker of this thread, and restart the worker if it died."""
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
            except BaseException as error:  # the waiting thread gets it from the future, whatever it is
                future.set_exception(error)
        if worker is not None:
            worker.end()

    def _replace(self, worker: WorkerProcess | None) -> WorkerProcess:
        """Start a worker in place of one that ended."""
        if worker is not None:
            worker.end()
            with self._lock:
                self._started.discard(worker)
        for number in range(STARTS):
            if number:
                time.sleep(PAUSE_SECONDS * 2 ** (number - 1))
            self._require_open()
            try:
                started = WorkerProcess(start_fork_server(self.preload))
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
        """Start the fork server and return at once; it imports in the background."""
        if self.count:
            start_fork_server(self.preload)


def cores() -> int:
    """Return the number of processors that this process may use: the number of workers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(make: Make[S, B, R], shared: S, batch: B, cpu_seconds: float) -> R:
    global _cpu_seconds
    _cpu_seconds = cpu_seconds
    return make(shared)(batch)


class WorkerProcess:
    """A started worker with its own pipe: every call ends with a result, a dead worker or a timeout.

    Only one thread may call it; any thread may kill it. Workers share neither a lock nor a queue. One that is killed at
    any moment leaves nothing locked or half-read for the others: the kernel closes its pipe, and the waiting call ends
    at once.

    Raises:
        OSError, EOFError: it could not be started; the next attempt restarts a fork server that died.
    """

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._system: psutil.Process | None = None
        self._pipe, theirs = Pipe()
        try:
            with theirs:
                pid, self._reports = server.fork(theirs)
        except BaseException:
            self._pipe.close()
            raise
        with contextlib.suppress(psutil.NoSuchProcess):
            self._system = psutil.Process(pid)  # by pid and start time: a pid may be reused
            with contextlib.suppress(EOFError, OSError):
                if self._pipe.poll(START_SECONDS):
                    self._pipe.recv_bytes()
                    return
        raise EOFError(f"the worker ended with exit status {self.end()} before its first call")

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
        """Return `function(*args)` from the worker, or raise the exception that it raised.

        Raises:
            WorkerTimedOut: the call took longer than `seconds`; the worker was killed.
            WorkerDied: the worker ended before it replied.
        """
        task = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
        try:
            with socket.socket(fileno=os.dup(self._pipe.fileno())) as same:  # an option is of all its descriptors
                for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                    same.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(seconds), int(seconds % 1 * 1e6)))
            self._pipe.send_bytes(task)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            exitcode = self.end()
            raise WorkerTimedOut if isinstance(error, BlockingIOError) else WorkerDied(exitcode) from error
        returned, value = pickle.loads(answer)
        if returned:
            return value
        raise value

    def is_waiting(self) -> bool:
        """Whether the worker is alive and has sent nothing: it waits for its next call."""
        try:
            return not self._pipe.closed and not self._pipe.poll()
        except OSError:
            return False

    def kill(self) -> None:
        """Kill the worker at once."""
        if self._system is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._system.kill()

    def end(self) -> int:
        """Kill the worker, wait for its end, and return its exit status, or LOST."""
        self.kill()
        status = LOST
        with contextlib.suppress(EOFError, OSError):
            if self._reports.poll(END_SECONDS):
                status = self._reports.recv()
            else:
                self._server.kill()  # it does not respond, and the next worker needs one that does
        self._reports.close()
        self._pipe.close()
        return status


def require_memory() -> None:
    """Raise CallError if the address space of this process is too small to run."""
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY and soft < LEAST_MEMORY_BYTES:
        raise CallError(
            f"this shell limits the address space to {soft >> 20:,} MiB (`ulimit -v`); a run needs "
            f"{LEAST_MEMORY_BYTES >> 30} GiB, most of it mapped and never used. Run `ulimit -v unlimited` first, "
            "or limit the resident memory instead, by a container or a control group."
        )
