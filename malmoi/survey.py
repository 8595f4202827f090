"""A look over many documents that yields a table; nothing else looks sideways.

A survey is a map over shards (`sketch`: one row a document), one exchange, and a table of what
was found (`reduce`). Its key is the first column of sketches and table: the id of a document, or
what several documents share, such as their host. A filter module that reads the table names its
survey as `SURVEY` and takes the rows of the shard at hand as its parameter `survey`, a mapping
from key to row.

A survey that is too large for one process names an `exchange` instead of `reduce`: a chain of tasks
over files (malmoi/storage/shuffle.py).
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
    """One shard as a survey meets it: its documents (of schema `shard.DOCUMENTS`), and a sketch of each."""

    documents: Path
    sketch: Path


@dataclass(frozen=True, slots=True)
class Segment:
    """What an earlier release left: `folder/documents.parquet`, a row for each document that it was first to publish.

    Columns are those of the survey's schema, `source`, `release` and `version`; rows are sorted by
    H(id), then id (malmoi/releases/partitioning.py). `masked` are the ids in it that stand for nothing any more.
    """

    folder: Path
    masked: tuple[str, ...] = ()


class Exchange(Protocol):
    """From the sketches of many shards to the rows about each, by tasks that each hold a part of them."""

    def __call__(
        self, shards: Sequence[Surveyed], earlier: Sequence[Segment], folder: Path, run: Run, **params: Any
    ) -> Sequence[Path]:
        """Write `folder/table.parquet`, sorted by key, and a file with the rows about each shard; the files, in order.

        `earlier` is empty for a survey that does not `remember`. What stands in `folder` already is not
        made again. The result depends neither on the order of `shards` nor on how documents are cut into them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Survey:
    """What a survey takes from each document, and what it makes of all of them.

    `sketch(doc)` gives one row of `schema`, whose first column is the key. `reduce(sketches, **params)`
    gives a table whose first column is the same key, with the columns that the filter reads; keys
    about which there is nothing to say are left out. It must not depend on the order of its rows.
    It is taken of the documents that come into `stage`, without those that filters dropped before its reader which
    only look up rows of other surveys, such as exact copies. Where `columns` names what
    `sketch` looks at (`id` and `source` among them), nothing else is read; the rest of the document is empty.
    A shard is walked again when its rows change in the columns of `told`, and not for the others.
    """

    name: str
    version: int
    schema: pa.Schema
    sketch: Callable[[Document], Mapping[str, Any]]
    reduce: Callable[..., pa.Table] | None = None
    exchange: Callable[..., Sequence[Path]] | None = None  # an Exchange
    names_keepers: bool = False  # its table names who is whose copy (docs/duplicates.md); a release publishes it
    remembers: bool = False  # each published release leaves a segment of its sketches, which later surveys read
    stage: str = "curated"  # the stage of a recipe whose filters read it
    columns: tuple[str, ...] | None = None  # of malmoi.storage.shard.DOCUMENTS; None: all
    told: tuple[str, ...] | None = None  # columns of the table that filters read, beside the key; None: all

    @property
    def key(self) -> str:
        """Name of the key column."""
        return str(self.schema.names[0])

    @property
    def carrier(self) -> Callable[..., Any]:
        """Its `exchange` or its `reduce`: what a recipe may set are the keyword-only parameters of it.

        TypeError where a survey has neither or both.
        """
        found = [call for call in (self.exchange, self.reduce) if call is not None]
        if len(found) != 1:
            raise TypeError(f"survey {self.name!r} names either `reduce` or `exchange`.")
        return found[0]
