"""Lock a folder for one process at a time; the lock file names its owner and the time it began.

The kernel holds the lock (flock), also on a mounted share (NFS), and releases it however the process ends: a lock file
that a killed process left behind locks nothing.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_LONGEST = 200  # characters shown of a lock file


@contextmanager
def hold_lock(path: Path, refuse: Callable[[str], Exception]) -> Iterator[None]:
    """Hold the lock file `path`; if another process holds it, raise what `refuse` makes of its owner."""
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise refuse(stream.read(_LONGEST).strip() or "its owner is not known") from error
        stream.truncate(0)
        stream.write(
            f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
        )
        stream.flush()
        yield
