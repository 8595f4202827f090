"""Run tasks on a Ray cluster; each task takes the cores of a whole node, so that a node loads its models once."""

from __future__ import annotations

import os
import secrets
from typing import Any

from flows.engine.clusters.node_tasks import require_answer, run_on_node
from malmoi.errors import CallError, StageError

RETRIES = 5  # of a task whose node or process was lost
PATIENCE_SECONDS = 10  # between two looks at the head; Ray itself ends a driver without a word 60 s after it is gone

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when ray is imported
try:
    import ray
    from ray._raylet import GcsClient  # type: ignore[attr-defined]
    from ray.exceptions import AuthenticationError, GetTimeoutError, RayError
except ImportError as error:
    raise CallError("--engine ray needs the package ray; install the extra: pip install 'malmoi[ray]'.") from error


class RayEngine:
    """Tasks on the nodes of a Ray cluster."""

    name = "ray"

    def __init__(self, address: str) -> None:
        """Connect to the cluster at `address`, or start one on this machine if it is empty. Raises CallError."""
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
        self._head = ray.get_runtime_context().gcs_address
        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        self.cores = min((cores for cores in nodes if cores), default=1)
        self.slots = max(1, sum(cores // self.cores for cores in nodes))
        self._task: Any = ray.remote(num_cpus=self.cores, max_retries=RETRIES, scheduling_strategy="SPREAD")(
            run_on_node
        )

    def run(self, task: bytes) -> bytes:
        """Return the answer of a node."""
        try:
            reference = self._task.remote(task, self.cores, self.cores + 1)
            while True:
                try:
                    answer: bytes = ray.get(reference, timeout=PATIENCE_SECONDS)
                    return answer
                except GetTimeoutError:
                    require_answer(self._head)
        except (OSError, RayError) as error:
            raise StageError(
                f"the Ray cluster lost a task {RETRIES + 1} times or is gone ({type(error).__name__}). Finished work "
                "is kept. Look at `ray status` and the memory of the nodes, then run the same command again."
            ) from error

    def close(self) -> None:
        """Disconnect; Ray ends the tasks of this driver."""
        ray.shutdown()
