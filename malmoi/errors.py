"""Errors that say what is wrong, where, and what to do next.

Three kinds are never mixed. What is wrong with a *document* is a `Verdict`, not an exception.
What is wrong with a *source* stops that source (`SourceError`). What is wrong with the *call*
stops before the first document (`CallError`). Anything else is a bug or the machine, and is
left to travel: no shard is written, and the run is tried again.
"""

import errno


class MalmoiError(Exception):
    """A failure that is explained to the user in one sentence; `status` is the exit status."""

    status = 3


class CallError(MalmoiError):
    """The call, the recipe or the configuration is wrong; nothing was started."""

    status = 2


class SourceError(MalmoiError):
    """A source cannot be used as declared; only this source stops."""


class CaptureError(SourceError):
    """An archive or a file cannot be read as what it says it is."""


class StageError(MalmoiError):
    """A stage could not be written or read back; nothing of it counts as done."""


class DataError(MalmoiError):
    """The data fails what was promised of it (verify, check)."""

    status = 1


def is_disk_full(error: OSError) -> bool:
    """Whether there is no room left: on the disk, in a quota, or within the largest size of a file."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain_os_error(error: OSError) -> str:
    """What the machine refuses, where, and what to do, in one line.

    >>> explain_os_error(OSError(28, "No space left on device", "a.parquet")).partition(". ")[0]
    'the disk is full (No space left on device: a.parquet)'
    """
    what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    if is_disk_full(error):
        return f"the disk is full ({what}). Nothing half-written counts; make room and run the same command again."
    return f"{what}. What is finished stands; mend the cause and run the same command again."
