"""Publish a release to a folder: TARGET/<name>/<version>/, and the link TARGET/<name>/latest.

The copy is made in `.<version>.part` beside the versions, read back from there, and renamed into place. A copy that was
interrupted is continued: files that are there with the right digest stay.
"""

from __future__ import annotations

import os
from pathlib import Path
from shutil import rmtree

from malmoi.errors import CallError, DataError
from malmoi.releases.distribution.payload import Item, Payload, Published
from malmoi.releases.versions.latest import point_latest
from malmoi.storage.atomic_files import sync
from malmoi.storage.locks import hold_lock
from malmoi.storage.shard import sha256_of


def publish_to_folder(payload: Payload, target: Path) -> Published:
    """Copy the release durably; it appears complete or not at all.

    CallError if another process publishes there, or the folder has this version with other bytes.
    """
    versions = target / payload.name
    versions.mkdir(parents=True, exist_ok=True)
    final, part = versions / payload.version, versions / f".{payload.version}.part"

    def refuse(owner: str) -> CallError:
        return CallError(f"{versions} is in use by another publisher ({owner}); wait for it, and run this again.")

    with hold_lock(versions / ".publishing", refuse):
        if final.exists():
            _refuse_other(payload, final)
            kept = len(payload.items)
        else:
            kept = _fill(payload, part)
            part.rename(final)
            sync(versions)
        point_latest(versions)
    return Published(str(final), len(payload.items) - kept, kept)


def _refuse_other(payload: Payload, final: Path) -> None:
    differ = next((item for item in payload.items if not _is_there(final, item)), None)
    if differ is not None:
        raise CallError(
            f"{final} has this version with another {differ.path}, and a release is never edited. Publish the next "
            "version, or move that folder away if it is damaged."
        )


def _fill(payload: Payload, part: Path) -> int:
    """Write what is missing in the folder `part`, and read all of it back; return the number of files that stayed."""
    kept, wanted = 0, {part / item.path for item in payload.items}
    for left in (path for path in part.rglob("*") if path.is_symlink() or not path.is_dir()):
        if left not in wanted:
            left.unlink()
    for item in payload.items:
        if _is_there(part, item):
            kept += 1
        else:
            _write(payload, item, part / item.path)
    if damaged := [item.path for item in payload.items if not _is_there(part, item)]:
        rmtree(part)
        raise DataError(
            f"{part / damaged[0]}: reads back other bytes than were written. Check the disk, and run again."
        )
    for path in (*(path for path in part.rglob("*") if path.is_dir()), part):
        sync(path)
    return kept


def _write(payload: Payload, item: Item, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        payload.send(item, stream.write)
        stream.flush()
        os.fsync(stream.fileno())


def _is_there(folder: Path, item: Item) -> bool:
    path = folder / item.path
    return path.is_file() and path.stat().st_size == item.size and sha256_of(path) == item.sha256
