"""One worker process with its own pipe: every call ends with a result, a dead worker or a timeout.

Workers share neither a lock nor a queue. A worker that is killed at any moment leaves nothing locked or
half-read for the others: the kernel closes its pipe, and the waiting call ends at once. The fork server
only starts workers; it is restarted if it died.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from malmoi.errors import CallError, StageError
from malmoi.limits import WORKER_MEMORY_BYTES
from malmoi.processes.import_path import SAFE

START_SECONDS = 300.0  # of one start; a fork server that compiles the kernels first took 65 s on a loaded machine
END_SECONDS = 5.0  # until the fork server has reported the exit status of a worker
LEAST_MEMORY_BYTES = 4 << 30  # below this, libraries fail to load at unpredictable places
LOST = 255  # exit status that multiprocessing reports if the fork server died first

# multiprocessing reads the exit status of a process once; two threads that read it together get a wrong value.
_processes = threading.Lock()


class WorkerDied(Exception):
    """The worker ended during a call; `exitcode` is negative for a signal, LOST if unknown."""

    def __init__(self, exitcode: int | None) -> None:
        super().__init__(exitcode)
        self.exitcode = LOST if exitcode is None else exitcode


class WorkerTimedOut(Exception):
    """The worker was killed because a call exceeded its timeout."""


def memory_bytes() -> int:
    """Return the address space of a worker in bytes: the limit of Malmoi, or the hard limit if that is lower."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = WORKER_MEMORY_BYTES.value
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def require_memory() -> None:
    """Raise CallError if the address space of this process is too small to run."""
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY and soft < LEAST_MEMORY_BYTES:
        raise CallError(
            f"this shell limits the address space to {soft >> 20:,} MiB (`ulimit -v`); a run needs "
            f"{LEAST_MEMORY_BYTES >> 30} GiB, most of it mapped and never used. Run `ulimit -v unlimited` first, "
            "or limit the resident memory instead, by a container or a control group."
        )


def prepare_fork_server(preload: Sequence[str]) -> Any:
    """Return the multiprocessing context that starts workers; call it before the fork server runs.

    It sets PYTHONSAFEPATH: without it Python puts the working folder first on the import path of processes
    started with `-c`, such as the fork server and the resource tracker.
    """
    os.environ[SAFE] = "1"
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def start_fork_server(preload: Sequence[str]) -> None:
    """Start the fork server, in place of one that died; it imports in the background."""
    prepare_fork_server(preload)
    try:
        forkserver.ensure_running()
    except ChildProcessError:  # it died, and something else in this process has waited for it
        _forget_fork_server()
        forkserver.ensure_running()


def _forget_fork_server() -> None:
    forkserver._forkserver._forkserver_pid = None  # type: ignore[attr-defined]  # so that the next start creates one


class WorkerProcess:
    """A started worker. Only one thread may call it; any thread may kill it.

    Raises:
        OSError, EOFError: it could not be started; the next attempt restarts a fork server that died.
    """

    def __init__(self, context: Any) -> None:
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="malmoi-worker", daemon=True)
        try:
            with _processes, _deadline(START_SECONDS, _kill_fork_server):
                self._process.start()
            self._system = psutil.Process(self._process.pid)  # by pid and start time: a pid may be reused
        except ChildProcessError:  # the fork server died, and another thread has waited for it
            _forget_fork_server()
            self._pipe.close()
            raise
        except psutil.NoSuchProcess as error:
            self._pipe.close()
            raise EOFError("the worker ended as soon as it was started") from error
        except BaseException:
            self._pipe.close()
            raise
        finally:
            theirs.close()
        try:
            with _deadline(START_SECONDS, self.kill):
                self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise EOFError(f"the worker ended with exit status {self.end()} before its first call") from error

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
        with contextlib.suppress(psutil.NoSuchProcess):
            self._system.kill()

    def end(self) -> int | None:
        """Kill the worker, wait for its end, and return its exit status."""
        self.kill()
        if (exitcode := self._exitcode()) is None:
            _kill_fork_server()  # it does not respond; the exit handler would wait for it for ever
            exitcode = self._exitcode()
        self._pipe.close()
        return exitcode

    def _exitcode(self) -> int | None:
        with _processes:
            self._process.join(END_SECONDS)
            found: int | None = self._process.exitcode
            return found


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


def _kill_fork_server() -> None:
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # there is no public name for it
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _serve(pipe: Connection) -> None:
    """In the worker: serve calls until the other end of the pipe is closed."""
    _initialise()
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(b"")  # from here on only the work or an outside process kills the worker
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _initialise() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes(), resource.getrlimit(resource.RLIMIT_AS)[1]))
    sys.setrecursionlimit(5000)


def _answer(task: bytes) -> bytes:
    try:
        function, args = pickle.loads(task)
        return pickle.dumps((True, function(*args)), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # also a panic of compiled Rust and SystemExit: the caller gets it
        return pickle.dumps((False, make_portable(error)), pickle.HIGHEST_PROTOCOL)


def make_portable(error: BaseException) -> BaseException:
    """Return the exception with its traceback as a note, or a StageError if it cannot be pickled."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    error.add_note("".join(traceback.format_tb(error.__traceback__)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return StageError(
            f"a worker process failed with {type(error).__name__} in {where}. "
            "Nothing of this stage was written; run the same command again, and report it if it fails again."
        )
    return error
