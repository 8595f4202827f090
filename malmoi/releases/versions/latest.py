"""Put a finished version in its place, and point `latest` to the highest version.

`latest` is a relative symbolic link beside the versions. It is renamed into place after a version is complete, so that
a reader sees the version before or the new one, never a part of either.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from shutil import rmtree
from typing import Final

from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.storage.atomic_files import sync
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LATEST

_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
SUMS: Final = "SHA256SUMS"
_UNFINISHED: Final = ".latest-"  # a link that a killed process has not renamed


def put_version(workspace: Workspace, folder: Path, target: Path) -> None:
    """Move the finished release `folder` to `target` in one step, and point `latest` to the highest version.

    CallError if another publisher has made this version meanwhile: nothing is overwritten.
    """
    workspace.move_into_place(folder, target)
    if folder.exists():
        raise CallError(
            f"{target.parent.name} {target.name} was published by another run meanwhile; nothing was overwritten. "
            "Run the same command again: it takes the next version; finished stages are not repeated."
        )
    point_latest(target.parent)


def point_latest(versions: Path) -> None:
    """Point `latest` in the folder `versions` to its highest complete version; repairs it after a kill.

    A folder `latest` that repeats a version, as tools that follow links copy it, becomes a link again. CallError if
    `latest` is another folder.
    """
    for left in versions.glob(f"{_UNFINISHED}*"):
        left.unlink(missing_ok=True)
    link = versions / LATEST
    while (highest := find_highest(versions)) and not (link.is_symlink() and link.readlink() == Path(highest)):
        if link.is_dir() and not link.is_symlink() and _repeats_version(link):
            rmtree(link)
        part = versions / f"{_UNFINISHED}{uuid.uuid4().hex}"
        part.symlink_to(highest)
        try:
            part.replace(link)
        except IsADirectoryError as error:
            part.unlink()
            raise CallError(f"{link} is a folder, not the link to a version; move it away, and run again.") from error
    sync(versions)


def _repeats_version(folder: Path) -> bool:
    try:
        version = manifests.read(folder).version
        return (folder / SUMS).read_bytes() == (folder.parent / version / SUMS).read_bytes()
    except (OSError, DataError):
        return False


def find_highest(versions: Path) -> str:
    """Return the highest version with a manifest in the folder `versions`; "" if none is complete."""
    found = (path.name for path in versions.iterdir() if _VERSION.fullmatch(path.name))
    complete = [name for name in found if (versions / name / manifests.NAME).is_file()]
    return max(complete, key=lambda name: [int(part) for part in name.split(".")], default="")
