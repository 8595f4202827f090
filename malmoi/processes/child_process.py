"""End a child process when its parent dies, even by `kill -9`."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with_parent(number: signal.Signals) -> None:
    """Ask the kernel to send this process signal `number` when its parent dies; a `preexec_fn`, on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
