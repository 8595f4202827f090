"""Walk a source breadth first, in an order that depends on its pages and not on the clock.

Scrapy downloads: connections, TLS, pace, limits, middlewares. The queue is our own, because the
order in which pages are read must be the same after a kill: several requests may be in flight, but
their answers are read in the order in which the requests were made.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response

from crawlers.addresses import canonical, origin
from crawlers.catalogue import Definition
from crawlers.fetch import connect, manners
from crawlers.fetch.archive import Archive
from crawlers.fetch.job import Job
from crawlers.fetch.middleware import NET_ERRORS, Blocked, redirect, why
from crawlers.fetch.payload import TooBig, lasting
from crawlers.fetch.scope import in_scope, links, origins, sitemap
from malmoi.capture import Capture, record_id
from malmoi.errors import SourceError
from malmoi.source import Api, Crawled, Feed, Site, Sitemap

MAX_REDIRECTS = 5  # hops of one address
MAX_MISSES = 10  # addresses in a row without an answer, or with 5xx or 429, each after all its tries
# Where a site may have written what it allows machines to do (TDM Reservation Protocol; ai.txt).
OPT_OUT_FILES = ("/.well-known/tdmrep.json", "/ai.txt")
# Failures that prove a host alive.
ANSWERED = frozenset({"too-many-redirects", "redirect-to-nowhere", "too-big", "bad-compression"})
PROGRESS_EVERY = 1.0  # seconds

Kind: TypeAlias = Literal["page", "sitemap", "evidence"]


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of one queued address."""

    url: str  # after redirects
    response: Response | None = None
    failed: str = ""
    blocked: str = ""

    @property
    def arrived(self) -> bool:
        """Whether there is a page to read."""
        return self.response is not None and 200 <= self.response.status < 300


