"""Map jobs over the nodes of a Ray or Dask cluster, where a task is a group of jobs, or each over a worker process.

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
import logging
import os
import pickle
import platform
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial, update_wrapper
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any, Protocol

import pyarrow as pa

from flows.engine import executors, worker_pool
from flows.engine.executors import EngineName, J, Mapper, R, group_mapper, thread_mapper
from flows.engine.shard_jobs import Job
from malmoi.errors import CallError, StageError
from malmoi.processes.fork_server import make_portable
from malmoi.processes.workers import Broken
from malmoi.storage.location import find_copies
from malmoi.storage.shuffle import Run, find_task_name
from malmoi.storage.working_copy import WorkingCopy, find_copy, work_for
from malmoi.workspace import keep_private

TASKS = 256  # of one stage at most, so that many nodes are busy and the driver keeps few records
RETRIES = 5  # of a task whose node or process was lost
PATIENCE_SECONDS = 10  # between two looks at the head of a Ray cluster
FEW = 8  # jobs that take less time than the start of the pool
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


@contextmanager
def open_mapper(name: EngineName, address: str = "") -> Iterator[Mapper]:
    """Open a mapper over the threads of this machine, or over the cluster at `address`; errors as `open_engine`."""
    with open_engine(name, address) as engine:
        yield map_over(engine)


def map_over(engine: Engine | None) -> Mapper:
    """Return a mapper over the nodes of a cluster, two tasks a slot; with None over the threads of this machine."""
    if engine is None:
        return thread_mapper(worker_pool.count())
    return group_mapper(2 * engine.slots, partial(call_on, engine), cut_groups)


@contextmanager
def open_engine(name: EngineName, address: str = "") -> Iterator[Engine | None]:
    """Connect to the cluster at `address`; None for this machine.

    Raises CallError if the package of the engine is missing, or no cluster answers.
    """
    if name == "local":
        if address:
            raise CallError(f"--address {address} names a cluster; say which by --engine ray or --engine dask.")
        yield None
        return
    engine: Engine = RayEngine(address) if name == "ray" else DaskEngine(address)
    try:
        yield engine
    finally:
        engine.close()


def cut_groups(jobs: Sequence[J], most: int = TASKS) -> list[Sequence[J]]:
    """Cut jobs into at most `most` groups of equal size, in order.

    >>> cut_groups([1, 2, 3, 4, 5], most=3)
    [[1, 2], [3, 4], [5]]
    """
    size = -(-len(jobs) // most)
    return [jobs[at : at + size] for at in range(0, len(jobs), size or 1)]


def make_runner(mapper: Mapper) -> Run:
    """Return a `Run` that maps jobs by `mapper`, each in a worker process; FEW jobs do not start the pool."""

    def run(call: Callable[[J], R], work: list[J]) -> list[R]:
        return mapper(bind_to_worker(call) if len(work) > FEW or worker_pool.is_started() else call, work)

    return run


def bind_to_worker(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return a function that runs `call` in a worker process; it is picklable, and named as `call`.

    It raises what `call` raises. StageError if the worker is killed whenever it runs this job.
    """
    return update_wrapper(partial(_run_in_worker, call), call)


def _run_in_worker(call: Callable[[J], R], job: J) -> R:
    ((_, answer),) = worker_pool.workers().map(_make_call, call, [job], lambda one: [one])
    if isinstance(answer, Broken):
        raise StageError(
            f"{find_task_name(call)}: the worker process ended each time ({answer.why}). Nothing was published. Look "
            "at the kernel's log for the OOM killer, give the machine more memory or use fewer `--workers`, then run "
            "the same command again."
        )
    return answer.value


def _make_call(call: Callable[[J], R]) -> Callable[[J], R]:
    """Return `call` for a worker, which then gives freed memory back to the system: jobs differ in size."""

    def run(job: J) -> R:
        try:
            return call(job)
        finally:
            pa.default_memory_pool().release_unused()

    return run


