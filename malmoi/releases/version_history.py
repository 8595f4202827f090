"""releases.json: which versions a name has, their roots, and which comes next."""

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
        """The entry with the highest version of `name`, or None where nothing was published."""
        return max(self.names.get(name, ()), key=lambda e: _numbers(e.version), default=None)

    def add(self, name: str, entry: Entry) -> History:
        """The history with one more version; adding the same again changes nothing.

        CallError where the version stands already with another root: a release is never edited.
        """
        old = self.names.get(name, ())
        for known in old:
            if known.version == entry.version:
                if known.root != entry.root:
                    raise CallError(f"{name} {entry.version} is published with another root; take the next version.")
                return self
        return replace(self, names={**self.names, name: (*old, entry)})


def read(path: Path) -> History:
    """The history in `path`; an empty one where the file is not there."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return History({name: tuple(Entry(**e) for e in found["versions"]) for name, found in value.items()})
    except FileNotFoundError:
        return History()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CallError(f"{path}: not readable as a history of releases ({error}); restore it from a copy.") from error


def write(path: Path, history: History) -> None:
    """Write the history whole or not at all; the pointer `latest` moves with it."""
    value = {}
    for name, entries in history.names.items():
        latest = history.latest(name)
        value[name] = {"latest": latest.version if latest else "", "versions": [asdict(e) for e in entries]}
    replace_file(path, canonical_json(value))


def next_version(
    history: History, name: str, root: str, *, schema_version: int, n_shards: int, change: Change = "data"
) -> str:
    """The version under which a release with this root belongs: MAJOR.MINOR.PATCH.

    The first is 1.0.0. The root of the latest version again is that version: there is nothing to
    do. Another schema or number of shards makes the next major, other data the next minor, an
    erasure the next patch.

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


def _numbers(version: str) -> tuple[int, int, int]:
    try:
        major, minor, patch = (int(part) for part in version.split("."))
    except ValueError as error:
        raise CallError(f"{version!r} is no version; write MAJOR.MINOR.PATCH, such as 1.0.0.") from error
    return major, minor, patch
