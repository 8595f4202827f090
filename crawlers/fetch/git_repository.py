"""Read a fetched commit: its date, the entries of its tree, the bytes of its files; nothing is checked out."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

from malmoi.errors import CallError, HostError, SourceError
from malmoi.limits import GIT_ENTRIES, GIT_NAME, GIT_REPOSITORY, GIT_SECONDS
from malmoi.processes.rlimits import end_with_parent

NEEDED = (2, 37)  # the first version of git that can pin IP addresses (http.curloptResolve)


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository, with the settings and the protocol that git uses for it."""

    folder: Path
    source: str  # name of the source, for messages
    settings: tuple[str, ...]  # "-c", "key=value", …
    protocol: str  # the only allowed one: https, or http for a loopback host

    def command(self, *arguments: str) -> list[str]:
        """Return a git command on this repository."""
        return ["git", f"--git-dir={self.folder}", *self.settings, *arguments]

    def environment(self, protocol: str = "none") -> dict[str, str]:
        """Return an environment free of the operator's configuration, credentials and proxy, without lazy fetch."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def settings(agent: str, pins: tuple[str, ...], protocol: str) -> tuple[str, ...]:
    """Return the settings of every git command: only connections to the pinned IP addresses are allowed."""
    values = (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.attributesFile=/dev/null",
        "core.askPass=",
        "credential.helper=",
        "protocol.allow=never",
        f"protocol.{protocol}.allow=always",
        "protocol.version=2",
        "submodule.recurse=false",
        "fetch.recurseSubmodules=false",
        "fetch.fsckObjects=true",
        "transfer.fsckObjects=true",
        "transfer.bundleURI=false",
        "fetch.unpackLimit=1",  # a pack stays packed: one file, whose size is watched
        "gc.auto=0",
        "maintenance.auto=false",
        "http.followRedirects=false",
        "http.sslVerify=true",
        "http.proxy=",
        "http.cookieFile=",
        "http.extraHeader=",
        f"http.userAgent={agent}",
        "http.lowSpeedLimit=1000",  # bytes a second …
        "http.lowSpeedTime=60",  # … for this many seconds: then git gives up
        *(f"http.curloptResolve={pin}" for pin in pins),
    )
    return tuple(word for value in values for word in ("-c", value))


def check_version() -> None:
    """Check that git is installed and recent enough.

    Raises:
        CallError: it is not.
    """
    if shutil.which("git") is None:
        raise CallError("git is not installed, and a source of kind Git needs it; on Debian or Ubuntu: apt install git")
    said = subprocess.run(["git", "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\b(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < NEEDED:
        raise CallError(f"git is {said.strip() or 'of unknown version'}; a source of kind Git needs 2.37 or newer")


@contextmanager
def run_child(
    command: list[str], environment: dict[str, str], *, stdin: int | IO[bytes] = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child in its own session; kill it with all its children when the block or this process ends."""
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if "fetch" in command else subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
        preexec_fn=partial(end_with_parent, signal.SIGKILL),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        process.wait()


def run_command(repository: Repository, command: list[str]) -> bytes:
    """Return the standard output of a command; raise SourceError if it fails."""
    what = command[2 + len(repository.settings)]
    try:
        done = subprocess.run(
            command, env=repository.environment(), capture_output=True, check=False, timeout=GIT_SECONDS.value
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"{repository.source}: git {what} did not finish ({GIT_SECONDS.describe()}); collect again"
        ) from error
    if done.returncode:
        raise SourceError(f"{repository.source}: git {what} failed ({last_message(done.stderr)}); collect again")
    return done.stdout


def last_message(stderr: bytes) -> str:
    """Return the last message of git itself, not one that it repeats from the host."""
    lines = stderr.decode("ascii", "replace").splitlines()
    said = [line for line in lines if line.startswith(("fatal:", "error:"))] or ["no reason given"]
    return re.sub(r"[^\x20-\x7e]", "?", said[-1])[:200]


