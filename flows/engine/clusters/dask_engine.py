"""Run tasks on a Dask cluster; the tasks on the threads of one Dask worker share its worker processes."""

from __future__ import annotations

import logging
from typing import Any

from flows.engine.clusters.node_tasks import CONNECT_SECONDS, require_answer, run_on_node
from malmoi.errors import CallError, StageError

RETRIES = 5  # of a task whose worker was lost

try:
    import dask
    from distributed import Client, LocalCluster, get_worker
except ImportError as error:
    raise CallError(
        "--engine dask needs the package distributed; install the extra: pip install 'malmoi[dask]'."
    ) from error


def run_on_worker(task: bytes) -> bytes:
    """In a Dask worker: run the task with one worker process for each of its threads."""
    return run_on_node(task, get_worker().state.nthreads, 1)


def silence() -> None:
    """In a Dask worker that is about to end: log nothing more, such as a heartbeat that finds no scheduler."""
    logging.getLogger("distributed.worker").setLevel(logging.CRITICAL + 1)


class DaskEngine:
    """Tasks on the workers of a Dask cluster."""

    name, cores = "dask", 1

    def __init__(self, address: str) -> None:
        """Connect to the scheduler at `address`; if it is empty, start a cluster on this machine. Raises CallError."""
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
        if self._local is not None:
            self._client.run(silence, on_error="ignore")
        self._client.close()
        if self._local is not None:
            self._local.close()
