"""Collect a git repository at one commit: each file becomes a record, and nothing is ever checked out.

robots.txt is not requested: it applies to crawled pages, and here one commit is fetched as the host offers it to every
git client, once per run, after the operator has named a contact and recorded a check of the terms. git connects only to
addresses that the guard has checked.
"""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import os
import shutil
import socket
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import re2

from crawlers.catalogue import Definition
from crawlers.fetch.archive import CLOSED, OPEN
from crawlers.fetch.git import git_contents
from crawlers.fetch.git.file_addresses import Naming, read_naming
from crawlers.fetch.git.git_command import Repository, check_version, settings
from crawlers.fetch.git.git_contents import Entry
from crawlers.fetch.job import Job, guard_of, write_stats
from crawlers.fetch.politeness import user_agent
from crawlers.sampling import Stratum, describe
from crawlers.web.repositories import HOSTS, find_git_fault
from crawlers.web.ssrf_guard import PORTS, Guard, normalise_host
from crawlers.withdrawn import REASON, find_by_address
from malmoi.archive.capture import record_id, resource_record
from malmoi.errors import CallError, HostError, SourceError
from malmoi.limits import GIT_CONTENT, GIT_FILE, GIT_FILES
from malmoi.source import Git, Source
from malmoi.storage.atomic_files import sync
from malmoi.workspace_layout import BLOCKED, STATS


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that may be fetched: its URL, its pinned IP addresses, and the URL pattern of its files."""

    url: str
    protocol: str
    pins: tuple[str, ...]  # host:port:address,…
    page: str  # with {path}


def place_of(source: Source, access: Git, guard: Guard) -> Place:
    """Check a repository; resolve, guard and pin every IP address of its host.

    Raises:
        CallError: URL, branch or commit are declared wrongly, or the host is not in HOSTS.
        SourceError: the host has no IP address, or one that is not on the public web.
    """
    if fault := find_git_fault(access, guard):
        raise CallError(f"{source.name}: {fault}")
    parts = urlsplit(access.url)
    host, port = normalise_host(parts.hostname or ""), parts.port or PORTS.get(parts.scheme, 0)
    page = HOSTS.get(host, "{repository}/blob/{branch}/{path}").replace(
        "{repository}", access.url.rstrip("/").removesuffix(".git")
    )
    return Place(access.url, parts.scheme, _pins(source, host, port, guard), page.replace("{branch}", access.branch))


def _pins(source: Source, host: str, port: int, guard: Guard) -> tuple[str, ...]:
    """Return the IP addresses of a host for git, so that git connects only to addresses that the guard has checked."""
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise SourceError(f"{source.name}: {host} has no address ({error.strerror}); check the network") from error
    for address in found:
        if why := guard.check_resolved(host, port, address):
            raise SourceError(f"{source.name}: {host} leads to {address}, which is not of the public web ({why})")
    if host in found:  # the host is an IP address
        return ()
    return (f"{host}:{port}:{','.join(f'[{a}]' if ':' in a else a for a in found)}",)


UNNAMED, REPEATED = "no-identifier", "repeated-identifier"  # reasons for leaving out a file, with `named_by`
FOLDER = "repository.git"  # in the run folder, while it is read
SAY_EVERY = 200  # records between two lines for the caller
MEDIA = {
    "md": "text/markdown",
    "mdx": "text/markdown",
    "markdown": "text/markdown",
    "html": "text/html",
    "htm": "text/html",
    "txt": "text/plain",
    "rst": "text/x-rst",
    "po": "text/x-gettext-translation",
    "py": "text/x-python",
    "xml": "application/xml",
    "json": "application/json",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "pdf": "application/pdf",
}


@dataclass(slots=True)
class Tally:
    """The counts of a run so far."""

    chosen: int = 0  # files of the commit that the globs choose
    written: int = 0  # records
    unchanged: int = 0  # files whose record an earlier run holds
    bytes: int = 0  # of payload
    left_out: Counter[str] = field(default_factory=Counter)  # by reason


def collect(job: Job, definition: Definition, access: Git) -> None:
    """Collect into the run folder of `job` the files listed in crawlers/fetch/job.py; a killed run resumes its commit.

    Raises:
        CallError: the source is declared wrongly, or git is not installed.
        SourceError: the repository cannot be fetched as declared.
    """
    source = definition.source
    check_version()
    place = place_of(source, access, guard_of(source))
    job.run_dir.mkdir(parents=True, exist_ok=True)
    told = settings(user_agent(job.contact, job.user_agent_suffix), place.pins, place.protocol)
    repository = Repository(job.run_dir.absolute() / FOLDER, source.name, told, place.protocol)
    wanted = access.commit or f"refs/heads/{access.branch}"
    with _open_exclusive(job.run_dir) as out:
        (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
        try:
            if not git_contents.is_fetched(repository, place.url, wanted):
                git_contents.init_repository(repository)
                git_contents.fetch(repository, place.url, wanted)
            commit, when = git_contents.head(repository)
            if access.commit and commit != access.commit:
                raise SourceError(f"{source.name}: asked for {access.commit}, the host gave {commit}; do not use it")
            stats = _archive(job, source, access, repository, place, commit, when, out)
        except SourceError as error:
            # A host that does not answer now may give the rest of the same commit later.
            if not isinstance(error, HostError) or not git_contents.is_fetched(repository, place.url, wanted):
                shutil.rmtree(repository.folder, ignore_errors=True)
            raise
        shutil.rmtree(repository.folder, ignore_errors=True)
        out.flush()
        os.fsync(out.fileno())
        (job.run_dir / OPEN).replace(job.run_dir / CLOSED)
        sync(job.run_dir)
        (job.run_dir / BLOCKED).touch()
        write_stats(job.run_dir, stats)


def _archive(
    job: Job,
    source: Source,
    access: Git,
    repository: Repository,
    place: Place,
    commit: str,
    when: str,
    out: IO[bytes],
) -> dict[str, Any]:
    """Write the records of a commit; return the stats of the run."""
    proofs = {claim.file for claim in source.claim if claim.file}
    naming, tally, here = read_naming(place.page, access, job.earlier), Tally(), set[str]()
    chosen = _choose_files(repository, commit, access, proofs, tally)
    part = _limit_files(chosen, proofs, job)
    sampled = (
        {path: path for path, _ in part if path not in proofs} if job.sample else {}
    )  # path → URL, once it is read
    held = {path: naming.find_held(path, entry.oid) for path, entry in part if path not in proofs}
    wanted = [entry.oid for path, entry in part if not held.get(path)]
    git_contents.fetch_blobs(repository, place.url, wanted, delay=source.manners.delay)
    out.write(_info_record(place.url, access.branch, commit, when))
    for path, url, body in _read_files(repository, commit, part, held, naming, proofs, tally):
        if path in sampled:
            sampled[path] = url
        if path not in proofs:
            if url in here:
                tally.left_out[REPEATED] += 1
                continue
            here.add(url)
            if any(find_by_address(job.matcher, source.name, one) for one in {url, naming.page_of(path)}):
                tally.left_out[REASON] += 1
                continue
            if body is None or (url in naming.known and naming.known[url].record == record_id(url, body)):
                tally.unchanged += 1
                continue
        assert body is not None  # for mypy: a licence file is always read
        out.write(resource_record(url, when, media_of(path), body))
        tally.written += 1
        tally.bytes += len(body)
        if tally.written % SAY_EVERY == 0:
            _say(tally)
    _say(tally)
    whole = len(part) == len(chosen)
    proofs_here = {naming.page_of(path) for path in proofs}
    return {
        "fetched": tally.written,
        "replayed": 0,
        "not_modified": tally.unchanged,
        "pages": tally.chosen,
        "blocked": 0,
        "failed": [],
        "bytes": tally.bytes,
        "limit": job.limit,
        "finished": "finished" if whole else "limit",
        "error": "",
        "gone": sorted(naming.known.keys() - here - proofs_here) if whole else [],
        "left_out": dict(sorted(tally.left_out.items())),
        **({"listed": tally.chosen} if whole else {}),
        "commit": commit,
        **(_describe_sample(len(chosen) - len(proofs), tuple(sampled.values())) if sampled else {}),
    }


def _describe_sample(units: int, urls: tuple[str, ...]) -> dict[str, Any]:
    """Return the fact about a sample; the size of a file is known only once it has been fetched."""
    return describe("files at random; only these were fetched", "files", [Stratum("files", units, "counted", urls)])


def _read_files(
    repository: Repository,
    commit: str,
    part: Sequence[tuple[str, Entry]],
    held: Mapping[str, str],
    naming: Naming,
    proofs: set[str],
    tally: Tally,
) -> Iterator[tuple[str, str, bytes | None]]:
    """Yield (path, address, bytes) of each file, no bytes of one that an earlier run holds; count skipped files.

    Raises:
        SourceError: the files have more than GIT_CONTENT bytes.
    """
    size = git_contents.sizes(repository)
    if sum(size.get(entry.oid, 0) for path, entry in part if not held.get(path)) > GIT_CONTENT.value:
        raise SourceError(
            f"{repository.source}: commit {commit} has over {GIT_CONTENT.value:,} bytes that the globs choose "
            f"({GIT_CONTENT.describe()}); narrow include in the source file"
        )
    with git_contents.blobs(repository) as reader:
        for path, entry in part:
            if held.get(path):
                yield path, held[path], None
                continue
            if size.get(entry.oid, GIT_FILE.value + 1) > GIT_FILE.value:
                tally.left_out["too-large"] += 1
                tally.chosen -= path not in proofs
                continue
            body = reader.read(entry.oid, size[entry.oid])
            url = naming.page_of(path) if path in proofs else naming.name(path, body)
            if not url:
                tally.left_out[UNNAMED] += 1
                continue
            yield path, url, body


def _choose_files(
    repository: Repository, commit: str, access: Git, proofs: set[str], tally: Tally
) -> list[tuple[str, Entry]]:
    """Return the wanted files of a commit, by path; count skipped files by reason."""
    chosen = []
    for entry in git_contents.tree(repository, commit):
        path = path_of(entry.name)
        if path in proofs or path in ("", "..") or matches(path, access.include, access.exclude):
            reason = git_contents.skip_reason(entry)
            reason = reason or {"": "name-not-utf-8", "..": "name-leads-out"}.get(path, "")
            if reason:
                tally.left_out[reason] += 1
                continue
            chosen.append((path, entry))
            if len(chosen) > GIT_FILES.value:
                raise SourceError(
                    f"{repository.source}: commit {commit} has over {GIT_FILES.value:,} files that the globs choose "
                    f"({GIT_FILES.describe()}); narrow include in the source file"
                )
    if missing := proofs - {path for path, _ in chosen}:
        raise SourceError(
            f"{repository.source}: the licence file {min(missing)} is not in commit {commit}; a claim needs its proof. "
            "Check the repository; correct file of the LicenceClaim if it has moved, or retire the source."
        )
    tally.chosen = sum(1 for path, _ in chosen if path not in proofs)
    return sorted(chosen, key=lambda pair: pair[0].encode())


def _limit_files(chosen: Sequence[tuple[str, Entry]], proofs: set[str], job: Job) -> list[tuple[str, Entry]]:
    """Return the files of the sample of a job, or its first `limit` files; and all licence files."""
    pages = [pair for pair in chosen if pair[0] not in proofs][: job.limit]
    if job.sample:
        drawn = set(job.sample.choose(path for path, _ in pages))
        pages = [pair for pair in pages if pair[0] in drawn]
    return [*(pair for pair in chosen if pair[0] in proofs), *pages]


def path_of(name: bytes) -> str:
    """Decode the path in the bytes of a name; "" if they are not UTF-8, ".." if the path leads outside.

    >>> path_of(b"a/b.md"), path_of(b"a/../../etc/passwd"), path_of(b"/etc/passwd"), path_of(b"\\xb1\\xdb.md")
    ('a/b.md', '..', '..', '')
    """
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    parts = path.split("/")
    leads_out = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    return ".." if leads_out or "\\" in path or any(ord(c) < 0x20 or ord(c) == 0x7F for c in path) else path


def matches(path: str, include: Iterable[str], exclude: Iterable[str] = ()) -> bool:
    """Whether globs choose a path: `*` within one part, `**` any number of parts, as in pathlib.

    >>> matches("content/ko/docs/a.md", ("content/ko/**/*.md",)), matches("content/ko/a.md", ("content/ko/**/*.md",))
    (True, True)
    >>> matches("content/korean/a.md", ("content/ko/**/*.md",)), matches("a.md", ("**/*",), ("*.md",))
    (False, False)
    """
    return any(_glob(g).fullmatch(path) for g in include) and not any(_glob(g).fullmatch(path) for g in exclude)


@lru_cache(maxsize=256)
def _glob(glob: str) -> Any:
    parts = []
    for part in glob.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
            continue
        words = {"*": "[^/]*", "?": "[^/]"}
        parts.append("".join(words.get(char) or re2.escape(char) for char in part) + "/")
    pattern = "".join(parts)
    # "**" at the end means everything below; any other end is a file, without the slash.
    return re2.compile(pattern[:-1] if pattern.endswith("/") else pattern.removesuffix("(?:[^/]+/)*") + ".+")


def media_of(path: str) -> str:
    """Return the media type of a file by its extension; content sniffing decides later.

    >>> media_of("ko/a.MD"), media_of("LICENSE")
    ('text/markdown', 'application/octet-stream')
    """
    return MEDIA.get(path.rpartition(".")[2].lower(), "application/octet-stream")


def _info_record(url: str, branch: str, commit: str, when: str) -> bytes:
    """Build a `warcinfo` record of repository and commit; without it an unchanged commit gives an empty archive."""
    lines = f"repository: {url}\r\nbranch: {branch}\r\ncommit: {commit}\r\n".encode()
    fields = {
        "WARC-Type": "warcinfo",
        "WARC-Record-ID": f"<{record_id(url, commit.encode())}>",
        "WARC-Date": when,
        "Content-Type": "application/warc-fields",
        "Content-Length": str(len(lines)),
    }
    raw = "WARC/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as stream:
        stream.write(raw.encode() + lines + b"\r\n\r\n")
    return packed.getvalue()


@contextmanager
def _open_exclusive(run_dir: Path) -> Iterator[IO[bytes]]:
    """Open the archive of a run, empty and locked; the rest of a killed attempt is deleted."""
    with (run_dir / OPEN).open("ab") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CallError(f"{run_dir}: another process collects into this folder; wait for it or stop it") from error
        out.truncate(0)
        yield out


def _say(tally: Tally) -> None:
    """Print one JSON line for the caller, which may have closed its end of the pipe."""
    try:
        print(json.dumps({"fetched": tally.written, "queued": 0, "blocked": 0}), flush=True)
    except BrokenPipeError:  # otherwise the interpreter complains again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