POLL = 0.1  # seconds between two checks of a fetch
HEAD = "refs/malmoi/head"
WANTED = "malmoi-wanted"  # file of the repository: the address and the ref of a commit whose trees are here
BATCH = 2_000  # blobs of one request
# Trees only: the globs choose the files, and those of earlier runs are not fetched again.
_QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--filter=blob:none")
_LINKS = ("120000", "160000")  # modes of symbolic links and submodules
_COMMITTED = re.compile(rb"^committer [^\n]{0,1000}> ([0-9]{1,12}) [+-][0-9]{4}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree that is not a tree itself."""

    mode: str
    oid: str
    name: bytes  # path from the root, as the repository spells it


def init_repository(repository: Repository) -> None:
    """Create the empty bare repository, without templates and so without hooks."""
    shutil.rmtree(repository.folder, ignore_errors=True)
    repository.folder.mkdir(parents=True)
    run_command(repository, repository.command("init", "--bare", "--quiet", "--template=", str(repository.folder)))


def is_fetched(repository: Repository, url: str, wanted: str) -> bool:
    """Whether an interrupted run has left this commit of this repository with all its trees."""
    try:
        said = (repository.folder / WANTED).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return said == f"{url}\n{wanted}\n"


def fetch(
    repository: Repository,
    url: str,
    wanted: str,
    *,
    max_bytes: int = GIT_REPOSITORY.value,
    seconds: float = GIT_SECONDS.value,
) -> None:
    """Fetch one commit with its trees, without its history; without its files if the host supports that filter.

    `wanted` is a ref, or a commit of 40 hexadecimal digits.

    Raises:
        SourceError: git could not fetch it, or it grew beyond `max_bytes` or `seconds`.
    """
    command = repository.command("fetch", *_QUIET, "--depth=1", url, f"+{wanted}:{HEAD}")
    why, kind = _watch(repository, command, subprocess.DEVNULL, max_bytes, seconds)
    if why:
        raise kind(
            f"{repository.source}: {wanted.removeprefix('refs/heads/')} of {url} could not be fetched ({why}). "
            "Check the repository; correct url, branch or commit in the source file if it has moved."
        )
    (repository.folder / WANTED).write_text(f"{url}\n{wanted}\n", "utf-8")


def fetch_blobs(repository: Repository, url: str, oids: Sequence[str], *, delay: float = 0.0) -> None:
    """Fetch these blobs, in packs of BATCH; a blob that is already here is not asked for.

    `delay` is the pause between two packs, in seconds. A pack is whole or absent, so a killed fetch resumes at a pack.

    Raises:
        SourceError: git could not fetch them, or the repository grew beyond GIT_REPOSITORY or one pack took too long.
    """
    here = sizes(repository).keys()
    missing = [oid for oid in dict.fromkeys(oids) if oid not in here]
    for start in range(0, len(missing), BATCH):
        if start:
            time.sleep(delay)
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{oid}\n" for oid in missing[start : start + BATCH]).encode("ascii"))
            asked.seek(0)
            # Each blob is wanted by name: the host need not know which commits are here.
            command = repository.command("-c", "fetch.negotiationAlgorithm=noop", "fetch", *_QUIET, "--stdin", url)
            why, kind = _watch(repository, command, asked, GIT_REPOSITORY.value, GIT_SECONDS.value)
        if why:
            raise kind(
                f"{repository.source}: {len(missing) - start:,} files of {url} could not be fetched ({why}). Collect "
                "again: the run resumes with the same commit. If the host has removed that commit, delete the folder "
                f"{repository.folder.parent}."
            )


def _watch(
    repository: Repository, command: list[str], stdin: int | IO[bytes], max_bytes: int, seconds: float
) -> tuple[str, type[SourceError]]:
    """Run a fetch within bounds; return why it failed, "" if it did not, and the kind of error."""
    with run_child(command, repository.environment(repository.protocol), stdin=stdin) as process:
        tail, end = b"", time.monotonic() + seconds
        assert process.stderr is not None  # for mypy: it is a pipe
        os.set_blocking(process.stderr.fileno(), False)
        while process.poll() is None:
            try:
                process.wait(POLL)
            except subprocess.TimeoutExpired:
                tail = (tail + (process.stderr.read(1 << 16) or b""))[-4096:]
            if _size(repository.folder) > max_bytes:
                return f"it is larger than {max_bytes:,} bytes; {GIT_REPOSITORY.describe()}", SourceError
            if time.monotonic() > end:
                return f"it took longer than {seconds:,.0f} seconds; {GIT_SECONDS.describe()}", SourceError
        # git does not say whether the host or the address is wrong
        failed = process.returncode
        return last_message(tail + (process.stderr.read(1 << 16) or b"")) if failed else "", HostError


def head(repository: Repository) -> tuple[str, str]:
    """Return the fetched commit and its commit time in UTC, in the format of records."""
    commit = run_command(repository, repository.command("rev-parse", "--verify", "--quiet", f"{HEAD}^{{commit}}"))
    name = commit.decode("ascii", "replace").strip()
    raw = run_command(repository, repository.command("cat-file", "commit", name))
    found = _COMMITTED.search(raw.partition(b"\n\n")[0])
    try:
        when = datetime.fromtimestamp(int(found[1]) if found else -1, UTC)
    except (ValueError, OverflowError, OSError):
        found = None
    if found is None:
        raise SourceError(f"{repository.source}: commit {name} has no readable date; name another commit")
    return name, when.strftime("%Y-%m-%dT%H:%M:%SZ")


def tree(repository: Repository, commit: str) -> Iterator[Entry]:
    """Yield the files, links and submodules of a commit, in git's order.

    Raises:
        SourceError: it has more than GIT_ENTRIES of them, or a name that is longer than GIT_NAME.
    """
    command = repository.command("ls-tree", "-r", "-z", "--full-tree", commit)
    with run_child(command, repository.environment()) as process:
        assert process.stdout is not None  # for mypy: it is a pipe
        count, held = 0, b""
        while block := process.stdout.read(1 << 16):
            *lines, held = (held + block).split(b"\0")
            for line in lines:
                about, _, name = line.partition(b"\t")
                mode, _, oid = about.decode("ascii", "replace").split(" ")
                yield Entry(mode, oid, name)
            count += len(lines)
            if count > GIT_ENTRIES.value or len(held) > GIT_NAME.value + 100:
                raise SourceError(
                    f"{repository.source}: the tree of {commit} has over {GIT_ENTRIES.value:,} entries or a "
                    f"name over {GIT_NAME.value:,} bytes ({GIT_ENTRIES.describe()}, {GIT_NAME.describe()}); it is not "
                    "a repository of pages. Retire the source, or name another commit."
                )
        if process.wait():
            raise SourceError(f"{repository.source}: git cannot list the tree of {commit}; collect again")


def sizes(repository: Repository) -> dict[str, int]:
    """Return blob → bytes of the blobs that are here."""
    command = repository.command(
        "cat-file", "--batch-check=%(objecttype) %(objectname) %(objectsize)", "--batch-all-objects", "--unordered"
    )
    rows = (line.split(b" ") for line in run_command(repository, command).splitlines())
    return {row[1].decode(): int(row[2]) for row in rows if row[0] == b"blob"}


@contextmanager
def open_blobs(repository: Repository) -> Iterator[Callable[[str, int], bytes]]:
    """Yield a function that returns the bytes of a blob, given its size: no filter, no end-of-line conversion."""
    command = repository.command("cat-file", "--batch")
    with run_child(command, repository.environment(), stdin=subprocess.PIPE) as process:
        into, out = process.stdin, process.stdout
        assert into is not None and out is not None  # for mypy: they are pipes

        def read(oid: str, size: int) -> bytes:
            into.write(oid.encode() + b"\n")
            into.flush()
            if out.readline(200).split() != [oid.encode(), b"blob", str(size).encode()]:
                raise SourceError(f"{repository.source}: git cannot read the blob {oid}; collect again")
            body = out.read(size)
            if len(body) != size or out.read(1) != b"\n":
                raise SourceError(f"{repository.source}: git returned only part of the blob {oid}; collect again")
            return body

        yield read


def skip_reason(entry: Entry) -> str:
    """Return why an entry is not a file to read, by its mode; "" if it is.

    >>> (skip_reason(Entry("120000", "", b"a")), skip_reason(Entry("160000", "", b"a")), skip_reason(Entry("100755",
    ...  "", b"a")))
    ('symbolic-link', 'submodule', '')
    """
    if entry.mode in _LINKS:
        return "symbolic-link" if entry.mode == "120000" else "submodule"
    return "" if entry.mode in ("100644", "100664", "100755") else "other-mode"


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(root) / name).stat().st_size
            except FileNotFoundError:  # a temporary file of git that is gone by now
                continue
    return total
