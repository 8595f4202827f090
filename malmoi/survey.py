"""Survey: compare many documents (map, shuffle, reduce) and return a table. Filters see other documents only by it.

A survey has a map over shards (`sketch`: one row a document) and a reduction to a table (`reduce`). The key is
the first column of sketches and table: the id of a document, or a value that several documents share, such as
their host. A filter module that reads the table names its survey as `SURVEY` and gets the rows of the current
shard as its parameter `survey`, a mapping from key to row.

A survey that is too large for one process has an `exchange` instead of `reduce`: a chain of tasks over files
(malmoi/storage/shuffle.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from malmoi.document import Document
from malmoi.storage.shuffle import Run

Rows: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One shard as input of a survey: its documents (of schema `shard.DOCUMENTS`), and a sketch of each."""

    documents: Path
    sketch: Path


@dataclass(frozen=True, slots=True)
class Segment:
    """Index entry of an earlier release: `folder/documents.parquet`, a row for each document that it published first.

    Columns are those of the survey's schema, `source`, `release` and `version`; rows are sorted by
    H(id), then id (malmoi/releases/partitioning.py). `masked` are its ids that no longer represent copies
    (withdrawn documents).
    """

    folder: Path
    masked: tuple[str, ...] = ()


class Exchange(Protocol):
    """Turn the sketches of many shards into the rows about each shard, by tasks that each hold a part of them."""

    def __call__(
        self, shards: Sequence[Surveyed], earlier: Sequence[Segment], folder: Path, run: Run, **params: Any
    ) -> Sequence[Path]:
        """Write `folder/table.parquet`, sorted by key, and a file with the rows about each shard; return the files.

        `earlier` is empty if the survey has not `remembers`. Files that exist in `folder` are kept (checkpoints).
        The result depends neither on the order of `shards` nor on how documents are cut into them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Survey:
    """Definition of a survey: the sketch of each document, and the reduction of all sketches to a table.

    `sketch(doc)` returns one row of `schema`, whose first column is the key. `reduce(sketches, **params)`
    returns a table whose first column is the same key, with the columns that the filter reads; it omits keys
    without a result. It must not depend on the order of its rows.
    The survey runs on the documents that enter `stage`, except those that filters before its reader dropped which
    only look up rows of other surveys, such as exact copies. If `columns` names the columns that `sketch` reads
    (with `id` and `source`), nothing else is read; the rest of the document is empty.
    A shard is filtered again when its rows change in the columns of `told`; changes of other columns do not count.
    """

    name: str
    version: int
    schema: pa.Schema
    sketch: Callable[[Document], Mapping[str, Any]]
    reduce: Callable[..., pa.Table] | None = None
    exchange: Callable[..., Sequence[Path]] | None = None  # an Exchange
    names_keepers: bool = False  # its table names the keeper of each copy (docs/duplicates.md); a release publishes it
    remembers: bool = False  # each published release adds its sketches to the index, which later surveys read
    stage: str = "curated"  # the stage of a recipe whose filters read it
    columns: tuple[str, ...] | None = None  # of malmoi.storage.shard.DOCUMENTS; None: all
    told: tuple[str, ...] | None = None  # columns of the table that filters read, except the key; None: all

    @property
    def key(self) -> str:
        """Return the name of the key column."""
        return str(self.schema.names[0])

    @property
    def carrier(self) -> Callable[..., Any]:
        """Return its `exchange` or `reduce`; a recipe may set the keyword-only parameters of it.

        TypeError if a survey has neither or both.
        """
        found = [call for call in (self.exchange, self.reduce) if call is not None]
        if len(found) != 1:
            raise TypeError(f"survey {self.name!r} names either `reduce` or `exchange`.")
        return found[0]
