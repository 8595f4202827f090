"""Download the content of placeholders before it is read (malmoi/storage/placeholders.py)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from malmoi.storage.location import find_copy_root
from malmoi.storage.placeholders import is_placeholder

if TYPE_CHECKING:
    from malmoi.storage.working_copy import WorkingCopy


def fetch(*paths: Path) -> None:
    """Download the content of those of these files that are placeholders.

    StageError if the bucket does not answer, or another run has changed or deleted the file meanwhile.
    """
    places = list(filter(None, map(_find_place, filter(is_placeholder, paths))))
    for copy in dict.fromkeys(copy for copy, _ in places):
        copy.fetch([path for other, path in places if other is copy])


def fetch_below(folder: Path) -> None:
    """Download the content of all placeholders in `folder` and below; other folders are left alone."""
    if place := _find_place(folder):
        place[0].fetch_below([place[1]])


def renew(path: Path) -> bool:
    """Download again what differs from the bucket, of a file or a folder that turned out to be damaged.

    Returns whether anything did; False outside of a local copy, and for what is the same in the bucket.
    """
    place = _find_place(path)
    return place is not None and place[0].renew(place[1])


def count_objects(folder: Path) -> int:
    """Return how many objects the bucket has below a folder of a local copy; 0 for other folders."""
    place = _find_place(folder)
    return sum(1 for _ in place[0].bucket.list_objects(place[1])) if place else 0


def _find_place(path: Path) -> tuple[WorkingCopy, str] | None:
    """Return the local copy of a bucket that contains a file or folder, and its path there; None outside of one."""
    root = find_copy_root(path.absolute())
    if root is None:
        return None
    from malmoi.storage.working_copy import find_copy

    copy, below = find_copy(root), path.absolute().relative_to(root).as_posix()
    return (copy, "" if below == "." else below) if copy else None
