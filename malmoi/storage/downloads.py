"""Bring objects of a bucket to a local copy: small files at once, large ones as placeholders until they are read."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from malmoi.errors import StageError
from malmoi.storage.atomic_files import sync
from malmoi.storage.bucket import Bucket, Stored, has_tag
from malmoi.storage.placeholders import is_large, is_placeholder, make_placeholder
from malmoi.workspace_layout import LATEST, Layout, find_unit


@dataclass(frozen=True, slots=True)
class Known:
    """The version of an object (tag) and the state of its file (stamp) when both were last the same."""

    tag: str
    stamp: str


_MACHINE = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_CANTOPEN: errno.EIO}
NEVER = Known("", "")  # an object that the copy has never had
THREADS: Final = 16  # transfers at once
_LOCKS: Final = 64  # files with the same lock wait for each other


class Downloads:
    """Downloads from `bucket` to the folder of `layout`; `record` says what the copy has."""

    def __init__(self, layout: Layout, bucket: Bucket, record: CopyRecord) -> None:
        self._folder, self._tmp, self._bucket, self._record = layout.root, layout.tmp, bucket, record
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def bring(self, objects: Collection[Stored]) -> None:
        """Download objects, large ones as placeholders; a new folder appears by one rename."""
        folders: dict[str, list[Stored]] = {}
        for one in objects:
            folder = find_unit(one.path)[0]
            new = bool(folder) and not (self._folder / folder).exists()
            folders.setdefault(folder if new else one.path, []).append(one)

        _run_each(lambda name: self._bring_together(name, folders[name]), folders)

    def _bring_together(self, name: str, objects: Collection[Stored]) -> None:
        """Download the folder or the file `name` to tmp/ and move it into place."""
        part, target = self._tmp / uuid.uuid4().hex, self._folder / name
        part.mkdir(parents=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            tags = {}
            for one in objects:
                file = part / "whole" / Path(one.path).relative_to(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                if is_large(one.path, one.size):
                    tags[one.path] = one.tag
                    make_placeholder(file, one.size)
                else:
                    tags[one.path] = self._bucket.download(one.path, file)
            for done in (*part.rglob("*"), part):
                sync(done)  # a file that a power cut tears would look like a change made here, and be uploaded
            _move(part / "whole", target)
            sync(target.parent)
        except FileNotFoundError:
            return  # it was deleted since it was listed
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._record.note([(path, Known(tag, stamp(self._folder / path))) for path, tag in tags.items()])

    def fill(self, paths: Iterable[str]) -> None:
        """Replace placeholders by their content, atomically; other files are left alone."""
        _run_each(self._fill_one, dict.fromkeys(paths))

    def renew(self, paths: Iterable[str]) -> bool:
        """Download files again whose content is not that of their objects; return whether there was one."""
        renewed = list[str]()

        def renew_one(path: str) -> None:
            with self._locks[hash(path) % _LOCKS]:
                there = self._bucket.find(path)
                if there is not None and self._differs(path, there.tag):
                    self._download(path)
                    renewed.append(path)

        _run_each(renew_one, dict.fromkeys(paths))
        return bool(renewed)

    def _differs(self, path: str, tag: str) -> bool:
        file = self._folder / path
        if is_placeholder(file) or file.is_symlink():
            return False
        try:
            with file.open("rb") as stream:
                return not has_tag(stream, tag)
        except FileNotFoundError:
            return True

    def _fill_one(self, path: str) -> None:
        with self._locks[hash(path) % _LOCKS]:
            if is_placeholder(self._folder / path):
                self._download(path)

    def _download(self, path: str) -> None:
        file, part = self._folder / path, self._tmp / uuid.uuid4().hex
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            tag = self._bucket.download(path, part)
            known = self._record.read(path).get(path)
            if known is not None and known.tag != tag:
                raise FileNotFoundError
            sync(part)
            part.replace(file)
        except FileNotFoundError as error:
            raise StageError(
                f"{self._bucket.address}/{path}: was changed or deleted by another run meanwhile. Run the same "
                "command again: it takes that change over."
            ) from error
        finally:
            part.unlink(missing_ok=True)
        self._record.note([(path, Known(tag, stamp(file)))])


def stamp(path: Path) -> str:
    """Return what changes when a file is written again."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _run_each(call: Callable[[str], None], names: Mapping[str, object]) -> None:
    """Run `call` on each name on threads; the first error is raised, and what has not begun does not begin."""
    if len(names) < 2:
        for name in names:
            call(name)
        return
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            list(pool.map(call, names))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _move(part: Path, target: Path) -> None:
    """Move a downloaded file or folder into place; the object `latest` of a release is a link here."""
    if target.name == LATEST and part.is_file():
        name = part.read_text(encoding="utf-8").strip()
        part.unlink()
        part.symlink_to(name)
    try:
        part.replace(target)
    except OSError:
        if not target.is_dir():
            raise  # else another process has moved the same folder there


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
