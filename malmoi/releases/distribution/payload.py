"""The files of a release in the order in which they are copied, with their digests; damage is found while reading."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from malmoi.errors import DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.verification import sha256sums, untrusted_files
from malmoi.releases.verification.sha256sums import SIGNATURE, STAMP
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
