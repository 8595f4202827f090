"""Crawl a repository by OAI-PMH: lists one after another, then the files that licensed records link to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crawlers import attachments, catalogue, defaults
from crawlers.fetch.archive import Entry, read_body
from crawlers.fetch.failures import may_pass
from crawlers.fetch.frontier import Place
from crawlers.fetch.job import earlier_runs
from crawlers.fetch.links.link_extraction import UNREAD
from crawlers.fetch.oai.harvest import Harvest, Next, hash_url
from crawlers.fetch.oai.sampled_records import SampledRecords
from crawlers.fetch.page_requests import Kind, Visit
from crawlers.fetch.redirects import find_end
from crawlers.fetch.spider import Crawl
from crawlers.formats import ParsedItem
from crawlers.formats.unreadable import Unreadable
from crawlers.oai import protocol, records
from crawlers.rights.claims import proof_address
from crawlers.sampling.drawn import describe
from crawlers.source_errors import Fault, catch_faults
from crawlers.withdrawn import has_value
from malmoi.archive.capture import Capture
from malmoi.errors import HostError, SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.source import Attachment, Item, OaiPmh


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

    async def visit(self, url: str, kind: Kind, facts: str = "") -> Visit:
        """Return the outcome of a URL, after its redirects; the facts of a file are those of its record."""
        if kind == "page" and url in self.about:
            facts = self._describe(url, self.about[url])
        return await super().visit(url, kind, facts)

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
            if hash_url(url) in self.harvest.listed:
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
        record = records.read_record(read_body(kept))
        if record is None:
            return []
        found = records.files(records.describe(record).fields, self.access)
        return found if found and self._permits(kept) else []

    def _permits(self, kept: Entry) -> bool:
        capture = Capture(kept.record, kept.url, kept.fetched, 200, kept.headers, read_body(kept), self.context.name)
        make = self.context.definition.items or records.items
        faults: list[Fault] = []
        permits = False
        with catch_faults(catalogue.find_file(self.context.job.source), faults.append):
            permits = self._permits_first(make(capture))
        for fault in faults:  # its files are requested once the functions of the source can read it
            self.state.fail(kept.url, f"{UNREAD}: {fault.detail}")
            self.harvest.complete = False
        return permits

    def _permits_first(self, items: Iterable[Item]) -> bool:
        """Whether the licence of the first item permits a use, and nothing of it was withdrawn."""
        for item in items:
            parsed = ParsedItem(item)
            found, signals = self.evidence(parsed.complete(parsed.extraction))
            if decide(found, signals).use == "exclude":
                return False
            return not has_value(self.context.matcher, f"{item.title}\n{item.author}".encode(), "utf-8")
        return False

    def _list_archived_files(self, entry: Entry) -> list[str]:
        """Return the files of an earlier record that earlier runs have archived."""
        record = records.read_record(read_body(entry))
        found = records.files(records.describe(record).fields, self.access) if record is not None else []
        return [url for url in found if url in self.context.archive.before]

    def _describe(self, file: str, url: str) -> str:
        archive = self.context.archive
        kept = archive.resolve(archive.here[url])
        record = records.read_record(read_body(kept)) if kept is not None else None
        assert kept is not None and record is not None  # its files were found in it
        return attachments.write_header(Attachment(file, records.describe(record).facts()), kept.record)

    def _read_record(self, url: str, capture: Capture) -> None:
        """Note a record that was requested alone: it is there, deleted, or has an error."""
        if records.read_record(capture.body) is not None:
            self.harvest.listed.add(hash_url(url))
            return
        self.state.troubled.add(capture.record)
        try:
            answer = protocol.parse(capture.body, capture.charset)
        except Unreadable as said:
            self.state.fail(url, f"unreadable: {said.reason}")
            return
        if any(one.deleted for one in answer.records):
            self.harvest.deleted.add(url)
            self.harvest.listed.discard(hash_url(url))
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
