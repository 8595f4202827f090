"""Processes as forks of this one, which has loaded their modules: a crawl, or reading a release, costs no imports."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace, TracebackType
from typing import Any, NoReturn

from malmoi.processes.import_path import PYTHON

MODULES = (
    "crawlers.fetch.__main__",
    "crawlers.fetch.connections",
    "crawlers.fetch.dump_collector",
    "crawlers.fetch.middlewares",
    "scrapy.crawler",
)


def fork_crawlers(crawler: type[ForkedCrawler] | None = None) -> None:
    """Let collections of this process fork their crawlers from now on."""
    from flows.reports import crawl_progress

    for name in MODULES:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules  # a crawl chooses its own
    popen = SimpleNamespace(Popen=crawler or ForkedCrawler, PIPE=subprocess.PIPE)
    crawl_progress.subprocess = popen  # type: ignore[assignment]


def fork_readers() -> None:
    """Let the limited processes of this one that read releases be forks of one that has loaded their modules."""
    from flows import limited_process

    limited_process.subprocess = SimpleNamespace(  # type: ignore[assignment]
        run=Readers().run, TimeoutExpired=subprocess.TimeoutExpired
    )


class Readers:
    """The parent of the forks that read releases: it has no threads, and starts with the first order."""

    def __init__(self) -> None:
        self._orders: socket.socket | None = None
        self._turn = threading.Lock()

    def run(
        self, command: Sequence[str], *, input: bytes, env: dict[str, str], timeout: float, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Like subprocess.run for `python … -m MODULE ARGUMENT …`."""
        if tuple(command[: len(PYTHON)]) != tuple(PYTHON):  # a test of what else may be started
            return subprocess.run(command, input=input, env=env, timeout=timeout, **more)
        module, *arguments = command[len(PYTHON) + 1 :]
        with ExitStack() as stack, self._turn:
            if self._orders is None:
                self._start()
            assert self._orders is not None
            streams = [stack.enter_context(TemporaryFile()) for _ in range(3)]
            streams[0].write(input)
            streams[0].seek(0)
            order = json.dumps([module, arguments, env, os.getcwd()]).encode()
            socket.send_fds(self._orders, [order], [stream.fileno() for stream in streams])
            pid, is_late = int(self._answers.readline()), threading.Event()
            timer = threading.Timer(timeout, lambda: (is_late.set(), os.kill(pid, signal.SIGKILL)))
            timer.start()
            status = os.waitstatus_to_exitcode(int(self._answers.readline()))
            timer.cancel()
            if is_late.is_set():
                raise subprocess.TimeoutExpired(list(command), timeout)
            out, err = (os.pread(stream.fileno(), 1 << 30, 0) for stream in streams[1:])
            return subprocess.CompletedProcess(list(command), status, out, err)

    def _start(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._answers = self._orders.makefile()
        subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])  # until EOF
        theirs.close()


def fork_for_orders(orders: socket.socket) -> None:
    """Fork for each order that comes, and answer with the process id and the status of its end."""
    import data_cards  # noqa: F401  # what the forks need is loaded once
    import malmoi.releases.changelog  # noqa: F401
    from malmoi.releases.verification import verify  # noqa: F401
    from malmoi.storage import duckdb_tables  # noqa: F401

    while True:
        order, streams, _, _ = socket.recv_fds(orders, 1 << 20, 3)
        if not order:
            return
        if pid := os.fork():
            for stream in streams:
                os.close(stream)
            orders.sendall(f"{pid}\n".encode())
            orders.sendall(f"{os.waitpid(pid, 0)[1]}\n".encode())
            continue
        end_after(partial(_read_release, streams, *json.loads(order)))


def _read_release(
    streams: Sequence[int], module: str, arguments: Sequence[str], environment: dict[str, str], folder: str
) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def end_after(call: Callable[[], int | None]) -> NoReturn:
    """End this fork with the status of `call`, without the clean-up of its parent."""
    status: object = 1
    try:
        status = call()
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


class ForkedCrawler:
    """Like Popen for the crawler."""

    def __init__(self, command: Sequence[str], *, stderr: Any, preexec_fn: Any, **_: Any) -> None:
        pipe, into = os.pipe()
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            end_after(lambda: self._crawl(pipe, into, stderr, preexec_fn, command[-1]))
        os.close(into)
        self.stdout = open(pipe, encoding="utf-8")  # noqa: SIM115

    def _crawl(self, pipe: int, into: int, stderr: Any, preexec_fn: Any, order: str) -> int:
        os.close(pipe)
        os.dup2(into, 1)
        os.dup2(stderr.fileno(), 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (the process ends with it)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        preexec_fn()
        return self.crawl(order)

    def crawl(self, order: str) -> int:
        """Run the job of a file in the fork; its exit status."""
        from crawlers.fetch.__main__ import main

        return main([order])

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def __enter__(self) -> ForkedCrawler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stdout.close()
        self.wait()


def run_fork(
    crawler: type[ForkedCrawler], order: Path, prepare: Callable[[], object] = tuple, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a job to its end, behind `prepare` in the fork."""
    with TemporaryFile("w+") as err:
        with crawler([str(order)], stderr=err, preexec_fn=prepare) as process:
            timer = threading.Timer(timeout, process.terminate)
            timer.start()
            out = process.stdout.read()
        timer.cancel()
        err.seek(0)
        return subprocess.CompletedProcess([str(order)], process.wait(), out, err.read())


if __name__ == "__main__":
    fork_for_orders(socket.socket(fileno=int(sys.argv[1])))
