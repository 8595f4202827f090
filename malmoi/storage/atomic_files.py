"""Atomic, durable writes of single files and whole folders: a temporary one, fsync, rename."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from malmoi.errors import CallError
from malmoi.storage.locks import is_open_file, try_lock

ATTEMPTS = 9  # to write one file


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a small file atomically, also while a run that takes the workspace deletes files that are not renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        for attempt in range(ATTEMPTS):
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            try:
                sync(part)
                part.replace(path)
                break
            except FileNotFoundError:  # deleted as a leftover of a killed run: malmoi/workspace.py
                if attempt == ATTEMPTS - 1:
                    raise
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file or folder to the disk (fsync): what is reported as done must survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def write_folder(target: Path, name: str) -> Iterator[Path]:
    """Create a folder beside `target`, and move it there when the body has ended without an error.

    CallError if `target` exists by then. The folder is `.TARGET.<32 hex digits>`. Its file `name`, which the body
    fills in place, is locked until it has moved: such folders of killed processes are deleted first, those of living
    ones stay.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target, name)
    folder = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    folder.mkdir()
    try:
        with (folder / name).open("a+") as stream:
            if not (_try_lock(stream, otherwise=True) and is_open_file(stream, folder / name)):
                raise FileNotFoundError(f"{folder} was deleted by another process")
            yield folder
            sync_below(folder)
            require_absent(target)
            folder.rename(target)
            sync(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(target: Path, name: str) -> None:
    """Delete the folders that killed processes left beside `target`."""
    for left in target.parent.iterdir():
        if re.fullmatch(rf"\.{re.escape(target.name)}\.[0-9a-f]{{32}}", left.name):
            with suppress(OSError), (left / name).open("r+") as stream:
                if _try_lock(stream, otherwise=False):
                    shutil.rmtree(left, ignore_errors=True)


def _try_lock(stream: IO[str], *, otherwise: bool) -> bool:
    """Return whether an open file is locked; `otherwise` on file systems without locks, where nothing is deleted."""
    try:
        return try_lock(stream)
    except OSError:
        return otherwise


def require_absent(target: Path) -> None:
    """Raise CallError if `target` exists."""
    if os.path.lexists(target):
        raise CallError(f"{target} exists; name a folder that does not. Nothing was overwritten.")


def sync_below(folder: Path) -> None:
    """Flush a folder to the disk, with all files and folders in it."""
    for path in (*folder.rglob("*"), folder):
        sync(path)
