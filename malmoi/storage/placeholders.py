"""Placeholders: files of a local copy whose content is still in the bucket, and is downloaded before it is read.

A placeholder has the name and the size of its file, holds no block of the disk, and was last changed one second after
1970 began, so that it is known without a record. Archives of captures and the tables of stages and releases are
downloaded so. A reader of one calls `malmoi.storage.on_demand.fetch` first; without, it reads zeros, which no format
accepts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from malmoi.workspace_layout import is_bulk

CHANGED: Final = 1_000_000_000  # st_mtime_ns of a placeholder
LARGE: Final = 1 << 16  # bytes from which a file becomes a placeholder: less costs no more than its request


def is_placeholder(path: Path) -> bool:
    """Return whether the content of a file is not here."""
    try:
        return path.stat().st_mtime_ns == CHANGED
    except OSError:
        return False


def is_large(path: str, size: int) -> bool:
    """Return whether the file at `path`, relative to its workspace, is a placeholder until it is read."""
    return size >= LARGE and is_bulk(path)


def make_placeholder(path: Path, size: int) -> None:
    """Write a placeholder of `size` bytes."""
    with path.open("wb") as stream:
        stream.truncate(size)
    os.utime(path, ns=(CHANGED, CHANGED))
