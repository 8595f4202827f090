"""Collect a dump: archive its evidence, stream it to a file, cut it into blocks of records, archive each block.

The run folder, in addition to the files in crawlers/fetch/job.py:

    dump.part, dump.json   the part downloaded so far, and the version of the file
    dump.bz2 …             the whole file; deleted once its records are in the archive, which is then the
                           only copy
    dump.warc.gz.open      the archive while it grows. After a kill it is rewritten from the downloaded file:
                           the same bytes, and cheaper than finding where it ended
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from crawlers import proofs
from crawlers.catalogue import Definition
from crawlers.fetch import politeness
from crawlers.fetch.archive import CLOSED, FreshArchive
from crawlers.fetch.dump_download import ENDINGS, Download, Stream, Unpackable, Version, detect_packing, unpack_stream
from crawlers.fetch.dump_records import Block, Cutter, NoRecords, check_for
from crawlers.fetch.job import Job, Statistics, earlier_runs, guard_of, write_stats
from crawlers.fetch.policy_recheck import RobotsAnswers
from crawlers.fetch.politeness import OPT_OUT_FILES
from crawlers.fetch.streaming_client import Answer, Net, NoAnswer, Refused
from crawlers.local_files import format_utc
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, origin
from malmoi.archive import collection
from malmoi.archive.capture import record_id, resource_record, warc_record
from malmoi.archive.capture_fields import BLOCK
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.source import Dump, Source
from malmoi.statistics import Lowest, Sample, Stratum, describe
from malmoi.workspace_layout import BLOCKED, STATS

CUT = 1  # raise it when blocks are cut differently: an unchanged dump is then read again
PROGRESS_EVERY = 1.0  # seconds


@dataclass(slots=True)
class _State:
    """The counts and results of one run so far."""

    source: Source
    job: Job
    counts: Statistics
    known: Mapping[str, str]  # URL → record id of the current captures
    is_withheld: Callable[[bytes, str], bool] | None  # whether a block of one record is withdrawn
    withheld: int = 0  # records left out because they are
    seen: set[str] = field(default_factory=set)  # URLs of the blocks of this dump
    records: int = 0
    outcome: str = "finished"
    whole: bool = False  # whether the dump was read to its end; only then are missing blocks gone
    digest: str = ""  # sha256 of the dump as sent
    sample: dict[str, Any] = field(default_factory=dict)  # the fact about the sample, if one was drawn
    reported: float = float("-inf")

    def name(self, key: str) -> str:
        """Return the address of the block that begins with the record `key`."""
        return f"{BLOCK}{self.source.name}/{quote(key, safe='')}"

    def report(self, count: int, of: int | None = 0, *, now: bool = False) -> None:
        """Print one line of progress, at most every PROGRESS_EVERY seconds: `count` bytes of `of`, if that is known."""
        if not now and time.monotonic() - self.reported < PROGRESS_EVERY:
            return
        self.reported = time.monotonic()
        self.counts.report(pages=len(self.seen), bytes=count, **({} if of is None else {"of": of}))

    def stats(self) -> dict[str, Any]:
        """Return the content of stats.json."""
        begin = f"{BLOCK}{self.source.name}/"
        gone = [url for url in self.known if url.startswith(begin) and url not in self.seen] if self.whole else []
        self.counts.pages, self.counts.not_modified = len(self.seen), len(self.seen) - self.counts.fetched
        return {
            **self.counts.facts(self.outcome),
            "gone": sorted(gone),
            "dump_records": self.records,
            **({"listed": self.records} if self.whole else {}),
            **({"withdrawn": self.withheld} if self.withheld else {}),
            "sha256": self.digest,
            **self.sample,
        }


def collect(job: Job, definition: Definition, access: Dump) -> None:
    """Collect into the run folder of `job` the files listed in crawlers/fetch/job.py. Raises SourceError."""
    source, url = definition.source, canonical_url(access.url)
    job.run_dir.mkdir(parents=True, exist_ok=True)
    (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
    (job.run_dir / BLOCKED).write_bytes(b"")
    earlier = earlier_runs(job)
    known = {row.url: row.record for _, rows in collection.select_current(earlier) for row in rows}
    state = _State(source, job, Statistics(job), known, check_for(definition, job.matcher))
    net = Net(guard_of(source), politeness.user_agent(job.contact, job.user_agent_suffix), source.manners.delay)
    with FreshArchive(job.run_dir / "dump.warc.gz.open") as archive:
        note = _archive_evidence(state, net, archive, access)
        if access.path is not None:
            version = Version()
            _read_local(state, archive, access, access.path.expanduser())
        else:
            # The facts of the run that last read the dump completely.
            last = next((run.facts for run in reversed(earlier) if run.facts.get("finished") == "finished"), {})
            is_same = bool(last) and last.get("cut") == CUT
            before = Version(last["url"], last["etag"], last["last_modified"], last["size"]) if is_same else None
            download = Download(net, url, job.run_dir, before=before, max_bytes=access.max_bytes)
            _fetch(state, archive, access, download)
            version = download.version
        stats = state.stats() | {"etag": version.etag, "last_modified": version.last_modified, "size": version.size}
        archive.close(job.run_dir / CLOSED)
    write_stats(job.run_dir, stats | {"url": url, "cut": CUT, "robots": note})
    for folder in (*job.earlier, job.run_dir):  # dumps whose records are in an archive
        for name in ("dump.part", "dump.json", *_NAMES):
            (folder / name).unlink(missing_ok=True)


_NAMES = [f"dump{ending}" for ending in ENDINGS.values()]  # of a dump that was downloaded completely


def _archive_evidence(state: _State, net: Net, archive: FreshArchive, access: Dump) -> str:
    """Archive licence pages, robots.txt and opt-out files; return the decision of robots.txt and the permission used.

    Raises SourceError if robots.txt forbids the dump, or a licence page lacks the claimed words.
    """
    unread: list[dict[str, str]] = []  # robots.txt that could not be fetched, and why
    note, dump = "", canonical_url(access.url)

    def ask_robots(url: str) -> tuple[int | None, bytes]:
        net.permit = lambda url: None  # not for itself and its redirects: RFC 9309, section 2.3.1.2
        answer = _fetch_and_archive(state, net, archive, url, unread)
        net.permit = permit
        return (answer.status, answer.body) if answer else (None, b"")

    rules = RobotsAnswers(net, ask_robots)

    def permit(url: str) -> None:
        nonlocal note
        _, body = rules.ask(origin(url))
        with input_errors(
            lambda name: SourceError(_explain_forbidden(state.source, url, f"robots-unreadable: {name}", unread))
        ):
            decision = rules.decide(url)
        if url == dump and not decision.allowed:
            # A documented permission outweighs only a rule of robots.txt itself, not an outage.
            if not access.grant or decision.reason != "robots-disallow":
                if decision.reason == "robots-unreadable":
                    unread.append({"url": f"{origin(url)}/robots.txt", "why": robots.describe_unreadable(body)})
                raise SourceError(_explain_forbidden(state.source, url, decision.reason, unread))
            note = f"{decision.reason}, but machine access is documented at {access.grant}"
        elif not decision.allowed:
            raise Refused(decision.reason, url)

    net.permit = permit
    for claim in state.source.claim:
        if not claim.url:
            continue
        page = _fetch_and_archive(state, net, archive, canonical_url(claim.url), state.counts.failed)
        if page and page.status == 200:
            # Before a gigabyte is fetched in vain; crawlers/proofs.py checks again.
            proofs.check_words(state.source, claim, page.body, page.header("content-type"))
    if access.path is not None:
        return note
    permit(dump)
    for path in OPT_OUT_FILES:
        _fetch_and_archive(state, net, archive, origin(dump) + path, state.counts.failed)
    return note or rules.decide(dump).reason


def _fetch_and_archive(
    state: _State, net: Net, archive: FreshArchive, url: str, failed: list[dict[str, str]]
) -> Answer | None:
    """Archive all answers for a small file and return the last; on failure return None and note why in `failed`."""
    try:
        answers = net.get(url)
    except Refused as refused:
        state.counts.block({"url": refused.url, "reason": refused.reason})
        if failed is not state.counts.failed:  # of robots.txt, whose refusal is explained
            failed.append({"url": url, "why": f"{refused.url}: {refused.reason}"})
        return None
    except NoAnswer as none:
        failed.append({"url": url, "why": none.why})
        return None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for answer in answers:
        archive.add(warc_record(answer.url, now, answer.status, answer.headers, answer.body))
    return answers[-1]


def _explain_forbidden(source: Source, url: str, reason: str, unread: list[dict[str, str]]) -> str:
    file = f"{origin(url)}/robots.txt"
    if reason != "robots-disallow":
        why = next((one["why"] for one in unread if one["url"] == file), "")
        return f"{source.name}: {robots.explain_refusal(url, reason, file, why)}"
    return (
        f"{source.name}: {url} may not be fetched ({reason}); ask {source.publisher}, name the page that documents "
        "machine access in grant= of the Dump, or retire the source"
    )


def _read_local(state: _State, archive: FreshArchive, access: Dump, path: Path) -> None:
    """Archive a dump on this machine, and the licence files beside it, in which the words of the claims were found."""
    name = state.source.name
    for licence, file, body in proofs.read_licence_files(state.source):
        url = f"{BLOCK}{name}/{quote(licence)}"
        archive.add(resource_record(url, format_utc(file.stat().st_mtime), "text/plain", body))
    if path.exists() and not path.is_file():  # reading a pipe could block forever
        raise SourceError(f"{name}: the dump {path} is not a regular file; correct path= of the Dump")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError(f"{name}: the dump {path} cannot be read ({error}); correct path= of the Dump") from error
    with stream:
        _write_blocks(state, archive, access, stream, format_utc(path.stat().st_mtime), str(path))


def _fetch(state: _State, archive: FreshArchive, access: Dump, download: Download) -> None:
    """Download the dump and cut it; with a limit, fetch only as much as is needed."""
    path = next((path for name in _NAMES if (path := state.job.run_dir / name).is_file()), None)
    pieces: Iterator[int] = iter(())
    if path is None or not download.version.url:
        pieces = download.pieces()
        if state.job.limit is None:
            for count in pieces:
                state.report(count, download.version.size)
        else:
            next(pieces, None)
        if download.unchanged:
            state.seen |= {url for url in state.known if url.startswith(f"{BLOCK}{state.source.name}/")}
            return
        path = download.part
        if state.job.limit is None:
            with path.open("rb") as file:
                packed = detect_packing(file.read(8))
            path = path.rename(path.with_name(f"dump{ENDINGS[packed]}"))
    try:
        when = parsedate_to_datetime(download.version.last_modified).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        when = datetime.now(UTC)
    try:
        with path.open("rb") as file:
            stream = _Growing(file, pieces)
            _write_blocks(state, archive, access, stream, when.strftime("%Y-%m-%dT%H:%M:%SZ"), access.url)
    except SourceError:
        download.forget()  # otherwise a damaged file would be read again and again
        path.unlink(missing_ok=True)
        raise


class _Growing:
    """A file that is read while it is downloaded: reading beyond its end fetches more."""

    def __init__(self, file: BinaryIO, pieces: Iterator[int]) -> None:
        self._file = file
        self._pieces = pieces

    def read(self, size: int, /) -> bytes:
        while not (data := self._file.read(size)):
            if next(self._pieces, None) is None:
                return self._file.read(size)
        return data


class _Hashed:
    """A stream with the sha256 of the bytes read from it."""

    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        self.sha256 = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._inner.read(size)
        self.sha256.update(data)
        return data


def _write_blocks(state: _State, archive: FreshArchive, access: Dump, stream: Stream, when: str, where: str) -> None:
    """Write the blocks of the dump that no earlier run holds. Raises SourceError if it cannot be read."""
    cutter, hashed = Cutter(access.record, is_withheld=state.is_withheld), _Hashed(stream)
    state.outcome, state.whole = "finished", True
    try:
        blocks = cutter.blocks(unpack_stream(hashed, limit=access.max_unpacked))
        for block in _draw(state, state.job.sample, blocks) if state.job.sample else blocks:
            if state.job.limit is not None and len(state.seen) >= state.job.limit:
                state.outcome, state.whole = "limit", False
                break
            url = name = state.name(block.key)
            number = 1
            while url in state.seen:  # equal lines, or an id that occurs twice
                number += 1
                url = f"{name}~{number}"
            state.seen.add(url)
            if state.known.get(url) != record_id(url, block.body):
                archive.add(resource_record(url, when, cutter.media, block.body))
                state.counts.fetched += 1
                state.counts.bytes += len(block.body)
            state.report(state.counts.bytes)
    except Unpackable as error:
        raise SourceError(f"{state.source.name}: {where}: {error}; download it again, or ask its publisher") from error
    except NoRecords as error:
        raise SourceError(
            f"{state.source.name}: {where}: {error}; correct record= of the Dump if its records have another name, "
            "or download the dump again"
        ) from error
    state.records, state.withheld = cutter.records, cutter.withheld
    state.digest = hashed.sha256.hexdigest() if state.whole else ""
    state.counts.failed += [
        {"url": state.name(long.key), "why": f"record-too-large:{long.size}"} for long in cutter.too_long
    ]
    state.report(state.counts.bytes, now=True)


def _draw(state: _State, sample: Sample, blocks: Iterable[Block]) -> Iterator[Block]:
    """Read the whole dump and yield a random part of its blocks; the others are neither archived nor gone."""
    drawn, size = Lowest[Block](sample.size), 0
    for block in blocks:
        drawn.add(sample.rank(state.name(block.key)), block)
        size += len(block.body)
    yield from drawn.units()
    state.whole = False
    how = "blocks at random; the whole dump was read"
    names = tuple(state.name(block.key) for block in drawn.units())
    state.sample = describe(how, "blocks", [Stratum("blocks", drawn.added, "counted", names, size)])
