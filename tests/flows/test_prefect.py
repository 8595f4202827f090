"""With a Prefect server the same flows appear with their parameters, run, and give the same bytes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
import yaml

from malmoi.errors import CallError, StageError
from tests.builders.small_corpus import make, malmoi, sums

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8")
CALLS = [
    json.loads(line)
    for line in (ROOT / "tests" / "data" / "prefect_calls.jsonl").read_text(encoding="utf-8").splitlines()
]
SECONDS = 600  # for the block: a loaded machine takes several times as long as an idle one


def asked(url: str, body: object | None = None) -> tuple[int, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def end(group: int) -> None:
    """End every process of a group, and see that none is left."""
    members = [process for process in psutil.process_iter() if _group(process.pid) == group]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in members:
            if process.is_running():
                process.send_signal(number)
        _, members = psutil.wait_procs(members, timeout=10)
    assert not members


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


@pytest.fixture(scope="module")
def pasted(tmp_path_factory):
    """The block of docs/prefect.md, pasted as it stands but for its ports: its folder, and what clients need."""
    home = tmp_path_factory.mktemp("prefect")
    (home / ".venv").symlink_to(sys.prefix)
    block = re.search(r"```bash\n(.*?)```", PAGE, re.S)
    assert block
    api, site = free_port(), free_port()
    script = block[1].replace("4200", api).replace("8753", site)
    env = {**os.environ, "PREFECT_HOME": str(home / "server"), "MALMOI_SAMPLE_PORT": site}
    log = home / "block.log"
    with log.open("w") as out:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=home, env=env, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        status = shell.wait(timeout=SECONDS)
        assert status == 0, log.read_text() + (home / "prefect-server.log").read_text()
        yield home, {**env, "PREFECT_API_URL": f"http://127.0.0.1:{api}/api"}
    finally:
        end(shell.pid)


@pytest.fixture(scope="module")
def server(pasted):
    """The environment of a client of the server."""
    return pasted[1]


def test_the_block_of_the_docs_ends_in_a_release(pasted):
    home, server = pasted
    assert (home / "workspace" / "6-releases" / "general" / "1.0.0" / "SHA256SUMS").exists()
    _, (run,) = asked(f"{server['PREFECT_API_URL']}/flow_runs/filter", {})
    assert (run["state"]["type"], run["parameters"]["sources"]) == ("COMPLETED", ["sample"])


def test_a_run_through_the_server_gives_the_same_release_as_one_without(server, tmp_path):
    source = make(tmp_path, pages=16)
    alone = malmoi("run", "general", "--source", source, "--workspace", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    served = malmoi("run", "general", "--source", source, "--workspace", tmp_path / "served", env=server)
    assert served.returncode == 0, served.stderr
    assert sums(tmp_path / "served") == sums(tmp_path / "alone")
    _, runs = asked(f"{server['PREFECT_API_URL']}/flow_runs/filter", {})
    ours = [r for r in runs if r["parameters"].get("workspace") == str(tmp_path / "served")]
    assert [(r["state"]["type"], r["parameters"]["recipe"]) for r in ours] == [("COMPLETED", "general")]
    _, artifacts = asked(f"{server['PREFECT_API_URL']}/artifacts/filter", {})
    assert {a["key"] for a in artifacts} == {"card-general"} and len(artifacts) == len(runs)


def test_deployments_show_the_flows_with_their_parameters(server):
    _, deployments = asked(f"{server['PREFECT_API_URL']}/deployments/filter", {})
    found = {d["entrypoint"].rpartition(".")[2]: d["parameter_openapi_schema"] for d in deployments}
    assert set(found) == {"collect", "curate", "release", "run"}
    form = found["run"]["properties"]
    assert set(form) == {"recipe", "sources", "workspace", "limit", "contact", "version"}
    assert all(field["description"] for schema in found.values() for field in schema["properties"].values())
    assert {name: schema["required"] for name, schema in found.items()} == {
        "collect": ["sources"], "curate": ["recipe"], "release": ["recipe"], "run": ["recipe"]
    }  # fmt: skip
    assert "general" in form["recipe"]["anyOf"][0]["enum"]
    assert not [s for d in deployments for s in d["schedules"]]


def test_the_server_refuses_nonsense_and_names_the_field(server):
    """One test for all cases: the server is shared, and a request takes milliseconds."""
    api = server["PREFECT_API_URL"]
    ids = {flow: asked(f"{api}/deployments/name/{flow}/local")[1]["id"] for flow in {c["flow"] for c in CALLS}}
    wrong = []
    for case in CALLS:
        body = {"parameters": case["parameters"], "state": {"type": "SCHEDULED"}}
        status, says = asked(f"{api}/deployments/{ids[case['flow']]}/create_flow_run", body)
        if status != 409 or f"'{case['field']}" not in str(says):
            wrong.append((case, status, says))
    assert not wrong


@pytest.mark.parametrize(
    ("flow", "parameters", "says"),
    [
        ("run", {"recipe": "nowhere.toml"}, "nowhere.toml: no such recipe"),
        ("run", {"recipe": "general"}, "recipe 'general' names no source"),
        ("run", {"recipe": "general", "sources": ["nowhere.py"]}, "nowhere.py: the file does not exist"),
        ("collect", {"sources": ["sample", "{catalogue}/sample.py"]}, "both called 'sample'"),
        ("curate", {"recipe": "general", "sources": ["sample", "{catalogue}/sample.py"]}, "both called 'sample'"),
        ("run", {"recipe": "general", "sources": ["sample"], "version": "1.0.0\n"}, "version '1.0.0\\n'"),
        ("run", {"recipe": "general", "sources": ["sample"], "contact": "a@example.kr\n"}, "contact 'a@example.kr\\n'"),
        ("run", {"recipe": "general", "sources": ["sample"], "workspace": "/tmp/.."}, "root of the file system"),
        ("release", {"recipe": "general", "sources": ["sample"], "workspace": "/dev/null/w"}, "not a folder"),
    ],
)
def test_what_the_server_cannot_know_a_run_refuses_before_it_makes_anything(
    flow, parameters, says, tmp_path, monkeypatch
):
    from crawlers import catalogue
    from flows import prefect_flows

    monkeypatch.chdir(tmp_path)
    if "sources" in parameters:
        parameters["sources"] = [one.format(catalogue=catalogue.SOURCES) for one in parameters["sources"]]
    with pytest.raises(CallError, match=re.escape(says)):
        getattr(prefect_flows, flow).fn(**parameters)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_stands_is_refused_before_anything_is_collected(pasted, monkeypatch):
    from flows import prefect_flows

    monkeypatch.chdir(pasted[0])
    before = sorted((pasted[0] / "workspace").rglob("*"))
    with pytest.raises(CallError, match=r"general 1\.0\.0 is released"):
        prefect_flows.run.fn(recipe="general", sources=["sample"], version="1.0.0")
    assert sorted((pasted[0] / "workspace").rglob("*")) == before


def test_a_full_disk_is_said_as_on_the_command_line(tmp_path, monkeypatch):
    from flows import prefect_flows
    from flows import run as runs

    def full(*_, **__):
        raise OSError(28, "No space left on device", "a.parquet")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "run", full)
    with pytest.raises(StageError, match=r"the disk is full .* free space and run the same command again"):
        prefect_flows.run.fn(recipe="general", sources=["sample"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "banana"])
def test_a_server_that_does_not_answer_is_named_with_what_to_do(tmp_path, url):
    env = {**os.environ, "PREFECT_API_URL": url, "PREFECT_HOME": str(tmp_path / "home")}
    done = malmoi("collect", "sample", "--workspace", tmp_path / "w", env=env)
    assert done.returncode == 3
    assert f"the Prefect server of PREFECT_API_URL, {url}, does not answer" in done.stderr
    assert "unset it to run without Prefect" in done.stderr
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr


def test_the_deployments_are_installed_with_malmoi_and_name_modules():
    """A path, as flows/prefect_flows.py:run, is found in a clone alone."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'targets\.wheel\]\npackages = \[[^]]*"flows"', project)  # with all that lies in the folder
    deployments = yaml.safe_load((ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert {d["entrypoint"] for d in deployments} == {
        f"flows.prefect_flows.{name}" for name in ("collect", "curate", "release", "run")
    }
    assert not [d for d in deployments if d.get("schedules")]


@pytest.mark.parametrize("home", ["", ".", "work", "{{ $MALMOI_HOME }}"])
def test_a_deployment_without_a_home_is_refused_instead_of_writing_into_the_folder_of_the_worker(home, monkeypatch):
    from flows.prefect_home import enter

    (step,) = yaml.safe_load((ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8"))["pull"]
    assert step == {"flows.prefect_home.enter": {"directory": "{{ $MALMOI_HOME }}"}}
    monkeypatch.setattr(os, "chdir", lambda _: pytest.fail("changed"))
    with pytest.raises(CallError, match=r"MALMOI_HOME is .* deploy again"):
        enter(home)


def test_the_schedule_of_the_docs_has_parameters_that_the_server_takes():
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.schema_tools import validate

    from flows import prefect_flows

    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    text = (ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8")
    assert shown
    first = "    description: collect → curate → release\n"
    assert first in text
    run = yaml.safe_load(text.replace(first, first + shown[1]))["deployments"][0]
    assert run["entrypoint"].endswith(".run") and run["schedules"][0]["cron"]
    validate(run["parameters"], parameter_schema(prefect_flows.run).model_dump(), raise_on_error=True)


def test_telemetry_is_off_before_prefect_is_imported():
    code = (
        "import os; os.environ.pop('DO_NOT_TRACK', None); os.environ.pop('PREFECT_SERVER_ANALYTICS_ENABLED', None);"
        "import flows.prefect_flows, prefect.settings as s;"
        "assert os.environ['DO_NOT_TRACK'] == '1'; assert s.get_current_settings().server.analytics_enabled is False"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
