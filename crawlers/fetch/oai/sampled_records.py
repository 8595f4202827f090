"""Queue of a harvest that samples: the lists of identifiers, then records drawn at random, then their files.

A resumption token is opaque, so a repository has no record number N: the identifiers of all records are listed, some
hundred with one request, and records are drawn from them (GetRecord). After LISTS × the size of the sample lists the
rest is not read. If the repository states the lengths of its lists (completeListSize), the rest counts as records like
those that were listed; else the size of the whole is a lower bound.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice

from crawlers.fetch.crawl_stats import host_of
from crawlers.fetch.frontier import Place
from crawlers.fetch.oai.harvest import ListSize
from crawlers.fetch.page_requests import HARVEST, Kind
from crawlers.sampling.drawn import Lowest, Sample, Stratum

LISTS = 5  # requests for lists, for each record of the sample: 1,000 for 200 records, 100,000 headers at 100 a list


class SampledRecords:
    """A frontier (crawlers/fetch/frontier.py) that ends when the sample is drawn and its files are fetched."""

    def __init__(self, sample: Sample) -> None:
        self.waiting: Counter[str] = Counter()
        self.read = 0  # answers of lists
        self.records: Lowest[str] = Lowest(sample.size)
        self.drawn: list[str] = []  # once the lists are read
        self._sample = sample
        self._bound = LISTS * sample.size
        self._lists: deque[Place] = deque()
        self._chosen: deque[Place] | None = None
        self._files: deque[Place] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._queues()))

    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Add a new URL: of a list, of a record that may be drawn, or of a file."""
        if kind == "record":
            self.records.add(self._sample.rank(url), url)
            return
        self.waiting[host_of(url)] += 1
        (self._lists if kind in HARVEST else self._files).append(Place(url, kind, facts))

    def first(self) -> Place:
        """Return the next place."""
        return next(self.ahead(1))

    def popleft(self) -> Place:
        """Remove and return the next place."""
        place = next(queue for queue in self._queues() if queue).popleft()
        self.waiting[host_of(place.url)] -= 1
        self.read += place.kind in HARVEST and place.kind != "record"
        return place

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the next places; what follows a list depends on its answer."""
        queue = next((queue for queue in self._queues() if queue), deque[Place]())
        yield from islice(queue, min(count, self._bound - self.read) if queue is self._lists else count)

    def cancel(self) -> None:
        """Cancel the running requests."""
        for place in (*self._lists, *(self._chosen or ()), *self._files):
            if place.task is not None:
                place.task.cancel()

    def unread(self) -> list[str]:
        """Return the requests for lists that are beyond the bound."""
        return [place.url for place in self._lists]

    def strata(self, chosen: Sequence[str], unread: Sequence[ListSize]) -> list[Stratum]:
        """Return the records as strata; `unread` are the lists behind those that were read."""
        units = self.records.added
        if any(one.size is None for one in unread):
            return [Stratum("records", units, "at least", tuple(chosen))]
        read = Stratum("records", units, "counted", tuple(chosen))
        if not unread:
            return [read]
        rest = sum(max(0, (one.size or 0) - one.listed) * one.live for one in unread)
        return [read, Stratum("records behind the lists that were read", rest, "estimated", ())]

    def describe(self, unread: Sequence[ListSize]) -> str:
        """Describe how the sample was drawn."""
        drawn = f"records at random from {self.records.added:,} identifiers in {self.read:,} answers"
        if not unread:
            return f"{drawn}; the lists were read to their end"
        if any(one.size is None for one in unread):
            return f"{drawn}; the lists go on, and the repository does not state their length"
        return f"{drawn}; the lists go on, and their rest, of a length that the repository states, is taken to be alike"

    def _queues(self) -> Iterator[deque[Place]]:
        """Yield the queues in the order of their requests."""
        if self._lists and self.read < self._bound:
            yield self._lists
            return
        if self._chosen is None:
            self.drawn = self.records.units()
            self._chosen = deque(Place(url, "record") for url in self.drawn)
            self.waiting.update(map(host_of, self.drawn))
        yield self._chosen
        yield self._files
