"""Run some jobs of one stage on the worker processes of a node of a cluster.

Driver and nodes exchange files through the workspace; a task carries paths and returns small records. The driver
pickles tasks and results itself, so that an engine sees bytes only, and an error of the engine is never confused with
one of the work.

Of a workspace in a bucket each node has a local copy of its own. Paths below the folder of local copies travel relative
to it, so that a job means the same files on every machine. A node downloads the files and folders that a job names, and
uploads the folder that the job writes, which the driver then has as any other. Only a `Job`, which says what it reads
and writes, moves; others exchange files in tmp/ or in unfinished folders, and run on the driver.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
import platform
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any, Protocol

from flows.engine import executors, worker_pool
from flows.engine.shard_jobs import Job
from malmoi.errors import CallError, StageError
from malmoi.processes.fork_server import make_portable
from malmoi.storage.location import find_copies
from malmoi.storage.working_copy import WorkingCopy, find_copy, work_for
from malmoi.workspace import keep_private

PACKAGES = ("malmoi", "flows", "crawlers", "filters", "data_cards")
CONNECT_SECONDS = 30
_configured = threading.Lock()


class Engine(Protocol):
    """A cluster that runs tasks."""

    name: str
    slots: int  # tasks that run at the same time
    cores: int  # processors of one task

    def run(self, task: bytes) -> bytes:
        """Return `run_task(task)` from a node, from another one if a node is lost; blocks. Raises StageError."""
        ...

    def close(self) -> None:
        """Disconnect; tasks that still run are cancelled."""
        ...


def require_answer(address: str) -> None:
    """Raise OSError if nothing listens at an address that names host and port; an engine would ask for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


@dataclass(frozen=True, slots=True)
class NodeTask:
    """Some jobs of one stage, and the software of the driver."""

    work: bytes  # the function and the jobs, packed
    software: tuple[tuple[str, str], ...]
    store: Store | None = None  # the bucket of their workspace


@lru_cache(maxsize=1)
def read_software() -> tuple[tuple[str, str], ...]:
    """Read what decides the bytes of a result: Python, the direct dependencies, and the digest of our own code."""
    names = sorted(
        {re.split(r"[^\w.-]", line)[0] for line in metadata.requires("malmoi") or () if "extra ==" not in line}
    )
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # of another platform or Python
            continue
    code = hashlib.sha256()
    for package in PACKAGES:
        root = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted((*root.rglob("*.py"), *root.rglob("*.toml"))):
            code.update(f"{package}/{path.relative_to(root)}\0".encode() + path.read_bytes())
    return (*found.items(), ("malmoi's code", code.hexdigest()[:12]))


def run_on_node(task: bytes, cores: int, jobs_at_once: int) -> bytes:
    """Run the jobs of a pickled NodeTask with `cores` worker processes; return (True, results) or (False, error).

    StageError as the error if the software of this node differs: its results would differ from those of other nodes.
    """
    try:
        keep_private()
        wanted: NodeTask = pickle.loads(task)
        here, driver = dict(read_software()), dict(wanted.software)
        differ = [
            f"{name} {here.get(name, 'none')} instead of {driver.get(name, 'none')}"
            for name in sorted({*here, *driver})
            if here.get(name) != driver.get(name)
        ]
        if differ:
            raise StageError(
                f"node {platform.node()} has other software than this machine ({'; '.join(differ)}), so its results "
                "could differ. Install the same version of malmoi and of its locked dependencies on every node."
            )
        with _configured:  # threads of one process share its worker processes
            if worker_pool.count() != cores:
                worker_pool.configure(cores)
        call, jobs = unpack(wanted.work)
        if wanted.store is not None:
            call = run_at_node(call, wanted.store)
        return pack((True, executors.thread_mapper(jobs_at_once)(call, jobs)))
    except Exception as error:
        return pack((False, make_portable(error)))


def call_on(engine: Engine, call: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
    """Run `call` on each job on one node of the engine; the results are in order."""
    store = find_store(jobs)
    if store is not None and not isinstance(jobs[0], Job):
        return run_here(call, jobs)
    task = NodeTask(pack((call, tuple(jobs))), read_software(), store)
    done, value = unpack(engine.run(pickle.dumps(task, pickle.HIGHEST_PROTOCOL)))
    if not done:
        raise value
    if store is not None:
        copy = _open_copy(store)  # the driver's, which gets the folders that the node wrote
        copy.sync([_name(copy, job.writes) for job in jobs], whole=False)
    return list(value)


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

    def run(job: Job) -> Any:
        named = {path.removeprefix(f"{store.place}/") for path in _pack(job)[1] if path != store.place}
        read = named | {_name(copy, path) for path in job.reads}
        if is_shared:  # the driver keeps it up to date
            copy.fetch_below(read)
        else:
            copy.sync({*read, _name(copy, job.writes)}, whole=True)
        with work_for(store.token):
            return call(job)

    return run


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
