"""Run a module that reads untrusted releases in a child process with the limits of `malmoi verify`."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from malmoi import limits
from malmoi.errors import DataError, StageError
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import lower_limit
from malmoi.releases.verification import untrusted_files

_SIZE_PER_SECOND = 256 << 10  # bytes of files per additional second of CPU
_SPILL_FACTOR = 4  # temporary bytes per byte of the releases
_PATIENCE = 10  # seconds of wall clock per second of CPU: a busy machine, a slow disk


class LimitExceeded(DataError):
    """Reading a release was stopped by `limit`."""

    def __init__(self, says: str, limit: limits.InputLimit) -> None:
        super().__init__(says)
        self.limit = limit


def run_limited(
    module: str, folders: Sequence[Path], *arguments: str, refuse: bool = True, given: bytes = b""
) -> bytes:
    """Run `python -m module SECONDS SPILL FOLDER … ARGUMENT …` with `given` as input, and return its output.

    LimitExceeded if a limit stops it, StageError if the process fails otherwise; with `refuse`, DataError if a release
    has an unsafe file.
    """
    for folder in folders if refuse else ():
        untrusted_files.refuse(folder)
    size = sum(map(untrusted_files.size, folders))
    seconds = limits.VERIFY_SECONDS.value + size // _SIZE_PER_SECOND
    spill = limits.VERIFY_SPILL.value + _SPILL_FACTOR * size
    named = " and ".join(map(str, folders))
    with TemporaryDirectory(prefix="malmoi-limited-") as tmp:
        places = [str(folder.absolute()) for folder in folders]
        command = [*PYTHON, "-m", module, str(seconds), str(spill), *places, *arguments]
        env = {**os.environ, "TMPDIR": tmp}
        try:
            patience = _PATIENCE * seconds
            done = subprocess.run(command, input=given, capture_output=True, env=env, timeout=patience, check=False)
        except subprocess.TimeoutExpired:
            raise _limit_error(named, limits.VERIFY_SECONDS) from None
    if done.returncode == -signal.SIGXCPU:
        raise _limit_error(named, limits.VERIFY_SECONDS)
    last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
    # A library that gets no memory may abort its process; the C library then ends it with 127.
    if done.returncode < 0 or done.returncode == 127 or (done.returncode and last.startswith("MemoryError")):
        raise _limit_error(named, limits.VERIFY_MEMORY)
    if done.returncode:
        raise StageError(
            f"{named}: the process that reads them ended with status {done.returncode} ({last}). Fix the cause that it "
            "names, and run the same command again."
        )
    return done.stdout


def _limit_error(named: str, limit: limits.InputLimit) -> LimitExceeded:
    return LimitExceeded(f"{named}: reading exceeded a limit and was stopped ({limit.describe()}).", limit)


def apply_limits(seconds: int, spill: int | None) -> None:
    """Set the limits of this child process; `spill` is None if it does not use DuckDB, whose import takes long."""
    lower_limit(resource.RLIMIT_CPU, seconds)
    lower_limit(resource.RLIMIT_AS, limits.VERIFY_MEMORY.value)
    if spill is not None:
        from malmoi.storage import duckdb_tables

        duckdb_tables.limit_spill(spill)
