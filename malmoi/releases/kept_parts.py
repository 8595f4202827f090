"""Keep what a release computed for one shard, for the next release of the same name.

A part is a folder named by the digest of all its inputs, the code included, so it never differs from one that is made
anew. It serves this machine only: it is neither published nor uploaded to a bucket, and a release deletes the parts
that it did not use. A damaged part is made again.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from malmoi.canonical_json import canonical_json
from malmoi.errors import StageError
from malmoi.ledger import digest_of
from malmoi.storage import checksummed_files
from malmoi.storage.atomic_files import replace_file

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


def keep(part: Path, write: Callable[[Path], Any]) -> Any:
    """Let `write` fill the folder of a part and return the result, which is returned as `recall` returns it.

    Nothing is forced to the disk: the sums tell what a power cut took. Another thread may keep the same part.
    """
    born = part.parent / f".{uuid.uuid4().hex}"
    born.mkdir(parents=True)
    try:
        text = canonical_json(write(born))
        (born / RESULT).write_text(text, encoding="utf-8")
        checksummed_files.write(born)
        if recall(part) is None:
            shutil.rmtree(part, ignore_errors=True)
            try:
                born.rename(part)
            except OSError:
                if not part.exists():
                    raise
        return json.loads(text)
    finally:
        shutil.rmtree(born, ignore_errors=True)


def read_record(path: Path) -> dict[str, Any]:
    """Return the values of a file of `write_record`; none if it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return dict(value["values"]) if value["digest"] == digest_of(value["values"]) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_record(path: Path, values: Mapping[str, Any]) -> None:
    """Replace a file of small results by key, with a digest of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, canonical_json({"values": values, "digest": digest_of(values)}))


def sweep(folder: Path, used: Collection[str]) -> None:
    """Delete the parts in `folder` that are not `used`, and leftovers of killed runs."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and path.name not in used:
            shutil.rmtree(path, ignore_errors=True)
