"""A look over many documents that yields a table; nothing else looks sideways.

A survey is a map over shards (`sketch`: one row a document), one exchange, and a table of what
was found (`reduce`). Its key is the first column of sketches and table: the id of a document, or
what several documents share, such as their host. A filter module that reads the table names its
survey as `SURVEY` and takes the rows of the shard at hand as its parameter `survey`, a mapping
from key to row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from malmoi.document import Document

Rows: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a survey takes from each document, and what it makes of all of them.

    `sketch(doc)` gives one row of `schema`, whose first column is the key. `reduce(sketches, **params)`
    gives a table whose first column is the same key, with the columns that the filter reads; keys
    about which there is nothing to say are left out. It must not depend on the order of its rows.
    It is taken at the door of `stage`, from the documents that come in. Where `columns` names what
    `sketch` looks at (`id` and `source` among them), nothing else is read; the rest of the document is empty.
    """

    name: str
    version: int
    schema: pa.Schema
    sketch: Callable[[Document], Mapping[str, Any]]
    reduce: Callable[..., pa.Table]
    stage: str = "unique"  # the stage of a recipe whose filters read it
    columns: tuple[str, ...] | None = None  # of malmoi.shard.DOCUMENTS; None: all

    @property
    def key(self) -> str:
        """Name of the key column."""
        return str(self.schema.names[0])
