"""Threads that work on pieces of the same arrays: what takes `each`, a `map`, can be given that of a pool.

Kernels, numpy and Arrow run without the GIL. How arrays are cut does not depend on how many threads there are, and
results come in the order of the pieces: so neither does what is found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

from malmoi.processes.workers import cores

THREADS = 2  # at the most: what each holds for itself is part of the memory of a survey

Each: TypeAlias = Callable[..., Iterable[Any]]  # `map`, or what does the same at once


@contextmanager
def pool(count: int | None = None) -> Iterator[Each]:
    """A `map` by so many threads, or by one for each processor, THREADS at the most."""
    with ThreadPoolExecutor(min(cores(), THREADS) if count is None else count) as threads:
        yield threads.map


def finish(pieces: Iterable[Any]) -> None:
    """Wait for pieces of work that return nothing; raises what one of them raised."""
    deque(pieces, maxlen=0)
