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
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from crawlers import proofs
from crawlers.catalogue import Definition
from crawlers.fetch import politeness
from crawlers.fetch.dump import decompress
from crawlers.fetch.dump.download import Download, Version
from crawlers.fetch.dump.dump_archive import SCHEME, BlockArchive, State
from crawlers.fetch.dump.record_blocks import Block, Cutter, NoRecords
from crawlers.fetch.dump.withdrawn_records import check_for
from crawlers.fetch.job import Job, earlier_runs, guard_of, write_stats
from crawlers.fetch.politeness import OPT_OUT_FILES
from crawlers.fetch.streaming_client import Answer, Net, NoAnswer, Refused
from crawlers.folders import format_utc
from crawlers.sampling import Lowest, Stratum, describe
from crawlers.web import robots
from crawlers.web.addresses import canonical_url, origin
from malmoi.archive import collection
from malmoi.archive.capture import record_id, resource_record, warc_record
from malmoi.archive.collection import Run
from malmoi.boundary import input_errors
from malmoi.errors import SourceError
from malmoi.source import Dump, Source
from malmoi.workspace_layout import BLOCKED, STATS


def evidence(state: State, net: Net, archive: BlockArchive, access: Dump) -> str:
    """Archive licence pages, robots.txt and opt-out files; return the decision of robots.txt and the permission used.

    Raises SourceError if robots.txt forbids the dump, or a licence page lacks the claimed words.
    """
    answers: dict[str, tuple[int | None, bytes]] = {}
    unread: list[dict[str, str]] = []  # robots.txt that could not be fetched, and why

    def ask_robots(site: str) -> tuple[int | None, bytes]:
        if site not in answers:
            net.permit = lambda url: None  # not for itself and its redirects: RFC 9309, section 2.3.1.2
            found = _fetch_and_archive(state, net, archive, f"{site}/robots.txt", unread)
            net.permit = permit
            answers[site] = (found.status, found.body) if found else (None, b"")
        return answers[site]

    note = ""

    def permit(url: str) -> None:
        nonlocal note
        answer = ask_robots(origin(url))
        with input_errors(
            lambda name: SourceError(_explain_forbidden(state.source, url, f"robots-unreadable: {name}", unread))
        ):
            decision = robots.decide(*answer, url, politeness.AGENT)
        if decision.delay is not None:
            net.delay = max(net.delay, decision.delay)
        if url == canonical_url(access.url) and not decision.allowed:
            # A documented permission outweighs only a rule of robots.txt itself, not an outage.
            if not access.grant or decision.reason != "robots-disallow":
                if decision.reason == "robots-unreadable":
                    said = robots.describe_unreadable(answer[1])
                    unread.append({"url": f"{origin(url)}/robots.txt", "why": said})
                raise SourceError(_explain_forbidden(state.source, url, decision.reason, unread))
            note = f"{decision.reason}, but machine access is documented at {access.grant}"
        elif not decision.allowed:
            raise Refused(decision.reason, url)

    net.permit = permit
    for claim in state.source.claim:
        if (
            claim.url
            and (page := _fetch_and_archive(state, net, archive, canonical_url(claim.url), state.failed))
            and page.status == 200
        ):
            # Before a gigabyte is fetched in vain; crawlers/proofs.py checks again.
            proofs.check_words(state.source, claim, page.body, page.header("content-type"))
    if access.path is None:
        permit(canonical_url(access.url))
        for path in OPT_OUT_FILES:
            _fetch_and_archive(state, net, archive, origin(canonical_url(access.url)) + path, state.failed)
        note = (
            note
            or robots.decide(
                *ask_robots(origin(canonical_url(access.url))), canonical_url(access.url), politeness.AGENT
            ).reason
        )
    return note


