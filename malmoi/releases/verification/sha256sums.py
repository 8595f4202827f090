"""The list of the files of a release, and of those that an erasure took from it.

SHA256SUMS has one line for each file, to be checked with `sha256sum -c SHA256SUMS`. withdrawn.json lists files that an
erasure took from a published version; no checksum or signature covers it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from malmoi.errors import DataError, StageError
from malmoi.storage import shard

WITHDRAWN: Final = "withdrawn.json"
NAME = "SHA256SUMS"
SIGNATURE = "manifest.dsse.json"  # signs SHA256SUMS, which therefore does not list it
STAMP = "manifest.dsse.json.tsr"  # time stamp of the signature
UNLISTED = (NAME, SIGNATURE, STAMP)
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n\\]+)")


def seal(folder: Path, unchanged: Mapping[str, str] | None = None) -> str:
    """Write SHA256SUMS over every other file of `folder`; return the sha256 (hex) of SHA256SUMS itself.

    `unchanged` has the digests of files that are hard links to those of a sealed release: they are not read again.
    StageError if the folder has an entry that is neither a plain file nor a folder.
    """
    strange = [p for p in entries(folder) if p.is_symlink() or not p.is_file()]
    if strange:
        raise StageError(f"{strange[0]}: a release holds plain files only; remove it.")
    known = unchanged or {}
    names = {relative_name(folder, p): p for p in entries(folder)}
    lines = {name: known.get(name) or shard.sha256_of(path) for name, path in names.items()}
    (folder / NAME).write_text(format_sums(lines), encoding="utf-8")
    return shard.sha256_of(folder / NAME)


def entries(folder: Path) -> list[Path]:
    """Return all entries of the release except folders and the files of UNLISTED, sorted by path."""
    found = (p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    return sorted(p for p in found if relative_name(folder, p) not in UNLISTED)


def relative_name(folder: Path, path: Path) -> str:
    """Return the path of a file relative to the release, with slashes."""
    return path.relative_to(folder).as_posix()


def format_sums(sums: dict[str, str]) -> str:
    """Return the text of SHA256SUMS for path → sha256 (hex).

    >>> format_sums({"b": "1" * 64, "a": "0" * 64}).splitlines()[0][-4:]
    '0  a'
    """
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))


def parse(text: str) -> dict[str, str]:
    """Parse SHA256SUMS into path → sha256; ValueError if it is not formatted as `format_sums` formats it."""
    sums: dict[str, str] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        found = _LINE.fullmatch(line)
        if not found:
            raise ValueError(f"line {number} is not `<sha256>  <path>`")
        sums[found[2]] = found[1]
    if format_sums(sums) != text:
        raise ValueError("lines are repeated, not sorted, or the last has no line feed")
    return sums


@dataclass(frozen=True, slots=True, order=True)
class WithdrawnFile:
    """A file that an erasure took from a published version."""

    path: str
    sha256: str
    rows: int  # 0 for a text file
    version: str  # that replaces this one; "" if no document was left
    date: str


def read_withdrawn(folder: Path) -> tuple[WithdrawnFile, ...]:
    """Read the withdrawn files of a version; none if it is complete. DataError if the list is unreadable."""
    try:
        value: dict[str, Any] = json.loads((folder / WITHDRAWN).read_text(encoding="utf-8"))
        files = tuple(WithdrawnFile(**row) for row in value["files"])
        "".join(f for one in files for f in (one.path, one.sha256, one.version, one.date))  # TypeError if not strings
        return files
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{WITHDRAWN}: not a list of withdrawn files ({type(error).__name__}: {error})") from error


def describe_withdrawn(folder: Path) -> str:
    """Return what a version has lost, in one line; "" if it is complete."""
    gone = read_withdrawn(folder)
    if not gone:
        return ""
    total = len(parse((folder / NAME).read_text(encoding="utf-8")))
    versions = {one.version for one in gone} - {""}
    highest = max(
        versions, key=lambda version: [int(part) for part in version.split(".") if part.isdecimal()], default=""
    )
    later = f"see {highest}" if versions else "no version replaces it"
    return f"withdrawn in part: {len(gone)} of {total} files, {later}"
