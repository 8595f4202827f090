"""Checksums of stored files: a changed or damaged file raises StageError before its content is used.

A stage folder lists its files in `ledger.json`, a folder of a survey in `sums.json`; both contain their own digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from malmoi.canonical_json import canonical_json
from malmoi.errors import StageError
from malmoi.ledger import Ledger, digest_of
from malmoi.storage.on_demand import fetch, renew

NAME = "sums.json"  # {"files": {name: sha256}, "digest": of the rest}; written last, before the atomic rename
LEDGER = "ledger.json"


def write(folder: Path, target: Path | None = None) -> None:
    """Write the sha256 (hex) of every file below `folder` into its `sums.json`, or into `target`."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != NAME)
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in found}
    value: dict[str, Any] = {"files": files}
    (target or folder / NAME).write_text(canonical_json({**value, "digest": digest_of(value)}), encoding="utf-8")


def check(path: Path) -> Path:
    """Return `path` if it matches the ledger or the sums of its folder, or if the folder has neither.

    A placeholder is downloaded first (malmoi/storage/on_demand.py).
    A process hashes a file once for each state of it (size, time of change). StageError names the file and
    the folder to delete; the next run creates it anew.
    """
    fetch(path)
    try:
        found = path.stat()
    except OSError:
        return path  # the caller that opens it reports the error
    _check(path, found.st_size, found.st_mtime_ns, found.st_ino)
    return path


def check_folder(folder: Path) -> None:
    """Check every file that the sums of `folder` list; a missing file raises StageError too."""
    named = _read_digests(folder)
    for name in named or ():
        if not (folder / name).is_file():
            raise StageError(f"{folder / name}: missing; {_remedy(folder)}")
        check(folder / name)


@lru_cache(maxsize=1 << 16)
def _check(path: Path, size: int, changed: int, inode: int) -> None:
    named = _read_digests(path.parent)
    if named is None or path.name in (NAME, LEDGER) or (path.name not in named and path.suffix != ".parquet"):
        return  # files that an exchange adds later are derived from listed files
    if named.get(path.name) != _sha256(path) and not (renew(path) and named.get(path.name) == _sha256(path)):
        told = LEDGER if (path.parent / LEDGER).exists() else NAME
        raise StageError(f"{path}: its sha256 differs from {told}; {_remedy(path.parent)}")


def _read_digests(folder: Path) -> Mapping[str, str] | None:
    """Return the sha256 of each file of a folder by name, or None if the folder has neither ledger nor sums."""
    for name in (LEDGER, NAME):
        try:
            found = (folder / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        return _parse_digests(folder / name, found.st_size, found.st_mtime_ns, found.st_ino)
    return None


@lru_cache(maxsize=1 << 12)  # each file of the folder asks
def _parse_digests(path: Path, size: int, changed: int, inode: int) -> Mapping[str, str]:
    if path.name == LEDGER:
        return {file.name: file.sha256 for file in Ledger.read(path).files}
    try:
        value = json.loads(path.read_bytes())
        said, files = value.pop("digest"), dict[str, str](value["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageError(f"{path}: cannot be read ({error}); {_remedy(path.parent)}") from error
    if said != digest_of(value):
        raise StageError(f"{path}: changed since it was written; {_remedy(path.parent)}")
    return files


def _remedy(folder: Path) -> str:
    return f"delete {folder} and run again: it is created anew."


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
