"""Run commands in a fork of this process, which has loaded everything, under a fault; say how they ended."""

from __future__ import annotations

import contextlib
import datetime as clocks
import functools
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.builders import forked_process, frozen_clock
from tests.faults import object_store
from tests.faults.injection import Fault, Injector, install

HUNG = "hung"
KILLED = "killed"
WALL = 240.0  # seconds; a loaded machine stays far below it
CPU = 60  # seconds
_LOADED = (
    "flows.cli.releases",
    "flows.withdrawals",
    "flows.engine.preload",
    "flows.release",
    "flows.run",
    "malmoi.releases.distribution",
    "malmoi.storage.working_copy",
    "obstore.store",
)


@dataclass(frozen=True)
class Ended:
    """How commands ended: the last exit status, `killed` or `hung`; what they said; the points they passed."""

    status: int | str
    said: str = ""
    points: list[str] = field(default_factory=list)  # labels in order, those of the crawler last
    struck: bool = False


class InlineExecutor:
    """An executor that does the work at once: the order of calls is that of the seed."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, call: Any, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*given, **named))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, call: Any, *given: Any) -> Any:
        return iter([call(*one) for one in zip(*given, strict=False)])

    def shutdown(self, **_: Any) -> None: ...

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(self, *_: Any) -> None: ...


def load() -> None:
    """Import what the commands use, so that no fork does."""
    for name in (*forked_process.MODULES, *_LOADED):
        importlib.import_module(name)
    from crawlers import extract
    from flows.engine import worker_pool

    worker_pool.cores = lambda: 0  # the work is done in the process itself
    worker_pool.require_memory = lambda: None
    extract.versions = functools.cache(extract.versions)


def fork(
    commands: Sequence[Sequence[str]],
    disks: tuple[Path, ...],
    store: Path,
    fault: Fault | None = None,
    cache: str = "one",
) -> Ended:
    """Run commands one after the other until one fails; a fault strikes in the folders `disks` or in the store."""
    for disk in disks:
        disk.parent.mkdir(parents=True, exist_ok=True)
    pipe, into = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.close(pipe)
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
            gc.freeze()
            code = _run(commands, disks, store, fault, cache, into)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(into)
    said = _read(pipe, time.monotonic() + WALL)
    if said is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    _end_group(child)
    if said is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return Ended(HUNG)
    if os.WIFSIGNALED(status):
        return Ended(KILLED if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}", struck=True)
    if not said:
        return Ended(f"no answer, exit status {os.WEXITSTATUS(status)}")
    answer = json.loads(said)
    return Ended(answer["status"], answer["said"], answer["points"], answer["struck"])


def _read(pipe: int, until: float) -> bytes | None:
    """What the child writes until it ends; None if it does not."""
    found = b""
    with contextlib.closing(open(pipe, "rb", buffering=0)) as stream:
        while True:
            if not select.select([stream], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            block = stream.read(1 << 16)
            if not block:
                return found
            found += block


def _end_group(leader: int) -> None:
    """Wait for what the child started; a crawler ends with its parent."""
    for _ in range(1000):
        try:
            os.killpg(leader, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _run(
    commands: Sequence[Sequence[str]], disks: tuple[Path, ...], store: Path, fault: Fault | None, cache: str, into: int
) -> int:
    from flows.cli import main
    from flows.engine import worker_pool

    injector = Injector(disks, fault, (store,))
    os.environ["MALMOI_CACHE"] = str(store.parent / cache)
    os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    other = store.parent / "crawler.json"
    _simulate(injector, store, other)
    said, status = io.StringIO(), 0
    install(injector)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for command in commands:
            call = list(command)
            status = main.run_guarded(
                lambda call=call: main.app(call, exit_on_error=False, print_error=False, result_action="return_value")
            )
            worker_pool.configure(None)
            if status:
                break
    if not status:
        injector.finish()
    injector.journal.close()
    crawled = json.loads(other.read_text()) if other.exists() else {"points": [], "struck": False}
    points = [*injector.log, *crawled["points"]] if fault is None else []
    struck = injector.struck or crawled["struck"]
    answer = {"status": status, "said": said.getvalue(), "points": points, "struck": struck}
    with open(into, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(answer))
    return 0


def _simulate(injector: Injector, store: Path, crawled: Path) -> None:
    """Replace clock, threads, storage and crawler process by those of the simulation."""
    import flows.erase
    from crawlers.fetch import politeness
    from flows.engine import executors
    from malmoi.storage import bucket, downloads, lease, placeholders, working_copy

    frozen_clock.replace_clock(injector.now)
    for module in (flows.erase, executors, working_copy, downloads):
        assert hasattr(module, "ThreadPoolExecutor")
        module.ThreadPoolExecutor = InlineExecutor
    placeholders.LARGE = 1  # type: ignore[misc]
    politeness.FIRST_WAIT = 0.01

    def open_store(self: Any, address: str) -> None:
        self.address, self._obstore = address.rstrip("/"), bucket._import_obstore()
        self._store = object_store.ObjectStore(store, injector)

    bucket.Bucket.__init__ = open_store  # type: ignore[method-assign]
    passed = [0.0]  # seconds by the clock of the lease: another machine does not wait for real

    def sleep(_: float) -> None:
        passed[0] += 60.0

    lease.time = SimpleNamespace(monotonic=lambda: passed[0], sleep=sleep)  # type: ignore[assignment]
    working_copy.FRESH = 0.0  # type: ignore[misc]
    working_copy.ORPHAN = clocks.timedelta(microseconds=1)  # type: ignore[misc]
    popen = type("Popen", (WatchedCrawler,), {"injector": injector, "points": crawled})
    forked_process.fork_crawlers(popen)


class WatchedCrawler(forked_process.ForkedCrawler):
    """A forked crawler whose files are watched too."""

    injector: Injector
    points: Path

    def crawl(self, order: str) -> int:
        injector = self.injector
        injector.role = "crawler"
        injector.log.clear()
        injector.seen.clear()
        code = super().crawl(order)
        flushed = list(injector.journal.flushed.items())
        self.points.write_text(json.dumps({"points": injector.log, "struck": injector.struck, "flushed": flushed}))
        return code

    def wait(self) -> int:
        waited = self.returncode is not None
        status = super().wait()
        if not waited and self.points.exists():  # what the crawler flushed is durable for this process too
            flushed = json.loads(self.points.read_text())["flushed"]
            self.injector.journal.flushed |= {inode: tuple(state) for inode, state in flushed}
        return status
