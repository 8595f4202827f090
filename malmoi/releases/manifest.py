"""Manifest of a release: its facts, and the Merkle root over its files.

The root is that of a binary hash tree over the files of data/ and audit/, sorted by path:

    leaf = sha256(0x00 ‖ path ‖ LF ‖ sha256 ‖ LF ‖ rows ‖ LF ‖ bytes)     numbers in decimal
    node = sha256(0x01 ‖ left ‖ right)                                     32 bytes each

A node without a sibling moves up unchanged. The first byte separates leaves from nodes (second preimages).
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from malmoi import limits
from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.errors import DataError
from malmoi.publisher import UNNAMED, Publisher
from malmoi.releases.partitioning import Shares
from malmoi.releases.release_inputs import SourceFacts
from malmoi.releases.release_schema import describe_columns

NAME = "manifest.json"


@dataclass(frozen=True, slots=True, order=True)
class ReleaseFile:
    """A Parquet file of a release: path relative to it, sha256 (hex), bytes and rows."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All facts of a release."""

    name: str
    version: str
    date: str  # UTC time of the latest capture, not the time of publishing
    schema_version: int
    purpose: str
    recipe_name: str
    recipe_digest: str
    n_shards: int
    documents: int
    sources: tuple[SourceFacts, ...]
    software: tuple[tuple[str, str], ...]
    files: tuple[ReleaseFile, ...]
    recipe_filters: tuple[tuple[str, int], ...] = ()  # (filter, version), by name
    splits: Shares = ()  # share of each split beside train
    recipe_steps: tuple[tuple[str, str, str], ...] = ()  # (stage, filter, its parameters as JSON), in order
    members: str = ""  # commitment (hex) to the tree of members (membership.py)
    publisher: Publisher = UNNAMED  # absent if the recipe names none
    rights_version: int = 1  # RULES_VERSION of malmoi/licensing/rights_decision.py; absent before version 2

    @property
    def root(self) -> str:
        """Return the Merkle root (hex) over `files`."""
        return merkle(self.files)

    def to_json(self) -> str:
        """Return canonical JSON: equal manifests give equal bytes."""
        value = asdict(self)
        value["recipe"] = {"name": value.pop("recipe_name"), "digest": value.pop("recipe_digest")}
        value["recipe"]["filters"] = dict(value.pop("recipe_filters"))
        if value.pop("publisher") != UNNAMED:
            value["publisher"] = self.publisher.model_dump()
        if self.rights_version == 1:
            del value["rights_version"]
        if steps := value.pop("recipe_steps"):
            value["recipe"]["steps"] = [[stage, name, json.loads(params)] for stage, name, params in steps]
        value["software"], value["splits"] = dict(self.software), dict(self.splits)
        return canonical_json(value | {"root": self.root, "columns": describe_columns()})

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Parse the JSON that `to_json` wrote; DataError if it is not a manifest."""
        try:
            value: dict[str, Any] = json.loads(text)
            recipe, plain = value["recipe"], {f.name for f in fields(Manifest)} & set(value)
            given: dict[str, Any] = {n: value[n] for n in plain}
            given["publisher"] = Publisher.model_validate(value.get("publisher", {}))
            given["sources"] = tuple(SourceFacts(**{**s, "licences": tuple(s["licences"])}) for s in value["sources"])
            given["software"] = tuple(sorted(value["software"].items()))
            given["splits"] = tuple(sorted(value.get("splits", {}).items()))  # absent before schema 6
            given["files"] = tuple(ReleaseFile(**f) for f in value["files"])
            given["recipe_filters"] = tuple(sorted(recipe.get("filters", {}).items()))  # absent before schema 4
            steps = [(stage, name, spell_on_one_line(params)) for stage, name, params in recipe.get("steps", ())]
            given["recipe_steps"] = tuple(steps)  # absent before `recipe show` existed
            return Manifest(**given, recipe_name=recipe["name"], recipe_digest=recipe["digest"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{NAME}: not a manifest ({type(error).__name__}: {error})") from error


def read(folder: Path) -> Manifest:
    """Read the manifest of the release in `folder`; DataError if it is missing or unreadable."""
    try:
        state = (folder / NAME).stat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > limits.VERIFY_TEXT.value:  # a pipe waits for ever
            raise OSError(f"not a plain file within {limits.VERIFY_TEXT.describe()}")
        return Manifest.from_json((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder / NAME}: cannot be read ({error}); this is not a finished release.") from error


def merkle(files: Iterable[ReleaseFile]) -> str:
    """Return the Merkle root (hex) over `files`, in any order.

    >>> one = ReleaseFile("data/a", "00", 1, 2)
    >>> merkle([one]) == hashlib.sha256(b"\\x00data/a\\n00\\n2\\n1").hexdigest()
    True
    """
    rows = (f"\x00{file.path}\n{file.sha256}\n{file.rows}\n{file.bytes}" for file in sorted(files))
    level = [hashlib.sha256(row.encode()).digest() for row in rows] or [hashlib.sha256(b"").digest()]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()