def _fetch_and_archive(
    state: State, net: Net, archive: BlockArchive, url: str, failed: list[dict[str, str]]
) -> Answer | None:
    """Archive all answers for a small file and return the last; on failure return None and note why in `failed`."""
    try:
        answers = net.get(url)
    except Refused as refused:
        state.blocked += 1
        if failed is not state.failed:  # of robots.txt, whose refusal is explained
            failed.append({"url": url, "why": f"{refused.url}: {refused.reason}"})
        line = json.dumps({"url": refused.url, "reason": refused.reason}, ensure_ascii=False)
        with (state.job.run_dir / BLOCKED).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
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


def licence_files(source: Source, archive: BlockArchive) -> None:
    """Archive the licence files beside a local dump, after the words of the claims were found in them."""
    for name, path, body in proofs.read_licence_files(source):
        url = f"{SCHEME}{source.name}/{quote(name)}"
        archive.add(resource_record(url, format_utc(path.stat().st_mtime), "text/plain", body))


CUT = 1  # raise it when blocks are cut differently: an unchanged dump is then read again


def collect(job: Job, definition: Definition, access: Dump) -> None:
    """Collect into the run folder of `job` the files listed in crawlers/fetch/job.py. Raises SourceError."""
    source = definition.source
    job.run_dir.mkdir(parents=True, exist_ok=True)
    (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
    (job.run_dir / BLOCKED).write_bytes(b"")
    earlier = earlier_runs(job)
    known = {row.url: row.record for _, rows in collection.select_current(earlier) for row in rows}
    state = State(source, job, known, check_for(definition, job.matcher))
    net = Net(guard_of(source), politeness.user_agent(job.contact, job.user_agent_suffix), source.manners.delay)
    with BlockArchive(job.run_dir) as archive:
        note = evidence(state, net, archive, access)
        version = Version()
        if access.path is not None:
            path = access.path.expanduser()
            licence_files(source, archive)
            _write_blocks(
                state, archive, access, _open_local(source, path), format_utc(path.stat().st_mtime), str(path)
            )
        else:
            download = Download(
                net, canonical_url(access.url), job.run_dir, before=_last_version(earlier), max_bytes=access.max_bytes
            )
            _fetch(state, archive, access, download)
            version = download.version
        stats = state.stats() | {"etag": version.etag, "last_modified": version.last_modified, "size": version.size}
        archive.close()
    write_stats(job.run_dir, stats | {"url": canonical_url(access.url), "cut": CUT, "robots": note})
    _sweep(job)


def _last_version(earlier: list[Run]) -> Version | None:
    """Return the version of the dump that was last read completely with the current CUT."""
    for run in reversed(earlier):
        facts = run.facts
        if facts.get("finished") == "finished":
            if facts.get("cut") != CUT:
                return None
            return Version(facts["url"], facts["etag"], facts["last_modified"], facts["size"])
    return None


def _open_local(source: Source, path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():  # reading a pipe could block forever
        raise SourceError(f"{source.name}: the dump {path} is not a regular file; correct path= of the Dump")
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(
            f"{source.name}: the dump {path} cannot be read ({error}); correct path= of the Dump"
        ) from error


def _fetch(state: State, archive: BlockArchive, access: Dump, download: Download) -> None:
    """Download the dump and cut it; with a limit, fetch only as much as is needed."""
    whole = _find_downloaded(state.job.run_dir)
    if whole is None or not download.version.url:
        whole = None
        pieces = download.pieces()
        if state.job.limit is None:
            for count in pieces:
                state.say(bytes=count, of=download.version.size)
        else:
            next(pieces, None)
        if download.unchanged:
            state.seen |= {url for url in state.known if url.startswith(f"{SCHEME}{state.source.name}/")}
            return
        path = download.part
        if state.job.limit is None:
            with path.open("rb") as file:
                packed = decompress.detect_packing(file.read(8))
            path = path.rename(path.with_name(f"dump{decompress.ENDINGS[packed]}"))
    else:
        path, pieces = whole, iter(())
    try:
        with path.open("rb") as file:
            when = _dump_time(download.version)
            _write_blocks(state, archive, access, _Growing(file, pieces), when, access.url)
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

    def __init__(self, inner: decompress.Stream) -> None:
        self._inner = inner
        self.sha256 = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._inner.read(size)
        self.sha256.update(data)
        return data


def _write_blocks(
    state: State, archive: BlockArchive, access: Dump, stream: decompress.Stream, when: str, where: str
) -> None:
    """Write the blocks of the dump that no earlier run holds. Raises SourceError if it cannot be read."""
    cutter, hashed = Cutter(access.record, is_withheld=state.is_withheld), _Hashed(stream)
    state.outcome, state.whole = "finished", True
    try:
        blocks = cutter.blocks(decompress.unpack_stream(hashed, limit=access.max_unpacked))
        for block in _draw(state, blocks) if state.job.sample else blocks:
            if state.job.limit is not None and len(state.seen) >= state.job.limit:
                state.outcome, state.whole = "limit", False
                break
            _add(state, archive, block, when, cutter.media)
            state.say(bytes=state.bytes, of=0)
    except decompress.Unpackable as error:
        raise SourceError(f"{state.source.name}: {where}: {error}; download it again, or ask its publisher") from error
    except NoRecords as error:
        raise SourceError(
            f"{state.source.name}: {where}: {error}; correct record= of the Dump if its records have another name, "
            "or download the dump again"
        ) from error
    state.records, state.withheld = cutter.records, cutter.withheld
    state.digest = hashed.sha256.hexdigest() if state.whole else ""
    state.failed += [
        {"url": f"{SCHEME}{state.source.name}/{quote(long.key, safe='')}", "why": f"record-too-large:{long.size}"}
        for long in cutter.too_long
    ]
    state.say(now=True, bytes=state.bytes, of=0)


def _draw(state: State, blocks: Iterable[Block]) -> Iterator[Block]:
    """Read the whole dump and yield a random part of its blocks; the others are neither archived nor gone."""
    assert state.job.sample is not None
    name_of = partial(_name_block, state.source)
    drawn, size = Lowest[Block](state.job.sample.size), 0
    for block in blocks:
        drawn.add(state.job.sample.rank(name_of(block)), block)
        size += len(block.body)
    yield from drawn.units()
    state.whole = False
    how = "blocks at random; the whole dump was read"
    stratum = Stratum("blocks", drawn.added, "counted", tuple(map(name_of, drawn.units())), size)
    state.sample = describe(how, "blocks", [stratum])


def _name_block(source: Source, block: Block) -> str:
    return f"{SCHEME}{source.name}/{quote(block.key, safe='')}"


def _add(state: State, archive: BlockArchive, block: Block, when: str, media: str) -> None:
    url = name = _name_block(state.source, block)
    number = 1
    while url in state.seen:  # equal lines, or an id that occurs twice
        number += 1
        url = f"{name}~{number}"
    state.seen.add(url)
    if state.known.get(url) != record_id(url, block.body):
        archive.add(resource_record(url, when, media, block.body))
        state.new += 1
        state.bytes += len(block.body)


def _find_downloaded(run_dir: Path) -> Path | None:
    """Return the dump that an earlier attempt has downloaded completely."""
    found = [run_dir / f"dump{ending}" for ending in decompress.ENDINGS.values()]
    return next((path for path in found if path.is_file()), None)


def _sweep(job: Job) -> None:
    """Delete dumps whose records are in an archive."""
    for folder in (*job.earlier, job.run_dir):
        for name in ("dump.part", "dump.json", *(f"dump{ending}" for ending in decompress.ENDINGS.values())):
            (folder / name).unlink(missing_ok=True)


def _dump_time(version: Version) -> str:
    """Return the time of a dump: its Last-Modified, or the current time without one."""
    try:
        return parsedate_to_datetime(version.last_modified).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
