"""Collect pages of Common Crawl: ask the index, forecast, then fetch the records and archive them as captures.

The run folder, in addition to the files in crawlers/fetch/job.py; both are deleted at the end of the run, because they
name addresses that may be withdrawn later:

    index-…/              the row groups and columns of remote index files that the question reads
    candidates-….parquet  the records that the index names

A record that is archived is not fetched again, in this run or a later one. Its WARC-Date is that of the crawl;
WARC-Source-URI, WARC-Source-Range and WARC-Source-Digest name its place in the archive of the crawl.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from crawlers import denylist, licence_rules, withdrawn
from crawlers.catalogue import Definition
from crawlers.fetch import common_crawl_index, payload, politeness
from crawlers.fetch.archive import Archive
from crawlers.fetch.byte_ranges import BucketFiles, Files, LocalFiles, RangeError, RemoteFiles
from crawlers.fetch.common_crawl_index import PAGE, Candidate, Forecast
from crawlers.fetch.job import Job, Statistics, earlier_runs, guard_of, list_failed, write_stats
from crawlers.fetch.policy_recheck import PolicyRecheck
from crawlers.fetch.politeness import utc_now
from crawlers.fetch.streaming_client import Answer, Net, Refused
from crawlers.web.addresses import canonical_url, origin
from malmoi.archive.capture import Torn, read_range
from malmoi.errors import HostError, SourceError
from malmoi.source import BUCKET, CommonCrawl, Source
from malmoi.statistics import Sample, describe, draw_stream
from malmoi.storage.bucket import Bucket
from malmoi.workspace_layout import BLOCKED, STATS

MOST_UNANSWERED = 10  # records in a row that cannot be read; then the source stops
SAY_EVERY = 50  # records
SECOND = len("2026-01-02T03:04:05")  # an index has no fractions of a second


@dataclass(slots=True)
class _State:
    """The counts and results of one run so far."""

    source: Source
    job: Job
    counts: Statistics
    access: CommonCrawl
    archive: Archive
    files: Files
    known: dict[str, str]  # address → time of the latest capture in earlier runs
    waiting: int = 0  # records not fetched yet
    unanswered: int = 0  # records in a row that could not be read
    is_limited: bool = False  # whether the limit or the sample of the job leaves pages out
    sample: dict[str, Any] = field(default_factory=dict)  # the fact about it (malmoi/statistics.py)
    failed: dict[str, str] = field(default_factory=dict)  # address → why

    @property
    def net(self) -> Net | None:
        """The client of the host of the archive; None for a folder or a bucket."""
        return self.files.net if isinstance(self.files, RemoteFiles) else None

    def block(self, one: Candidate, reason: str) -> None:
        """Note a record that is not fetched, or not kept; a withdrawn address is masked."""
        is_withdrawn = reason == withdrawn.REASON
        url = withdrawn.mask_address(one.url, self.counts.blocked[reason] + 1) if is_withdrawn else one.url
        self.counts.block({"reason": reason, "url": url})

    def report(self, **more: Any) -> None:
        """Print one line of progress for the caller."""
        counts = {"pages": self.counts.fetched, "bytes": self.archive.bytes, "failed": len(self.failed)}
        hosts = {}
        if self.net is not None and isinstance(self.files, RemoteFiles):
            host = origin(self.files.base).partition("://")[2]
            hosts = {"hosts": {host: {"waiting": self.waiting, "delay": self.net.delay, "resting": 0}}}
        self.counts.report(**{"queued": self.waiting, **counts, **hosts, **more})


def collect(job: Job, definition: Definition, access: CommonCrawl) -> None:
    """Collect into the run folder of `job`.

    Raises:
        SourceError: the index cannot be read, names more than the source allows, or a rule forbids the requests.
        HostError: the host of the archive does not answer; the same job continues later.
    """
    source, earlier = definition.source, earlier_runs(job)
    archive = Archive(job.run_dir, job.earlier)
    (job.run_dir / STATS).unlink(missing_ok=True)
    (job.run_dir / BLOCKED).write_bytes(b"")
    known: dict[str, str] = {}
    for row in (row for run in earlier for row in run.rows):
        known[row.url] = max(row.fetched, known.get(row.url, ""))
    counts = Statistics(job, began=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}")
    try:
        key = common_crawl_index.digest_of(access)
        # An earlier run has fetched all that the same question finds, and a crawl never changes.
        is_fetched = any(
            run.facts.get("finished") == "finished"
            and not run.facts.get("failed")
            and run.facts.get("selection") == key
            and withdrawn.REASON not in run.facts["blocked_by"]
            for run in earlier
        )
        state = _State(source, job, counts, access, archive, _open_files(source, job, access, archive), known)
        if job.limit is not None or job.sample or not is_fetched:
            _fetch_selected(state, key)
    except RangeError as error:
        archive.leave()
        raise HostError(f"{source.name}: {error.place} cannot be read ({error.why}); run again later") from None
    except Refused as error:
        archive.leave()
        kind = SourceError if error.reason == "robots-disallow" or error.reason.startswith("guard-") else HostError
        raise kind(
            f"{source.name}: {error.url} may not be fetched ({error.reason}); run again later, or get the files by "
            "other means and name their folder in data= of the source"
        ) from None
    except BaseException:
        archive.leave()
        raise
    archive.close()
    counts.pages, counts.not_modified, counts.failed = counts.fetched, archive.revisits, list_failed(state.failed)
    counts.bytes, counts.records = archive.bytes, archive.records
    facts = counts.facts("limit" if state.is_limited else "finished") | {"crawl": access.crawl, "selection": key}
    write_stats(job.run_dir, facts | state.sample)
    for path in job.run_dir.glob("candidates-*.parquet"):
        path.unlink()
    for path in job.run_dir.glob("index-*"):
        shutil.rmtree(path)


def _open_files(source: Source, job: Job, access: CommonCrawl, archive: Archive) -> Files:
    """Return the files of the archive. Of a host, the policy files are archived, and its robots.txt rules."""
    if isinstance(access.data, Path):
        return LocalFiles(access.data.expanduser())
    if access.data.startswith(BUCKET):
        return BucketFiles(Bucket(access.data))
    base = canonical_url(access.data)
    net = Net(guard_of(source), politeness.user_agent(job.contact, job.user_agent_suffix), source.manners.delay)

    def keep(answer: Answer) -> None:
        archive.add(answer.url, f"{utc_now():%Y-%m-%dT%H:%M:%SZ}", answer.status, answer.headers, answer.body)

    for _ in PolicyRecheck(net, keep).ask(origin(base)):  # it also sets what the client may request
        pass
    return RemoteFiles(net, base if base.endswith("/") else f"{base}/")


def _fetch_selected(state: _State, key: str) -> None:
    """Ask the index, report the forecast, and fetch what is not archived yet."""
    candidates = state.job.run_dir / f"candidates-{key}.parquet"
    if not candidates.exists():
        tables = _bring_index(state, state.job.run_dir / f"index-{key}")
        common_crawl_index.select(state.source, state.access, tables, candidates)
    delay = state.net.delay if state.net else 0.0
    forecast = Forecast(delay=None if isinstance(state.files, LocalFiles) else delay)
    for one in _list_wanted(state, candidates, lambda *_: None):
        forecast.add(one)
    if state.job.sample:
        _fetch_sample(state, candidates, state.job.sample, forecast)
        return
    state.report(forecast=forecast.describe())
    if forecast.pages > state.access.max_pages or forecast.bytes > state.access.max_bytes:
        raise SourceError(
            f"{state.source.name}: the index names {forecast.describe()}; the source allows "
            f"max_pages={state.access.max_pages:,} and max_bytes={state.access.max_bytes:,}. No record was fetched: "
            "name fewer hosts, give --limit, or raise these bounds in the source file"
        )
    state.waiting = forecast.requests
    _fetch_all(state, _list_wanted(state, candidates, state.block))


def _fetch_all(state: _State, wanted: Iterable[Candidate]) -> None:
    """Fetch and archive these records; those that could not be read are tried once more at the end."""
    again = [one for one in wanted if not _fetch(state, one)]
    state.waiting = len(again)
    for one in again:
        _fetch(state, one)
    state.report()


def _fetch_sample(state: _State, candidates: Path, sample: Sample, forecast: Forecast) -> None:
    """Fetch pages drawn at random, and the robots.txt of their hosts; state what the index says of the whole."""

    def list_pages() -> Iterator[Candidate]:
        return (one for one in _list_wanted(state, candidates, lambda *_: None) if one.kind == PAGE)

    strata, pages = draw_stream(sample, list_pages, lambda one: one.url, lambda one: one.length)
    # A capture counts with the bytes of its payload, and of the records that were not fetched these are unknown.
    strata = [replace(one, name=f"{one.name} as stored", bytes=0) for one in strata]
    origins = {one.origin for one in pages}
    wanted = _list_wanted(state, candidates, state.block)
    policies = [one for one in wanted if one.kind != PAGE and one.origin in origins]
    state.waiting, state.is_limited = len(pages) + len(policies), len(pages) < forecast.pages
    cpu, began = time.process_time(), time.monotonic()
    _fetch_all(state, [*pages, *policies])
    how = "pages at random, in strata by the size of their records; the index was read to its end"
    used = {"cpu_seconds": time.process_time() - cpu, "seconds": time.monotonic() - began}
    state.sample = describe(how, "pages", strata, requests=forecast.requests, **used)


def _bring_index(state: _State, store: Path) -> dict[str, Sequence[Path]]:
    """Return subset → index files on this machine, after fetching into `store` what the question reads of remote ones.

    An index file that an attempt before has fetched, or found without wanted rows, is not requested again.
    """
    access = state.access
    if (folder := common_crawl_index.index_folder(access)) is not None:
        found = common_crawl_index.list_local(folder, access.crawl)
        if "warc" not in found:
            raise SourceError(
                f"{state.source.name}: no index file of {access.crawl} below {folder}; correct crawl=, index= or data= "
                "of the source"
            )
        return dict(found)
    files = state.files
    assert isinstance(files, BucketFiles | RemoteFiles)
    listed, ranges = common_crawl_index.list_remote(files, access.crawl), common_crawl_index.key_ranges(access.hosts)
    parts: dict[Path, common_crawl_index.Part] = {}
    for subset, paths in listed.items():
        (store / subset).mkdir(parents=True, exist_ok=True)
        for path in paths:
            target = store / subset / Path(path).name
            empty = target.with_suffix(".none")
            if target.exists() or empty.exists():
                continue
            parts[target] = common_crawl_index.look_at(files, path, subset, ranges)
            if not parts[target].groups:
                del parts[target]
                empty.touch()
            state.report(bytes=files.received)
    size, requests = sum(part.bytes for part in parts.values()), sum(part.requests for part in parts.values())
    said = f"index: {size / 1e6:,.1f} MB of {len(parts):,} files in {requests:,} requests"
    if size > access.max_bytes:
        raise SourceError(
            f"{state.source.name}: {said}; the source allows max_bytes={access.max_bytes:,}. Name hosts, or get the "
            "index by other means and name its folder in index= of the source"
        )
    state.report(forecast=said)
    for target, part in parts.items():
        common_crawl_index.fetch(files, part, target)
        state.report(bytes=files.received)
    found = {subset: sorted((store / subset).glob("*.parquet")) for subset in listed}
    if not found["warc"]:
        raise SourceError(
            f"{state.source.name}: the index of {access.crawl} holds none of the hosts; correct hosts= of the source"
        )
    return {subset: paths for subset, paths in found.items() if paths}


def _list_wanted(state: _State, path: Path, block: Callable[[Candidate, str], None]) -> Iterator[Candidate]:
    """Yield the candidates that are not archived yet; `block` gets the pages that may not be, and why."""
    pages, origins, limit = 0, set[str](), state.job.limit
    matcher, marked = state.job.matcher, licence_rules.is_marked(state.source)
    for one in common_crawl_index.read(path):
        is_beyond = pages >= limit if limit is not None and one.kind == PAGE else False
        is_stranger = limit is not None and one.kind != PAGE and one.origin not in origins
        if is_beyond or is_stranger or one.fetched <= state.known.get(one.url, ""):
            state.is_limited |= is_beyond
            continue
        reason = f"denylist: {said}" if (said := denylist.reason(one.url, marked=marked)) else ""
        if withdrawn.find_by_address(matcher, state.source.name, one.url):
            reason = withdrawn.REASON
        if reason:
            if one.kind == PAGE:
                block(one, reason)
            continue
        if one.kind == PAGE:
            pages += 1
            origins |= {one.origin} if limit is not None else set()
        here = state.archive.here.get(one.url)
        if here is None or here.fetched[:SECOND] != one.fetched[:SECOND]:
            yield one


def _fetch(state: _State, one: Candidate) -> bool:
    """Fetch and archive one record; return False if it could not be read, which a later try may mend.

    Raises HostError after too many of them in a row.
    """
    state.waiting -= 1
    try:
        raw = state.files.read(one.path, one.offset, one.length)
    except RangeError as error:
        state.failed[one.url] = error.why
        state.unanswered += 1
        if state.unanswered >= MOST_UNANSWERED:
            raise HostError(
                f"{state.source.name}: {state.unanswered} records in a row could not be read, the last one with "
                f"{error.why} at {error.place}; archived records are kept. Run again later, or check data= of the "
                "source"
            ) from None
        return False
    state.unanswered = 0
    state.failed.pop(one.url, None)
    if why := _archive(state, one, raw):
        state.failed[one.url] = why
    state.counts.fetched += 1
    if state.counts.fetched % SAY_EVERY == 0:
        state.report()
    return True


def _archive(state: _State, one: Candidate, raw: bytes) -> str:
    """Archive the record in a range; return why it is not what the index names, or ""."""
    found = read_range(raw, one.path, one.offset)
    if isinstance(found, Torn):
        return f"unreadable: {found.why}"
    capture, digests = found
    if urldefrag(capture.url).url != one.url or capture.fetched[:SECOND] != one.fetched[:SECOND]:
        return "another-record"
    digest = one.digest.removeprefix("sha1:")
    if digest and digest not in digests:
        return "another-digest"
    if one.kind == PAGE and withdrawn.has_value(state.job.matcher, capture.body, capture.charset):
        state.block(one, withdrawn.REASON)
        return ""
    place = {
        "WARC-Source-URI": state.files.address(one.path),
        "WARC-Source-Range": f"bytes={one.offset}-{one.offset + one.length - 1}",
        **({"WARC-Source-Digest": f"sha1:{digest}"} if digest else {}),
    }
    pairs = [(k.encode("latin-1", "replace"), v.encode("utf-8", "surrogateescape")) for k, v in capture.headers]
    headers = payload.rewrite_headers(pairs, len(capture.body))
    state.archive.add(one.url, capture.fetched, capture.status, headers, capture.body, origin=place)
    return ""
