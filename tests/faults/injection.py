"""Inject one fault into this process: each call on files below chosen folders is a point where it may strike.

Python calls the operating system through a few functions of `os` and `io`, and Arrow through a few of its own; they are
replaced here. A point has a label, as `replace 3-clean/*/ledger.json`; a fault strikes at the n-th point of a label, so
that the same seed strikes at the same place. Kills end the process at once. A power cut first takes back what no fsync
made durable (tests/faults/power_cut.py).
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.power_cut import Journal

READS = frozenset({"read", "list"})
REMOTE = frozenset({"put", "get", "ask", "drop"})  # requests to the object store
END = "end"  # the point after the last call of a process
_NAMES = re.compile(r"[0-9a-f]{12,}|part-\w+|split-\d+|[0-9]{4,}")


@dataclass(frozen=True)
class Fault:
    """What happens, at which point: `kind` strikes at the `number`-th point called `label`."""

    kind: str  # kill, power, full, io, clock; of a store: lost (before), unanswered (after)
    label: str = END
    number: int = 0
    seed: int = 0
    flush: bool = True  # False: the disk ignores fsync

    def describe(self) -> str:
        return f"{self.kind} at {self.label} #{self.number}"


class Injector:
    """Counts the points of this process, and lets its fault strike; `log` has their labels in order."""

    def __init__(self, roots: tuple[Path, ...], fault: Fault | None, remote: tuple[Path, ...] = ()) -> None:
        """`remote` are the folders of object stores: a power cut here does not reach them."""
        self.roots = [f"{root}/" for root in (*roots, *remote)]
        self.fault = fault
        self.role = "main"
        self.log: list[str] = []
        self.seen: Counter[str] = Counter()
        self.struck = False
        self.full = False
        self.shift = timedelta()
        self.journal = Journal(roots)
        self.dice = random.Random(fault.seed if fault else 0)
        self._lock = threading.RLock()

    def label(self, op: str, path: Any) -> str:
        """The label of a call on `path`; "" if it lies outside of the folders."""
        try:
            name = os.path.abspath(os.fsdecode(path))
        except TypeError:  # a file descriptor
            return ""
        root = next((one for one in self.roots if name.startswith(one)), "")
        return f"{op} {_NAMES.sub('*', name[len(root) :])}" if root else ""

    def strike(self, op: str, path: Any, tear: Callable[[], None] | None = None) -> None:
        """Pass one point; `tear` does the call by half, which a fault may leave behind."""
        label = self.label(op, path)
        if not label or threading.current_thread().name == "lease":
            return
        with self._lock:
            label = label if self.role == "main" else f"{self.role}: {label}"
            number, self.seen[label] = self.seen[label], self.seen[label] + 1
            self.log.append(label)
            fault = self.fault
            if self.full and op not in READS | REMOTE | {"unlink", "rmdir"}:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsdecode(path))
            if fault is None or self.struck or (fault.label, fault.number) != (label, number):
                return
            self.struck = True
            self._do(fault.kind, path, tear if self.dice.random() < 0.5 else None)

    def finish(self) -> None:
        """Pass the point behind the last call: a power cut after the command has reported that it is done."""
        if self.fault is not None and self.fault.label == END:
            self.struck = True
            self._do(self.fault.kind, "", None)

    def _do(self, kind: str, path: Any, tear: Callable[[], None] | None) -> None:
        if kind == "clock":
            self.shift = timedelta(seconds=self.dice.choice((-1, 1)) * self.dice.randrange(60, 60 * 60 * 24 * 40))
            return
        if kind == "lost":
            raise _request_error("injected: connection reset by peer")
        if tear is not None:
            tear()
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "power":
            self.journal.cut(self.dice)
            os.killpg(0, signal.SIGKILL)  # the crawler too
        code = errno.ENOSPC if kind == "full" else errno.EIO
        self.full = kind == "full"
        raise OSError(code, os.strerror(code), os.fsdecode(path))

    def strikes_after(self, op: str, path: Any) -> bool:
        """Whether the answer to the request that `strike` is about to pass will be lost."""
        label, fault = self.label(op, path), self.fault
        here = fault is not None and fault.kind == "unanswered" and fault.label == label
        return bool(here and fault and self.seen[label] == fault.number and not self.struck)

    def now(self) -> datetime:
        """The clock of the simulation: it only moves when it jumps."""
        return datetime(2026, 11, 29, 3, 4, 5, tzinfo=UTC) + self.shift


def _request_error(says: str) -> Exception:
    import obstore.exceptions

    return obstore.exceptions.GenericError(says)


def lose_answer() -> None:
    raise _request_error("injected: the connection was closed before the answer")


class _Watched:
    """A file open for writing whose writes are points."""

    def __init__(self, file: Any, path: Any, injector: Injector) -> None:
        self.__dict__.update(_file=file, _path=path, _injector=injector)

    def write(self, data: Any) -> Any:
        half = data[: len(data) // 2]
        self._injector.strike("write", self._path, lambda: (self._file.write(half), self._file.flush()))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._file, name, value)

    def __enter__(self) -> _Watched:
        self._file.__enter__()
        return self

    def __exit__(self, *about: Any) -> Any:
        return self._file.__exit__(*about)

    def __iter__(self) -> Any:
        return iter(self._file)


def install(injector: Injector) -> None:
    """Replace the functions through which this process reaches files."""
    _watch_open(injector)
    _watch_os(injector)
    _watch_arrow(injector)


def _watch_open(injector: Injector) -> None:
    plain = io.open

    def watched(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if isinstance(file, int):
            return plain(file, mode, *rest, **named)
        writes = any(letter in mode for letter in "wax+")
        injector.strike("open" if writes else "read", file)
        opened = plain(file, mode, *rest, **named)
        return _Watched(opened, file, injector) if writes and injector.label("write", file) else opened

    io.open = builtins.open = watched  # type: ignore[assignment]


def _watch_os(injector: Injector) -> None:
    journal, plain_open = injector.journal, os.open

    def watched_open(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) and not named.get("dir_fd"):
            injector.strike("open", path)
        return plain_open(path, flags, *rest, **named)

    def watch(name: str, op: str, note: Callable[..., Callable[[], None]] | None = None) -> None:
        plain = getattr(os, name)

        def watched(path: Any = ".", *rest: Any, **named: Any) -> Any:
            where = path
            if isinstance(descriptor := named.get("dir_fd"), int):  # rmtree
                where = os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), os.fsdecode(path))
            elif isinstance(path, int):
                where = os.readlink(f"/proc/self/fd/{path}")
            target = rest[0] if name in ("rename", "replace", "link", "symlink") else where
            injector.strike(op, target)
            done = note(where, *rest) if note is not None and injector.label(op, target) else None
            result = plain(path, *rest, **named)
            if done is not None:
                done()
            return result

        setattr(os, name, watched)

    os.open = watched_open
    watch("rename", "rename", journal.note_rename)
    watch("replace", "replace", journal.note_rename)
    watch("unlink", "unlink", journal.note_unlink)
    watch("remove", "unlink", journal.note_unlink)
    watch("rmdir", "rmdir", journal.note_rmdir)
    watch("mkdir", "mkdir")
    watch("symlink", "symlink")
    watch("link", "link")
    watch("listdir", "list")
    watch("scandir", "list")

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        injector.strike("fsync", path)
        if injector.fault is None or injector.fault.flush:
            journal.note_fsync(path, os.fstat(descriptor))  # the disk itself is not asked: only the journal counts

    os.fsync = fsync


def _watch_arrow(injector: Injector) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def tear(path: Any) -> None:
        size = os.path.getsize(path) if os.path.exists(path) else 0
        with builtins.open(path, "ab") as stream:
            stream.truncate(size // 2)

    def watch(owner: Any, name: str, op: str, at: int = 0) -> None:
        plain = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            if isinstance(given[at], (str, os.PathLike)):
                injector.strike(op, given[at], None if op == "read" else lambda: tear_after(plain, given, named))
            return plain(*given, **named)

        def tear_after(plain: Any, given: Any, named: Any) -> None:
            plain(*given, **named)
            tear(given[at])

        setattr(owner, name, watched)

    watch(pq, "write_table", "write", 1)
    watch(pa, "memory_map", "read")
    watch(pa.ipc, "new_file", "write")

    class Writer(pq.ParquetWriter):  # type: ignore[misc]
        def __init__(self, where: Any, *rest: Any, **named: Any) -> None:
            self._path = where
            injector.strike("open", where)
            super().__init__(where, *rest, **named)

        def close(self) -> None:
            if self.is_open and isinstance(self._path, (str, os.PathLike)):
                injector.strike("write", self._path)
            super().close()

    class File(pq.ParquetFile):  # type: ignore[misc]
        def __init__(self, source: Any, *rest: Any, **named: Any) -> None:
            if isinstance(source, (str, os.PathLike)):
                injector.strike("read", source)
            super().__init__(source, *rest, **named)

    pq.ParquetWriter, pq.ParquetFile = Writer, File
