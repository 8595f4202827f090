"""Lock a folder for one process at a time; the lock file names its owner and the time it began.

The kernel holds the lock (flock), also on a mounted share (NFS), and releases it however the process ends: a lock file
that a killed process left behind locks nothing.

`request_locks` sets how long a run waits for a lock, or for the lease of a bucket (malmoi/storage/lease.py).
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.5  # between two attempts of a run that waits
_LONGEST = 300  # characters shown of a lock file


def _ignore(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class LockRequest:
    """How a run asks for locks: its name for other runs, the seconds it waits, and what shows that it waits."""

    name: str = ""
    seconds: float | None = None  # None: the caller has not chosen; refuse at once
    show: Callable[[str], None] = _ignore

    def describe(self) -> str:
        """Return the holder as other runs see it: name, process, host and start."""
        process = f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.name}, {process}" if self.name else process

    def start(self) -> Wait:
        """Start to wait."""
        return Wait(self, time.monotonic() + (self.seconds or 0.0))


class Wait:
    """The wait for one lock until a deadline."""

    def __init__(self, request: LockRequest, until: float) -> None:
        self._request, self._until, self._shown = request, until, False

    def require(self, place: object, holder: str, refuse: Callable[[str], Exception]) -> None:
        """Raise `refuse(holder)` after the timeout. The first call shows the holder."""
        if time.monotonic() >= self._until:
            raise refuse(holder)
        if not self._shown:
            self._shown = True
            self._request.show(f"{place} is in use by another run ({holder}); waiting for it")


_request: ContextVar[LockRequest | None] = ContextVar("lock_request", default=None)


@contextmanager
def request_locks(request: LockRequest) -> Iterator[None]:
    """Ask for every lock within the body as `request` says."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def find_request() -> LockRequest:
    """Return how this context asks for locks."""
    return _request.get() or LockRequest()


@contextmanager
def hold_lock(path: Path, refuse: Callable[[str], Exception], place: object = "") -> Iterator[None]:
    """Hold the lock file `path`, which locks `place`.

    Raises `refuse(owner)` if another process still holds it after the timeout.
    """
    request = find_request()
    wait = request.start()
    with path.open("a+", encoding="utf-8") as stream:
        while not try_lock(stream):
            stream.seek(0)
            wait.require(place or path.parent, stream.read(_LONGEST).strip() or "its owner is not known", refuse)
            time.sleep(POLL_SECONDS)
        stream.truncate(0)
        stream.write(f"{request.describe()}\n")
        stream.flush()
        yield


def try_lock(stream: IO[str]) -> bool:
    """Lock an open file for this process unless another one holds it; return whether it is locked."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def find_holder(path: Path) -> str:
    """Return the holder of the lock file `path` as it named itself; "" if no process holds it. Nothing is written."""
    try:
        with path.open(encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return stream.read(_LONGEST).strip() or "its owner is not known"
    except FileNotFoundError:
        pass
    return ""


def is_open_file(stream: IO[str], path: Path) -> bool:
    """Return whether the file at `path` is the open one: it may have been deleted or made anew since."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
