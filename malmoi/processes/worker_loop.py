"""Serve calls in a worker process: they arrive through a pipe, one after the other."""

from __future__ import annotations

import contextlib
import pickle
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from malmoi.errors import StageError
from malmoi.limits import WORKER_MEMORY_BYTES
from malmoi.processes.garbage import collect_seldom


def memory_bytes() -> int:
    """Return the address space of a worker in bytes: the limit of Malmoi, or the hard limit if that is lower."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = WORKER_MEMORY_BYTES.value
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def serve_calls(pipe: Connection) -> None:
    """Serve calls until the other end of the pipe is closed."""
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
    collect_seldom()


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
