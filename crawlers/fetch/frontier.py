"""Queue of a crawl (frontier): first in, first out, each URL once, with memory that does not grow with the queue.

The first places are held in memory, the rest in an unnamed temporary file that ends with the process. A
resumed run replays its archive and so rebuilds the same queue.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from crawlers.fetch.crawl_stats import host_of
from crawlers.fetch.page_requests import Kind, Visit
from malmoi import limits

HELD = 10_000  # places in memory; at most some 20 MB


@dataclass(slots=True)
class Place:
    """One place in the queue; `task` is set once the URL is requested."""

    url: str
    kind: Kind
    facts: str = ""  # header of an attachment (crawlers/attachments.py)
    task: asyncio.Task[Visit] | None = None


class Queue(Protocol):
    """The queue of a crawl: everything, in order (Frontier), or a sample of it (SampledFrontier, SampledRecords)."""

    waiting: Counter[str]  # host → URLs that wait or are being requested

    def __len__(self) -> int: ...
    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Add a URL."""

    def first(self) -> Place:
        """Return the next place."""

    def popleft(self) -> Place:
        """Remove and return the next place."""

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the next places that are certain, `count` at most."""

    def cancel(self) -> None:
        """Cancel the running requests."""


class Seen:
    """URLs that have been queued or requested, each kept as eight bytes of its hash."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def __contains__(self, url: str) -> bool:
        return _hash_address(url) in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, url: str) -> None:
        """Add `url` to the set."""
        self._known.add(_hash_address(url))

    @property
    def is_full(self) -> bool:
        """Whether the run may queue no further URL."""
        return len(self._known) >= limits.FRONTIER_ADDRESSES.value


class Frontier:
    """The places that wait or are being requested, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.waiting: Counter[str] = Counter()  # host → URLs that wait or are being requested
        self._front: deque[Place] = deque()
        self._rest = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", newline="\n")  # noqa: SIM115
        self._at = 0  # offset of the next place in it
        self._behind = 0  # places in it

    def __len__(self) -> int:
        return len(self._front) + self._behind

    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Append a URL, which holds no white space, to the queue; `facts` hold no line end."""
        self.waiting[host_of(url)] += 1
        if not self._behind and len(self._front) < HELD:
            self._front.append(Place(url, kind, facts))
            return
        self._rest.seek(0, 2)
        self._rest.write(f"{kind} {url} {facts}\n")
        self._behind += 1

    def first(self) -> Place:
        """Return the oldest place."""
        return self._front[0]

    def popleft(self) -> Place:
        """Remove and return the oldest place."""
        place = self._front.popleft()
        host = host_of(place.url)
        self.waiting[host] -= 1
        if not self.waiting[host]:
            del self.waiting[host]
        if self._behind and len(self._front) < HELD // 2:
            self._refill()
        return place

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the oldest `count` places."""
        return islice(self._front, count)

    def cancel(self) -> None:
        """Cancel all running requests."""
        for place in self._front:
            if place.task is not None:
                place.task.cancel()

    def _refill(self) -> None:
        self._rest.seek(self._at)
        for _ in range(min(self._behind, HELD - len(self._front))):
            kind, url, facts = self._rest.readline().rstrip("\n").split(" ", 2)
            self._front.append(Place(url, kind, facts))  # type: ignore[arg-type]
            self._behind -= 1
        self._at = self._rest.tell()
        if not self._behind:
            self._rest.seek(0)
            self._rest.truncate()
            self._at = 0


def _hash_address(url: str) -> int:
    return int.from_bytes(hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).digest())
