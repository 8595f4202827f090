"""One worker process with its own pipe: every call ends with a result, a dead worker or a timeout.

Workers share neither a lock nor a queue. A worker that is killed at any moment leaves nothing locked or
half-read for the others: the kernel closes its pipe, and the waiting call ends at once. The fork server
(malmoi/processes/fork_server.py) only starts workers and reports their exit status.
"""

from __future__ import annotations

import contextlib
import pickle
import resource
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Pipe
from typing import Any

import psutil

from malmoi.errors import CallError
from malmoi.processes.fork_server import START_SECONDS, ForkServer

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


def require_memory() -> None:
    """Raise CallError if the address space of this process is too small to run."""
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY and soft < LEAST_MEMORY_BYTES:
        raise CallError(
            f"this shell limits the address space to {soft >> 20:,} MiB (`ulimit -v`); a run needs "
            f"{LEAST_MEMORY_BYTES >> 30} GiB, most of it mapped and never used. Run `ulimit -v unlimited` first, "
            "or limit the resident memory instead, by a container or a control group."
        )


class WorkerProcess:
    """A started worker. Only one thread may call it; any thread may kill it.

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
        task, passed = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL), threading.Event()

        def end() -> None:
            passed.set()
            self.kill()

        try:
            with _deadline(seconds, end):
                self._pipe.send_bytes(task)
                answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            exitcode = self.end()
            raise WorkerTimedOut if passed.is_set() else WorkerDied(exitcode) from error
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


@contextlib.contextmanager
def _deadline(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` from another thread if the body takes longer than `seconds`."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
