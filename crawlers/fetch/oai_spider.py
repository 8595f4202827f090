"""Crawl a repository by OAI-PMH: lists one after another, then the files that licensed records link to.

A harvest that samples lists the identifiers, then draws records at random, then fetches their files. A resumption token
is opaque, so a repository has no record number N: the identifiers of all records are listed, some hundred with one
request, and records are drawn from them (GetRecord). After LISTS × the size of the sample lists the rest is not read.
If the repository states the lengths of its lists (completeListSize), the rest counts as records like those that were
listed; else the size of the whole is a lower bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from crawlers import attachments, catalogue, defaults
from crawlers.fetch.archive import Entry, read_body
from crawlers.fetch.crawl_state import HARVEST, Kind, Visit, find_end, host_of
from crawlers.fetch.failures import may_pass
from crawlers.fetch.frontier import Place, Queue, hash_address
from crawlers.fetch.job import earlier_runs
from crawlers.fetch.oai_harvest import Harvest, ListSize, Next
from crawlers.fetch.spider import UNREAD, Crawl
from crawlers.formats import ParsedItem
from crawlers.formats.unreadable import Unreadable
from crawlers.oai import protocol, records
from crawlers.rights.claims import proof_address
from crawlers.source_errors import Fault, catch_faults
from crawlers.withdrawn import has_value
from malmoi.archive.capture import Capture
from malmoi.errors import HostError, SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.source import Attachment, OaiPmh
from malmoi.statistics import Lowest, Sample, Stratum, describe

LISTS = 5  # requests for lists, for each record of the sample: 1,000 for 200 records, 100,000 headers at 100 a list


class SampledRecords(Queue):
    """A frontier (crawlers/fetch/frontier.py) that ends when the sample is drawn and its files are fetched."""

    def __init__(self, sample: Sample) -> None:
        super().__init__()
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

    def _take(self) -> Place:
        place = next(queue for queue in self._queues() if queue).popleft()
        self.read += place.kind in HARVEST and place.kind != "record"
        return place

    def ahead(self, count: int) -> Iterator[Place]:
        """Yield the next places; what follows a list depends on its answer."""
        queue = next((queue for queue in self._queues() if queue), deque[Place]())
        yield from islice(queue, min(count, self._bound - self.read) if queue is self._lists else count)

    def _list_places(self) -> Iterable[Place]:
        return (*self._lists, *(self._chosen or ()), *self._files)

    def unread(self) -> list[str]:
        """Return the requests for lists that are beyond the bound."""
        return [place.url for place in self._lists]

    def strata(self, chosen: Sequence[str], unread: Sequence[ListSize]) -> list[Stratum]:
        """Return the records as strata; `unread` are the list pages that were not fetched."""
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


class HarvestCrawl(Crawl):
    """One harvest of one repository."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        assert isinstance(self.context.access, OaiPmh)
        self.access: OaiPmh = self.context.access
        self.harvest = Harvest(self.context, self.state, [run.facts for run in earlier_runs(self.context.job)])
        source = self.context.definition.source
        archived = {proof_address(claim): "" for claim in source.claim}
        self.evidence = defaults.evidence_for(source, archived, self.context.definition.evidence)
        self.about: dict[str, str] = {}  # file → the record that permits it
        if self.context.job.sample:
            self.queue = SampledRecords(self.context.job.sample)

    def find_first(self) -> tuple[list[str], Kind]:
        """Return the request Identify."""
        return [self.harvest.first()], "list"

    def has_found(self) -> bool:
        """Whether the repository has any record, or an earlier run has all of them."""
        return self.state.records > 0 or self.state.pages > 0 or not self.harvest.is_whole

    def explain_unnamed(self) -> str:
        """Explain why a list that was read names nothing."""
        return "its lists name no record but deleted ones"

    async def walk(self) -> None:
        """Harvest, and note what the next harvest must know if nothing is left to fetch."""
        await super().walk()
        if isinstance(self.queue, SampledRecords):
            return
        self.state.listed = self.harvest.count_listed() if self.state.outcome == "finished" else None
        if self.state.outcome == "finished" and not any(map(may_pass, self.state.failed.values())):
            self.state.harvested = self.harvest.facts()

    async def visit(self, start: str, kind: Kind, facts: str = "") -> Visit:
        """Return the outcome of a URL, after its redirects; the facts of a file are those of its record."""
        if kind == "page" and start in self.about:
            facts = self._describe(start, self.about[start])
        return await super().visit(start, kind, facts)

    async def read(self, place: Place, found: Visit) -> None:
        """Read an answer, and queue the requests that follow from it."""
        assert found.response is not None
        capture = self.capture(found.response)
        if place.kind == "record":
            self._read_record(place.url, capture)
            self.state.pages += 1
        elif place.kind == "page":
            self.state.pages += 1
        else:
            self._queue(self.harvest.read(place.url, capture))

    def describe_sample(self, cpu_seconds: float) -> dict[str, Any]:
        """Return the fact about the sample: files belong to their records; {} without one."""
        if not isinstance(self.queue, SampledRecords):
            return {}
        queue, moved = self.queue, self.state.moved
        unread = [self.harvest.measure(url) for url in queue.unread()]
        strata = queue.strata([find_end(one, moved) for one in queue.drawn], unread)
        parts = {find_end(file, moved): find_end(record, moved) for file, record in self.about.items()}
        units = sum(one.units for one in strata)
        requests = queue.read * units / max(1, queue.records.added)  # the whole lists records, not identifiers
        if self.access.by_identifier:
            requests += units
        return describe(
            queue.describe(unread), "records", strata, parts=parts, requests=requests, cpu_seconds=round(cpu_seconds, 3)
        )

    def read_failure(self, place: Place, found: Visit) -> None:
        """Replace a list that failed.

        Raises SourceError if another request failed, HostError if the replacement fails for the moment.
        """
        if place.kind == "record" or (found.response is None and not found.failed and not found.blocked):
            return
        why = found.failed or found.blocked
        if found.response is not None and 400 <= found.response.status < 500:
            capture = self.capture(found.response)
            if self.harvest.has_error(capture):  # of the protocol, behind a status of HTTP
                self.state.failed.pop(place.url, None)
                self._queue(self.harvest.read(place.url, capture))
                return
        if not self.harvest.is_list(place.url):
            raise SourceError(
                f"{self.context.name}: no answer to {place.url} ({why}); check access.url in the source file, then run "
                "again"
            )
        is_replacement = protocol.arguments_of(place.url).get("verb") == "ListIdentifiers"
        if may_pass(why) and is_replacement:
            raise HostError(
                f"{self.context.name}: the list stops at {place.url} ({why}), as ListRecords and as ListIdentifiers; "
                "run the same job again later: it resumes there"
            )
        self.state.failed.pop(place.url, None)
        self._queue(self.harvest.give_up(place.url, why))

    def find_rest(self) -> Iterator[str]:
        """Yield the files of the records of this run; note what of earlier runs is no longer there or permitted."""
        archive = self.context.archive
        for url in records.keys_of(list(archive.here), self.access.url) if self.access.scope else ():
            if hash_address(url) in self.harvest.listed:
                yield from self._list_files(url, archive.here[url])
        for url in self.harvest.find_gone(records.keys_of(archive.before, self.access.url)):
            self.state.gone.add(url)
            self.state.gone |= set(self._list_archived_files(archive.before[url])) - self.about.keys()

    def _list_files(self, url: str, entry: Entry) -> Iterator[str]:
        archive = self.context.archive
        kept, before = archive.resolve(entry), archive.before.get(url)
        if kept is None:
            return
        wanted = self._find_permitted(kept)
        changed = before is None or before.digest != kept.digest
        if before is not None and changed:
            self.state.gone |= set(self._list_archived_files(before)) - set(wanted)
        for file in wanted:
            held = archive.before.get(file)
            if file not in self.about and (changed or held is None or held.status != 200):
                self.about[file] = url
                yield file

    def _find_permitted(self, kept: Entry) -> list[str]:
        """Return the files of a record if its licence permits a use of them, and none of it was withdrawn."""
        files = self._read_files(kept)
        return files if files and self._permits(kept) else []

    def _permits(self, kept: Entry) -> bool:
        """Whether the licence of the first item of a record permits a use, and nothing of it was withdrawn."""
        capture = Capture(kept.record, kept.url, kept.fetched, 200, kept.headers, read_body(kept), self.context.name)
        make = self.context.definition.items or records.items
        faults: list[Fault] = []
        permits = False
        with catch_faults(catalogue.find_file(self.context.job.source), faults.append):
            for item in islice(make(capture), 1):
                parsed = ParsedItem(item)
                evidence, signals = self.evidence(parsed.complete(parsed.extraction))
                about = f"{item.title}\n{item.author}".encode()
                is_used = decide(evidence, signals).use != "exclude"
                permits = is_used and not has_value(self.context.matcher, about, "utf-8")
        for fault in faults:  # its files are requested once the functions of the source can read it
            self.state.fail(kept.url, f"{UNREAD}: {fault.detail}")
            self.harvest.complete = False
        return permits

    def _list_archived_files(self, entry: Entry) -> list[str]:
        """Return the files of an earlier record that earlier runs have archived."""
        return [url for url in self._read_files(entry) if url in self.context.archive.before]

    def _read_files(self, entry: Entry) -> list[str]:
        record = records.read_record(read_body(entry))
        return records.files(records.describe(record).fields, self.access) if record is not None else []

    def _describe(self, file: str, url: str) -> str:
        archive = self.context.archive
        kept = archive.resolve(archive.here[url])
        record = records.read_record(read_body(kept)) if kept is not None else None
        assert kept is not None and record is not None  # its files were found in it
        return attachments.write_header(Attachment(file, records.describe(record).facts()), kept.record)

    def _read_record(self, url: str, capture: Capture) -> None:
        """Note a record that was requested alone: it is there, deleted, or has an error."""
        if records.read_record(capture.body) is not None:
            self.harvest.listed.add(hash_address(url))
            return
        self.state.troubled.add(capture.record)
        try:
            answer = protocol.parse(capture.body, capture.charset)
        except Unreadable as said:
            self.state.fail(url, f"unreadable: {said.reason}")
            return
        if any(one.deleted for one in answer.records):
            self.harvest.deleted.add(url)
            self.harvest.listed.discard(hash_address(url))
        else:
            self.state.fail(url, next((code for code, _ in answer.errors), "record-damaged"))

    def _queue(self, following: Next) -> None:
        self._append(following.lists, "again" if following.again else "list")
        self._append([url for url in following.records if url not in self.seen], "record")

    def _append(self, urls: Iterable[str], kind: Kind) -> None:
        for url in urls:
            if reason := self._skip_reason(url, kind):
                self.state.left_out[reason] += 1
                self.harvest.complete = False
                continue
            self.seen.add(url)
            self.queue.append(url, kind)
