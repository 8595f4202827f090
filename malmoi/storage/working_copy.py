"""The local copy of a workspace in a bucket: what a run finishes is uploaded, what others finished is downloaded.

Objects have the paths of the files, so a copy of all objects is a workspace in a folder, and the other way round.
A folder of a stage, survey or release is uploaded with its last file last (`find_unit`): without that object the folder
does not exist for others, and is deleted as an orphan. Here it appears by one rename. A record says which version of
each object the copy has, and so distinguishes a change, a deletion and an upload that did not happen.

Large files are placeholders until they are read (malmoi/storage/placeholders.py).

One run at a time holds the lease of the bucket and changes objects, and the nodes of its cluster do so by its token.
Changes by another run win over leftovers of a killed run in the copy.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from malmoi.errors import CallError, MalmoiError, StageError
from malmoi.storage import lease as leases
from malmoi.storage.bucket import Bucket, Stored, has_tag
from malmoi.storage.downloads import NEVER, THREADS, CopyRecord, Downloads, Known, stamp
from malmoi.storage.lease import Lease
from malmoi.storage.location import find_address
from malmoi.storage.placeholders import CHANGED, is_large, is_placeholder, make_placeholder
from malmoi.workspace_layout import ADDED, CAPTURES, MARK, STAGES, SYNC, Layout, find_unit

ORPHAN: Final = timedelta(hours=1)  # age from which an object of an unfinished folder is deleted
FRESH: Final = 5.0  # seconds in which a process does not list the bucket again for a reader
_SECTOR: Final = 512  # bytes; the unit of st_blocks, whatever the file system
_TOKEN: ContextVar[str] = ContextVar("token", default="")  # of the run for which this node works


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of a copy on this disk, bytes of all of its files, and files that are not uploaded yet."""

    here: int
    total: int
    changed: int


@cache
def find_copy(folder: Path) -> WorkingCopy | None:
    """Return the copy in `folder`, or None for a workspace that is only a folder."""
    address = find_address(folder)
    return WorkingCopy(folder, Bucket(address)) if address else None


