"""A Prefect server and a worker on loopback, each of which can be killed and started again on the same database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

POOL = "malmoi"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class PrefectHome:
    """Server and worker of the folder `home`, in which deployed flows run; a context manager that ends them all."""

    def __init__(self, home: Path, seconds: float = 300.0) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home, self.seconds, self.api = home, seconds, f"http://127.0.0.1:{self.port}/api"
        self.env = {**os.environ, "PREFECT_HOME": str(home / "prefect"), "PREFECT_API_URL": self.api}
        self.server: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrefectHome:
        self.start_server()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.worker, self.server):
            if process is not None:
                kill_family(process)

    def start_server(self) -> None:
        """Start the server and wait until it answers."""
        self.server = self._start("server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        until = time.monotonic() + self.seconds
        while not self._is_healthy():
            assert self.server.poll() is None and time.monotonic() < until, (self.home / "server.log").read_text()
            time.sleep(0.2)

    def start_worker(self) -> None:
        """Start a worker, which makes the work pool if there is none."""
        self.worker = self._start("worker", "start", "--pool", POOL, "--type", "process")

    def kill_server(self) -> None:
        """Kill the server and what it started."""
        assert self.server is not None
        kill_family(self.server)

    def kill_worker(self) -> None:
        """Kill the worker; the processes of its flow runs go on."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def deploy(self, flow: str) -> str:
        """Deploy a flow of flows/prefect_flows.py; its id."""
        until = time.monotonic() + self.seconds
        while self.ask(f"/work_pools/{POOL}")[0] != 200:  # the worker makes it
            assert time.monotonic() < until, (self.home / "worker.log").read_text()
            time.sleep(0.2)
        flow_id = self.ask("/flows/", {"name": flow})[1]["id"]
        enter = {"flows.deployments.home_folder.enter": {"directory": str(self.home), "sources": ""}}
        status, said = self.ask(
            "/deployments/",
            {
                "name": "local",
                "flow_id": flow_id,
                "entrypoint": f"flows.prefect_flows.{flow}",
                "work_pool_name": POOL,
                "pull_steps": [enter],
                "tags": ["malmoi"],
            },
        )
        assert status < 300, said
        return str(said["id"])

    def start_run(self, deployment: str, **parameters: object) -> str:
        """Start a run of a deployment; its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        status, said = self.ask(f"/deployments/{deployment}/create_flow_run", body)
        assert status < 300, said
        return str(said["id"])

    def retry(self, run: str) -> None:
        """Run a flow run again, as `prefect flow-run retry` does, once the death of its process is reported in full.

        A worker reports it twice, the second time after up to 20 s: a retry that has not begun by then is lost.
        """
        until = time.monotonic() + 25
        while time.monotonic() < until and not any("infrastructure exited" in line for line in self.read_logs(run)):
            time.sleep(0.3)
        state = {"type": "SCHEDULED", "name": "AwaitingRetry"}
        status, said = self.ask(f"/flow_runs/{run}/set_state", {"state": state, "force": True})
        assert status < 300, said

    def read_run(self, run: str) -> dict[str, Any]:
        """Read a flow run."""
        return self.ask(f"/flow_runs/{run}")[1]  # type: ignore[no-any-return]

    def list_runs(self, workspace: Path) -> list[dict[str, Any]]:
        """List the flow runs of a workspace, the first one first."""
        found = self.ask("/flow_runs/filter", {"sort": "START_TIME_ASC"})[1]
        return [one for one in found if one["parameters"].get("workspace") == str(workspace)]

    def wait_for(self, run: str, states: tuple[str, ...] = ENDED) -> str:
        """Wait until a flow run is in one of `states`; its state. AssertionError if it never is."""
        until = time.monotonic() + self.seconds
        while (said := self.read_run(run))["state_type"] not in states:
            assert time.monotonic() < until, f"hung: {said['state']}; {self.read_logs(run)}"
            time.sleep(0.3)
        return str(said["state_type"])

    def read_logs(self, run: str) -> list[str]:
        """Read the log lines of a flow run."""
        body = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        return [line["message"] for line in self.ask("/logs/filter", body)[1]]

    def find_process(self, run: str) -> psutil.Process | None:
        """Find the process that runs a flow run for the worker."""
        for process in psutil.process_iter():
            try:
                if process.environ().get("PREFECT__FLOW_RUN_ID", "").replace("-", "") == run.replace("-", ""):
                    parent = process.parent()
                    if parent is None or parent.environ().get("PREFECT__FLOW_RUN_ID") is None:
                        return process
            except psutil.Error:
                continue
        return None

    def ask(self, path: str, body: object | None = None) -> tuple[int, Any]:
        """Send a request; status and answer. A server whose database is busy (503) is asked again."""
        until = time.monotonic() + 60
        while (found := self._ask(path, body))[0] == 503 and time.monotonic() < until:
            time.sleep(1.0)
        return found

    def _ask(self, path: str, body: object | None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{arguments[0]}.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "prefect", *arguments],
                cwd=self.home, env=self.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _is_healthy(self) -> bool:
        try:
            return self.ask("/health")[0] == 200
        except OSError:
            return False


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its descendants, and wait for their end."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for one in (process, *family):
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, alive