class RayEngine:
    """Tasks on the nodes of a Ray cluster; each takes the cores of a whole node, so that a node loads its models once.

    Ray itself ends a driver without a word 60 s after the head is gone, so `run` looks at the head.
    """

    name = "ray"

    def __init__(self, address: str) -> None:
        """Connect to the cluster at `address`, or start one on this machine if it is empty. Raises CallError."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when ray is imported
        try:
            import ray
            from ray._raylet import GcsClient  # type: ignore[attr-defined]
            from ray.exceptions import AuthenticationError, RayError
        except ImportError as error:
            raise CallError(
                "--engine ray needs the package ray; install the extra: pip install 'malmoi[ray]'."
            ) from error
        if not address:  # else Ray leaves a token in the home folder, and each later `ray start` there asks for it
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex())
        try:
            require_answer(address)
            if address.rpartition(":")[2].isdigit() and "://" not in address:
                GcsClient(address=address)  # a wrong token fails at once; `ray.init` would ask 20 times
            ray.init(address=address or "local", log_to_driver=False, configure_logging=False, include_dashboard=False)
        except AuthenticationError as error:
            raise CallError(
                f"the Ray cluster at {address} does not accept this machine: its token is missing or wrong here. "
                "Export RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE with the token of the cluster, which `ray "
                "get-auth-token` prints on its head."
            ) from error
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise CallError(
                f"no Ray cluster answers at {address!r} ({error}). Give --address as `ray start --head` prints it, "
                "such as 10.0.0.5:6379."
            ) from error
        self._ray = ray
        self._head = ray.get_runtime_context().gcs_address
        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        self.cores = min((cores for cores in nodes if cores), default=1)
        self.slots = max(1, sum(cores // self.cores for cores in nodes))
        remote = ray.remote(num_cpus=self.cores, max_retries=RETRIES, scheduling_strategy="SPREAD")
        self._task: Any = remote(run_on_node)

    def run(self, task: bytes) -> bytes:
        """Return the answer of a node."""
        try:
            reference = self._task.remote(task, self.cores, self.cores + 1)
            while True:
                try:
                    answer: bytes = self._ray.get(reference, timeout=PATIENCE_SECONDS)
                    return answer
                except self._ray.exceptions.GetTimeoutError:
                    require_answer(self._head)
        except (OSError, self._ray.exceptions.RayError) as error:
            raise StageError(
                f"the Ray cluster lost a task {RETRIES + 1} times or is gone ({type(error).__name__}). Finished work "
                "is kept. Look at `ray status` and the memory of the nodes, then run the same command again."
            ) from error

    def close(self) -> None:
        """Disconnect; Ray ends the tasks of this driver."""
        self._ray.shutdown()


class DaskEngine:
    """Tasks on the workers of a Dask cluster; those on the threads of one worker share its worker processes."""

    name, cores = "dask", 1

    def __init__(self, address: str) -> None:
        """Connect to the scheduler at `address`; if it is empty, start a cluster on this machine. Raises CallError."""
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise CallError(
                "--engine dask needs the package distributed; install the extra: pip install 'malmoi[dask]'."
            ) from error
        dask.config.set({"distributed.scheduler.allowed-failures": RETRIES})
        try:
            require_answer(address)
            self._local = None if address else LocalCluster(n_workers=1, dashboard_address=None, host="127.0.0.1")
            self._client: Any = Client(self._local or address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CallError(
                f"no Dask scheduler answers at {address!r} ({error}). Give --address as `dask scheduler` prints it, "
                "such as tcp://10.0.0.5:8786."
            ) from error
        self.slots = sum(self._client.nthreads().values())
        if not self.slots:
            raise CallError(f"the Dask scheduler at {address} has no workers; start `dask worker {address}` first.")

    def run(self, task: bytes) -> bytes:
        """Return the answer of a worker."""
        try:
            answer: bytes = self._client.submit(run_on_worker, task, pure=False).result()
        except Exception as error:  # the task catches its own errors: this one is of the cluster
            raise StageError(
                f"the Dask cluster lost a task {RETRIES + 1} times or is gone ({type(error).__name__}). Finished work "
                "is kept. Look at its dashboard and the memory of the workers, then run the same command again."
            ) from error
        return answer

    def close(self) -> None:
        """Disconnect; the scheduler forgets the tasks of this client."""
        if self._local is not None:  # its workers log nothing more, such as a heartbeat that finds no scheduler
            self._client.run(silence_worker, on_error="ignore")
        self._client.close()
        if self._local is not None:
            self._local.close()


def run_on_worker(task: bytes) -> bytes:
    """In a Dask worker: run the task with one worker process for each of its threads."""
    from distributed import get_worker

    return run_on_node(task, get_worker().state.nthreads, 1)


def silence_worker() -> None:
    """In a Dask worker that is about to end: log nothing more."""
    logging.getLogger("distributed.worker").setLevel(logging.CRITICAL + 1)
