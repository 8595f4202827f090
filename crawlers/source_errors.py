"""Turn an exception of a function of a source about one capture or item into one dropped or failed document.

`CaptureError` and `Unreadable` say that the data have another form than the function reads: the document is dropped.
Any other exception is unforeseen, as a bug of the function is: the document is failed.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crawlers.formats.unreadable import Unreadable
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.errors import CaptureError, TableError
from malmoi.printable import escape_controls
from malmoi.source import Item

UNREADABLE_TABLE = "unreadable-table"  # crawlers.tables cannot split it into rows
UNREADABLE_CAPTURE = "unreadable-capture"  # a function of the source refuses it
LABEL = "error"  # of a document that was dropped for such an exception: the detail
ROWS = "rows"  # of a document in place of several lost rows of a table: how many
_CRAWLERS = Path(__file__).parent
_DESCRIBED = re.compile(r"(\w+)(?:: .*?)?( \([^()]*, line \d+\))?", re.DOTALL)
MAX_DETAIL = 400  # code points of a detail: a message may quote a line of the data


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a capture or an item gave no document."""

    reason: str  # of the verdict, or `error:<exception>`
    detail: str  # the message; of an unforeseen exception also its name and its place in the source file
    is_drop: bool  # False: the document is failed
    rows: int = 1  # lost


class _Unforeseen(Exception):
    """Has an exception that the function of a source did not foresee as its cause."""


@contextmanager
def catch_faults(definition: Path, note: Callable[[Fault], None]) -> Iterator[None]:
    """Note an exception that the body raises about its input, and end the body; `definition` is the source file.

    Raised are a MalmoiError that is not about a capture, errors of the machine (OSError with an errno), MemoryError,
    and the interruption of a run.
    """
    try:
        with input_errors(_Unforeseen, Unreadable, MemoryError):
            yield
    except Unreadable as error:
        note(Fault(error.reason, error.limit.describe() if error.limit else "", is_drop=True))
    except CaptureError as error:
        reason, rows = (UNREADABLE_TABLE, error.rows) if isinstance(error, TableError) else (UNREADABLE_CAPTURE, 1)
        note(Fault(reason, _to_line(str(error)), is_drop=True, rows=rows))
    except _Unforeseen as error:
        cause = error.__cause__ or error
        note(Fault(f"error:{error}", describe(cause, definition), is_drop=False))


def read_items(
    items: Callable[[Capture], Iterable[Item]], capture: Capture, definition: Path, note: Callable[[Fault], None]
) -> Iterator[Item]:
    """Yield the items of a capture up to the first exception, which is noted."""
    with catch_faults(definition, note):
        try:
            yield from items(capture)
        except Unreadable as error:
            raise CaptureError(f"{capture.url}: {error.reason}") from error


def describe(error: BaseException, definition: Path) -> str:
    """Return name and place of an exception in one line; with its message, if a line of the source file raised it.

    The message of another one may quote the document (malmoi/boundary.py); its place is in Malmoi.

    >>> describe(KeyError("본문"), Path("a.py"))
    'KeyError'
    """
    frames = [(Path(at.filename).resolve(), at.lineno) for at in traceback.extract_tb(error.__traceback__)]
    own = [at for at in frames if at[0] == definition.resolve()]
    ours = [at for at in frames if at[0].is_relative_to(_CRAWLERS)]
    name = type(error).__name__
    said = _to_line(f"{name}: {error}") if own and str(error) else name
    file, line = (own or ours or [(Path(), None)])[-1]
    return f"{said} ({file.name}, line {line})" if line else said


def omit_message(detail: str) -> str:
    """Return the detail of an unforeseen exception without its message, which may quote the document.

    >>> omit_message("KeyError: '홍길동' (rows.py, line 3)"), omit_message("MemoryError")
    ('KeyError (rows.py, line 3)', 'MemoryError')
    """
    found = _DESCRIBED.fullmatch(detail)
    return f"{found[1]}{found[2] or ''}" if found else ""


def _to_line(text: str) -> str:
    flat = escape_controls(" ".join(text.split()))
    return flat if len(flat) <= MAX_DETAIL else f"{flat[:MAX_DETAIL]} …"
