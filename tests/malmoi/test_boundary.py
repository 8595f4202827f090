"""What a library raises about one input is a verdict about that input."""

import errno

import pytest

from malmoi.boundary import input_errors
from malmoi.errors import CallError
from tests.builders.rows import each_row


class Refused(Exception):
    """The verdict of these tests."""


class PanicException(BaseException):  # as pyo3 names it
    """A panic of compiled Rust, which no `except Exception` catches."""


@each_row(
    "raised",
    [LookupError("x"), ValueError("x"), AttributeError("x"), MemoryError(), RecursionError(), OSError("bad"),
     EOFError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), AssertionError(), StopIteration(), PanicException("x")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_an_exception_about_the_input_is_translated_by_its_name(raised):
    with pytest.raises(Refused, match=type(raised).__name__), input_errors(Refused):
        raise raised


@pytest.mark.parametrize(
    "raised",
    [CallError("x"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_about_us_travels_on(raised):
    with pytest.raises(type(raised)), input_errors(Refused):
        raise raised


def test_classes_to_keep_travel_on():
    with pytest.raises(KeyError), input_errors(Refused, KeyError):
        raise KeyError("x")