class Crawl(Spider):
    """One run over one source."""

    name = "malmoi"

    def __init__(self, *, job: Job, definition: Definition, archive: Archive, guard: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        assert isinstance(definition.source.access, Site | Sitemap | Feed | Api)  # crawlers.fetch.job.check
        self.job, self.definition, self.archive, self.guard = job, definition, archive, guard
        self.access: Crawled = definition.source.access
        self.limit = min(job.limit or self.access.max_pages, self.access.max_pages)
        self.agent = manners.user_agent(job.contact, job.user_agent_suffix)
        self.queue: deque[tuple[str, Kind]] = deque()
        self.seen: set[str] = set()
        self.running: deque[tuple[str, Kind, asyncio.Task[Visit]]] = deque()
        self.pages = 0  # read
        self.fetched = 0  # answers of the net
        self.replayed: set[str] = set()
        self.blocked: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.starts_reached = 0
        self.misses = 0  # in a row
        self.outcome = ""  # finished, limit
        self.error: BaseException | None = None
        self._blocked_path = job.run_dir / "blocked.jsonl"
        self._blocked_path.write_bytes(b"")

    async def start(self) -> AsyncIterator[Any]:
        """The whole crawl; yields nothing to Scrapy's own queue."""
        connect.install(self.guard)
        ticker = asyncio.ensure_future(self._tick())
        try:
            await self._evidence()
            await self._walk()
        except Exception as error:  # Scrapy would only log it; `collect` raises it again
            self.error = error
        finally:
            ticker.cancel()
            for _, _, task in self.running:
                task.cancel()
        no_requests: tuple[Request, ...] = ()  # Scrapy wants a generator
        for request in no_requests:
            yield request

    async def ask(self, url: str, *, robots: bool = False) -> Response:
        """One answer, from the net or the archive; redirects are answers. Raises Blocked or NET_ERRORS."""
        headers = {
            "User-Agent": self.agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "ko,en;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        }
        meta = {"robots": robots, "download_timeout": manners.TIMEOUT}
        request = Request(url, headers=headers, meta=meta, dont_filter=True)
        assert self.crawler.engine is not None
        return await self.crawler.engine.download_async(request)

    async def _evidence(self) -> None:
        """Archive the licence pages and the opt-out files, before any page."""
        claims = [canonical(claim.url) for claim in self.definition.source.claim if claim.url]
        for url in dict.fromkeys(claims):
            self._note(url, await self._visit(url, "evidence"))
        for site in origins(self.access):
            for path in OPT_OUT_FILES:
                visit = await self._visit(site + path, "evidence")
                if visit.response is None:  # that there is none (404) is no failure
                    self._note(site + path, visit)

    async def _walk(self) -> None:
        first, kind = self._first()
        self._offer(first, kind)
        starts = set(self.seen)
        reason = ""
        while True:
            self._start_more()
            if not self.running and not self.queue:
                self._offer(self._unlinked(), "page")
                self._start_more()
            if not self.running:
                break
            url, kind, task = self.running[0]
            visit = await task
            self.running.popleft()
            self._note(url, visit)
            if url in starts:
                self.starts_reached += visit.arrived
                reason = reason or visit.blocked or visit.failed
            self._count_misses(visit)
            if visit.arrived:
                self._read(url, kind, visit)
        self.outcome = "limit" if self.queue else "finished"
        if not self.starts_reached or not self.pages:
            raise SourceError(self._nothing(first[0], reason))

    def _unlinked(self) -> Iterator[str]:
        """Addresses that earlier runs have and that nothing led to in this one: to know whether they are gone."""
        for url, entry in sorted(self.archive.before.items()):
            own = urlsplit(url).path not in ("/robots.txt", *OPT_OUT_FILES)
            if entry.status == 200 and own and url not in self.seen:
                yield url

    def _count_misses(self, visit: Visit) -> None:
        """Stop where the host has stopped answering: thousands of time-outs would help nobody."""
        if visit.blocked or (not visit.failed and not visit.response):
            return
        answered = visit.response is not None and lasting(visit.response.status)
        self.misses = 0 if answered or visit.failed in ANSWERED else self.misses + 1
        if self.misses >= MAX_MISSES:
            raise SourceError(
                f"{self.definition.source.name}: {MAX_MISSES} addresses in a row gave no answer "
                f"(last {visit.url}, {visit.failed}); wait until the site is well, then run the same job again"
            )

    def _first(self) -> tuple[tuple[str, ...], Kind]:
        if isinstance(self.access, Site | Api):
            return self.access.start, "page"
        return self.access.urls, "sitemap"

    def _start_more(self) -> None:
        """Start requests until the window is full or the limit could be reached."""
        window = self.definition.source.manners.concurrency * len(origins(self.access))
        while self.queue and len(self.running) < window:
            url, kind = self.queue[0]
            if kind == "page" and self.pages + sum(k == "page" for _, k, _ in self.running) >= self.limit:
                return
            self.queue.popleft()
            self.running.append((url, kind, asyncio.ensure_future(self._visit(url, kind))))

    async def _visit(self, start: str, kind: Kind) -> Visit:
        """Ask for an address and follow its redirects; every hop passes guard and robots again."""
        url = start
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response = await self.ask(url)
            except Blocked as blocked:
                return Visit(url, blocked=blocked.reason)
            except NET_ERRORS as error:
                return Visit(url, failed=why(error))
            target = redirect(response)
            if target is None:
                return Visit(url, response, "" if 200 <= response.status < 300 else f"status-{response.status}")
            if not target:
                return Visit(url, failed="redirect-to-nowhere")
            if reason := self.guard.url(target) or self._outside(start, target, kind):
                return Visit(target, blocked=reason)
            if kind != "evidence":
                if target in self.seen:  # it has a place in the queue of its own
                    return Visit(target)
                self.seen.add(target)
            url = target
        return Visit(url, failed="too-many-redirects")

    def _outside(self, start: str, target: str, kind: Kind) -> str:
        """Why a redirect leaves what belongs to the source; "" where it does not."""
        if kind == "page":
            return "" if in_scope(target, self.access) else "redirect-out-of-scope"
        return "" if origin(target) in {origin(start), *origins(self.access)} else "redirect-to-other-host"

    def _read(self, url: str, kind: Kind, visit: Visit) -> None:
        response = visit.response
        assert response is not None
        if kind == "sitemap":
            self._read_sitemap(visit.url, response.body)
            return
        self.pages += 1
        capture = self._capture(response)
        if self.definition.follow is not None:
            try:
                found = [canonical(found) for found in self.definition.follow(capture)]
            except Exception as error:
                raise SourceError(
                    f"{self.definition.source.name}: follow() fails at {url} ({type(error).__name__}: {error}); "
                    f"correct it in {self.job.source} and run again"
                ) from error
        else:
            found = list(links(capture)) if isinstance(self.access, Site) else []
        self._offer(found, "page")

    def _read_sitemap(self, url: str, body: bytes) -> None:
        try:
            maps, pages = sitemap(body)
        except (ValueError, SyntaxError, TooBig):  # lxml's XMLSyntaxError is a SyntaxError
            self.failed[url] = "not-a-sitemap"
            return
        hosts = set(origins(self.access))
        self._offer([found for found in maps if origin(found) in hosts], "sitemap")
        self._offer(pages, "page")

    def _offer(self, urls: Iterable[str], kind: Kind) -> None:
        for url in map(canonical, urls):
            if url and url not in self.seen and (kind == "sitemap" or in_scope(url, self.access)):
                self.seen.add(url)
                self.queue.append((url, kind))

    def _capture(self, response: Response) -> Capture:
        entry = self.archive.here[response.url]
        kept = self.archive.resolve(entry) or entry
        name = self.definition.source.name
        record = kept.record or record_id(response.url, response.body)
        return Capture(record, response.url, entry.fetched, response.status, kept.headers, response.body, name)

    def _note(self, url: str, visit: Visit) -> None:
        if visit.failed:
            self.failed[url] = visit.failed
        for place in dict.fromkeys((url, visit.url)) if visit.blocked else ():
            if place not in self.blocked:
                self.blocked[place] = visit.blocked
                line = json.dumps({"url": place, "reason": visit.blocked}, ensure_ascii=False)
                with self._blocked_path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")

    def _nothing(self, url: str, reason: str) -> str:
        name = self.definition.source.name
        if reason == "robots-unreachable":
            return f"{name}: the host of {url} does not answer; check the address and the network, then run again"
        if reason.startswith("robots"):
            return f"{name}: {url} may not be fetched ({reason}); ask the publisher, or retire the source"
        return f"{name}: no page was reached from {url} ({reason or 'it names no page'}); look at it, then run again"

    def progress(self) -> dict[str, int]:
        """The counts that the caller shows."""
        waiting = len(self.queue) + len(self.running)
        return {"fetched": self.fetched + len(self.replayed), "queued": waiting, "blocked": len(self.blocked)}

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY)
            self.archive.sync()
            say(self.progress())


def say(progress: dict[str, int]) -> None:
    """One JSON line for the caller, who may have stopped listening."""
    try:
        print(json.dumps(progress), flush=True)
    except BrokenPipeError:  # else the interpreter complains once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
