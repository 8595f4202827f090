"""Jobs over a workspace in a bucket on nodes: each node has a local copy of its own.

Paths below the folder of local copies travel relative to it, so that a job means the same files on every machine. A
node downloads the files and folders that a job names, and uploads the folder that the job writes, which the driver then
has as any other. Only jobs that say what they read and write (`Movable`) move; the others exchange files in tmp/ or in
unfinished folders, and run on the driver.
"""

from __future__ import annotations

import io
import pickle
import platform
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Protocol, runtime_checkable

from flows.engine import worker_pool
from malmoi.errors import CallError, StageError
from malmoi.storage.location import find_copies
from malmoi.storage.working_copy import WorkingCopy, find_copy, work_for


@runtime_checkable
class Movable(Protocol):
    """A job that a node can run over its own copy of the workspace."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """Folders that it reads, besides the paths among its values."""
        ...

    @property
    def writes(self) -> Path:
        """The folder that it writes as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class Store:
    """The workspace of a task: the path of its copies below the folder of copies, and who works with it."""

    place: str
    token: str  # of the driver's lease
    copy: str  # id of the driver's copy, which a node on the same machine shares


class _Pickler(pickle.Pickler):
    """Pickle paths below `root`, as str or Path, relative to it; `found` collects them."""

    def __init__(self, stream: io.BytesIO, root: str) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._root, self.found = f"{root}/", set[str]()

    def persistent_id(self, value: Any) -> tuple[bool, str] | None:
        if not isinstance(value, (str, PurePath)) or not (text := str(value)).startswith(self._root):
            return None
        path = text.removeprefix(self._root)
        self.found.add(path)
        return isinstance(value, PurePath), path


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, root: str) -> None:
        super().__init__(io.BytesIO(content))
        self._root = root

    def persistent_load(self, said: tuple[bool, str]) -> Any:
        is_path, path = said
        text = f"{self._root}/{path}"
        return Path(text) if is_path else text


def pack(value: Any) -> bytes:
    """Pickle a value; its paths in local copies are those of the machine that unpacks it."""
    return _pack(value)[0]


def unpack(content: bytes) -> Any:
    """Return the value of `pack`."""
    return _Unpickler(content, str(find_copies())).load()


def _pack(value: Any) -> tuple[bytes, set[str]]:
    stream = io.BytesIO()
    pickler = _Pickler(stream, str(find_copies()))
    pickler.dump(value)
    return stream.getvalue(), pickler.found


def find_store(jobs: Sequence[Any]) -> Store | None:
    """Return the workspace in a bucket that the jobs name; None if they name none."""
    for job in jobs[:1]:
        for path in _pack(job)[1]:
            place = "/".join(path.split("/")[:2])
            if copy := find_copy(find_copies() / place):
                return Store(place, copy.token, copy.read_id())
    return None


_turns = threading.BoundedSemaphore(worker_pool.count())


def run_here(call: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
    """Run jobs that cannot move, on the driver; as many groups at a time as it has cores."""
    with _turns:
        return [call(job) for job in jobs]


def run_at_node(call: Callable[[Any], Any], store: Store) -> Callable[[Any], Any]:
    """Return `call` for a node: it downloads first what a job reads, and uploads what it writes for the run."""
    copy = _open_copy(store)
    is_shared = copy.read_id() == store.copy

    def run(job: Movable) -> Any:
        named = {path.removeprefix(f"{store.place}/") for path in _pack(job)[1] if path != store.place}
        read = named | {_name(copy, path) for path in job.reads}
        if is_shared:  # the driver keeps it up to date
            copy.fetch_below(read)
        else:
            copy.sync({*read, _name(copy, job.writes)}, whole=True)
        with work_for(store.token):
            return call(job)

    return run


def take_over(store: Store, jobs: Collection[Movable]) -> None:
    """Let the driver's copy have the folders that nodes wrote."""
    copy = _open_copy(store)
    copy.sync([_name(copy, job.writes) for job in jobs], whole=False)


def _open_copy(store: Store) -> WorkingCopy:
    folder = find_copies() / store.place
    try:
        if copy := find_copy(folder):
            return copy
        raise CallError(f"{folder} is not the local copy of a bucket.")
    except CallError as error:
        raise StageError(f"node {platform.node()}: {error}") from error


def _name(copy: WorkingCopy, path: Path) -> str:
    return path.relative_to(copy.folder).as_posix()
