"""Versions of a release: the history of each name (releases.json), the next version, and the pointer `latest`.

`latest` is a relative symbolic link beside the versions. It is renamed into place after a version is complete, so that
a reader sees the version before or the new one, never a part of either.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from typing import Any, Final, Literal, TypeAlias

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.storage.atomic_files import replace_file, sync
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LATEST

_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
SUMS: Final = "SHA256SUMS"
_UNFINISHED: Final = ".latest-"  # a link that a killed process has not renamed
Change: TypeAlias = Literal["data", "erasure"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One published version: its Merkle root, the sha256 of its SHA256SUMS, schema version and shard count."""

    version: str
    root: str
    sums: str
    schema_version: int
    n_shards: int


@dataclass(frozen=True, slots=True)
class History:
    """All versions of all names, each in order of publication."""

    names: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    def latest(self, name: str) -> Entry | None:
        """Return the entry with the highest version of `name`, or None if nothing was published."""
        return max(self.names.get(name, ()), key=lambda e: _numbers(e.version), default=None)

    def add(self, name: str, entry: Entry) -> History:
        """Return the history with one more version; adding the same version again changes nothing (idempotent).

        CallError if the version is published with another root: a release is never edited.
        """
        old = self.names.get(name, ())
        for known in old:
            if known.version == entry.version:
                if known.root != entry.root:
                    raise CallError(f"{name} {entry.version} is published with another root; take the next version.")
                return self
        return replace(self, names={**self.names, name: (*old, entry)})


def read(path: Path) -> History:
    """Read the history in `path`; empty if the file is missing."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return History({name: tuple(Entry(**e) for e in found["versions"]) for name, found in value.items()})
    except FileNotFoundError:
        return History()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(f"{path}: not readable as a history of releases ({error}); restore it from a copy.") from error


def write(path: Path, history: History) -> None:
    """Write the history atomically, with the pointer `latest` of each name."""
    value = {}
    for name, entries in history.names.items():
        newest = history.latest(name)
        value[name] = {"latest": newest.version if newest else "", "versions": [asdict(e) for e in entries]}
    replace_file(path, canonical_json(value))


def next_version(
    history: History, name: str, root: str, *, schema_version: int, n_shards: int, change: Change = "data"
) -> str:
    """Return the version of a release with this root: MAJOR.MINOR.PATCH.

    The first version is 1.0.0. If the root is that of the latest version, return that version: nothing changed.
    Another schema or number of shards gives the next major version, other data the next minor, an erasure the
    next patch.

    >>> old = History().add("ko", Entry("1.0.0", "aa", "", 1, 4))
    >>> next_version(old, "ko", "bb", schema_version=1, n_shards=4)
    '1.1.0'
    >>> next_version(old, "ko", "aa", schema_version=1, n_shards=4)
    '1.0.0'
    """
    last = history.latest(name)
    if last is None:
        return "1.0.0"
    if last.root == root:
        return last.version
    major, minor, patch = _numbers(last.version)
    if (last.schema_version, last.n_shards) != (schema_version, n_shards):
        return f"{major + 1}.0.0"
    return f"{major}.{minor}.{patch + 1}" if change == "erasure" else f"{major}.{minor + 1}.0"


def is_changed(version: str, latest: str) -> bool:
    """Whether another version than erasures came between `version` and `latest`.

    >>> is_changed("1.0.0", "1.0.2"), is_changed("1.0.0", "1.1.0")
    (False, True)
    """
    return _numbers(version)[:2] != _numbers(latest)[:2]


def put_version(workspace: Workspace, folder: Path, target: Path) -> None:
    """Move the finished release `folder` to `target` in one step, and point `latest` to the highest version.

    CallError if another publisher has made this version meanwhile: nothing is overwritten.
    """
    workspace.move_into_place(folder, target)
    if folder.exists():
        raise CallError(
            f"{target.parent.name} {target.name} was published by another run meanwhile; nothing was overwritten. "
            "Run the same command again: it takes the next version; finished stages are not repeated."
        )
    point_latest(target.parent)


def point_latest(versions: Path) -> None:
    """Point `latest` in the folder `versions` to its highest complete version; repairs it after a kill.

    A folder `latest` that repeats a version, as tools that follow links copy it, becomes a link again. CallError if
    `latest` is another folder.
    """
    for unfinished in versions.glob(f"{_UNFINISHED}*"):
        unfinished.unlink(missing_ok=True)
    link = versions / LATEST
    while (highest := find_highest(versions)) and not (link.is_symlink() and link.readlink() == Path(highest)):
        if link.is_dir() and not link.is_symlink():
            try:
                sums = versions / manifests.read(link).version / SUMS
                is_copy = (link / SUMS).read_bytes() == sums.read_bytes()
            except (OSError, DataError):
                is_copy = False
            if is_copy:
                rmtree(link)
        part = versions / f"{_UNFINISHED}{uuid.uuid4().hex}"
        part.symlink_to(highest)
        try:
            part.replace(link)
        except IsADirectoryError as error:
            part.unlink()
            raise CallError(f"{link} is a folder, not the link to a version; move it away, and run again.") from error
    sync(versions)


def find_highest(versions: Path) -> str:
    """Return the highest version with a manifest in the folder `versions`; "" if none is complete."""
    found = (path.name for path in versions.iterdir() if _VERSION.fullmatch(path.name))
    complete = [name for name in found if (versions / name / manifests.NAME).is_file()]
    return max(complete, key=lambda name: [int(part) for part in name.split(".")], default="")


def _numbers(version: str) -> tuple[int, int, int]:
    try:
        major, minor, patch = (int(part) for part in version.split("."))
    except ValueError as error:
        raise CallError(f"{version!r} is not a version; write MAJOR.MINOR.PATCH, such as 1.0.0.") from error
    return major, minor, patch
