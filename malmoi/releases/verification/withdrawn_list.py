"""withdrawn.json: the files that an erasure took from a published version, which no checksum or signature covers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from malmoi.errors import DataError
from malmoi.releases.verification import sha256sums

NAME: Final = "withdrawn.json"


@dataclass(frozen=True, slots=True, order=True)
class WithdrawnFile:
    """A file that an erasure took from a published version."""

    path: str
    sha256: str
    rows: int  # 0 for a text file
    version: str  # that replaces this one; "" if no document was left
    date: str


def read(folder: Path) -> tuple[WithdrawnFile, ...]:
    """Read the withdrawn files of a version; none if it is complete. DataError if the list is unreadable."""
    try:
        value: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        files = tuple(WithdrawnFile(**row) for row in value["files"])
        "".join(f for one in files for f in (one.path, one.sha256, one.version, one.date))  # TypeError if not strings
        return files
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{NAME}: not a list of withdrawn files ({type(error).__name__}: {error})") from error


def describe(folder: Path) -> str:
    """Return what a version has lost, in one line; "" if it is complete."""
    gone = read(folder)
    if not gone:
        return ""
    total = len(sha256sums.parse((folder / sha256sums.NAME).read_text(encoding="utf-8")))
    versions = {one.version for one in gone} - {""}
    later = f"see {max(versions, key=_numbers)}" if versions else "no version replaces it"
    return f"withdrawn in part: {len(gone)} of {total} files, {later}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
