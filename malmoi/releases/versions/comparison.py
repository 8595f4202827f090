"""The differences of two releases, as `malmoi diff --json` prints them (docs/releases.md describes each key)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

FORMAT = 1  # of the JSON; raise it with a change of a key

# What changed in a document, the first that applies; `recaptured`: fetched again, with the same content.
Change: TypeAlias = Literal["text", "licence", "title", "metadata", "recaptured"]
CHANGES: tuple[Change, ...] = get_args(Change)
# Why a document is gone: its source was left out · it is a copy of a kept one · a filter dropped it · it failed · the
# same text has another id · it is withheld (masked), or its page is gone · no stage saw it: its page is gone.
Why: TypeAlias = Literal["source-left-out", "copy", "dropped", "failed", "renamed", "withheld", "gone"]
WHYS: tuple[Why, ...] = get_args(Why)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one release; `bytes` are those of its Parquet files."""

    documents: int
    characters: int
    text_bytes: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two releases."""

    name: str
    version: str
    date: str
    root: str
    schema_version: int
    n_shards: int
    recipe: str  # its digest
    size: Size


@dataclass(frozen=True, slots=True)
class Removed:
    """A document of the earlier release only; `by` is a filter, a stage or the id of a representative."""

    id: str  # `<source>/[withheld]` if the later release masks it
    why: Why
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document of both releases, and the columns that differ."""

    id: str
    change: Change
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Documents and characters of one value of a column in both releases."""

    value: str
    documents: tuple[int, int]
    characters: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Files:
    """Parquet files by path, as the manifests list them; `unchanged` have the same sha256."""

    unchanged: int
    unchanged_bytes: int
    changed: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences of two releases. Counts are complete, lists end at `limit diff_listed`."""

    before: Version
    after: Version
    added: int
    removed: int
    changed: dict[str, int]  # documents by `Change`
    columns: dict[str, int]  # documents by column that differs
    reasons: tuple[tuple[str, str, str, int], ...]  # why, by, reason, documents; `by` is never an id here
    masked: tuple[tuple[str, str, str, int], ...]  # source, filter, reason, documents that the later release masks
    added_ids: tuple[str, ...]
    removed_ids: tuple[Removed, ...]
    changed_ids: tuple[Changed, ...]
    shares: dict[str, tuple[Share, ...]]  # licences, sources, fields, registers: all values of both
    filters: tuple[tuple[str, int, int], ...]  # filter, version before and after; 0 = not in the recipe
    schema: tuple[tuple[str, str, str, str], ...]  # table, column, type before and after; "" = not there
    files: Files

    def to_value(self) -> dict[str, Any]:
        """Return the value of the JSON."""
        return {"format": FORMAT, **asdict(self)}
