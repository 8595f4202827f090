"""Resolve the files that a recipe names: name, path and digest of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from malmoi.errors import CallError


class NamedFile:
    """A file identified by name and digest: equal name and content are the same parameter, whatever the path.

    `str` of it goes into the key of a stage. It has name and digest but not the path: a workspace can move
    to another machine, and a changed file changes the key.

    >>> NamedFile("sets/ynat.json", Path("/home/a/sets/ynat.json"), "5f" * 32)
    NamedFile('sets/ynat.json', sha256='5f5f5f5f5f5f…')
    """

    __slots__ = ("name", "path", "sha256")

    def __init__(self, name: str, path: Path, sha256: str) -> None:
        self.name = name  # starts with the name of its folder, or of the folder that the recipe names
        self.path = path
        self.sha256 = sha256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedFile) and (self.name, self.sha256) == (other.name, other.sha256)

    def __hash__(self) -> int:
        return hash((self.name, self.sha256))

    def __str__(self) -> str:
        return f"{self.name} sha256:{self.sha256}"

    def __repr__(self) -> str:
        return f"NamedFile({self.name!r}, sha256={self.sha256[:12] + '…'!r})"

    def content(self) -> bytes:
        """Return the bytes of the file; CallError if they changed since the recipe was read."""
        try:
            found = self.path.read_bytes()
        except OSError as error:
            raise CallError(f"{self.path}: {error.strerror}; it was there when the recipe was read.") from error
        if hashlib.sha256(found).hexdigest() != self.sha256:
            raise CallError(f"{self.path}: changed since the recipe was read. Start the run again.")
        return found


NamedFiles: TypeAlias = tuple[NamedFile, ...]


def resolve_files(base: Path, key: str, given: Any) -> Any:
    """Return the files and folders that a recipe in folder `base` lists under `key`, as NamedFiles in that order.

    A folder gives all its files at any depth, sorted by name, except hidden ones. Other values than a list of
    strings are returned unchanged; the schema refuses them. CallError names a missing or empty path.
    """
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        return given
    found = tuple(file for one in given for file in _list_files(base, key, one))
    if len({file.name for file in found}) < len(found):
        raise CallError(f"key {key!r}: a file appears twice in {given!r}. Name each file or folder once.")
    return found


def _list_files(base: Path, key: str, given: str) -> Iterator[NamedFile]:
    path = base / given
    if path.is_file():  # with its folder: test.jsonl alone is not distinctive
        yield _read_named_file("/".join([part for part in Path(given).parts if part.strip("./")][-2:]), path)
        return
    if not path.is_dir():
        raise CallError(
            f"key {key!r}: {given!r}: no such file or folder; paths start from the recipe's folder, {base}."
        )
    inner = [p for p in path.rglob("*") if p.is_file()]
    names = {p.relative_to(path).as_posix(): p for p in inner}
    names = {name: p for name, p in names.items() if not any(part.startswith(".") for part in name.split("/"))}
    if not names:
        raise CallError(f"key {key!r}: {given!r}: the folder holds no file. Name the folder that holds the files.")
    for name in sorted(names):
        yield _read_named_file(f"{path.resolve().name}/{name}", names[name])


def _read_named_file(name: str, path: Path) -> NamedFile:
    try:
        with path.open("rb") as stream:
            return NamedFile(name, path.resolve(), hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name a readable file.") from error
