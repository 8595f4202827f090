"""Interface of the writers of all formats, and the place of a document in the files of an export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Place:
    """Where one document is: a file, and start and length in the unit of the format."""

    file: str
    start: int
    length: int


class Writer(Protocol):
    """Writes documents in the order in which they come."""

    unit: str  # of start and length: bytes or tokens

    @property
    def columns(self) -> Sequence[str]:
        """Columns of the release that the format needs."""
        ...

    def write(self, table: pa.Table) -> list[Place]:
        """Write the rows of `table`; return the place of each."""
        ...

    def close(self) -> dict[str, Any]:
        """Finish the files; return facts for export.json."""
        ...
