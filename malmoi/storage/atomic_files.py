"""Atomic, durable writes of single files: a temporary file, fsync, rename."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

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
