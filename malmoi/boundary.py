"""Translate exceptions of libraries that parse untrusted input into errors about that input.

A parser documents some of its exceptions and raises others (LookupError of a codec, ValueError of an
XML tree, a panic of compiled Rust). A list of them is never complete. So every exception is translated,
except those about this machine or about Malmoi itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from malmoi.errors import MalmoiError

_PANIC = "PanicException"  # pyo3 derives it from BaseException, in a module that cannot be imported


@contextmanager
def input_errors(translate: Callable[[str], Exception], *keep: type[BaseException]) -> Iterator[None]:
    """Raise `translate(<class name of the exception>)` for an exception that the body raises about its input.

    Not translated: exceptions of the classes in `keep`, MalmoiError, errors of the machine (OSError with
    an errno), and a cancelled or interrupted run. The message of the exception is not used: it may hold
    text of a document.

    >>> with input_errors(lambda name: ValueError(f"unreadable ({name})")):
    ...     "".encode("no-such-codec")
    Traceback (most recent call last):
    ...
    ValueError: unreadable (LookupError)
    """
    ours: tuple[type[BaseException], ...] = (MalmoiError, *keep)
    try:
        yield
    except ours:
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise translate(type(error).__name__) from error
    except Exception as error:
        raise translate(type(error).__name__) from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise translate(_PANIC) from error
