"""The local copy of a workspace in a bucket: what a run finishes is uploaded, what others finished is downloaded.

Objects have the paths of the files, so a copy of all objects is a workspace in a folder, and the other way round.
A folder of a stage, survey or release is uploaded with its last file last (`find_unit`): without that object the folder
does not exist for others, and is deleted as an orphan. Here it appears by one rename. A record says which version of
each object the copy has, and so distinguishes a change, a deletion and an upload that did not happen.

One run at a time holds the lease of the bucket and changes objects. Changes by another run win over leftovers of a
killed run in the copy.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from malmoi.errors import CallError, MalmoiError, StageError
from malmoi.storage import lease as leases
from malmoi.storage.atomic_files import sync
from malmoi.storage.bucket import Bucket, Stored
from malmoi.storage.copy_record import NEVER, CopyRecord, Known
from malmoi.storage.lease import Lease
from malmoi.storage.location import find_address
from malmoi.workspace_layout import CAPTURES, LATEST, STAGES, SYNC, Layout, find_unit

THREADS: Final = 16  # transfers at once
ORPHAN: Final = timedelta(hours=1)  # age from which an object of an unfinished folder is deleted
FRESH: Final = 5.0  # seconds in which a process does not list the bucket again for a reader


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
        self._upload([path for path, stamp in files.items() if record.get(path, NEVER).stamp != stamp], record, files)
        gone = [path for path, known in record.items() if known.stamp and path not in files]
        if gone:
            self._require_lease()
            for _, paths in groupby(sorted(gone, key=_rank_deletion), key=_rank_deletion):
                self.bucket.delete(list(paths))
            self._record.forget(gone)

    def _start_run(self) -> None:
        found = self._list_objects()
        if self._upload_leftovers(found):
            found = self._list_objects()
        self._download(found, keep_changes=False)
        self._delete_orphans(found)

    def _require_lease(self) -> None:
        if self._lease is not None:
            self._lease.require()

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
        found = {below: _stamp(start)} if start.is_file() else {}
        for folder, folders, names in os.walk(start):
            here = Path(folder)
            links = [name for name in folders if (here / name).is_symlink()]
            folders[:] = [n for n in folders if not n.startswith(".") and here / n != self._layout.tmp]
            for path in (here / name for name in (*names, *links) if not name.startswith(".")):
                with suppress(FileNotFoundError):
                    found[path.relative_to(self.folder).as_posix()] = _stamp(path)
        return {path: stamp for path, stamp in found.items() if _is_finished(path, found)}

    def _upload_leftovers(self, objects: Mapping[str, Stored]) -> bool:
        """Upload what a killed run left here and no other run changed since; return whether there was any."""
        record, files = self._record.read(), self._scan()
        left = []
        for path, stamp in files.items():
            known, there = record.get(path), objects.get(path)
            same = there is None if known is None else there is not None and there.tag == known.tag
            if same and (known or NEVER).stamp != stamp:
                left.append(path)
        self._upload(left, record, files)
        return bool(left)

    def _upload(self, paths: Collection[str], record: Mapping[str, Known], files: Mapping[str, str]) -> None:
        """Upload files: first those within folders, then the last one of each folder, then all others."""

        def send(path: str) -> tuple[str, Known]:
            self._require_lease()
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

    def _download(self, objects: Mapping[str, Stored], *, keep_changes: bool) -> None:
        """Bring the copy to the state of the bucket; with `keep_changes`, files that were changed here stay."""
        record, files = self._record.read(), self._scan()
        stays = {path for path, stamp in files.items() if keep_changes and record.get(path, NEVER).stamp != stamp}
        gone = [path for path in record if path not in objects and path not in stays]
        for path in sorted(gone, key=lambda path: find_unit(path)[1] != path):
            (self.folder / path).unlink(missing_ok=True)
        self._record.forget(gone)
        wanted = [
            path
            for path, one in objects.items()
            if path not in stays
            and _is_finished(path, objects)
            and (path not in files or record.get(path, NEVER).tag != one.tag)
        ]
        self._fetch(wanted)

    def _fetch(self, paths: Collection[str]) -> None:
        """Download files; a folder that the copy does not have appears by one rename."""
        folders: dict[str, list[str]] = {}
        for path in paths:
            folder = find_unit(path)[0]
            whole = bool(folder) and not (self.folder / folder).exists()
            folders.setdefault(folder if whole else path, []).append(path)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._fetch_group, *zip(*folders.items(), strict=True)) if folders else [])

    def _fetch_group(self, name: str, paths: Collection[str]) -> None:
        """Download the folder or the file `name` to tmp/ and move it into place."""
        part, target = self._layout.tmp / uuid.uuid4().hex, self.folder / name
        part.mkdir(parents=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            tags = {}
            for path in paths:
                file = part / "whole" / Path(path).relative_to(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                tags[path] = self.bucket.download(path, file)
            for done in (*part.rglob("*"), part):
                sync(done)  # a file that a power cut tears would look like a change made here, and be uploaded
            _move(part / "whole", target)
            sync(target.parent)
        except FileNotFoundError:
            return  # it was deleted since it was listed
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._record.note([(path, Known(tag, _stamp(self.folder / path))) for path, tag in tags.items()])

    def _delete_orphans(self, objects: Mapping[str, Stored]) -> None:
        """Delete objects of folders without their last file, left by a killed run; a young one may be in work."""
        now = objects[leases.NAME].written
        orphans = [p for p, one in objects.items() if not _is_finished(p, objects) and now - one.written > ORPHAN]
        self.bucket.delete(orphans)


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


def _stamp(path: Path) -> str:
    """Return what changes when a file is written again."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


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
