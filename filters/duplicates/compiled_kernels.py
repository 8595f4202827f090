"""JIT kernels: loops that are interpreted for small inputs and compiled by numba for large ones, with equal results.

Compiling all of them takes 12 s of CPU on a new machine, more than a corpus of a few hundred documents takes in all.
So a kernel runs as NumPy or Python until it has processed enough elements; only then is numba imported.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, cast, overload

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
COMPILE_AFTER: Final = 16_000_000  # elements processed by a kernel in this process; NumPy takes about 3 s for them
LOAD_AFTER: Final = 1_000_000  # the same if a compiled form is cached on disk
INTERPRETED: Final = 16  # factor by which an interpreted loop is slower than NumPy, for an element


class _CompileState(threading.local):
    kernel = False  # whether this thread is inside an interpreted kernel, whose own calls are not counted


_INSIDE: Final = _CompileState()
_SAID: Final[list[str]] = []


class Kernel:
    """One loop in two forms, interpreted and compiled; call it like the wrapped function."""

    def __init__(self, function: Callable[..., Any], plain: Callable[..., Any] | None, by: int, weight: int) -> None:
        self.function, self.plain, self.by = function, plain or function, by
        self.weight = weight if plain is not None else weight * INTERPRETED
        self.seen = 0  # weighted number of elements of the argument `by`
        self.look_at = 0  # value of `seen` from which the cache on disk is searched again
        self.fast: Any = None  # the dispatcher of numba, once compiled
        self.__doc__, self.__name__, self.__module__ = function.__doc__, function.__name__, function.__module__
        self.__wrapped__ = function

    def __call__(self, *args: Any) -> Any:
        """Return the result of the function, by the form that is cheaper so far."""
        if self.fast is not None:
            return self.fast(*args)
        if _INSIDE.kernel:
            return self.plain(*args)
        self.seen += self.weight * len(args[self.by])
        worth = self.seen >= COMPILE_AFTER
        if not worth and self.seen >= max(LOAD_AFTER, self.look_at):
            self.look_at = 2 * self.seen  # a search reads two folders
            worth = self.is_kept()
        if worth:
            return self.call_compiled(*args)
        _INSIDE.kernel = True
        try:
            with np.errstate(over="ignore"):  # 64-bit numbers wrap, as in compiled code
                return self.plain(*args)
        finally:
            _INSIDE.kernel = False

    def call_compiled(self, *args: Any) -> Any:
        """Call the compiled form and use it from now on; one process at a time compiles."""
        dispatcher = self.dispatcher
        folder = self._folder()
        with ExitStack() as stack:
            if folder is not None:  # a process that waited loads the result from disk
                folder.mkdir(parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context((folder / ".compiling").open("a")), fcntl.LOCK_EX)
            if not self.is_kept() and not _SAID:
                _SAID.append(self.__name__)
                cached = f"They are cached in {folder} for the next run." if folder else "No cache folder is writable."
                about = "compiling the kernels of deduplication for this machine (about 12 s of CPU, once)"
                print(f"malmoi: {about}. {cached}", file=sys.stderr, flush=True)
            result = dispatcher(*args)
        self.fast = dispatcher
        return result

    @cached_property
    def dispatcher(self) -> Any:
        """The numba dispatcher of the function."""
        import numba
        from numba.core import types
        from numba.extending import typeof_impl

        if Kernel not in typeof_impl.registry:
            typeof_impl.register(Kernel)(lambda kernel, _: types.Dispatcher(kernel.dispatcher))
        try:
            return numba.njit(self.function, nogil=True, error_model="numpy", cache=True)
        except RuntimeError:  # "no locator available": no writable cache folder
            return numba.njit(self.function, nogil=True, error_model="numpy")

    def is_kept(self) -> bool:
        """Whether a compiled form is cached on disk; checked without numba, whose import takes half a second."""
        file = Path(self.function.__code__.co_filename)
        name = f"{file.stem}.{self.function.__qualname__}-*.nbi"
        places = [(file.parent / "__pycache__", name), (Path.home() / ".cache" / "numba", f"*/{name}")]
        if folder := os.environ.get("NUMBA_CACHE_DIR"):
            places = [(Path(folder), f"*/{name}")]
        return any(True for place, pattern in places for _ in place.glob(pattern))

    def _folder(self) -> Path | None:
        path = getattr(self.dispatcher.stats, "cache_path", None)
        return Path(path) if path else None


def use_compiled(kernels: Iterable[Any], *, compile: bool = False) -> None:
    """Let kernels with a cached compiled form use it from the next call on; with `compile`, compile all of them."""
    for kernel in kernels:
        if compile or kernel.is_kept():
            kernel.seen = COMPILE_AFTER


@overload
def jit_kernel(function: F) -> F: ...


@overload
def jit_kernel(*, plain: Callable[..., Any] | None = None, by: int = 0, weight: int = 1) -> Callable[[F], F]: ...


def jit_kernel(
    function: F | None = None, *, plain: Callable[..., Any] | None = None, by: int = 0, weight: int = 1
) -> Any:
    """Decorate `function` as a Kernel; `plain` is the NumPy form, `weight` the work for an element of argument `by`.

    Compiled forms run without the GIL and are cached in NUMBA_CACHE_DIR if set, else in `__pycache__` next to the
    file, else in the user's cache folder; if none is writable, each process compiles anew.
    Warning: a kernel that calls one of another file is not compiled again when that file changes.
    """
    if function is None:
        return lambda given: cast(Any, Kernel(given, plain, by, weight))
    return Kernel(function, plain, by, weight)
