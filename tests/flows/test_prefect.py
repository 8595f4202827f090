"""With a Prefect server the same flows appear with their parameters, run, and give the same bytes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
import yaml

from crawlers import catalogue
from flows.deployments.home_folder import enter
from flows.run import list_recipes
from malmoi.errors import CallError, StageError
from tests.builders.headless_browser import open_browser
from tests.builders.small_corpus import make, malmoi, sums

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
CALLS = [
    json.loads(line)
    for line in (ROOT / "tests" / "data" / "prefect_calls.jsonl").read_text(encoding="utf-8").splitlines()
]
DEPLOYMENTS = ROOT / "flows" / "deployments" / "prefect.yaml"
WEBHOOK = "https://hooks.office.example/services/fill-in"
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
def alerts():
    """What is posted to a webhook, and its address."""
    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield posted, f"http://127.0.0.1:{server.server_port}/secret-hook"
    server.shutdown()


@pytest.fixture(scope="module")
def pasted(tmp_path_factory, alerts):
    """The blocks of docs/operating.md, pasted as they stand but for addresses: their folder, and what clients need."""
    home = tmp_path_factory.mktemp("prefect")
    (home / ".venv").symlink_to(sys.prefix)
    make(home, pages=16)  # small.py, a source of one's own
    (home / "mine.toml").write_text('extends = "general"\nname = "mine"\n', encoding="utf-8")
    api, site = free_port(), free_port()
    script = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S)).replace("4200", api).replace("8753", site)
    assert script.count(WEBHOOK) == 1
    env = {**os.environ, "PREFECT_HOME": str(home / "server"), "MALMOI_SAMPLE_PORT": site}
    log = home / "blocks.log"
    with log.open("w") as out:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script.replace(WEBHOOK, alerts[1])],
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


def find(server, deployment):
    """The deployment `flow/name`."""
    return asked(f"{server['PREFECT_API_URL']}/deployments/name/{deployment}")[1]


def start(server, deployment, **parameters):
    """Start a run of a deployment; its id, or the status and message of a refusal."""
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    status, said = asked(
        f"{server['PREFECT_API_URL']}/deployments/{find(server, deployment)['id']}/create_flow_run", body
    )
    return said["id"] if status < 300 else (status, str(said))


def wait_for(server, run, *, states=("COMPLETED",)):
    """The run, once it has ended as expected."""
    end = time.monotonic() + SECONDS
    while True:
        _, said = asked(f"{server['PREFECT_API_URL']}/flow_runs/{run}")
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
    return [line["message"] for line in asked(f"{server['PREFECT_API_URL']}/logs/filter", body)[1]]


def test_the_blocks_of_the_docs_end_in_a_release_and_the_run_of_ci_finds_nothing_new(pasted):
    home, server = pasted
    assert (home / "workspace" / "6-releases" / "general" / "1.0.0" / "SHA256SUMS").exists()
    body = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "RUNNING", "PENDING"]}}}, "sort": "START_TIME_ASC"}
    _, (first, second) = asked(f"{server['PREFECT_API_URL']}/flow_runs/filter", body)
    assert (first["state"]["type"], first["parameters"]["sources"]) == ("COMPLETED", ["sample"])
    assert second["idempotency_key"] == "2026-W48"
    wait_for(server, second["id"])
    find_line(server, second["id"], "nothing new; this release is current")
    assert [p.name for p in (home / "workspace" / "6-releases" / "general").glob("*.*.*")] == ["1.0.0"]


def test_a_call_with_a_known_idempotency_key_starts_no_second_run(server):
    url = f"{server['PREFECT_API_URL']}/deployments/{find(server, 'refresh/local')['id']}/create_flow_run"
    body = {"parameters": {"recipe": "general", "sources": ["sample"]}, "idempotency_key": "2026-W48"}
    assert asked(url, body)[1]["id"] == asked(url, body)[1]["id"]


def test_the_weekly_refresh_is_scheduled_with_parameters_that_have_just_succeeded(server):
    said = find(server, "refresh/local")
    (schedule,) = said["schedules"]
    assert (schedule["schedule"]["timezone"], schedule["active"]) == ("Asia/Seoul", True)
    assert said["parameters"] == {"recipe": "general", "sources": ["sample"]}


def test_a_refresh_with_a_source_of_the_home_folder_publishes_the_next_version_with_what_changed(pasted):
    home, server = pasted
    run = start(server, "refresh/local", recipe="general", sources=["sample", "small.py"])
    wait_for(server, run)
    assert (home / "workspace" / "6-releases" / "general" / "1.1.0" / "SHA256SUMS").exists()
    body = {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"any_": ["changes-general"]}}}
    _, (artifact,) = asked(f"{server['PREFECT_API_URL']}/artifacts/filter", body)
    assert "| | general 1.0.0 | general 1.1.0 | change |" in artifact["data"]
    assert re.search(r"^added: [1-9]", artifact["data"], re.M)


def test_a_run_waits_for_a_host_from_which_another_run_collects(server, tmp_path):
    api = f"{server['PREFECT_API_URL']}/v2/concurrency_limits"
    limit = f"host:127.0.0.1:{server['MALMOI_SAMPLE_PORT']}"
    assert asked(f"{api}/{limit}")[1]["limit"] == 1
    _, lease = asked(f"{api}/increment-with-lease", {"names": [limit], "slots": 1, "mode": "concurrency"})
    run = start(server, "collect/local", sources=["sample"], workspace=str(tmp_path / "other"), limit=2)
    find_line(server, run, f"waits for {limit}")
    time.sleep(2)
    assert asked(f"{server['PREFECT_API_URL']}/flow_runs/{run}")[1]["state_type"] == "RUNNING"
    asked(f"{api}/decrement-with-lease", {"lease_id": lease["lease_id"]})
    wait_for(server, run)


def test_a_failed_run_is_posted_to_the_webhook_whose_address_the_server_hides(server, alerts, tmp_path):
    run = start(server, "release/local", recipe="mine", sources=["small.py"], workspace=str(tmp_path / "empty"))
    assert run[0] == 409  # a recipe of one's own is named by its file
    run = start(server, "release/local", recipe="mine.toml", sources=["small.py"], workspace=str(tmp_path / "empty"))
    wait_for(server, run, states=("FAILED",))
    end = time.monotonic() + 60
    while not alerts[0]:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert alerts[0][0].startswith("malmoi: release is Failed") and run in alerts[0][0]
    _, blocks = asked(f"{server['PREFECT_API_URL']}/block_documents/filter", {})
    assert "secret-hook" not in json.dumps(blocks)


def test_a_run_of_erase_counts_and_then_erases(pasted):
    home, server = pasted
    table = next((home / "workspace" / "6-releases" / "general" / "1.0.0" / "data").rglob("*.parquet"))
    id = pq.read_table(table, columns=["id"]).column("id")[0].as_py()
    asked_for = {"release": "general", "kind": "id", "keys": [id], "reason": "request of the author"}
    for dry in (True, False):
        run = start(server, "erase/local", **asked_for, dry_run=dry)
        wait_for(server, run)
        find_line(server, run, f"general: 1 document of the latest version {'would be erased' if dry else 'erased'}")
    find_line(server, run, "released and verified")
    assert not [line for line in read_logs(server, run) if id in line]


@pytest.mark.parametrize("version", ["", "v2/"])
def test_the_forms_show_choices_and_help_in_a_real_browser(pasted, tmp_path, version):
    _, server = pasted
    ui = server["PREFECT_API_URL"].removesuffix("api") + version
    with open_browser(tmp_path) as browser:
        for flow in ("refresh", "run", "collect", "curate", "release", "erase"):
            said = find(server, f"{flow}/local")
            shown = browser.open(f"{ui}deployments/deployment/{said['id']}/run", "Parameters")
            shown = browser.wait("workspace")
            for field in said["parameter_openapi_schema"]["properties"].values():
                assert field["title"] in shown
                assert field["description"].replace("`", "") in shown.replace("`", "")
            assert 'Property is type "None"' not in shown


def test_a_run_that_a_person_starts_in_the_form_has_the_chosen_parameters(server, tmp_path):
    ui = server["PREFECT_API_URL"].removesuffix("api")
    api = server["PREFECT_API_URL"]
    with open_browser(tmp_path) as browser:
        browser.open(f"{ui}v2/deployments/deployment/{find(server, 'curate/local')['id']}/run", "workspace")
        button = "[...document.querySelectorAll('button')].filter(b => b.innerText.trim() == '{}')[{}]"
        browser.click(button.format("Select", 0))
        browser.wait("mine.toml")
        browser.click("[...document.querySelectorAll('[role=option]')].find(o => o.innerText.trim() == 'general')")
        browser.click(button.format("Submit", 0))
        browser.wait("general")
    end = time.monotonic() + 60
    while not (
        runs := [
            r
            for r in asked(f"{api}/flow_runs/filter", {})[1]
            if r["deployment_id"] == find(server, "curate/local")["id"]
        ]
    ):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert runs[0]["parameters"]["recipe"] == "general"
    wait_for(server, runs[0]["id"], states=("FAILED",))  # general names no source


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
    assert [a["key"] for a in artifacts if a["flow_run_id"] == ours[0]["id"]] == ["card-general"]


def test_deployments_show_the_flows_with_their_parameters(server):
    _, deployments = asked(f"{server['PREFECT_API_URL']}/deployments/filter", {})
    found = {d["entrypoint"].rpartition(".")[2]: d["parameter_openapi_schema"] for d in deployments}
    assert set(found) == {"collect", "curate", "release", "run", "refresh", "erase"}
    form = found["run"]["properties"]
    assert list(form) == ["recipe", "sources", "contact", "limit", "version", "workspace"]
    assert all(field["description"] for schema in found.values() for field in schema["properties"].values())
    assert {name: schema["required"] for name, schema in found.items()} == {
        "collect": ["sources"], "curate": ["recipe"], "release": ["recipe"], "run": ["recipe"], "refresh": ["recipe"],
        "erase": ["release", "kind", "keys", "reason"],
    }  # fmt: skip
    assert form["recipe"]["enum"] == [*list_recipes(), "mine.toml"]
    assert form["sources"]["items"]["enum"] == [*catalogue.names(), "small.py"]
    assert all("malmoi" in d["tags"] for d in deployments)


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
    deployments = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))["deployments"]
    assert {d["entrypoint"] for d in deployments} == {
        f"flows.prefect_flows.{name}" for name in ("collect", "curate", "release", "run", "refresh", "erase")
    }
    assert not [s for d in deployments for s in d.get("schedules", ()) if s["active"]]


@pytest.mark.parametrize("home", ["", ".", "work", "{{ $MALMOI_HOME }}"])
def test_a_deployment_without_a_home_is_refused_instead_of_writing_into_the_folder_of_the_worker(home, monkeypatch):
    (step,) = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))["pull"]
    assert step == {
        "flows.deployments.home_folder.enter": {
            "directory": "{{ $MALMOI_HOME }}",
            "sources": "{{ $MALMOI_SOURCES_PATH }}",
        }
    }
    monkeypatch.setattr(os, "chdir", lambda _: pytest.fail("changed"))
    with pytest.raises(CallError, match=r"MALMOI_HOME is .* deploy again"):
        enter(home)


def test_telemetry_is_off_before_prefect_is_imported():
    code = (
        "import os; os.environ.pop('DO_NOT_TRACK', None); os.environ.pop('PREFECT_SERVER_ANALYTICS_ENABLED', None);"
        "import flows.prefect_flows, prefect.settings as s;"
        "assert os.environ['DO_NOT_TRACK'] == '1'; assert s.get_current_settings().server.analytics_enabled is False"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
