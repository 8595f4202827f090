"""Queues of a crawl (frontiers): everything in order, or first the pages that lead on and then a random sample.

A resumed run replays its archive and so rebuilds the same queue.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from math import sqrt
from pathlib import Path
from statistics import variance
from urllib.parse import parse_qsl, urlsplit

from crawlers.fetch.crawl_state import Kind, Visit, find_end, host_of
from malmoi import limits
from malmoi.statistics import Counted, Sample, Stratum

HELD = 10_000  # places in memory; at most some 20 MB
LISTS = 2  # requests for pages that lead on, for each unit of the sample
EXPLORED = 2  # pages of a group that are read before its yield is known
LEADS = 1.0  # new addresses a page; above it a group is read for what it leads to
GROUPS = 12  # patterns; addresses of further patterns are grouped by their shape
OTHER = "other addresses"
DEEP = 4  # groups that lead from one to the next, over which the error of an estimated size is followed
ROUNDS = 64  # of the estimate; lists that lead only to their next list do not converge
_WORD = re.compile(r"[A-Za-z_.~-]+")
_ENDING = re.compile(r"\.[A-Za-z]{1,5}$")


@dataclass(slots=True)
class Place:
    """One place in the queue; `task` is set once the URL is requested."""

    url: str
    kind: Kind
    facts: str = ""  # header of an attachment (crawlers/attachments.py)
    task: asyncio.Task[Visit] | None = None


class Queue(ABC):
    """The places that wait or are being requested; the kinds of queues differ in what comes next."""

    def __init__(self) -> None:
        self.waiting: Counter[str] = Counter()  # host → URLs that wait or are being requested

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Add a URL, which holds no white space; `facts` of an attachment hold no line end."""

    @abstractmethod
    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the next places that are certain, `count` at most."""

    @abstractmethod
    def _take(self) -> Place:
        """Remove and return the next place."""

    @abstractmethod
    def _list_places(self) -> Iterable[Place]:
        """Return the places that may have been requested."""

    def first(self) -> Place:
        """Return the next place; it stays the same until `popleft`."""
        return next(self.ahead(1))

    def popleft(self) -> Place:
        """Remove and return the next place; addresses that are added from now on are on its page."""
        place = self._take()
        host = host_of(place.url)
        self.waiting[host] -= 1
        if not self.waiting[host]:
            del self.waiting[host]
        return place

    def cancel(self) -> None:
        """Cancel all running requests."""
        for place in self._list_places():
            if place.task is not None:
                place.task.cancel()


class Seen:
    """URLs that have been queued or requested, each kept as eight bytes of its hash."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def __contains__(self, url: str) -> bool:
        return hash_address(url) in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, url: str) -> None:
        """Add `url` to the set."""
        self._known.add(hash_address(url))

    @property
    def is_full(self) -> bool:
        """Whether the run may queue no further URL."""
        return len(self._known) >= limits.FRONTIER_ADDRESSES.value


