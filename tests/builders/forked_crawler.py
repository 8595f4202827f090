"""The crawler as a fork of this process, which has loaded its modules: a crawl costs no imports."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
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
