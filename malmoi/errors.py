"""Exceptions whose messages say what is wrong, where, and what to do next.

Three kinds are kept apart. A fault of a *document* is a `Verdict`, not an exception.
A fault of a *source* stops that source (`SourceError`). A fault of the *call* stops
before the first document (`CallError`). Any other exception is a bug or a machine failure and
propagates: no shard is written, and the run is retried.
"""

import errno


class MalmoiError(Exception):
    """An error explained to the user in one sentence; `status` is the exit status."""

    status = 3


class CallError(MalmoiError):
    """The call, the recipe or the configuration is wrong; nothing was started."""

    status = 2


class SourceError(MalmoiError):
    """A source cannot be used as declared; only this source stops."""


class HostError(SourceError):
    """A host does not answer now; the same call may succeed later."""

    crawler_status = 4  # exit status of python -m crawlers.fetch; that of the command line is 3


class CaptureError(SourceError):
    """An archive or a file cannot be read as the format that it claims to be."""


class TableError(CaptureError):
    """A table cannot be split into rows; `rows` is how many are lost, as far as that is known."""

    def __init__(self, message: str, rows: int = 1) -> None:
        super().__init__(message)
        self.rows = rows


class StageError(MalmoiError):
    """A stage could not be written or read back; its output does not count as complete."""


class DataError(MalmoiError):
    """The data fails a check (verify, check)."""

    status = 1


def is_disk_full(error: OSError) -> bool:
    """Whether no space is left: on the disk, in a quota, or within the maximum file size."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def name_remedy(error: OSError) -> str:
    """Return what makes room for a file that could not be written.

    >>> name_remedy(OSError(28, "No space left on device")), name_remedy(OSError(27, "File too large"))
    ('free disk space', 'raise the maximum file size (`ulimit -f`)')
    """
    return "raise the maximum file size (`ulimit -f`)" if error.errno == errno.EFBIG else "free disk space"


def explain_os_error(error: OSError) -> str:
    """Return what the operating system refused, where, and what to do, in one line.

    >>> explain_os_error(OSError(28, "No space left on device", "a.parquet")).partition(". ")[0]
    'the disk is full (No space left on device: a.parquet)'
    >>> explain_os_error(OSError(27, "File too large", "a.parquet")).partition(", that")[0]
    'a file has reached the maximum size (File too large: a.parquet)'
    """
    what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    if error.errno == errno.EFBIG:
        return (
            f"a file has reached the maximum size ({what}), that of this process (`ulimit -f`) or of the file system. "
            "Partial output does not count; raise the maximum and run the same command again."
        )
    if is_disk_full(error):
        return f"the disk is full ({what}). Partial output does not count; free space and run the same command again."
    return f"{what}. Completed work is kept; fix the cause and run the same command again."
