"""Copies of a finished release at other places: a folder (here), S3-compatible storage, a dataset hub.

The files of a release are copied in the order of a Payload; damage is found while reading. The copy in a folder,
TARGET/<name>/<version>/ with the link TARGET/<name>/latest, is made in `.<version>.part` beside the versions, read back
from there, and renamed into place. A copy that was interrupted is continued: files that are there with the right digest
stay.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Final

from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import sha256sums, untrusted_files
from malmoi.releases.verification.sha256sums import SIGNATURE, STAMP
from malmoi.releases.version_history import point_latest
from malmoi.storage.atomic_files import sync
from malmoi.storage.locks import hold_lock
from malmoi.storage.shard import sha256_of

LAST: Final = (manifests.NAME, SIGNATURE, STAMP, sha256sums.NAME)  # a copy without them is not a release yet
_NAME: Final = re.compile(r"\w[\w.-]{0,99}")  # name and version are folders of the target
_BLOCK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the release: path relative to it, bytes, sha256 (hex)."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Payload:
    """A finished release to be copied; `items` ends with the files of LAST."""

    folder: Path
    name: str
    version: str
    root: str
    items: tuple[Item, ...]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(item.size for item in self.items)

    @property
    def sums(self) -> Item:
        """Return SHA256SUMS, whose digest identifies the whole release."""
        return self.items[-1]

    def send(self, item: Item, write: Callable[[bytes], object]) -> None:
        """Pass the bytes of a file to `write`; DataError if they are not those of SHA256SUMS."""
        digest = hashlib.sha256()
        with (self.folder / item.path).open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                write(block)
        if digest.hexdigest() != item.sha256:
            raise DataError(
                f"{self.folder / item.path}: differs from SHA256SUMS; the copy is not complete. "
                "See `malmoi verify`, restore the file, and run the same command again."
            )


@dataclass(frozen=True, slots=True)
class Published:
    """A copy of a release: where it is, how many files were copied and how many were there already."""

    place: str
    copied: int
    kept: int


def read_payload(folder: Path) -> Payload:
    """List the files of the release in `folder`; DataError if they are not those of SHA256SUMS, or unsafe."""
    if refused := untrusted_files.find(folder):
        raise DataError(f"{folder}: {refused[0][1]}: {refused[0][2]}. See `malmoi verify`; nothing was copied.")
    made = manifests.read(folder)
    if not (_NAME.fullmatch(made.name) and _NAME.fullmatch(made.version)):
        raise DataError(f"{folder}: name or version of {manifests.NAME} cannot be a folder. See `malmoi verify`.")
    try:
        sums = sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / sha256sums.NAME}: cannot be read ({error}). See `malmoi verify`.") from error
    present = {sha256sums.relative_name(folder, path) for path in sha256sums.entries(folder)}
    if differ := sorted(present ^ sums.keys()):
        raise DataError(f"{folder}: {differ[0]} is missing or extra. See `malmoi verify`; nothing was copied.")
    sums |= {name: sha256_of(folder / name) for name in sha256sums.UNLISTED if (folder / name).exists()}
    names = sorted(sums, key=lambda name: (LAST.index(name) if name in LAST else -1, name))
    items = tuple(Item(name, (folder / name).stat().st_size, sums[name]) for name in names)
    return Payload(folder, made.name, made.version, made.root, items)


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
            if differ := [item.path for item in payload.items if not _is_there(final, item)]:
                raise CallError(
                    f"{final} has this version with another {differ[0]}, and a release is never edited. Publish the "
                    "next version, or move that folder away if it is damaged."
                )
            kept = len(payload.items)
        else:
            kept = _fill(payload, part)
            part.rename(final)
            sync(versions)
        point_latest(versions)
    return Published(str(final), len(payload.items) - kept, kept)


def _fill(payload: Payload, part: Path) -> int:
    """Write what is missing in the folder `part`, and read all of it back; return the number of files that stayed."""
    kept, wanted = 0, {part / item.path for item in payload.items}
    for stray in (path for path in part.rglob("*") if path.is_symlink() or not path.is_dir()):
        if stray not in wanted:
            stray.unlink()
    for item in payload.items:
        if _is_there(part, item):
            kept += 1
        else:
            (part / item.path).parent.mkdir(parents=True, exist_ok=True)
            with (part / item.path).open("wb") as stream:
                payload.send(item, stream.write)
                stream.flush()
                os.fsync(stream.fileno())
    if damaged := [item.path for item in payload.items if not _is_there(part, item)]:
        rmtree(part)
        raise DataError(
            f"{part / damaged[0]}: reads back other bytes than were written. Check the disk, and run again."
        )
    for path in (*(path for path in part.rglob("*") if path.is_dir()), part):
        sync(path)
    return kept


def _is_there(folder: Path, item: Item) -> bool:
    path = folder / item.path
    return path.is_file() and path.stat().st_size == item.size and sha256_of(path) == item.sha256
