"""Process isolation: run a library that allocates without limit in a forked process with its own memory limit.

An abort, `std::bad_alloc` or crash of the library ends the child, not the caller, which gets a verdict. The child
has the remaining CPU budget of the caller, and a document that exhausts it fails as if it had been read in the
caller's process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors
from malmoi.limits import InputLimit

R = TypeVar("R")

_STATM = Path("/proc/self/statm")  # size of the address space in pages; Linux


class ReaderDied(Exception):
    """The child ended without an answer; `how` names its exception or signal."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


def call_isolated(read: Callable[[], R], memory: InputLimit, seconds: InputLimit) -> R:
    """Call `read()` in a forked process whose address space may grow by `memory`; the result must be picklable.

    The process may use the CPU budget of the worker's document, or `seconds` of CPU without a budget. Raises
    the Unreadable that `read` raises, `too-large` after `seconds`, and ReaderDied for every other end.
    """
    budget = signal.getitimer(signal.ITIMER_PROF)[0]  # seconds of CPU; 0.0 if this process has no budget
    come, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(come)
        _answer(read, go, memory.value, budget or seconds.value)
    os.close(go)
    try:
        with os.fdopen(come, "rb") as stream:
            said = stream.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGPROF:
            if budget:
                signal.raise_signal(signal.SIGPROF)
            raise Unreadable("too-large", seconds)
        raise ReaderDied(signal.Signals(os.WTERMSIG(status)).name)
    answer = pickle.loads(said) if said else ReaderDied(f"exit status {os.waitstatus_to_exitcode(status)}")
    if isinstance(answer, Exception):
        raise answer
    found: R = answer[0]
    return found


def _answer(read: Callable[[], Any], go: int, memory: int, budget: float) -> NoReturn:
    """In the child: write the result of `read`, and exit without the interpreter's shutdown."""
    answer: object
    try:
        _set_limits(memory, budget)
        with input_errors(ReaderDied, Unreadable):
            answer = (read(),)
    except Unreadable as error:
        answer = error
    except BaseException as error:  # a forked child may return nothing but its answer
        answer = error if isinstance(error, ReaderDied) else ReaderDied(type(error).__name__)
    with contextlib.suppress(BaseException), os.fdopen(go, "wb") as stream:
        stream.write(pickle.dumps(answer))
    os._exit(0)


def _set_limits(memory: int, budget: float) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, budget)  # a child does not inherit timers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno() if sys.__stderr__ else 2)
    if _STATM.exists():
        now = int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        ends = [limit for limit in (now + memory, soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(ends), hard))
