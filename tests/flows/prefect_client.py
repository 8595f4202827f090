"""A client of a Prefect server over its API, as CI would call it, and the end of what a shell has started."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import psutil

SECONDS = 600  # for one run: a loaded machine takes several times as long as an idle one


def ask(url: str, body: object | None = None, method: str = "") -> tuple[int, object]:
    """Send a request; its status, and the JSON or text of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method or None)
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = answer.read()
                return answer.status, json.loads(said) if said else None
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > until:  # 503: the database of a loaded server is locked
                return error.code, error.read().decode()
        time.sleep(1)


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def end(group: int, home: str) -> None:
    """End every process of a group, and the flow runs of the server in `home`, which have groups of their own."""
    members = [one for one in psutil.process_iter() if _group(one.pid) == group or _find_home(one) == home]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in members:
            if process.is_running():
                process.send_signal(number)
        _, members = psutil.wait_procs(members, timeout=10)
    assert not members


def _find_home(process: psutil.Process) -> str:
    try:
        return process.environ().get("PREFECT_HOME", "")
    except psutil.Error:
        return ""


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def find(server, deployment):
    """The deployment `flow/name`."""
    return ask(f"{server['PREFECT_API_URL']}/deployments/name/{deployment}")[1]


def start(server, deployment, **parameters):
    """Start a run of a deployment; its id, or the status and message of a refusal."""
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    status, said = ask(
        f"{server['PREFECT_API_URL']}/deployments/{find(server, deployment)['id']}/create_flow_run", body
    )
    return said["id"] if status < 300 else (status, str(said))


def wait_for(server, run, *, states=("COMPLETED",)):
    """The run, once it has ended as expected."""
    end = time.monotonic() + SECONDS
    while True:
        _, said = ask(f"{server['PREFECT_API_URL']}/flow_runs/{run}")
        if said["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            assert said["state_type"] in states, (said["state"], read_logs(server, run))
            return said
        assert time.monotonic() < end, said
        time.sleep(0.5)


def find_line(server, run, words):
    """Wait for a log line: a run sends its lines in batches."""
    end = time.monotonic() + SECONDS
    while not [line for line in read_logs(server, run) if words in line]:
        assert time.monotonic() < end, read_logs(server, run)
        time.sleep(0.5)


def read_logs(server, run):
    body = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
    return [line["message"] for line in ask(f"{server['PREFECT_API_URL']}/logs/filter", body)[1]]


def read_artifacts(server, run):
    """All artifacts of a run."""
    body = {"artifacts": {"flow_run_id": {"any_": [run]}}, "limit": 100}
    return ask(f"{server['PREFECT_API_URL']}/artifacts/filter", body)[1]
