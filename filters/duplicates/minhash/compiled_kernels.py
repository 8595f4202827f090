"""Kernels: loops that are interpreted for small inputs and compiled for large ones, with the same values.

To compile all of them takes 12 s of CPU on a machine that has not done so yet, more than a corpus of a few hundred
documents takes in all. So a kernel runs as NumPy or Python until it has seen enough, and numba is imported only then.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast, overload

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
COMPILE_AFTER: Final = 16_000_000  # elements that a process has given to a kernel; NumPy takes about 3 s for them
LOAD_AFTER: Final = 1_000_000  # the same where the kernel is compiled already and lies on the disk
INTERPRETED: Final = 16  # times as long as NumPy does an interpreted loop take for an element


class _CompileState(threading.local):
    kernel = False  # whether this thread runs an interpreted kernel, whose own calls are not counted


_INSIDE: Final = _CompileState()
_SAID: Final[list[str]] = []


class Kernel:
    """One loop in two forms; called like the function that it is made of."""

    def __init__(self, function: Callable[..., Any], plain: Callable[..., Any] | None, by: int, weight: int) -> None:
        self.function, self.plain, self.by = function, plain or function, by
        self.weight = weight if plain is not None else weight * INTERPRETED
        self.seen = 0  # elements of the argument `by`, weighed
        self.fast: Any = None  # the dispatcher of numba, as soon as it is wanted
        self.__doc__, self.__name__, self.__module__ = function.__doc__, function.__name__, function.__module__
        self.__wrapped__ = function

    def __call__(self, *args: Any) -> Any:
        """What the function gives for these arguments, by whichever form is cheaper so far."""
        if self.fast is not None:
            return self.fast(*args)
        if _INSIDE.kernel:
            return self.plain(*args)
        self.seen += self.weight * len(args[self.by])
        if self.seen >= LOAD_AFTER and (self.seen >= COMPILE_AFTER or self.is_kept()):
            return self.call_compiled(*args)
        _INSIDE.kernel = True
        try:
            with np.errstate(over="ignore"):  # numbers of 64 bits wrap, as they do where it is compiled
                return self.plain(*args)
        finally:
            _INSIDE.kernel = False

    def call_compiled(self, *args: Any) -> Any:
        """Call the compiled form, which from now on is the only one; it is compiled by one process at a time."""
        dispatcher = self.dispatcher
        with _hold_compile_lock(self._folder()):
            if not self.is_kept() and not _SAID:
                _SAID.append(self.__name__)
                print(_compile_notice(self._folder()), file=sys.stderr, flush=True)
            found = dispatcher(*args)
        self.fast = dispatcher
        return found

    @property
    def dispatcher(self) -> Any:
        """The function as numba compiles it."""
        if not hasattr(self, "_dispatcher"):
            self._dispatcher = _dispatcher(self.function)
        return self._dispatcher

    def is_kept(self) -> bool:
        """Whether a compiled form lies on the disk; asked without numba, whose import takes half a second."""
        return any(True for _ in _find_cached_indexes(self.function))

    def _folder(self) -> Path | None:
        path = getattr(self.dispatcher.stats, "cache_path", None)
        return Path(path) if path else None


def use_compiled(kernels: Iterable[Any], *, compile: bool = False) -> None:
    """Have kernels whose compiled form lies on the disk use it from their next call on; with `compile` all of them."""
    for kernel in kernels:
        if compile or kernel.is_kept():
            kernel.seen = COMPILE_AFTER


def _find_cached_indexes(function: Callable[..., Any]) -> Iterator[Path]:
    """The index files of numba for a function, where it looks for them."""
    file = Path(function.__code__.co_filename)
    name = f"{file.stem}.{function.__qualname__}-*.nbi"
    if folder := os.environ.get("NUMBA_CACHE_DIR"):
        yield from Path(folder).glob(f"*/{name}")
    else:
        yield from (file.parent / "__pycache__").glob(name)
        yield from (Path.home() / ".cache" / "numba").glob(f"*/{name}")


@overload
def jit_kernel(function: F) -> F: ...


@overload
def jit_kernel(*, plain: Callable[..., Any] | None = None, by: int = 0, weight: int = 1) -> Callable[[F], F]: ...


def jit_kernel(
    function: F | None = None, *, plain: Callable[..., Any] | None = None, by: int = 0, weight: int = 1
) -> Any:
    """`function` as a Kernel; `plain` is it with NumPy, `weight` what it does for an element of argument number `by`.

    Compiled forms run without the GIL and are kept in NUMBA_CACHE_DIR where that is set, else in `__pycache__` beside
    the file, else in the user's cache folder; where none of them can be written they are compiled anew in each process.
    A kernel that calls one of another file is not compiled again when that file changes.
    """
    if function is None:
        return lambda given: cast(Any, Kernel(given, plain, by, weight))
    return Kernel(function, plain, by, weight)


def _dispatcher(function: Callable[..., Any]) -> Any:
    import numba
    from numba.core import types
    from numba.extending import typeof_impl

    if Kernel not in typeof_impl.registry:
        typeof_impl.register(Kernel)(lambda kernel, _: types.Dispatcher(kernel.dispatcher))
    try:
        return numba.njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError:  # "no locator available": nowhere to keep it
        return numba.njit(function, nogil=True, error_model="numpy")


def _compile_notice(folder: Path | None) -> str:
    where = f"They are kept in {folder} and loaded from there next time." if folder else "They can be kept nowhere."
    return f"malmoi: compiling the kernels of deduplication for this machine (about 12 s of CPU, once). {where}"


@contextmanager
def _hold_compile_lock(folder: Path | None) -> Iterator[None]:
    """No other process compiles meanwhile: whoever waited finds the result on the disk."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".compiling").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
