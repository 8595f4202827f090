"""Run some jobs of one stage on the worker processes of a node of a cluster.

Driver and nodes exchange files through the workspace, a folder that all share or a bucket (`bucket_jobs`); a task
carries paths and returns small records. The driver pickles tasks and results itself, so that an engine sees bytes only,
and an error of the engine is never confused with one of the work.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import platform
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from flows.engine import executors, worker_pool
from flows.engine.clusters.bucket_jobs import Movable, Store, find_store, pack, run_at_node, run_here, take_over, unpack
from malmoi.errors import StageError
from malmoi.processes.worker_loop import make_portable
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
        _require_same_software(wanted.software)
        with _configured:  # threads of one process share its worker processes
            if worker_pool.count() != cores:
                worker_pool.configure(cores)
        call, jobs = unpack(wanted.work)
        if wanted.store is not None:
            call = run_at_node(call, wanted.store)
        return pack((True, executors.thread_mapper(jobs_at_once)(call, jobs)))
    except Exception as error:
        return pack((False, make_portable(error)))


def _require_same_software(driver: tuple[tuple[str, str], ...]) -> None:
    here, there = dict(read_software()), dict(driver)
    differ = [
        f"{name} {here.get(name, 'none')} instead of {there.get(name, 'none')}"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
    if differ:
        raise StageError(
            f"node {platform.node()} has other software than this machine ({'; '.join(differ)}), so its results could "
            "differ. Install the same version of malmoi and of its locked dependencies on every node."
        )


def call_on(engine: Engine, call: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
    """Run `call` on each job on one node of the engine; the results are in order."""
    store = find_store(jobs)
    if store is not None and not isinstance(jobs[0], Movable):
        return run_here(call, jobs)
    task = NodeTask(pack((call, tuple(jobs))), read_software(), store)
    done, value = unpack(engine.run(pickle.dumps(task, pickle.HIGHEST_PROTOCOL)))
    if not done:
        raise value
    if store is not None:
        take_over(store, jobs)
    return list(value)
