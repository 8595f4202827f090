"""Safe console of all commands: no text of data controls the terminal, and no lost output ends a run."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from malmoi.errors import MalmoiError
from malmoi.printable import escape_controls

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputError(MalmoiError):
    """Standard output could not be written; a command whose result is its output has failed, a run goes on."""


class SafeConsole(Console):
    """A console that escapes control characters in every string it renders, also in cells of tables.

    Rich's own styles are added after rendering, so colors stay. Lines that cannot be written are lost, which standard
    error says once.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return `text` as rich text, with control characters escaped."""
        return super().render_str(escape_controls(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, but strings as they are: square brackets in them have no meaning."""
        if any(isinstance(one, str) for one in objects):
            options.setdefault("markup", False)
        try:
            super().print(*objects, **options)
        except OutputError as error:
            print(f"malmoi: {error} The command goes on.", file=sys.stderr)


class _Stream(io.FileIO):
    """Standard output or standard error: what cannot be written, and all that follows, is dropped."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write; on the first failure OutputError, unless this is standard error or the reader has ended."""
        try:
            while (written := super().write(data)) is None:  # another program has made the terminal non-blocking
                select.select([], [self], [])
        except OSError as error:
            open_nothing(self.fileno())
            if self.fileno() == 2 or error.errno == errno.EPIPE:  # a reader that has ended, such as `head`
                return memoryview(data).nbytes
            why = error.strerror or error
            raise OutputError(f"standard output cannot be written ({why}); the rest of it is lost.") from error
        return written


def ask(question: str) -> bool:
    """Ask the person at the terminal, and return whether the answer is yes; without a terminal: no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def open_streams() -> None:
    """Make the standard streams safe to use: closed ones become the null device, so that no file takes their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            open_nothing(number)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = _open_stream(1, sys.stdout), _open_stream(2, sys.stderr)


def _open_stream(number: int, given: TextIO | None) -> TextIO:
    """Return the stream of a descriptor, as Python has opened it; characters that its encoding lacks are escaped."""
    buffer = io.BufferedWriter(_Stream(number, "wb", closefd=False))
    encoding, lines = (given.encoding, bool(given.line_buffering)) if given else ("utf-8", False)
    return io.TextIOWrapper(buffer, encoding, "backslashreplace", line_buffering=lines)


def open_nothing(number: int) -> None:
    """Let the descriptor `number` lead to the null device."""
    handle = os.open(os.devnull, os.O_RDWR)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)
