"""The worker pool of this process, started when the first shard needs it."""

from __future__ import annotations

import atexit
import threading

from malmoi.processes.workers import Workers, cores, require_memory

_lock = threading.Lock()
_workers: Workers | None = None
_count: int | None = None


def configure(count: int | None) -> None:
    """Set the number of worker processes; None means one per core. Takes effect at the next start."""
    global _count
    close()
    _count = count


def count() -> int:
    """Return the number of worker processes, running or not."""
    return cores() if _count is None else _count


def workers() -> Workers:
    """Return the pool; start it first if necessary."""
    global _workers
    with _lock:
        if _workers is None:
            require_memory()
            _workers = Workers(count(), preload=("flows.engine.preload",))
        return _workers


def is_started() -> bool:
    """Return whether the pool was started, so that a call costs no imports."""
    return _workers is not None


def close() -> None:
    """Stop the worker processes."""
    global _workers
    with _lock:
        if _workers is not None:
            _workers.close()
            _workers = None


atexit.register(close)
