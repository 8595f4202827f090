"""With a Prefect server the same flows appear with their parameters, run, and give the same bytes."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from small_corpus import make, malmoi, sums

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ("--no-prompt", "deploy", "--all", "--prefect-file", "flows/prefect.yaml")


def prefect(*arguments: str, env: dict[str, str], timeout: float = 180) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "prefect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=env, cwd=ROOT)


def asked(url: str, body: object | None = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Prefect server on loopback; its environment for clients."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ, "PREFECT_HOME": str(home), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "MALMOI_HOME": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen([*command, "--analytics-off"], env=env, stdout=log, stderr=log)
    api = f"http://127.0.0.1:{port}/api"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                asked(f"{api}/health")
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, (home / "server.log").read_text()
                time.sleep(0.3)
        yield {**env, "PREFECT_API_URL": api}
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_a_run_through_the_server_gives_the_same_release_as_one_without(server, tmp_path):
    source = make(tmp_path, pages=16)
    alone = malmoi("run", "general", "--source", source, "--workspace", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    served = malmoi("run", "general", "--source", source, "--workspace", tmp_path / "served", env=server)
    assert served.returncode == 0, served.stderr
    assert sums(tmp_path / "served") == sums(tmp_path / "alone")
    runs = asked(f"{server['PREFECT_API_URL']}/flow_runs/filter", {})
    assert [(r["state"]["type"], r["parameters"]["recipe"]) for r in runs] == [("COMPLETED", "general")]
    artifacts = asked(f"{server['PREFECT_API_URL']}/artifacts/filter", {})
    assert [a["key"] for a in artifacts] == ["card-general"]


def test_deployments_show_the_flows_with_their_parameters(server):
    prefect("work-pool", "create", "malmoi", "--type", "process", env=server)
    done = prefect(*DEPLOY, env=server)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {
        d["entrypoint"].rpartition(":")[2]: d["parameter_openapi_schema"]["properties"]
        for d in asked(f"{server['PREFECT_API_URL']}/deployments/filter", {})
    }
    assert set(found) == {"collect", "curate", "release", "run"}
    assert set(found["run"]) == {"recipe", "sources", "workspace", "limit", "contact", "version"}
    assert all(p["default"] is not None or name in ("limit", "contact") for name, p in found["run"].items())


def test_telemetry_is_off_before_prefect_is_imported():
    code = (
        "import os; os.environ.pop('DO_NOT_TRACK', None); os.environ.pop('PREFECT_SERVER_ANALYTICS_ENABLED', None);"
        "import flows.prefect_flows, prefect.settings as s;"
        "assert os.environ['DO_NOT_TRACK'] == '1'; assert s.get_current_settings().server.analytics_enabled is False"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
