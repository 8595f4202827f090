"""Limits of this process that the kernel keeps: resources, never above the hard limit, and the end of its parent."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


def lower_limit(kind: int, value: int) -> None:
    """Set the soft limit `kind` (such as resource.RLIMIT_AS) to `value`, or to the hard limit if that is lower.

    A shell or a container may allow less than Malmoi asks for (`ulimit -v`), and a process cannot raise that.
    """
    hard = resource.getrlimit(kind)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (soft, hard))


@contextmanager
def limit_growth(bytes_: int) -> Iterator[None]:
    """Let the address space of this process grow by `bytes_` at most while the body runs: MemoryError beyond."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = psutil.Process().memory_info().vms + bytes_
    if before[0] == resource.RLIM_INFINITY or limit < before[0]:
        lower_limit(resource.RLIMIT_AS, limit)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def end_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send this process signal `number` when its parent dies; a `preexec_fn`, on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, number, 0, 0, 0)  # PR_SET_PDEATHSIG of prctl(2)
