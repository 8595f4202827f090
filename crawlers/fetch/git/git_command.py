"""Run the git command line hardened: no hooks, no configuration of the user, one allowed protocol."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from malmoi.errors import CallError, SourceError
from malmoi.limits import GIT_SECONDS
from malmoi.processes.child_process import end_with_parent

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
