"""The record of a local copy: which version of each object of the bucket it has, and in which state the file was."""

from __future__ import annotations

import errno
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from malmoi.errors import StageError


@dataclass(frozen=True, slots=True)
class Known:
    """The version of an object (tag) and the state of its file (stamp) when both were last the same."""

    tag: str
    stamp: str


_MACHINE = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_CANTOPEN: errno.EIO}
NEVER = Known("", "")  # an object that the copy has never had


class CopyRecord:
    """Rows path → Known in the SQLite file `path`; threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._explain(), closing(sqlite3.connect(self._path, timeout=60)) as connection, connection:
            connection.execute("create table if not exists files (path text primary key, tag text, stamp text)")
            yield connection

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Turn errors of SQLite into errors that say what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extended part
            if code in _MACHINE:
                raise OSError(_MACHINE[code], os.strerror(_MACHINE[code]), str(self._path)) from error
            raise StageError(
                f"{self._path}: the record of the local copy cannot be used ({error}). If another command uses this "
                "workspace, wait for it; else delete this file. Then run the same command again: the objects of the "
                "bucket are compared anew."
            ) from error

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
