"""Keep what a release computed for one shard, for the next release of the same name.

A part is a folder named by the digest of all its inputs, the code included, so it never differs from one that is made
anew. It serves this machine only: it is neither published nor uploaded to a bucket, and a release deletes the parts
that it did not use. A damaged part is made again.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from malmoi.canonical_json import canonical_json
from malmoi.errors import StageError
from malmoi.storage import checksummed_files

RESULT: Final = "result.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of the parts of one release name, and the digest of all code and software that makes them."""

    folder: Path
    code: str


def recall(part: Path) -> Any:
    """Return the result of a kept part as JSON values; None if it is missing or damaged."""
    if not (part / checksummed_files.NAME).exists():
        return None
    try:
        checksummed_files.check_folder(part)
        return json.loads((part / RESULT).read_text(encoding="utf-8"))
    except (StageError, OSError, ValueError):
        return None


def keep(part: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill the folder of a part; it returns the result, of JSON values. Without fsync: sums tell a loss."""
    born = part.parent / f".{uuid.uuid4().hex}"
    born.mkdir(parents=True)
    try:
        value = write(born)
        (born / RESULT).write_text(canonical_json(value), encoding="utf-8")
        checksummed_files.write(born)
        shutil.rmtree(part, ignore_errors=True)
        born.rename(part)
    finally:
        shutil.rmtree(born, ignore_errors=True)


def sweep(folder: Path, used: Collection[str]) -> None:
    """Delete the parts in `folder` that are not `used`, and leftovers of killed runs."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in used:
            shutil.rmtree(path, ignore_errors=True)