class WorkingCopy:
    """The folder `folder` as a copy of `bucket`."""

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self.folder, self.bucket = folder, bucket
        self._layout, self._record = Layout(folder), CopyRecord(folder / SYNC)
        self._downloads = Downloads(self._layout, bucket, self._record)
        self._lease: Lease | None = None
        self._listed = float("-inf")

    @contextmanager
    def hold(self, refuse: Callable[[str], Exception]) -> Iterator[None]:
        """Hold the lease for one run: bring copy and bucket together first, upload what the run changed at its end."""
        with self._only_one(), leases.hold_lease(self.bucket, self._record.read_id(), refuse) as lease:
            self._lease = lease
            try:
                self._start_run()
                try:
                    yield
                except BaseException:
                    with suppress(MalmoiError):  # the error of the run is the one to report
                        self.push()
                    raise
                self.push()
            finally:
                self._lease = None

    def pull(self) -> None:
        """Download what the copy lacks, for a reader; nothing while a run on this machine changes the copy."""
        if time.monotonic() - self._listed > FRESH:
            with suppress(BlockingIOError), self._only_one(wait=False):
                self._download(self._list_objects(), keep_changes=True)

    def push(self, below: str = "") -> None:
        """Upload what changed in the file or folder `below`, and delete the objects of what was deleted there.

        A process of a run whose lease another process holds may do so too. StageError if the lease was lost, or another
        run changed an object.
        """
        record, files = self._record.read(below), self._scan(below)
        self._upload([path for path, now in files.items() if _is_changed(record.get(path), now)], record, files)
        gone = [path for path, known in record.items() if known.stamp and path not in files]
        if gone:
            self._make_guard()()
            for _, paths in groupby(sorted(gone, key=_rank_deletion), key=_rank_deletion):
                self.bucket.delete(list(paths))
            self._record.forget(gone)

    def fetch(self, paths: Iterable[str]) -> None:
        """Download the content of those of these files that are placeholders. StageError if one was changed."""
        self._downloads.fill(paths)

    def fetch_below(self, paths: Iterable[str]) -> None:
        """Download the content of the placeholders among files, and in folders and below."""
        for path in paths:
            self.fetch([name for name, now in self._scan(path).items() if _is_without_content(now)])

    def renew(self, path: str) -> bool:
        """Download again what differs from the bucket, of a file or a folder; return whether anything did."""
        return self._downloads.renew({path: ""} if (self.folder / path).is_file() else self._scan(path))

    def sync(self, paths: Iterable[str], *, whole: bool) -> None:
        """Bring files, and folders that appear as a whole, to their state in the bucket, also during a run.

        With `whole`, the content of these files is downloaded too. Files that the bucket lacks are deleted here.
        """
        self._layout.tmp.mkdir(parents=True, exist_ok=True)
        folders = {path: find_unit(path)[0] or find_unit(f"{path}/file")[0] for path in paths}
        for below in dict.fromkeys(folder or path for path, folder in folders.items()):
            alone = None if below in folders.values() else self.bucket.find(below)
            objects = {one.path: one for one in ([alone] if alone else self.bucket.list_objects(below))}
            self._download(objects, below=below, keep_changes=False)
        if whole:
            self.fetch_below(folders)

    def read_id(self) -> str:
        """Return the id of this copy."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._record.read_id()

    @property
    def token(self) -> str:
        """The token of the lease that this process holds, by which nodes write too; "" if it holds none."""
        return self._lease.token if self._lease is not None else ""

    def measure(self) -> Usage:
        """Measure what the copy takes, without asking the bucket."""
        record, files = self._record.read(), self._scan()
        states = [(self.folder / path).lstat() for path in files]
        return Usage(
            sum(state.st_blocks * _SECTOR for state in states),
            sum(state.st_size for state in states),
            sum(_is_changed(record.get(path), now) for path, now in files.items()),
        )

    def trim(self) -> int:
        """Replace large files that the bucket has by placeholders, and return their bytes; CallError during a run.

        Small files that are not what the bucket has are deleted too: the next command downloads them.
        """
        try:
            with self._only_one(wait=False):
                record, files, freed = self._record.read(), self._scan(), 0
                spoiled = _find_spoiled(record, files)
                for path, now in files.items():
                    file, known = self.folder / path, record.get(path, NEVER)
                    if file.is_symlink() or is_placeholder(file) or (known.stamp != now and path not in spoiled):
                        continue
                    size = int(known.stamp.split()[0])
                    if is_large(path, size):
                        part = self._layout.tmp / uuid.uuid4().hex
                        make_placeholder(part, size)
                        part.replace(file)
                        self._record.note([(path, Known(known.tag, stamp(file)))])
                    elif path in spoiled or self._is_spoiled(file, known.tag):
                        file.unlink()
                        self._record.forget([path])
                    else:
                        continue
                    freed += size
                return freed
        except BlockingIOError as error:
            raise CallError(f"{self.folder} is in use by a run; trim it when that has ended.") from error

    def _is_spoiled(self, file: Path, tag: str) -> bool:
        with file.open("rb") as stream:
            return not has_tag(stream, tag) and self.bucket.has_digests

    def _start_run(self) -> None:
        found = self._list_objects()
        if self._upload_leftovers(found):
            found = self._list_objects()
        self._download(found, keep_changes=False)
        self._delete_orphans(found)

    def _make_guard(self) -> Callable[[], None]:
        """Return what raises StageError if the run for which this thread works has lost its lease."""
        if self._lease is not None:
            return self._lease.require
        token = _TOKEN.get()
        return (lambda: leases.require_token(self.bucket, token)) if token else (lambda: None)

    @contextmanager
    def _only_one(self, *, wait: bool = True) -> Iterator[None]:
        """Let one process of this machine at a time change the copy; BlockingIOError if another does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{SYNC}.lock").open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield

    def _list_objects(self) -> dict[str, Stored]:
        self._listed = time.monotonic()
        found = {one.path: one for one in self.bucket.list_objects()}
        mark = self._layout.mark.name
        if mark not in found and (other := next((path for path in found if path != leases.NAME), "")):
            raise CallError(
                f"{self.bucket.address} has the object {other} and no {mark}, so it is not a Malmoi workspace; name "
                "another prefix."
            )
        return found

    def _scan(self, below: str = "") -> dict[str, str]:
        """Return the finished files of the copy, each with the stamp of its state; hidden ones are left out."""
        start = self.folder / below
        found = {below: stamp(start)} if start.is_file() else {}
        for folder, folders, names in os.walk(start):
            here = Path(folder)
            links = [name for name in folders if (here / name).is_symlink()]
            folders[:] = [n for n in folders if not n.startswith(".") and here / n != self._layout.tmp]
            for path in (here / name for name in (*names, *links) if not name.startswith(".")):
                with suppress(FileNotFoundError):
                    found[path.relative_to(self.folder).as_posix()] = stamp(path)
        return {path: now for path, now in found.items() if _is_finished(path, found)}

    def _upload_leftovers(self, objects: Mapping[str, Stored]) -> bool:
        """Upload what a killed run left here and no other run changed since; return whether there was any."""
        record, files = self._record.read(), self._scan()
        left, spoiled = [], _find_spoiled(record, files)
        for path, now in files.items():
            known, there = record.get(path), objects.get(path)
            same = there is None if known is None else there is not None and there.tag == known.tag
            if same and _is_changed(known, now) and path not in spoiled:
                left.append(path)
        self._upload(left, record, files)
        return bool(left)

    def _upload(self, paths: Collection[str], record: Mapping[str, Known], files: Mapping[str, str]) -> None:
        """Upload files: first those within folders, then the last one of each folder, then all others."""

        guard = self._make_guard()

        def send(path: str) -> tuple[str, Known]:
            guard()
            return path, Known(self._send(path, record.get(path, NEVER).tag), files[path])

        for rank in range(3):
            now = [path for path in paths if _rank(path) == rank]
            with ThreadPoolExecutor(THREADS) as pool:
                self._record.note(list(pool.map(send, sorted(now))) if now else [])

    def _send(self, path: str, tag: str) -> str:
        """Upload one file and return its tag; the last one of a folder, and one alone, only over the version `tag`."""
        file = self.folder / path
        if _rank(path) == 0:
            return self.bucket.upload(path, file)
        content = f"{file.readlink()}\n".encode() if file.is_symlink() else file.read_bytes()
        done = self.bucket.replace(path, content, tag) if tag else self.bucket.create(path, content)
        if done is not None:
            return done
        there = self.bucket.read(path)  # the same content: the answer to an attempt was lost, or another finished it
        if there is None or there[0] != content:
            raise StageError(
                f"{self.bucket.address}/{path}: was changed by another run meanwhile; nothing was overwritten. Run the "
                "same command again: it takes that change over."
            )
        return there[1]

    def _download(self, objects: Mapping[str, Stored], *, below: str = "", keep_changes: bool) -> None:
        """Bring the copy to the state of the bucket; with `keep_changes`, files that a command changed here stay."""
        record, files = self._record.read(below), self._scan(below)
        spoiled = _find_spoiled(record, files)
        stays = {path for path, now in files.items() if keep_changes and _is_changed(record.get(path), now)} - spoiled
        lost = (path for path, now in files.items() if _is_without_content(now))  # of a record that was deleted
        gone = [path for path in {**record, **dict.fromkeys(lost)} if path not in objects and path not in stays]
        for path in sorted(gone, key=lambda path: find_unit(path)[1] != path):
            (self.folder / path).unlink(missing_ok=True)
        for path in gone:
            self._delete_empty(self.folder / (find_unit(path)[0] or path))
        if gone and not below:  # an erasure, perhaps: parts of releases that are kept here contain rows of documents
            shutil.rmtree(self._layout.release_parts(""), ignore_errors=True)
        self._record.forget(gone)
        wanted = [
            one
            for path, one in objects.items()
            if path not in stays
            and _is_finished(path, objects)
            and (
                path not in files
                or path in spoiled
                or record.get(path, NEVER).tag != one.tag
                or (_is_without_content(files[path]) and files[path] != f"{one.size} {CHANGED}")
            )
        ]
        self._downloads.bring(wanted)

    def _delete_empty(self, unit: Path) -> None:
        """Delete a folder that has lost its files, with hidden facts about them, and the empty folders above it."""
        if unit.is_dir() and not any(one.is_file() and not one.name.startswith(".") for one in unit.rglob("*")):
            shutil.rmtree(unit, ignore_errors=True)
        with suppress(OSError):  # until a folder has other files; an empty one would count as a damaged segment
            for folder in unit.parents:
                folder.rmdir()

    def _delete_orphans(self, objects: Mapping[str, Stored]) -> None:
        """Delete objects of folders without their last file, left by a killed run; a young one may be in work."""
        now = objects[leases.NAME].written
        orphans = [p for p, one in objects.items() if not _is_finished(p, objects) and now - one.written > ORPHAN]
        lasts = {find_unit(path)[1] for path in orphans}
        unfinished = {path for path in lasts if self.bucket.find(path) is None}  # a listing may arrive damaged
        self.bucket.delete([path for path in orphans if find_unit(path)[1] in unfinished])


