"""Version history (releases.json): the versions of each release name, their roots, and the next version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.storage.atomic_files import replace_file

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
        latest = history.latest(name)
        value[name] = {"latest": latest.version if latest else "", "versions": [asdict(e) for e in entries]}
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


def _numbers(version: str) -> tuple[int, int, int]:
    try:
        major, minor, patch = (int(part) for part in version.split("."))
    except ValueError as error:
        raise CallError(f"{version!r} is not a version; write MAJOR.MINOR.PATCH, such as 1.0.0.") from error
    return major, minor, patch
