"""The workspace: everything is written whole or not at all, and by one run at a time.

malmoi/workspace_layout.py holds its paths. What is done is never written again; what is half done is in
tmp/ and is swept away by the next run.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from malmoi.errors import CallError, StageError
from malmoi.ledger import Ledger
from malmoi.storage import checksummed_files
from malmoi.storage.atomic_files import replace_file, sync
from malmoi.storage.location import explain_write_errors, locate
from malmoi.workspace_layout import LEDGER, Layout, Stage

FORMAT = 1  # layout of the workspace
PRIVATE = 0o700  # mode of the root: raw pages and texts before redaction are the operator's alone
_UNFINISHED_MARK = ".malmoi.json.*"  # what a run leaves that is killed while it makes the workspace


@dataclass(frozen=True, slots=True)
class Workspace(Layout):
    """A folder that holds captures, stages, surveys and releases."""

    @staticmethod
    def open(root: Path) -> Workspace:
        """The workspace at `root`, made if it is not there; CallError if no workspace can be there.

        From here on this process makes files that only the operator can read, and a root that others
        could enter is closed to them.
        """
        keep_private()
        root = locate(root)
        with explain_write_errors(root):
            return Workspace._open(root)

    @staticmethod
    def _open(root: Path) -> Workspace:
        mark = Layout(root).mark
        if not mark.exists():
            if root.exists() and any(not _is_ours(path) for path in root.iterdir()):
                raise CallError(f"{root} is not empty and no workspace of ours; name another with --workspace.")
            root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            replace_file(mark, json.dumps({"format": FORMAT}) + "\n")
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))["format"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CallError(f"{mark}: not readable ({error}); restore it, or name another --workspace.") from error
        if found != FORMAT:
            raise CallError(f"{root} has layout {found}, this version works with {FORMAT}; name another --workspace.")
        _restrict_permissions(root)
        Layout(root).tmp.mkdir(exist_ok=True)
        return Workspace(root)

    def ledger(self, stage: Stage, key: str) -> Ledger | None:
        """The ledger of a finished shard, or None where it is not done.

        StageError if the folder is not what its ledger says (a file is missing or has another size; what is in it
        is checked where it is read, malmoi/storage/checksummed_files.py), or the ledger not as it was written.
        """
        folder = self.stage(stage, key)
        try:
            ledger = Ledger.read(folder / LEDGER)
        except FileNotFoundError:
            return None
        if (ledger.stage, ledger.key) != (stage, key):
            raise StageError(f"{folder}/ledger.json: of another folder; delete {folder}, it will be made anew.")
        for file in ledger.files:
            path = folder / file.name
            if not path.exists() or path.stat().st_size != file.bytes:
                raise StageError(
                    f"{path}: missing or not of {file.bytes} bytes; delete {folder}, it will be made anew."
                )
        return ledger

    def commit(self, stage: Stage, key: str, fill: Callable[[Path], Ledger]) -> Ledger:
        """Let `fill` write the files of a shard into a new folder, and make it stand with its ledger, or not at all."""
        ledger: list[Ledger] = []

        def write(folder: Path) -> None:
            ledger.append(fill(folder))
            (folder / LEDGER).write_text(ledger[0].to_json(), encoding="utf-8")

        self.put(self.stage(stage, key), write)
        found = self.ledger(stage, key)
        if found is None:
            raise StageError(f"{self.stage(stage, key)}: stands without a ledger; delete it, it will be made anew.")
        return found

    def put(self, target: Path, write: Callable[[Path], None]) -> None:
        """Let `write` fill a new folder and put it at `target`, unless one stands there already (it is the same)."""
        with self.temporary_folder() as folder:
            write(folder)
            self.move_into_place(folder, target)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """A new folder in tmp/, gone at the end unless it was made to stand."""
        folder = self.tmp / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def move_into_place(self, folder: Path, target: Path) -> None:
        """Make a finished folder appear at `target`, whole and durable; what stands there already stays.

        A folder of surveys gets the digests of its files (malmoi/storage/checksummed_files.py).
        """
        if target.is_relative_to(self.surveys):
            checksummed_files.write(folder)
        for path in (*folder.rglob("*"), folder):
            sync(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():
                raise
        sync(target.parent)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One run at a time writes into a workspace; a lock of a killed run is gone with it."""
        with explain_write_errors(self.root):
            lock = (self.root / ".lock").open("a")
        with lock as stream:
            _take_lock(stream, self.root)
            for leftover in (*self.tmp.iterdir(), *self.root.glob(_UNFINISHED_MARK)):
                shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
            yield


def _is_ours(path: Path) -> bool:
    """Whether a new workspace may have `path` in it: what a killed run left, or a workspace, as workspace/demo is."""
    return path.match(_UNFINISHED_MARK) or Layout(path).mark.is_file()


def _take_lock(stream: IO[str], root: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CallError(f"{root} is in use by another run; wait for it, or name another --workspace.") from error


def keep_private() -> None:
    """Let this process, and those it starts, make files of mode 0600 and folders of mode 0700."""
    os.umask(0o077)


def _restrict_permissions(root: Path) -> None:
    """Take the rights of group and others from a root that has them, such as one of an earlier version."""
    mode = root.stat().st_mode & 0o777
    if not mode & 0o077:
        return
    try:
        root.chmod(mode & PRIVATE)
    except OSError as error:
        raise CallError(
            f"{root} can be read by others (mode {mode:04o}) and belongs to another user; it holds texts before "
            f"redaction. Let its owner run `chmod 700 {root}`, or name a workspace of your own with --workspace."
        ) from error
