"""Download the content of placeholders before it is read (malmoi/storage/placeholders.py)."""

from __future__ import annotations

from pathlib import Path

from malmoi.storage.location import find_copy_root
from malmoi.storage.placeholders import is_placeholder


def fetch(*paths: Path) -> None:
    """Download the content of those of these files that are placeholders.

    StageError if the bucket does not answer, or another run has changed or deleted the file meanwhile.
    """
    missing = [path.absolute() for path in paths if is_placeholder(path)]
    for root in dict.fromkeys(filter(None, map(find_copy_root, missing))):
        from malmoi.storage.working_copy import find_copy

        if copy := find_copy(root):
            copy.fetch([path.relative_to(root).as_posix() for path in missing if path.is_relative_to(root)])


def fetch_below(folder: Path) -> None:
    """Download the content of all placeholders in `folder` and below; other folders are left alone."""
    root = find_copy_root(folder.absolute())
    if root is None:
        return
    from malmoi.storage.working_copy import find_copy

    if copy := find_copy(root):
        below = folder.absolute().relative_to(root).as_posix()
        copy.fetch_below(["" if below == "." else below])
