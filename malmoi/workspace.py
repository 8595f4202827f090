"""The workspace: atomic writes of folders and files, and a lock for one run at a time.

malmoi/workspace_layout.py has its paths. A finished folder is never written again (a checkpoint); unfinished
ones are in tmp/, and the next run deletes them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from malmoi import erasure_plan
from malmoi.errors import CallError, StageError
from malmoi.ledger import Ledger
from malmoi.storage import checksummed_files
from malmoi.storage.atomic_files import replace_file, sync, sync_below
from malmoi.storage.location import explain_write_errors, find_address, locate
from malmoi.storage.locks import find_holder, hold_lock
from malmoi.storage.on_demand import renew
from malmoi.workspace_layout import FORMAT, LEDGER, MARK_TEXT, SYNC, Layout, Stage

if TYPE_CHECKING:
    from malmoi.storage.working_copy import WorkingCopy

PRIVATE = 0o700  # mode of the root: only the operator may read raw pages and texts before redaction
_UNFINISHED_MARK = ".malmoi.json.*"  # left by a run that is killed while it creates the workspace
_UNFINISHED = re.compile(r"\..+[.-][0-9a-f]{8,32}")  # name of a file before it is renamed: `replace_file` and others


@dataclass(frozen=True, slots=True)
class Workspace(Layout):
    """A folder that holds captures, stages, surveys and releases."""

    @staticmethod
    def open(root: Path) -> Workspace:
        """Open the workspace at `root` and create it if missing; CallError if no workspace can be there.

        Files that this process creates afterwards are readable by the operator only; access of other users to
        the root is removed. An erasure that was stopped is named on standard error.
        """
        keep_private()
        root = locate(root)
        with explain_write_errors(root):
            found = Workspace._open(pull(root))
        erasure_plan.name_unfinished(root)
        return found

    @staticmethod
    def _open(root: Path) -> Workspace:
        mark = Layout(root).mark
        if not mark.exists():
            strange = root.exists() and any(not _is_ours(path) for path in root.iterdir())
            if strange and not mark.exists():  # by now: another run may create it too
                raise CallError(f"{root} is not empty and is not a Malmoi workspace; pass another --workspace.")
            root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            replace_file(mark, MARK_TEXT)
        if mark.read_bytes() != MARK_TEXT.encode():
            renew(mark)
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))["format"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CallError(f"{mark}: not readable ({error}); restore it, or pass another --workspace.") from error
        if found != FORMAT:
            raise CallError(f"{root} has layout {found}, this version uses {FORMAT}; pass another --workspace.")
        _restrict_permissions(root)
        Layout(root).tmp.mkdir(exist_ok=True)
        return Workspace(root)

    def ledger(self, stage: Stage, key: str) -> Ledger | None:
        """Return the ledger of a finished shard, or None if it is not finished.

        StageError if a file that the ledger names is missing or has another size (its content is checked when it is
        read, malmoi/storage/checksummed_files.py), or if the ledger was changed.
        """
        folder = self.stage(stage, key)
        try:
            ledger = Ledger.read(folder / LEDGER)
        except FileNotFoundError:
            return None
        if (ledger.stage, ledger.key) != (stage, key):
            raise StageError(
                f"{folder}/ledger.json: of another folder. Delete {folder} and run again: it is created anew."
            )
        for file in ledger.files:
            path = folder / file.name
            if not path.exists() or path.stat().st_size != file.bytes:
                raise StageError(
                    f"{path}: missing or not of {file.bytes} bytes. Delete {folder} and run again: it is created anew."
                )
        return ledger

    def commit(self, stage: Stage, key: str, fill: Callable[[Path], Ledger]) -> Ledger:
        """Let `fill` write the files of a shard into a new folder, and publish them with its ledger atomically."""
        ledger: list[Ledger] = []

        def write(folder: Path) -> None:
            ledger.append(fill(folder))
            (folder / LEDGER).write_text(ledger[0].to_json(), encoding="utf-8")

        self.put(self.stage(stage, key), write)
        found = self.ledger(stage, key)
        if found is None:
            raise StageError(f"{self.stage(stage, key)}: has no ledger. Delete it and run again: it is created anew.")
        return found

    def put(self, target: Path, write: Callable[[Path], None]) -> None:
        """Let `write` fill a new folder and move it to `target`; an existing folder there stays (it is the same)."""
        with self.temporary_folder() as folder:
            write(folder)
            self.move_into_place(folder, target)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Create a folder in tmp/ and delete it at the end, unless it was moved into place."""
        folder = self.tmp / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def is_temporary(self) -> bool:
        """Whether it is inside a temporary folder of another workspace, which ends with its command."""
        above = self.root.parents
        return len(above) > 2 and above[1] == Layout(above[2]).tmp and Layout(above[2]).mark.exists()

    def move_into_place(self, folder: Path, target: Path) -> None:
        """Move a finished folder to `target`, atomically and durably; an existing folder there stays.

        A folder of surveys gets the digests of its files (malmoi/storage/checksummed_files.py).
        """
        if target.is_relative_to(self.surveys):
            checksummed_files.write(folder)
        sync_below(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():
                raise
        sync(target.parent)
        push(target)

    @contextmanager
    def lock(self, *, resume: bool = True) -> Iterator[None]:
        """Lock the workspace for one run and delete leftovers. The kernel releases the lock of a killed run.

        An erasure that was stopped is continued first, unless `resume` is false. CallError if another run holds the
        workspace; `malmoi.storage.locks.request_locks` sets how long to wait for that run.
        """
        path, place = self.root / ".lock", find_address(self.root) or self.root
        with explain_write_errors(self.root):
            path.open("a").close()
        copy = _find_copy(self.root)
        bucket = copy.hold(lambda owner: _refuse_lock(copy.bucket.address, owner)) if copy else nullcontext()
        with hold_lock(path, lambda owner: _refuse_lock(place, owner), place), bucket:
            for leftover in (*self.tmp.iterdir(), *self._find_unfinished()):
                shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
            if resume and self.erasure_plan.exists():
                erasure_plan.resume(self)
            yield

    def find_holder(self) -> str:
        """Return the run on this machine, or on a shared folder, that holds the workspace, or ""."""
        return find_holder(self.root / ".lock")

    def _find_unfinished(self) -> Iterator[Path]:
        """Yield the files that a killed run had not renamed yet; finished releases are not searched."""
        for folder, folders, names in os.walk(self.root):
            here = Path(folder)
            is_release = here.parent.parent == self.releases("")
            folders[:] = [name for name in folders if here / name != self.tmp and not is_release]
            yield from (here / name for name in names if _UNFINISHED.fullmatch(name))


def pull(root: Path) -> Path:
    """Return `root`; if it is the local copy of a bucket, download first what the copy lacks."""
    if copy := _find_copy(root):
        keep_private()
        copy.pull()
    return root


def push(path: Path) -> None:
    """Upload what changed in a file or folder of the local copy of a bucket; other paths are left alone."""
    for root in (path.absolute(), *path.absolute().parents):
        if copy := _find_copy(root):
            copy.push(path.absolute().relative_to(root).as_posix() if path.absolute() != root else "")


def _find_copy(root: Path) -> WorkingCopy | None:
    """Return the local copy of a bucket that the workspace at `root` is; None for one that is only a folder."""
    if not find_address(root):
        return None
    from malmoi.storage.working_copy import find_copy

    return find_copy(root)


def _is_ours(path: Path) -> bool:
    """Whether a new workspace may contain `path`: a leftover of a killed run, or a workspace, as workspace/demo is."""
    return path.match(_UNFINISHED_MARK) or path.match(f"{SYNC}*") or Layout(path).mark.is_file()


def _refuse_lock(root: Path | str, owner: str) -> CallError:
    return CallError(
        f"{root} is in use by another run ({owner}); wait for it (--wait SECONDS), or pass another --workspace."
    )


def keep_private() -> None:
    """Set the umask so that this process, and those it starts, create files of mode 0600 and folders of mode 0700."""
    os.umask(0o077)


def _restrict_permissions(root: Path) -> None:
    """Remove the permissions of group and others from the root, which earlier versions left."""
    mode = root.stat().st_mode & 0o777
    if not mode & 0o077:
        return
    try:
        root.chmod(mode & PRIVATE)
    except OSError as error:
        raise CallError(
            f"{root} can be read by others (mode {mode:04o}) and belongs to another user; it holds texts before "
            f"redaction. Let its owner run `chmod 700 {root}`, or pass a workspace of your own with --workspace."
        ) from error
