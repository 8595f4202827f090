"""A reader in a forked process ends alone: out of memory, out of time, by a crash."""

from __future__ import annotations

import os
import signal

import pytest

from crawlers.formats.pdf.pdf_pages import ReaderDied, call_isolated
from crawlers.formats.unreadable import Unreadable
from malmoi.limits import InputLimit
from malmoi.processes.workers import Broken, Done, Workers, attempt

MEMORY = InputLimit("small_memory", 64 << 20, "bytes", "of a test")
SECONDS = InputLimit("small_seconds", 1, "seconds", "of a test")


def test_the_answer_comes_back():
    assert call_isolated(lambda: {"낱말": [1, 2]}, MEMORY, SECONDS) == {"낱말": [1, 2]}


def test_an_answer_larger_than_a_pipe_comes_back():
    assert len(call_isolated(lambda: b"x" * 5_000_000, MEMORY, SECONDS)) == 5_000_000


def test_a_verdict_comes_back_with_its_limit():
    def read() -> None:
        raise Unreadable("too-large", MEMORY)

    with pytest.raises(Unreadable) as said:
        call_isolated(read, MEMORY, SECONDS)
    assert (said.value.reason, said.value.limit) == ("too-large", MEMORY)


@pytest.mark.parametrize(
    ("read", "how"),
    [
        (lambda: bytearray(1 << 30), "MemoryError"),
        (lambda: os.abort(), "SIGABRT"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
        (lambda: {}["no"], "KeyError"),
        (lambda: os._exit(3), "exit status 3"),
    ],
)
def test_another_end_is_named(read, how):
    with pytest.raises(ReaderDied) as said:
        call_isolated(read, MEMORY, SECONDS)
    assert said.value.how == how


def _spin() -> None:
    while True:
        pass


def test_without_a_budget_the_limit_of_the_door_holds():
    with pytest.raises(Unreadable) as said:
        call_isolated(_spin, MEMORY, SECONDS)
    assert (said.value.reason, said.value.limit) == ("too-large", SECONDS)


def _spinning(_: None):
    return lambda batch: [attempt(lambda _: call_isolated(_spin, MEMORY, SECONDS), one) for one in batch]


def test_in_a_worker_the_document_spends_its_own_budget():
    with Workers(1, cpu_seconds=0.5) as pool:
        ((_, answer),) = pool.map(_spinning, None, [[1]], lambda batch: [[one] for one in batch])
    assert answer == Broken("cpu-limit") or answer == Done([Broken("cpu-limit")])