def hash_address(url: str) -> int:
    """Return eight bytes of the hash of an address."""
    return int.from_bytes(hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class Frontier(Queue):
    """All places, oldest first: the first ones in memory, the rest in a temporary file that ends with the process."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._front: deque[Place] = deque()
        self._rest = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", newline="\n")  # noqa: SIM115
        self._at = 0  # offset of the next place in it
        self._behind = 0  # places in it

    def __len__(self) -> int:
        return len(self._front) + self._behind

    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Append a URL."""
        self.waiting[host_of(url)] += 1
        if not self._behind and len(self._front) < HELD:
            self._front.append(Place(url, kind, facts))
            return
        self._rest.seek(0, 2)
        self._rest.write(f"{kind} {url} {facts}\n")
        self._behind += 1

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the oldest `count` places."""
        return islice(self._front, count)

    def _list_places(self) -> Iterable[Place]:
        return self._front

    def _take(self) -> Place:
        place = self._front.popleft()
        if self._behind and len(self._front) < HELD // 2:
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
        return place


@dataclass(slots=True)
class Group:
    """The addresses of one pattern."""

    waiting: list[tuple[int, str, str]] = field(default_factory=list)  # a heap by rank: rank, URL, facts
    found: int = 0
    read: list[str] = field(default_factory=list)
    led: list[Counter[str]] = field(default_factory=list)  # for each page read: group → new addresses on it

    def recent_yield(self) -> Counter[str]:
        """Return the mean number of new addresses a page, by group, over the later half of the pages read.

        The first page of a list may name all others, and the yield decreases towards the end of a site.
        """
        recent = self._recent()
        total: Counter[str] = Counter()
        for one in recent:
            total.update(one)
        return Counter({name: count / len(recent) for name, count in total.items()})

    def yield_error(self, name: str, pages: float) -> float:
        """Return the variance of the number of addresses of a group that so many further pages name."""
        counts = [one[name] for one in self._recent()]
        return variance(counts) * (pages**2 / len(counts) + pages) if len(counts) > 1 else 0.0

    def _recent(self) -> list[Counter[str]]:
        return self.led[len(self.led) // 2 :]


class SampledFrontier(Queue):
    """A queue that ends when a sample is drawn.

    Addresses with the same pattern form a group, such as the lists of a board, its articles, or the attachments of its
    articles. The crawl reads two pages of each group. It then reads the groups whose pages still lead to more than one
    new address each, in random order, until they are used up or LISTS × the size of the sample is spent. The sample is
    drawn from the other groups, in proportion to their sizes. Addresses that pages of the sample name are a group as
    well; how many there would be is estimated from the pages that were read.
    """

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self._sample = sample
        self._groups: dict[str, Group] = {}
        self._files: deque[Place] = deque()  # sitemaps and feeds, all read
        self._next: Place | None = None
        self._group = ""  # of the next place
        self._parent = ""  # group of the page that was read last
        self._spent = {"lists": 0, "sample": 0}

    def __len__(self) -> int:
        """Return the number of requests that are certain: of files of addresses, and the next one."""
        return len(self._files) or int(self._find_next() is not None)

    def append(self, url: str, kind: Kind, facts: str = "") -> None:
        """Add a new URL, which the page that was read last names."""
        self.waiting[host_of(url)] += 1
        if kind != "page":
            self._files.append(Place(url, kind, facts))
            return
        name = name_pattern(url)
        if name not in self._groups and len(self._groups) >= GROUPS:
            name = name_shape(url)
        group = self._groups.setdefault(name, Group())
        group.found += 1
        heappush(group.waiting, (self._sample.rank(url), url, facts))
        if self._parent:
            self._groups[self._parent].led[-1][name] += 1

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the next place alone: which one follows depends on its page."""
        if (place := self._find_next()) is not None:
            yield place

    def _list_places(self) -> Iterable[Place]:
        return (*self._files, *([self._next] if self._next else []))

    def _take(self) -> Place:
        place = self.first()
        if place.kind != "page":
            self._parent = ""
            return self._files.popleft()
        self._next, self._parent = None, self._group
        group = self._groups[self._group]
        group.read.append(place.url)
        group.led.append(Counter())
        return place

    def _find_next(self) -> Place | None:
        if self._files:
            return self._files[0]
        if self._next is None and (name := self._choose_group()):
            self._group = name
            _, url, facts = heappop(self._groups[name].waiting)
            self._next = Place(url, "page", facts)
        return self._next

    def _choose_group(self) -> str:
        """Return the group of the next request, "" if the sample is drawn."""
        some = {name: group for name, group in self._groups.items() if group.waiting}
        if self._spent["lists"] < LISTS * self._sample.size:
            leads = {
                name: float("inf") if len(group.led) < EXPLORED else group.recent_yield().total()
                for name, group in some.items()
            }
            best = max(leads, key=lambda name: leads[name], default="")
            if best and leads[best] > LEADS:
                self._spent["lists"] += 1
                return best
        if not some or self._spent["sample"] >= self._sample.size:
            return ""
        self._spent["sample"] += 1
        sizes = {name: units for name, (units, _) in self._estimate_sizes().items()}
        return max(some, key=lambda name: sizes[name] / (len(some[name].read) + 1))  # in proportion (D'Hondt)

    def _estimate_sizes(self) -> dict[str, tuple[float, Counted]]:
        """Return for each group the number of its addresses, and whether it is counted, estimated, or at least this."""
        yields = {name: group.recent_yield() if group.led else Counter() for name, group in self._groups.items()}
        sizes = {name: float(group.found) for name, group in self._groups.items()}
        before = sizes
        for _ in range(ROUNDS):
            before, sizes = sizes, {
                name: group.found
                + sum(
                    (sizes[parent] - len(other.read)) * yields[parent].get(name, 0)
                    for parent, other in self._groups.items()
                )
                for name, group in self._groups.items()
            }  # fmt: skip
        return {
            name: (float(group.found), "counted") if sizes[name] == group.found
            else (sizes[name], "estimated") if sizes[name] - before[name] < 0.5
            else (float(group.found), "at least")
            for name, group in self._groups.items()
        }  # fmt: skip

    def _estimate_errors(self, sizes: Mapping[str, tuple[float, Counted]]) -> dict[str, float]:
        """Return for each group the standard error of its size: of the yields of the pages that lead to it."""
        yields = {name: group.recent_yield() for name, group in self._groups.items() if group.led}
        left = {name: sizes[name][0] - len(self._groups[name].read) for name in yields}
        found = dict.fromkeys(self._groups, 0.0)
        for _ in range(DEEP):
            found = {
                name: sum(
                    self._groups[parent].yield_error(name, left[parent]) + mean[name] ** 2 * found[parent]
                    for parent, mean in yields.items()
                    if mean[name]
                )
                for name in self._groups
            }
        return {name: sqrt(value) if sizes[name][1] == "estimated" else 0.0 for name, value in found.items()}

    def strata(self, moved: Mapping[str, str]) -> list[Stratum]:
        """Return the groups as strata, with the addresses that were requested; `moved`: URL → its redirect target."""
        sizes = self._estimate_sizes()
        errors = self._estimate_errors(sizes)
        return [
            Stratum(name, *sizes[name], tuple(find_end(url, moved) for url in group.read), error=errors[name])
            for name, group in self._groups.items()
        ]

    def describe(self) -> str:
        """Describe how the sample was drawn."""
        if not any(one for group in self._groups.values() for one in group.led):  # of sitemaps and feeds
            found = sum(group.found for group in self._groups.values())
            return f"addresses at random, {sum(self._spent.values()):,} of {found:,}"
        lists = f"{self._spent['lists']:,} pages read for the addresses that they name"
        return f"addresses by their pattern: {lists}, then {self._spent['sample']:,} drawn at random from the others"


def name_pattern(url: str) -> str:
    """Return the pattern of a URL: host, path and the names of its parameters, without what numbers or names one page.

    A folder with a digit, of one or two letters, or with letters outside ASCII is #; the last part is *, unless it has
    parameters or is an index.

    >>> name_pattern("https://a.kr/board/12/view.do?no=3&page=1"), name_pattern("https://a.kr/news/2030/crane-3.html")
    ('a.kr/board/#/view.do?no&page', 'a.kr/news/#/*.html')
    >>> name_pattern("https://a.kr/news/"), name_pattern("https://a.kr/")
    ('a.kr/*/', 'a.kr/')
    """
    parts = urlsplit(url)
    names = _name_parameters(url)
    *folders, last = parts.path.split("/")
    folders = [folder if not folder or (len(folder) > 2 and _WORD.fullmatch(folder)) else "#" for folder in folders]
    if not last and len(folders) > 1:
        folders[-1] = "*"
    elif last and not names and not last.startswith("index."):
        last = f"*{_ENDING.search(last)[0]}" if _ENDING.search(last) else "*"  # type: ignore[index]
    return f"{parts.netloc}{'/'.join([*folders, last])}{'?' if names else ''}{names}"


def name_shape(url: str) -> str:
    """Return a coarser pattern: the depth of a URL, whether it is an index, and the names of its parameters.

    >>> name_shape("https://a.kr/news/2030/index.html?page=2"), name_shape("https://a.kr/news/2030/crane.html")
    ('other addresses: depth 3, index, page', 'other addresses: depth 3')
    """
    path = urlsplit(url).path
    last = path.rpartition("/")[2]
    parts = [
        f"depth {path.count('/')}",
        "index" if not last or last.startswith("index.") else "",
        _name_parameters(url),
    ]
    return f"{OTHER}: {', '.join(filter(None, parts))}"


def _name_parameters(url: str) -> str:
    return "&".join(sorted({name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}))