def _is_finished(path: str, paths: Collection[str]) -> bool:
    """Whether a file has no folder to wait for, or `paths` has its last file; a crawl continues from its files."""
    last = find_unit(path)[1]
    return path != leases.NAME and (not last or last in paths or path.startswith(f"{CAPTURES}/"))


def _rank(path: str) -> int:
    """Order of upload: 0 within a folder, 1 its last file, 2 alone."""
    last = find_unit(path)[1]
    return 2 if not last else 1 if last == path else 0


def _rank_deletion(path: str) -> tuple[int, bool]:
    """Order of deletion: stages from the last to the first, by which an erasure that was stopped finds what is left.

    Of each folder the last file is the first to go: without it the folder does not exist.
    """
    stage = path.partition("/")[0]
    return -STAGES.index(stage) if stage in STAGES else -len(STAGES), find_unit(path)[1] != path


def _is_changed(known: Known | None, now: str) -> bool:
    """Whether a file was written since the record was, or was never uploaded."""
    return (known or NEVER).stamp != now and not _is_without_content(now)


def _find_spoiled(record: Mapping[str, Known], files: Mapping[str, str]) -> set[str]:
    """Return the files that something else than a command has changed: the disk, or another program.

    A command that changes files of a finished folder changes its last file too, and never that one alone.
    """
    changed: dict[str, set[str]] = {}
    for path, now in files.items():
        if path in record and _is_changed(record[path], now) and path.rpartition("/")[2] not in ADDED:
            last = find_unit(path)[1]
            if last in record or path == MARK:
                changed.setdefault(last, set()).add(path)
    return {path for last, paths in changed.items() if last not in paths or len(paths) == 1 for path in paths}


def _is_without_content(now: str) -> bool:
    """Whether a stamp is that of a placeholder."""
    return now.endswith(f" {CHANGED}")


@contextmanager
def work_for(token: str) -> Iterator[None]:
    """Let what this thread uploads count as work of the run whose lease has the token."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)
