"""Crawl a source breadth first, in an order that depends on its pages and not on the clock.

Scrapy downloads: connections, TLS, limits, middlewares. The queue is not Scrapy's, because pages must be
read in the same order after a kill: several requests may be in flight, but their answers are read in
the order in which the URLs were queued. A slow host delays reading but not requests: up to AHEAD URLs
behind it are requested on other hosts.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import Response

from crawlers import attachments, catalogue
from crawlers.catalogue import Definition
from crawlers.encodings.charset_labels import charset_of
from crawlers.fetch import connections, link_reading, politeness
from crawlers.fetch.api_key import Key, hide_in_logs
from crawlers.fetch.archive import Archive, page_of, read_body
from crawlers.fetch.crawl_state import (
    HARVEST,
    CrawlContext,
    CrawlState,
    Kind,
    Visit,
    find_end,
    find_loops,
    host_of,
    is_downgrade,
    progress,
    redirect_target,
)
from crawlers.fetch.failures import (
    MAX_PAGES,
    NET_ERRORS,
    TROUBLE_FAILS,
    Blocked,
    Unreadable,
    advise_on_missed,
    explain,
    failure_word,
)
from crawlers.fetch.frontier import Frontier, Place, Queue, SampledFrontier, Seen
from crawlers.fetch.job import Job, say
from crawlers.fetch.payload import is_lasting
from crawlers.fetch.politeness import OPT_OUT_FILES, Throttle
from crawlers.source_errors import Fault, catch_faults
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, origin
from crawlers.web.scope import first_of, is_in_scope, is_trap, origins
from crawlers.web.ssrf_guard import Guard
from malmoi import limits
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.errors import HostError, SourceError
from malmoi.source import Api, Attachment, Crawled, Feed, OaiPmh, Site, Sitemap, Trouble
from malmoi.statistics import describe

HOST_FILES = ("/robots.txt", *OPT_OUT_FILES)
KEPT_IN_MEMORY = 1024 * 1024  # bytes of an answer kept while it waits; a larger one is read again from the archive
UNREAD = "links-unread"  # failure word of an answer whose addresses could not be read
MAX_IN_ROW = 10  # answers at which follow() fails: further requests would be of no use
MAX_MISSES = 10  # URLs in a row without an answer, or with 5xx or 429, each after all its tries
AHEAD = 64  # places of the queue that may be requested before the first of them is read
# Failures that prove that the host is up.
ANSWERED = frozenset(
    "too-many-redirects redirect-to-nowhere redirect-too-long unreadable header-too-big too-big bad-compression "
    "decompression-bomb unknown-coding empty-answer".split()
)
PROGRESS_EVERY = 1.0  # seconds
COUNTED: tuple[Kind, ...] = ("page", "record")  # kinds of requests whose answers are captures
Offer: TypeAlias = tuple[Iterable[str], Kind, Mapping[str, str]]  # URLs, how to request them, facts of attachments


class Crawl(Spider):
    """One run over one source."""

    name = "malmoi"

    def __init__(
        self, *, job: Job, definition: Definition, archive: Archive, guard: Guard, key: Key | None = None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        source = definition.source
        assert isinstance(source.access, Site | Sitemap | Feed | Api | OaiPmh)  # crawlers.fetch.job.check
        access: Crawled = source.access
        pace = Throttle(source.manners.delay, source.manners.concurrency, connections.resolve_host)
        self.context = CrawlContext(job, definition, access, archive, guard, pace, key, job.matcher)
        self.state = CrawlState(job.run_dir)
        self.queue: Queue = SampledFrontier(job.sample) if job.sample else Frontier(job.run_dir)
        self.seen = Seen()
        self.limit = min(job.limit or access.max_pages, access.max_pages)
        self.agent = politeness.user_agent(job.contact, job.user_agent_suffix)
        self.lists = 0  # sitemaps and feeds queued
        self.named = 0  # entries of lists: the addresses that they name, and the rows of the answers of an interface
        self.starts_reached = 0
        self.misses = 0  # in a row
        # URLs where a host has asked this run for a long pause, one per line.
        self._resting = job.run_dir / "resting.txt"
        self._rested = set(self._resting.read_text("utf-8").splitlines()) if self._resting.exists() else set[str]()

    async def start(self) -> AsyncIterator[Any]:
        """Run the whole crawl; yield nothing to Scrapy's own queue."""
        connections.install(self.context.guard)
        if self.context.key is not None:
            hide_in_logs(self.context.key)  # Scrapy installs its handlers only now; no request has left before
        ticker = asyncio.ensure_future(self._tick())
        try:
            await self.gather_policies()
            await self.walk()
        except Exception as error:  # Scrapy would only log it; `collect` raises it again
            self.state.error = error
        finally:
            ticker.cancel()
            self.queue.cancel()
        no_requests: tuple[Request, ...] = ()  # Scrapy expects a generator
        for request in no_requests:
            yield request

    async def ask(self, url: str, kind: Kind, *, keyed: bool = False, facts: str = "") -> Response:
        """Return one answer from the network or the archive; redirects are answers. Raises Blocked or NET_ERRORS.

        `facts` are archived with the answer (crawlers/attachments.py).
        """
        (self.state.page_urls if kind in COUNTED else self.state.others).add(url)
        headers = {
            "User-Agent": self.agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "ko,en;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        }
        with_key = keyed and kind == "page" and self.context.has_key(url)
        meta: dict[str, Any] = {
            "kind": kind,
            "robots": kind == "robots",
            "keyed": with_key,
            "download_timeout": politeness.TIMEOUT,
        }
        meta |= {"facts": facts, "anew": kind == "again"}
        request = Request(url, headers=headers, meta=meta, dont_filter=True)
        assert self.crawler.engine is not None
        return await self.crawler.engine.download_async(request)

    async def visit(self, start: str, kind: Kind, facts: str = "") -> Visit:
        """Return the outcome of a URL, after its redirects; guard and robots check every hop again.

        The target of a redirect is added to `seen`; a target already in it has its own place in the queue.
        """
        url, context = start, self.context
        for _ in range(limits.REDIRECTS.value + 1):
            try:
                # The key goes to the origin of the first request, never to another origin.
                with input_errors(Unreadable, Blocked, *NET_ERRORS):
                    response = await self.ask(url, kind, keyed=origin(url) == origin(start), facts=facts)
                    target = redirect_target(response)
            except Blocked as blocked:
                return Visit(url, blocked=blocked.reason)
            except NET_ERRORS as error:
                return Visit(url, failed=failure_word(error))
            if target is None:
                failed = "" if 200 <= response.status < 300 else f"status-{response.status}"
                # Many large responses that wait could fill the memory.
                kept = response if len(response.body) <= KEPT_IN_MEMORY else response.replace(body=b"")
                return Visit(url, kept, failed)
            target = context.remove_key(target)
            if not target:
                return Visit(url, failed="redirect-to-nowhere")
            self.state.moved[url] = target
            if len(target) > limits.ADDRESS_BYTES.value:
                return Visit(url, failed="redirect-too-long")
            if reason := context.guard.check_url(target) or self._redirect_refusal(url, start, target, kind):
                return Visit(target, blocked=reason)
            if kind != "evidence" and kind not in HARVEST:
                if target in self.seen:  # it has its own place in the queue
                    return Visit(target)
                self.seen.add(target)
            url = target
        return Visit(url, failed="too-many-redirects")

    def _redirect_refusal(self, url: str, start: str, target: str, kind: Kind) -> str:
        """Return why a redirect leaves the scope of the source; "" if it does not."""
        access = self.context.access
        if is_downgrade(url, target):
            return "redirect-downgrade"
        if kind == "page":
            return "" if is_in_scope(target, access) else "redirect-out-of-scope"
        return "" if origin(target) in {origin(start), *origins(access)} else "redirect-to-other-host"

    async def gather_policies(self) -> None:
        """Archive, before any page, licence pages, the permission for access, the terms as of today and opt-out files.

        What could not be fetched is noted. Other code decides whether that stops a source.
        """
        context, state = self.context, self.state
        claims = [canonical_url(claim.url) for claim in context.definition.source.claim if claim.url]
        for url in dict.fromkeys(claims):
            state.note(url, await self.visit(url, "evidence"))
        if isinstance(context.access, Api | OaiPmh) and context.access.grant:
            url = canonical_url(context.access.grant)
            outcome = await self.visit(url, "evidence")
            state.note(url, outcome)
            state.grant_status = _status(outcome)
        if (terms := context.job.terms or context.definition.source.terms) is not None:
            url = canonical_url(terms.url)
            state.terms = {"url": terms.url, "sha256": "", "status": "no-address"}
            if url:
                outcome = await self.visit(url, "evidence")
                state.note(url, outcome)
                state.terms = {"url": url, "sha256": self._digest_text(outcome), "status": _status(outcome)}
        for site in origins(context.access):
            for path in OPT_OUT_FILES:
                outcome = await self.visit(site + path, "evidence")
                if outcome.response is None:  # a missing file (404) is not a failure
                    state.note(site + path, outcome)

    def _digest_text(self, outcome: Visit) -> str:
        """Return the sha256 of the visible text, with white space normalized; "" without a page."""
        if not outcome.has_page or outcome.response is None:
            return ""
        from crawlers.rights.claims import readable_text  # imports the HTML readers

        entry = self.context.archive.here[outcome.response.url]
        kept = self.context.archive.resolve(entry) or entry
        media = kept.header("content-type")
        body = read_body(kept)
        try:
            with input_errors(ValueError):
                text = readable_text(body, media, charset_of(media), outcome.url)
        except ValueError as error:
            self.state.fail(outcome.url, f"unreadable: {error}")
            return ""
        return hashlib.sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()

    async def walk(self) -> None:
        """Request and read every URL of the queue. Raises SourceError if nothing was found."""
        first, kind = self.find_first()
        self._offer(first, kind)
        starts = set(first)
        reason, unlinked, whole = "", False, True
        while True:
            if not self.queue and not unlinked:
                unlinked = True
                self._offer(self.find_rest(), "page")
            if not self.queue:
                break
            self._start_more()
            place = self.queue.first()
            if place.task is None:  # the limit is reached
                break
            found = await place.task
            self.queue.popleft()
            self.state.note(place.url, found)
            if place.url in starts:
                self.starts_reached += found.has_page
                reason = reason or found.blocked or found.failed
            self._count_misses(found)
            whole = whole and bool(place.facts or not (found.failed or found.blocked))
            if found.has_page:
                await self.read(place, found)
            elif place.kind in HARVEST:
                self.read_failure(place, found)
        self.state.outcome = "limit" if self.queue or self.state.left_out["frontier-full"] else "finished"
        if self.queue and not (self.context.job.limit or self.context.job.sample):
            self.state.left_out[MAX_PAGES] = len(self.queue)
        done = self.state.followed
        if done.failed > done.read:
            often = f"at {done.failed:,} of {done.failed + done.read:,} answers"
            raise SourceError(self._explain_follow(often))
        whole = whole and not self.state.followed.failed
        if whole and self.state.outcome == "finished" and not self.context.job.sample:
            self.state.unnamed = tuple(sorted(self._find_unnamed()))
            self.state.listed = self.named
        self.state.failed |= {
            url: "redirect-loop" for url in find_loops(self.state.moved) if url not in self.state.failed
        }
        if not self.starts_reached or not self.has_found():
            raise SourceError(self._explain_nothing(first[0], reason))

    def find_first(self) -> tuple[list[str], Kind]:
        """Return the first requests and their kind."""
        first = [self.context.remove_key(canonical_url(url)) for url in first_of(self.context.access)]
        if isinstance(self.context.access, Sitemap | Feed):
            return first, "feed" if isinstance(self.context.access, Feed) else "sitemap"
        return first, "page"

    def has_found(self) -> bool:
        """Whether the crawl found what it was made for."""
        return self.state.pages > 0

    def read_failure(self, place: Place, found: Visit) -> None:
        """Read the failure of a request of a harvest."""

    def find_rest(self) -> Iterator[str]:
        """Yield what is requested once the queue is empty: URLs of earlier runs, to check whether they are gone.

        They are those that no page of this run links to. URLs of an API are left out: they are queried by date or
        number, and each request costs quota.
        """
        if isinstance(self.context.access, Api):
            return
        for url, entry in sorted(self.context.archive.before.items()):
            if entry.status == 200 and urlsplit(url).path not in HOST_FILES and url not in self.state.others:
                yield url

    def _find_unnamed(self) -> Iterator[str]:
        """Yield attachments of earlier runs that no entry of this run names, as after a new version of a rule."""
        if isinstance(self.context.access, OaiPmh):  # a harvest names what has changed
            return
        for url, entry in self.context.archive.before.items():
            if entry.status == 200 and entry.header(attachments.HEADER) and url not in self.seen:
                yield url

    def _count_misses(self, found: Visit) -> None:
        """Stop if the host no longer answers: thousands of timeouts would be of no use."""
        if found.blocked or (not found.failed and not found.response):
            return
        name = self.context.name
        if found.failed == "retry-after" and found.url not in self._rested:
            with self._resting.open("a", encoding="utf-8") as file:
                file.write(f"{found.url}\n")
            raise HostError(
                f"{name}: the host of {found.url} asks for a pause of more than {politeness.MAX_REST:.0f} "
                "seconds; run the same job again later: it resumes where it stopped, "
                "and skips this address if the host asks again"
            )
        answered = found.response is not None and is_lasting(found.response.status)
        alive = answered or (found.failed.partition(":")[0] in ANSWERED and TROUBLE_FAILS not in found.failed)
        self.misses = 0 if alive else self.misses + 1
        if self.misses >= MAX_MISSES:
            raise HostError(
                f"{name}: {MAX_MISSES} addresses in a row gave no answer "
                f"(last {found.url}, {explain(found.failed)}); run the same job again once the site works"
            )

    def _start_more(self) -> None:
        """Request the next URLs, as many on each host as its manners allow, none beyond the limit."""
        allowed = self.limit - self.state.pages
        ahead = list(self.queue.ahead(AHEAD))
        flying = Counter(host_of(p.url) for p in ahead if p.task is not None and not p.task.done())
        for place in ahead:
            if place.kind in COUNTED:
                if allowed <= 0:
                    return
                allowed -= 1
            elif place.kind in HARVEST and self.state.records + self.state.pages >= self.limit:
                return
            host = host_of(place.url)
            if place.task is None and flying[host] < self.context.definition.source.manners.concurrency:
                flying[host] += 1
                place.task = asyncio.ensure_future(self.visit(place.url, place.kind, place.facts))
                place.task.add_done_callback(lambda _: self._start_more() if self.state.error is None else None)

    async def read(self, place: Place, found: Visit) -> None:
        """Read an answer, and queue what follows from it. Raises SourceError if follow() fails too often."""
        assert found.response is not None
        capture = self.capture(found.response)
        self.state.pages += place.kind == "page"
        for urls, kind, facts in await self._read_addresses(capture, place.kind):
            self.named += self._offer(urls, kind, facts)
        if isinstance(self.context.access, Api) and not place.facts:
            from crawlers.tables import count_rows  # imports the readers of tables

            self.named += count_rows(capture)  # an answer may hold the entries themselves

    async def _read_addresses(self, capture: Capture, kind: Kind) -> list[Offer]:
        """Return the URLs in an answer with the kind to request them as; note as failed what cannot be read.

        Raises:
            SourceError: follow() fails at MAX_IN_ROW answers in a row, or for another reason than an answer.
        """
        access, state = self.context.access, self.state
        if kind == "page" and self.context.definition.follow is not None:
            named = self._call_follow(capture)
            # Several entries may name one file: the first describes it, whatever the order of the queue.
            return [([url for url, _ in named], "page", {url: facts for url, facts in reversed(named) if facts})]
        if kind not in ("page", "sitemap", "feed") or (kind == "page" and not isinstance(access, Site)):
            return []
        try:
            links = await link_reading.addresses_of(capture, kind)
        except link_reading.Unread as error:
            state.fail(capture.url, f"{UNREAD}: {error.reason}" if kind == "page" else error.reason)
            return []
        if links.lost:
            state.fail(capture.url, f"list-incomplete: {'; '.join(links.lost)}")
        hosts = set(origins(access))
        return [([url for url in links.maps if origin(url) in hosts], "sitemap", {}), (links.pages, "page", {})]

    def _call_follow(self, capture: Capture) -> list[tuple[str, str]]:
        """Return what follow() names as (address, header of its facts), up to the answer's first error."""
        context, done = self.context, self.state.followed
        named: list[tuple[str, str]] = []
        faults: list[Fault] = []
        file = catalogue.find_file(context.job.source)
        assert context.definition.follow is not None
        with catch_faults(file, faults.append):
            for link in context.definition.follow(capture):
                with catch_faults(file, faults.append):
                    url = link.url if isinstance(link, Attachment) else link
                    facts = attachments.write_header(link, capture.record) if isinstance(link, Attachment) else ""
                    named.append((context.remove_key(canonical_url(url)), facts))
        if not faults:
            done.read += 1
            done.in_row = 0
            return named
        self.state.fail(capture.url, f"{UNREAD}: {faults[0].detail}")
        done.failed += 1
        done.in_row += 1
        done.first = done.first or f"follow() fails at {capture.url} ({faults[0].detail})"
        if done.in_row >= MAX_IN_ROW:
            raise SourceError(self._explain_follow(f"at {MAX_IN_ROW} answers in a row"))
        return named

    def _explain_follow(self, how_often: str) -> str:
        """Return why a source stops whose follow() fails too often."""
        return (
            f"{self.context.name}: {self.state.followed.first}, and {how_often}; correct it in "
            f"{self.context.job.source} and run again: what was collected is kept. If these are error pages, let "
            "trouble() name them"
        )

    def _offer(self, urls: Iterable[str], kind: Kind, facts: Mapping[str, str] = MappingProxyType({})) -> int:
        """Queue canonical URLs, each once; count skipped URLs by reason. `facts`: URL → facts of an attachment.

        Return how many entries of a list were queued: pages; of a site only attachments, as its pages are not a list.
        """
        entries = 0
        for url in urls:
            if url in self.seen:
                continue
            if reason := self._skip_reason(url, kind):
                self.state.left_out[reason] += 1
                continue
            self.lists += kind != "page"
            self.seen.add(url)
            self.queue.append(url, kind, facts.get(url, ""))
            entries += kind == "page" and (url in facts or not isinstance(self.context.access, Site))
        return entries

    def _skip_reason(self, url: str, kind: Kind) -> str:
        if not url:
            return "no-address"
        if len(url) > limits.ADDRESS_BYTES.value:
            return "too-long"
        if self.seen.is_full:
            return "frontier-full"
        if kind != "page":
            return "too-many-lists" if self.lists >= limits.LISTS.value else ""
        if not is_in_scope(url, self.context.access):
            return "out-of-scope"
        return "trap" if not isinstance(self.context.access, Api) and is_trap(url) else ""

    def capture(self, response: Response) -> Capture:
        """Return the archived capture of an answer."""
        entry = self.context.archive.here[response.url]
        kept = self.context.archive.resolve(entry) or entry
        body = response.body or (read_body(kept) if kept.size else b"")
        return page_of(entry, kept, body, self.context.name)

    def describe_sample(self, cpu_seconds: float) -> dict[str, Any]:
        """Return the fact about the sample, under the addresses to which redirects have led; {} without one."""
        if not isinstance(self.queue, SampledFrontier):
            return {}
        strata = self.queue.strata(self.state.moved)
        return describe(self.queue.describe(), "addresses", strata, cpu_seconds=round(cpu_seconds, 3))

    def trouble(self, response: Response) -> Trouble | None:
        """Return the source's complaint about an answer; the records of that answer are then not captures."""
        if self.context.definition.trouble is None:
            return None
        found = self.context.ask_trouble(self.capture(response))
        if found is not None:
            entry = self.context.archive.here[response.url]
            self.state.troubled |= {entry.record, *((entry.refers_to,) if entry.refers_to else ())}
        return found

    def _explain_nothing(self, url: str, reason: str) -> str:
        name = self.context.name
        if reason.startswith("robots"):
            file = f"{origin(find_end(url, self.state.moved))}/robots.txt"
            return f"{name}: {robots.explain_refusal(url, reason, file, self.state.robots.get(file, ''))}"
        reason = explain(reason or self.state.failed.get(url, ""))
        lost = {} if reason else {**self.state.failed, **self.state.blocked}
        if lost:
            counts = Counter(lost.values())
            reasons = ", ".join(f"{why} {count:,}" for why, count in counts.most_common())
            return (
                f"{name}: {url} was read, but none of the {len(lost):,} addresses behind it gave a page ({reasons}); "
                f"open the first, {next(iter(lost))}. {advise_on_missed(counts)}"
            )
        reason = reason or self.explain_unnamed()
        access = self.context.access
        if reason in ("status-401", "status-403") and isinstance(access, Api) and access.key:
            return (
                f"{name}: {url} refuses the key ({reason}); check the value of {access.key}, and that the interface "
                f"calls it {access.parameter!r} (access.parameter)"
            )
        field = "start" if isinstance(access, Site | Api) else "urls" if isinstance(access, Sitemap | Feed) else "url"
        step = f"check that page and access.{field} in the source file, then run again"
        step = "correct access.scope" if "out-of-scope" in reason else step
        return f"{name}: no page was reached from {url} ({reason}); {step}"

    def explain_unnamed(self) -> str:
        """Explain why nothing was fetched from a list that was read: it names no page, or none that is fetched."""
        left = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.state.left_out.items()) if count)
        scope = ", ".join(self.context.access.scope)
        return f"it names no address to fetch: {left}; the scope is {scope}" if left else "it names no page"

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY)
            self.context.archive.sync()
            say(progress(self.context, self.state, self.queue.waiting))


def _status(outcome: Visit) -> int | str:
    if outcome.response is not None:
        return int(outcome.response.status)
    return outcome.blocked or outcome.failed or "no-answer"
