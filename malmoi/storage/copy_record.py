"""The record of a local copy: which version of each object of the bucket it has, and in which state the file was."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Known:
    """The version of an object (tag) and the state of its file (stamp) when both were last the same."""

    tag: str
    stamp: str


NEVER = Known("", "")  # an object that the copy has never had


class CopyRecord:
    """Rows path → Known in the SQLite file `path`; threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=60)
        try:
            with connection:
                connection.execute("create table if not exists files (path text primary key, tag text, stamp text)")
                yield connection
        finally:
            connection.close()

    def read(self, below: str = "") -> dict[str, Known]:
        """Return the rows of the file or of the files in the folder `below`; "" means all."""
        first = f"{below}/" if below else ""
        with self._open() as rows:
            found = rows.execute(
                "select path, tag, stamp from files where path <> '' and (path = ? or (path >= ? and path < ?))",
                (below, first, f"{first}\U0010ffff"),
            )
            return {path: Known(tag, stamp) for path, tag, stamp in found}

    def note(self, rows: Iterable[tuple[str, Known]]) -> None:
        """Write rows."""
        with self._open() as into:
            into.executemany(
                "insert or replace into files values (?, ?, ?)", [(path, one.tag, one.stamp) for path, one in rows]
            )

    def forget(self, paths: Iterable[str]) -> None:
        """Delete rows."""
        with self._open() as rows:
            rows.executemany("delete from files where path = ?", [(path,) for path in paths])

    def read_id(self) -> str:
        """Return the id of this copy, which is made with the record."""
        with self._open() as rows:
            rows.execute("insert or ignore into files values ('', ?, '')", (uuid.uuid4().hex,))
            return str(rows.execute("select tag from files where path = ''").fetchone()[0])
