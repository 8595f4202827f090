"""Processes as forks of this one, which has loaded their modules: a crawl, or reading a release, costs no imports."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from types import SimpleNamespace, TracebackType
from typing import Any

MODULES = (
    "crawlers.fetch.__main__",
    "crawlers.fetch.archive_middleware",
    "crawlers.fetch.connections",
    "crawlers.fetch.dump.collector",
    "crawlers.fetch.robots_middleware",
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


# It has loaded what reads a release, and has no threads: for each order it forks, and says how the fork ended.
SERVER = """
import json, os, runpy, socket, sys, traceback
import data_cards, flows.limited_process, malmoi.releases.verification.verify, malmoi.storage.duckdb_tables
import malmoi.releases.versions.changelog, malmoi.releases.versions.compare
import tempfile
orders = socket.socket(fileno=int(sys.argv[1]))
while True:
    order, streams, _, _ = socket.recv_fds(orders, 1 << 20, 3)
    if not order:
        break
    module, arguments, environment, folder = json.loads(order)
    pid = os.fork()
    if pid:
        for stream in streams:
            os.close(stream)
        orders.sendall(f"{pid}\\n".encode())
        orders.sendall(f"{os.waitpid(pid, 0)[1]}\\n".encode())
        continue
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        tempfile.tempdir = None
        sys.argv = [module, *arguments]
        sys.modules.pop(module)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
"""


def fork_readers() -> None:
    """Let the limited processes of this one that read releases be forks of one that has loaded their modules."""
    from flows import limited_process
    from malmoi.processes.import_path import PYTHON

    ours, theirs = socket.socketpair()
    subprocess.Popen([sys.executable, "-c", SERVER, str(theirs.fileno())], pass_fds=[theirs.fileno()])  # until EOF
    theirs.close()
    answers, turn = ours.makefile(), threading.Lock()

    def run(
        command: Sequence[str], *, input: bytes, env: dict[str, str], timeout: float, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Like subprocess.run for `python … -m MODULE ARGUMENT …`."""
        if tuple(command[: len(PYTHON)]) != tuple(PYTHON):  # a test of what else may be started
            return subprocess.run(command, input=input, env=env, timeout=timeout, **more)
        module, *arguments = command[len(PYTHON) + 1 :]
        with ExitStack() as stack, turn:
            streams = [stack.enter_context(TemporaryFile()) for _ in range(3)]
            streams[0].write(input)
            streams[0].seek(0)
            order = json.dumps([module, arguments, env, os.getcwd()]).encode()
            socket.send_fds(ours, [order], [stream.fileno() for stream in streams])
            pid = int(answers.readline())
            late = threading.Event()
            timer = threading.Timer(timeout, lambda: (late.set(), os.kill(pid, signal.SIGKILL)))
            timer.start()
            status = os.waitstatus_to_exitcode(int(answers.readline()))
            timer.cancel()
            if late.is_set():
                raise subprocess.TimeoutExpired(list(command), timeout)
            out, err = (os.pread(stream.fileno(), 1 << 30, 0) for stream in streams[1:])
            return subprocess.CompletedProcess(list(command), status, out, err)

    limited_process.subprocess = SimpleNamespace(  # type: ignore[assignment]
        run=run, TimeoutExpired=subprocess.TimeoutExpired
    )


class ForkedCrawler:
    """Like Popen for the crawler."""

    def __init__(self, command: Sequence[str], *, stderr: Any, preexec_fn: Any, **_: Any) -> None:
        pipe, into = os.pipe()
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                os.close(pipe)
                os.dup2(into, 1)
                os.dup2(stderr.fileno(), 2)
                sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (the process ends with it)
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
                preexec_fn()
                code = self.crawl(command[-1])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        os.close(into)
        self.stdout = open(pipe, encoding="utf-8")  # noqa: SIM115

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
