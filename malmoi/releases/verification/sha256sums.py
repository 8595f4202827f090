"""SHA256SUMS: one line for each file of a release, to be checked with `sha256sum -c SHA256SUMS`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from malmoi.errors import StageError
from malmoi.storage import shard

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
