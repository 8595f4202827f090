"""A look over many documents that yields a table; nothing else looks sideways.

A survey is a map over shards (`sketch`: one row a document), one exchange, and a table of what
was found (`reduce`). A filter module that reads the table names its survey as `SURVEY` and takes
the rows of the shard at hand as its parameter `survey`, a mapping from document id to row.
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

    `sketch(doc)` gives one row of `schema` (its first column is the id). `reduce(sketches, **params)`
    gives a table with at least the columns `id` and those that the filter reads; ids about which
    there is nothing to say are left out. It must not depend on the order of its rows.
    """

    name: str
    version: int
    schema: pa.Schema
    sketch: Callable[[Document], Mapping[str, Any]]
    reduce: Callable[..., pa.Table]
