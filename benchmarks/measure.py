"""CPU, wall time and memory of a command with all its processes, orphans included; and what texts it kept."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow.dataset as ds

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans of our children become ours, so that their CPU is counted
INTERVAL = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True)
class Usage:
    """What one command used."""

    status: int
    wall: float  # seconds
    cpu: float  # user + system seconds of all processes
    peak_mb: float  # largest sum of PSS over the process tree, 10^6 bytes


def run(command: Sequence[str], env: dict[str, str] | None = None, log: Path | None = None) -> Usage:
    """Run a command to its end and measure it with all its descendants; what it prints goes to `log`, if given."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = os.times()
    began = time.monotonic()
    with log.open("wb") if log else nullcontext() as stream:
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=stream, stderr=stream)
    peak = _Peak(process.pid)
    peak.start()
    status = process.wait()
    _reap()
    wall = time.monotonic() - began
    peak.stop()
    after = os.times()
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Usage(status, wall, cpu, peak.bytes / 1e6)


def _reap() -> None:
    """Wait for the orphans that have become ours, at most ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.02)


class _Peak(threading.Thread):
    """Looks at the proportional set size of the tree again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.bytes = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(INTERVAL):
            self.bytes = max(self.bytes, _pss(os.getpid()) - _own(os.getpid()))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _pss(pid: int) -> int:
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(_own(p.pid) for p in family)


def _own(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except (psutil.Error, OSError):
        return 0


def kept(files: Sequence[Path]) -> dict[str, int]:
    """Documents, code points and distinct-line code points (each distinct line once) of the column `text`."""
    lines: set[int] = set()
    documents = characters = distinct = 0
    for batch in ds.dataset(list(files)).to_batches(columns=["text"]) if files else ():
        for text in batch.column("text").to_pylist():
            documents += 1
            characters += len(text)
            for line in text.split("\n"):
                if (key := hash(line)) not in lines:
                    lines.add(key)
                    distinct += len(line)
    return {"kept": documents, "kept_chars": characters, "kept_distinct_chars": distinct}


def tree_cpu() -> float:
    """CPU seconds so far of this process and all its living descendants, and of those it has waited for."""
    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
