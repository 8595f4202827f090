"""Collect a git repository at one commit: each file becomes a record, and nothing is ever checked out.

robots.txt is not requested: it applies to crawled pages, and here one commit is fetched as the host offers it to every
git client, once per run, after the operator has named a contact and recorded a check of the terms. git connects only to
addresses that the guard has checked.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import re2

from crawlers.access_rules import HOSTS, find_git_fault
from crawlers.catalogue import Definition
from crawlers.fetch import git_repository
from crawlers.fetch.archive import CLOSED, OPEN, FreshArchive, read_gone
from crawlers.fetch.git_repository import Entry, Repository, check_version, settings
from crawlers.fetch.job import Job, Statistics, guard_of, write_stats
from crawlers.fetch.politeness import user_agent
from crawlers.formats import front_matter
from crawlers.web.ssrf_guard import PORTS, Guard, normalise_host
from crawlers.withdrawn import REASON, find_by_address
from malmoi.archive.capture import Torn, info_record, record_id, resource_record, scan
from malmoi.errors import CallError, HostError, SourceError
from malmoi.limits import GIT_CONTENT, GIT_FILE, GIT_FILES
from malmoi.source import Git, Source
from malmoi.statistics import Stratum, describe
from malmoi.workspace_layout import BLOCKED, STATS

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
    page = HOSTS.get(host, "{repository}/blob/{branch}/{path}")
    page = page.replace("{repository}", access.url.rstrip("/").removesuffix(".git")).replace("{branch}", access.branch)
    try:
        addresses = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise SourceError(f"{source.name}: {host} has no address ({error.strerror}); check the network") from error
    for address in addresses:
        if why := guard.check_resolved(host, port, address):
            raise SourceError(f"{source.name}: {host} leads to {address}, which is not of the public web ({why})")
    # git connects only to these; a host that is an IP address needs no pin.
    pin = f"{host}:{port}:{','.join(f'[{a}]' if ':' in a else a for a in addresses)}"
    return Place(access.url, parts.scheme, () if host in addresses else (pin,), page)


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
    options = settings(user_agent(job.contact, job.user_agent_suffix), place.pins, place.protocol)
    repository = Repository(job.run_dir.absolute() / FOLDER, source.name, options, place.protocol)
    wanted = access.commit or f"refs/heads/{access.branch}"
    with FreshArchive(job.run_dir / OPEN) as archive:
        (job.run_dir / STATS).unlink(missing_ok=True)  # of an attempt that failed
        try:
            if not git_repository.is_fetched(repository, place.url, wanted):
                git_repository.init_repository(repository)
                git_repository.fetch(repository, place.url, wanted)
            commit, when = git_repository.head(repository)
            if access.commit and commit != access.commit:
                raise SourceError(f"{source.name}: asked for {access.commit}, the host gave {commit}; do not use it")
            stats = _archive(job, source, access, repository, place, commit, when, archive)
        except SourceError as error:
            # A host that does not answer now may give the rest of the same commit later.
            if not isinstance(error, HostError) or not git_repository.is_fetched(repository, place.url, wanted):
                shutil.rmtree(repository.folder, ignore_errors=True)
            raise
        shutil.rmtree(repository.folder, ignore_errors=True)
        archive.close(job.run_dir / CLOSED)
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
    archive: FreshArchive,
) -> dict[str, Any]:
    """Write the records of a commit; return the stats of the run."""
    proofs = {claim.file for claim in source.claim if claim.file}
    naming, counts, here = read_naming(place.page, access, job.earlier), Statistics(job), set[str]()
    chosen = _choose_files(repository, commit, access, proofs, counts)
    pages = [pair for pair in chosen if pair[0] not in proofs][: job.limit]
    if job.sample:
        drawn = set(job.sample.choose(path for path, _ in pages))
        pages = [pair for pair in pages if pair[0] in drawn]
    part = [*(pair for pair in chosen if pair[0] in proofs), *pages]
    sampled = {path: path for path, _ in pages} if job.sample else {}  # path → URL, once it is read
    held = {path: naming.find_held(path, entry.oid) for path, entry in pages}
    wanted = [entry.oid for path, entry in part if not held.get(path)]
    git_repository.fetch_blobs(repository, place.url, wanted, delay=source.manners.delay)
    about = {"repository": place.url, "branch": access.branch, "commit": commit}
    archive.add(info_record(record_id(place.url, commit.encode()), when, about))  # alone, if nothing has changed
    for path, url, body in _read_files(repository, commit, part, held, naming, proofs, counts):
        if path in sampled:
            sampled[path] = url
        if path not in proofs:
            if url in here:
                counts.left_out[REPEATED] += 1
                continue
            here.add(url)
            if any(find_by_address(job.matcher, source.name, one) for one in {url, naming.page_of(path)}):
                counts.left_out[REASON] += 1
                continue
            if body is None or (url in naming.known and naming.known[url].record == record_id(url, body)):
                counts.not_modified += 1
                continue
        assert body is not None  # for mypy: a licence file is always read
        archive.add(resource_record(url, when, media_of(path), body))
        counts.fetched += 1
        counts.bytes += len(body)
        if counts.fetched % SAY_EVERY == 0:
            counts.report()
    counts.report()
    whole = len(part) == len(chosen)
    proofs_here = {naming.page_of(path) for path in proofs}
    stats = {
        **counts.facts("finished" if whole else "limit"),
        "gone": sorted(naming.known.keys() - here - proofs_here) if whole else [],
        "left_out": dict(sorted(counts.left_out.items())),
        **({"listed": counts.pages} if whole else {}),
        "commit": commit,
    }
    if sampled:  # the size of a file is known only once it has been fetched
        strata = [Stratum("files", len(chosen) - len(proofs), "counted", tuple(sampled.values()))]
        stats |= describe("files at random; only these were fetched", "files", strata)
    return stats


def _choose_files(
    repository: Repository, commit: str, access: Git, proofs: set[str], counts: Statistics
) -> list[tuple[str, Entry]]:
    """Return the wanted files of a commit, by path; count skipped files by reason."""
    chosen = []
    for entry in git_repository.tree(repository, commit):
        path = path_of(entry.name)
        if path in proofs or path in ("", "..") or matches(path, access.include, access.exclude):
            reason = git_repository.skip_reason(entry)
            reason = reason or {"": "name-not-utf-8", "..": "name-leads-out"}.get(path, "")
            if reason:
                counts.left_out[reason] += 1
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
    counts.pages = sum(1 for path, _ in chosen if path not in proofs)
    return sorted(chosen, key=lambda pair: pair[0].encode())


def _read_files(
    repository: Repository,
    commit: str,
    part: Sequence[tuple[str, Entry]],
    held: Mapping[str, str],
    naming: Naming,
    proofs: set[str],
    counts: Statistics,
) -> Iterator[tuple[str, str, bytes | None]]:
    """Yield (path, address, bytes) of each file, no bytes of one that an earlier run holds; count skipped files.

    Raises:
        SourceError: the files have more than GIT_CONTENT bytes.
    """
    size = git_repository.sizes(repository)
    if sum(size.get(entry.oid, 0) for path, entry in part if not held.get(path)) > GIT_CONTENT.value:
        raise SourceError(
            f"{repository.source}: commit {commit} has over {GIT_CONTENT.value:,} bytes that the globs choose "
            f"({GIT_CONTENT.describe()}); narrow include in the source file"
        )
    with git_repository.open_blobs(repository) as read:
        for path, entry in part:
            if held.get(path):
                yield path, held[path], None
                continue
            if size.get(entry.oid, GIT_FILE.value + 1) > GIT_FILE.value:
                counts.left_out["too-large"] += 1
                counts.pages -= path not in proofs
                continue
            body = read(entry.oid, size[entry.oid])
            url = naming.page_of(path) if path in proofs else naming.name(path, body)
            if not url:
                counts.left_out[UNNAMED] += 1
                continue
            yield path, url, body


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


@dataclass(frozen=True, slots=True)
class Held:
    """A file of an earlier run: the id of its record, and the name of its bytes in a repository."""

    record: str
    oid: str


@dataclass(frozen=True, slots=True)
class Naming:
    """How the files of a repository are addressed, and what earlier runs hold of them."""

    page: str  # with {path}
    names: tuple[str, ...]  # fields of the front matter that identify a file; () = its path does
    known: Mapping[str, Held]  # by address
    by_oid: Mapping[str, str]  # oid → address, of files with an identifier

    def page_of(self, path: str) -> str:
        """Return the page of a file at the host."""
        return self.page.replace("{path}", quote(path, safe="/-._~!$&'()*+,;=:@"))

    def name(self, path: str, body: bytes) -> str:
        """Return the address of a file; "" if it should have an identifier and has none."""
        return address_by_identifier(self.page, body, self.names) if self.names else self.page_of(path)

    def find_held(self, path: str, oid: str) -> str:
        """Return the address of a file whose bytes an earlier run holds, "" if none does."""
        if self.names:
            return self.by_oid.get(oid, "")
        held = self.known.get(self.page_of(path))
        return self.page_of(path) if held and held.oid == oid else ""


def read_naming(page: str, access: Git, earlier: Iterable[Path]) -> Naming:
    """Read what the earlier runs hold of each address that is not gone."""
    known: dict[str, Held] = {}
    for folder in earlier:
        for entry in scan(folder / CLOSED):
            if not isinstance(entry, Torn) and entry[1] == "resource":
                known[entry[2].url] = Held(entry[2].record, blob_name(entry[2].body))
        for url in read_gone(folder):
            known.pop(url, None)
    marks = tuple(page.replace("{path}", f"?{quote(name, safe='')}=") for name in access.named_by)
    by_oid = {held.oid: url for url, held in known.items() if marks and url.startswith(marks)}
    return Naming(page, access.named_by, known, by_oid)


def blob_name(body: bytes) -> str:
    """Return the name of bytes in a repository of git, whatever their path.

    >>> blob_name(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0%b" % (len(body), body), usedforsecurity=False).hexdigest()


def address_by_identifier(page: str, body: bytes, names: Sequence[str]) -> str:
    """Return the address of a file by the identifier in its front matter; "" if it has none.

    >>> body = "---\\n법령ID: '001281'\\n---\\n# 가".encode()
    >>> address_by_identifier("https://github.com/o/r/blob/main/{path}", body, ("법령ID",))
    'https://github.com/o/r/blob/main/?%EB%B2%95%EB%A0%B9ID=001281'
    """
    name, value = front_matter.find_identifier(body, names)
    return page.replace("{path}", f"?{quote(name, safe='')}={quote(value, safe='')}") if value else ""
