"""Ledger of a shard: counts of documents, with the invariant in = kept + dropped + failed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from malmoi.canonical_json import canonical_json, spell_on_one_line
from malmoi.errors import StageError


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be processed: its worker died, reached a time or memory limit, or raised an error."""

    id: str
    source: str
    why: str  # cpu-limit, wall-limit, memory-limit, killed, error:<exception>
    url: str = ""  # of its capture, if a function of the source raised the error
    detail: str = ""  # the error; it may quote the document, so no release has it


@dataclass(frozen=True, slots=True)
class File:
    """One file of a stage: its name within the folder, sha256 (hex), rows and bytes."""

    name: str
    sha256: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts of the documents of one shard in one stage; StageError if they break the invariant."""

    stage: str
    key: str
    entered: Mapping[str, int]  # source → documents in
    kept: Mapping[str, int]  # source → documents kept
    dropped: Mapping[tuple[str, str, str], int]  # (source, filter, reason) → documents
    failed: tuple[Failure, ...] = ()
    edits: Mapping[tuple[str, str, str], int] | None = None  # (source, filter, reason) → applied edits
    files: tuple[File, ...] = ()
    torn: tuple[str, ...] = ()  # records that could not be read; they never became documents
    readers: Mapping[str, str] = field(default_factory=dict)  # format family → version of its reader in this shard

    def __post_init__(self) -> None:
        counts: dict[Any, int] = {**self.entered, **{("kept", s): n for s, n in self.kept.items()}, **self.dropped}
        counts |= {("edits", *key): n for key, n in (self.edits or {}).items()}
        if negative := {key: n for key, n in counts.items() if n < 0}:
            raise StageError(f"{self.stage}/{self.key}: negative counts: {negative}")
        lost = Counter(self.entered)
        lost.subtract(self.kept)
        for (source, _, _), n in self.dropped.items():
            lost[source] -= n
        lost.subtract(Counter(f.source for f in self.failed))
        wrong = {source: n for source, n in lost.items() if n}
        if wrong:
            raise StageError(f"{self.stage}/{self.key}: in = kept + dropped + failed does not hold: {wrong}")

    def to_json(self) -> str:
        """Return canonical JSON that contains its own digest: equal ledgers give equal bytes."""
        value: dict[str, Any] = {
            "stage": self.stage,
            "key": self.key,
            "in": dict(self.entered),
            "kept": dict(self.kept),
            "dropped": _to_rows(self.dropped),
            "failed": [[f.id, f.source, f.why, *((f.url, f.detail) if f.url else ())] for f in self.failed],
            "edits": _to_rows(self.edits or {}),
            "files": [[f.name, f.sha256, f.rows, f.bytes] for f in self.files],
            "torn": list(self.torn),
        }
        if self.readers:
            value["readers"] = dict(self.readers)
        value["digest"] = digest_of(value)
        return canonical_json(value)

    @staticmethod
    def read(path: Path) -> Ledger:
        """Read a ledger file. FileNotFoundError if it is missing, StageError if it is damaged or was changed."""
        try:
            return Ledger.from_json(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise StageError(
                f"{path}: not a ledger: not UTF-8. Delete {path.parent} and run again: it is created anew."
            ) from error
        except StageError as error:
            raise StageError(f"{path}: {error}. Delete {path.parent} and run again: it is created anew.") from error

    @staticmethod
    def from_json(text: str) -> Ledger:
        """Parse the JSON that `to_json` wrote; StageError if it is not a ledger or was changed since."""
        try:
            value: dict[str, Any] = json.loads(text)
            if value.pop("digest", None) != digest_of(value):
                raise StageError(
                    "not a ledger: its digest does not match (it was changed), or an older version wrote none"
                )
            return Ledger(
                stage=value["stage"],
                key=value["key"],
                entered=value["in"],
                kept=value["kept"],
                dropped={(s, f, r): n for s, f, r, n in value["dropped"]},
                failed=tuple(Failure(*row) for row in value["failed"]),
                edits={(s, f, r): n for s, f, r, n in value["edits"]},
                files=tuple(File(*row) for row in value["files"]),
                torn=tuple(value["torn"]),
                readers=value.get("readers", {}),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StageError(f"not a ledger: {error}") from error


def find_sha256(ledger: Ledger, name: str) -> str:
    """Return the sha256 (hex) of the file `name` of a shard; "" if it has none."""
    return next((file.sha256 for file in ledger.files if file.name == name), "")


def digest_of(value: Mapping[str, Any]) -> str:
    """Return the sha256 (hex) of the canonical JSON of an object."""
    return hashlib.sha256(spell_on_one_line(value).encode("utf-8", "replace")).hexdigest()


def total(ledgers: Iterable[Ledger]) -> tuple[Counter[str], Counter[str], Counter[tuple[str, str, str]], list[Failure]]:
    """Return the sums of documents in, kept, dropped and failed over many ledgers."""
    entered: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    dropped: Counter[tuple[str, str, str]] = Counter()
    failed: list[Failure] = []
    for ledger in ledgers:
        entered.update(ledger.entered)
        kept.update(ledger.kept)
        dropped.update(ledger.dropped)
        failed.extend(ledger.failed)
    return entered, kept, dropped, failed


def describe_losses(ledgers: Iterable[Ledger], most: int = 8) -> str:
    """List why documents were not kept, most frequent first: `filter: reason count`, and failures by their cause.

    >>> dropped = {("a", "rights", "no-licence"): 2, ("b", "rights", "no-licence"): 1, ("a", "length", "too-short"): 2}
    >>> failed = (Failure("a/6", "a", "cpu-limit"),)
    >>> describe_losses([Ledger("3-clean", "k", {"a": 5, "b": 1}, {}, dropped, failed)])
    'rights: no-licence 3, length: too-short 2, failed: cpu-limit 1'
    """
    _, _, dropped, failed = total(ledgers)
    counts: Counter[tuple[str, str]] = Counter()
    for (_, by, reason), n in dropped.items():
        counts[by, reason] += n
    counts.update(("failed", failure.why) for failure in failed)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    said = [f"{by}: {reason} {n:,}" for (by, reason), n in rows[:most]]
    rest = sum(n for _, n in rows[most:])
    return ", ".join([*said, *([f"{len(rows) - most} more reasons {rest:,}"] if rest else [])])


def _to_rows(counts: Mapping[tuple[str, str, str], int]) -> list[list[Any]]:
    return [[*key, n] for key, n in sorted(counts.items())]
