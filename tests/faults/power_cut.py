"""What a power cut leaves: names and bytes that no fsync made durable may be lost.

The model is that of a journaled file system (ext4, XFS): changes of names become durable in order, so a cut takes back
the last of them, and never one that came before an fsync of its folder. The bytes of a file that was not flushed after
its last write may be missing, cut or zero, also if its name is durable.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_EXEMPT = (".sqlite", ".sqlite-journal", ".sqlite-wal", ".sqlite-shm")  # SQLite flushes by itself
_OWN = {name: getattr(os, name) for name in ("rename", "unlink", "rmdir", "mkdir", "link", "symlink", "replace")}


class Journal:
    """The changes of this process that are not durable yet."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = roots
        self._undo: list[tuple[str, Callable[[], None]]] = []  # (folder, how to take the change back), in order
        self.flushed: dict[int, tuple[int, int]] = {}  # inode → (size, time of change) at its last fsync
        self._began = time.time_ns()
        self._held = Path(tempfile.mkdtemp(prefix="held-", dir=roots[0].parent)) if roots[0].parent.exists() else None
        self._number = 0

    def note_fsync(self, path: str, found: os.stat_result) -> None:
        """An fsync of a folder makes the changes of its names durable, and with them all that came before."""
        self.flushed[found.st_ino] = (found.st_size, found.st_mtime_ns)
        if stat.S_ISDIR(found.st_mode):
            last = max((at for at, (folder, _) in enumerate(self._undo) if folder == path), default=-1)
            del self._undo[: last + 1]

    def note_sync(self) -> None:
        """Everything so far is durable."""
        self._undo.clear()
        self._began = time.time_ns()

    def note_rename(self, source: Any, target: Any, *_: Any) -> Callable[[], None]:
        source, target = _spell(source), _spell(target)
        held = self._hold(target)

        def undo() -> None:
            _OWN["rename"](target, source)
            if held:
                _OWN["rename"](held, target)

        return lambda: self._undo.append((os.path.dirname(target), undo))

    def note_unlink(self, path: Any, *_: Any) -> Callable[[], None]:
        path = _spell(path)
        held = self._hold(path)
        return lambda: self._undo.append((os.path.dirname(path), lambda: _OWN["rename"](held, path) if held else None))

    def note_rmdir(self, path: Any, *_: Any) -> Callable[[], None]:
        path = _spell(path)
        return lambda: self._undo.append((os.path.dirname(path), lambda: _OWN["mkdir"](path)))

    def cut(self, dice: random.Random) -> None:
        """Take back what is not durable, as far as the dice say."""
        torn = [path for root in self._roots for path in root.rglob("*") if self._may_be_torn(path)]
        kept = dice.randint(0, len(self._undo))
        for path in sorted(torn):
            if dice.random() < 0.7:
                _tear(path, dice)
        for _, undo in reversed(self._undo[kept:]):
            try:
                undo()
            except OSError:  # a folder of it went too
                continue
        self.close()

    def close(self) -> None:
        if self._held is not None:
            shutil.rmtree(self._held, ignore_errors=True)

    def _hold(self, path: str) -> str:
        """Keep the file that a change overwrites or deletes; "" if there is none."""
        if self._held is None or not os.path.lexists(path) or (os.path.isdir(path) and not os.path.islink(path)):
            return ""
        self._number += 1
        held = f"{self._held}/{os.getpid()}-{self._number}"
        _OWN["link"](path, held, follow_symlinks=False)
        return held

    def _may_be_torn(self, path: Path) -> bool:
        if path.is_symlink() or not path.is_file() or path.name.endswith(_EXEMPT):
            return False
        found = path.stat()
        new = found.st_mtime_ns >= self._began
        return new and self.flushed.get(found.st_ino) != (found.st_size, found.st_mtime_ns)


def _tear(path: Path, dice: random.Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as stream:
        match dice.randrange(3):
            case 0:
                stream.truncate(0)
            case 1:
                stream.truncate(size // 2)
            case _:
                stream.write(b"\0" * size)


def _spell(path: Any) -> str:
    return os.path.abspath(os.fsdecode(path))
