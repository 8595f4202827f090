"""A process that has imported the heavy libraries and forks worker processes on request.

multiprocessing has one too. This one needs no lock, no socket file, no resource tracker and no import of the main
module in each worker, it may be started by a daemonic process (a Dask worker), and its errors are those of `fork`.

A request is one byte with three file descriptors: the worker's end of its pipe, the end through which the server
reports the pid of the worker and later its exit status, and the working directory. The kernel closes a connection of a
process that dies, so every wait ends: with the report, with EOFError, or at its timeout. The server ends when the
process that started it does.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from malmoi.errors import StageError
from malmoi.limits import WORKER_MEMORY_BYTES
from malmoi.processes.import_path import PYTHON, collect_seldom, exclude_imports

START_SECONDS = 300.0  # of one start; a fork server that compiles the kernels first took 65 s on a loaded machine
# glibc asks for pages of 2 MB: Kiwi looks up its 400 MB of tables at random, and takes a tenth less time.
HUGE_PAGES = "glibc.malloc.hugetlb=1"


class ForkServer:
    """A running fork server; any thread may use it."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(START_SECONDS)
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from malmoi.processes.fork_server import serve_forks; "
            f"serve_forks({theirs.fileno()}, {tuple(preload)!r})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [*PYTHON, "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={"GLIBC_TUNABLES": HUGE_PAGES, **os.environ},
            )

    def is_running(self) -> bool:
        """Whether the process is alive; also right if something else in this process has waited for it."""
        return self._process.poll() is None

    def fork(self, pipe: Connection) -> tuple[int, Connection]:
        """Fork a worker that serves `pipe`; return its pid, and the connection that will carry its exit status.

        Raises:
            OSError, EOFError: the server died or did not respond; it is dead now, and needs to be started again.
        """
        reports, theirs = Pipe(duplex=False)
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                socket.send_fds(self._control, [b"f"], [pipe.fileno(), theirs.fileno(), folder])
            finally:
                theirs.close()
                os.close(folder)
            if not reports.poll(START_SECONDS):
                raise EOFError(f"the fork server did not respond for {START_SECONDS:.0f} s")
            return reports.recv(), reports
        except (OSError, EOFError):
            reports.close()
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the process and wait for its end."""
        self._process.kill()
        self._process.wait()


_servers: dict[tuple[str, ...], ForkServer] = {}  # by what they have imported
_lock = threading.Lock()


def start_fork_server(preload: tuple[str, ...]) -> ForkServer:
    """Return the fork server of this process that has imported `preload`; start it unless it runs."""
    with _lock:
        server = _servers.get(preload)
        if server is None or not server.is_running():
            server = _servers[preload] = ForkServer(preload)
        return server


@atexit.register
def kill_fork_servers() -> None:
    """Kill the fork servers of this process."""
    with _lock:
        while _servers:
            _servers.popitem()[1].kill()


def serve_forks(descriptor: int, preload: Sequence[str]) -> None:
    """In the fork server: import `preload`, then fork until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    gc.disable()  # each worker enables it
    for name in preload:
        importlib.import_module(name)
    exclude_imports()
    control, (woken, wake) = socket.socket(fileno=descriptor), socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    running: dict[int, Connection] = {}
    while True:
        ready = wait([control, woken])
        if woken in ready:
            woken.recv(4096)
            _report_ends(running)
        if control in ready:
            asked, descriptors, _, _ = socket.recv_fds(control, 1, 3)
            if not asked:
                signal.set_wakeup_fd(-1)  # closed on return, and the workers are still to end
                return
            pipe, reports = (Connection(end) for end in descriptors[:2])
            os.fchdir(folder := descriptors[2])  # the paths of a call may be relative
            os.close(folder)
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for inherited in (control, woken, wake):
                    inherited.close()
                for report in (reports, *running.values()):
                    report.close()
                _work(pipe)
            pipe.close()
            running[pid] = reports
            _report(reports, pid)


def _work(pipe: Connection) -> None:
    """In a forked worker: serve the pipe, and end without the clean-up of the server."""
    status = 1
    try:
        serve_calls(pipe)
        status = 0
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(status)


def _report_ends(running: dict[int, Connection]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as reports:
                _report(reports, os.waitstatus_to_exitcode(ended[1]))


def _report(reports: Connection, value: int) -> None:
    with contextlib.suppress(OSError):  # the parent has ended
        reports.send(value)


def serve_calls(pipe: Connection) -> None:
    """Serve calls until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes(), resource.getrlimit(resource.RLIMIT_AS)[1]))
    sys.setrecursionlimit(5000)
    collect_seldom()
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(b"")  # from here on only the work or an outside process kills the worker
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def memory_bytes() -> int:
    """Return the address space of a worker in bytes: the limit of Malmoi, or the hard limit if that is lower."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = WORKER_MEMORY_BYTES.value
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


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
