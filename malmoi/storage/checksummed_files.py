"""Files at rest: each is as it was written, or it is refused by name before anybody uses what it says.

A stage folder names its files in `ledger.json`, a folder of a survey in `sums.json`; both carry a digest of themselves.
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

NAME = "sums.json"  # {"files": {name: sha256}, "digest": of the rest}; written last into a folder that stands at once
LEDGER = "ledger.json"


def write(folder: Path, target: Path | None = None) -> None:
    """Name every file below `folder` with its sha256 (hex), in a `sums.json` of it, or in `target`."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != NAME)
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in found}
    value: dict[str, Any] = {"files": files}
    (target or folder / NAME).write_text(canonical_json({**value, "digest": digest_of(value)}), encoding="utf-8")


def check(path: Path) -> Path:
    """`path`, where it is as the ledger or the sums beside it say, or nothing beside it names files.

    A file is read through once for each process and state of it (size, time of change). StageError names the file and
    what to delete: what is missing is made anew.
    """
    try:
        found = path.stat()
    except OSError:
        return path  # whoever opens it says what is wrong
    _check(path, found.st_size, found.st_mtime_ns, found.st_ino)
    return path


def check_folder(folder: Path) -> None:
    """Check every file that the sums of `folder` name, one that is missing included."""
    named = _read_digests(folder)
    for name in named or ():
        if not (folder / name).is_file():
            raise StageError(f"{folder / name}: missing; {_remedy(folder)}")
        check(folder / name)


@lru_cache(maxsize=1 << 16)
def _check(path: Path, size: int, changed: int, inode: int) -> None:
    named = _read_digests(path.parent)
    if named is None or path.name in (NAME, LEDGER) or (path.name not in named and path.suffix != ".parquet"):
        return  # what an exchange adds to its folder later is derived from files that are named
    if named.get(path.name) != _sha256(path):
        told = LEDGER if (path.parent / LEDGER).exists() else NAME
        raise StageError(f"{path}: not what {told} says; {_remedy(path.parent)}")


def _read_digests(folder: Path) -> Mapping[str, str] | None:
    """The sha256 of each file of a folder by its name; None where nothing says them."""
    if (folder / LEDGER).exists():
        return {file.name: file.sha256 for file in Ledger.read(folder / LEDGER).files}
    path = folder / NAME
    try:
        value = json.loads(path.read_bytes())
        said, files = value.pop("digest"), dict[str, str](value["files"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageError(f"{path}: cannot be read ({error}); {_remedy(folder)}") from error
    if said != digest_of(value):
        raise StageError(f"{path}: not as it was written; {_remedy(folder)}")
    return files


def _remedy(folder: Path) -> str:
    return f"delete {folder} and run again: it is made anew."


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
