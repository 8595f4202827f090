"""Resource limits of this process (rlimit), never raised above the hard limit."""

from __future__ import annotations

import resource
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
