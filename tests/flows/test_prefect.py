"""With a Prefect server the same flows appear with their parameters, run, and give the same bytes."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from crawlers import catalogue
from flows.deployments.alerts import read_automations
from flows.run import list_recipes
from malmoi.errors import CallError
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.workspace import Workspace
from tests.builders.headless_browser import open_browser
from tests.builders.small_corpus import PROSE, make, malmoi, malmoi_in_process, sums
from tests.flows.prefect_client import (
    SECONDS,
    ask,
    end,
    find,
    find_line,
    free_port,
    read_artifacts,
    read_logs,
    start,
    wait_for,
)

OWN = """<p>물때는 달의 모양을 따라 보름마다 되풀이된다. 어부는 달력에 적힌 숫자보다 손가락을 먼저 꼽는다. 초여드레와
스무사흘에는 물이 가장 조금 움직여 그물을 손보기에 좋고, 그믐과 보름에는 물살이 세어 배를 멀리 내지 않는다.</p>
<p>뻘에 들어갈 때는 돌아올 길을 먼저 본다. 갯골에 물이 차오르면 걸어온 길이 가장 먼저 끊긴다. 그래서 마을에서는
호루라기를 든 사람이 둑 위에 서서 물이 도는 때를 알렸다. 지금은 방송이 그 일을 하지만 노인들은 여전히 갈매기를 본다.</p>
<p>조개는 캐는 것보다 남기는 것이 어렵다. 작은 것은 제자리에 다시 묻고, 한 번 캔 자리는 이태를 쉬게 한다. 그렇게
하지 않은 마을의 뻘은 십 년이 되지 않아 비었다고 한다.</p>"""
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
CALLS = [
    json.loads(line)
    for line in (ROOT / "tests" / "data" / "prefect_calls.jsonl").read_text(encoding="utf-8").splitlines()
]
WEBHOOK = "https://hooks.office.example/services/fill-in"


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


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The folder MALMOI_HOME, and the address at which it is served."""
    home = tmp_path_factory.mktemp("prefect")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=home))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield home, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def clusters():
    """The addresses of a Dask cluster of two nodes and of a Ray cluster of one, on this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    ray = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 << 20})
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as dask:
        yield {"dask": dask.scheduler_address, "ray": ray.address}
    ray.shutdown()


def install_wheel(folder: Path) -> Path:
    """Build the wheel and unpack it, as an installation does; the checkout is not in sight."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def pasted(served, clusters, alerts, tmp_path_factory):
    """The blocks of docs/operating.md, pasted as they stand but for addresses: their folder, and what clients need."""
    home, home_url = served
    (home / ".venv").symlink_to(sys.prefix)
    small = make(home, pages=16)  # small.py, a source of one's own
    own = f"<html><body><article><h1>물때를 읽는 법</h1>{OWN}</article></body></html>"  # no copy of a sample page
    (home / "pages" / "own.html").write_text(own, encoding="utf-8")
    (home / "bare").mkdir()  # pages without a word about a licence
    for number in range(2):
        page = f"<html><body><article><h1>글 {number}</h1><p>{PROSE * 9}</p></article></body></html>"
        (home / "bare" / f"{number}.html").write_text(page, encoding="utf-8")
    bare = re.sub(r"claim=\(.*\),\n", "", small.read_text(encoding="utf-8"))
    bare = bare.replace('"small"', '"bare"').replace(str(home / "pages"), str(home / "bare"))
    (home / "bare.py").write_text(bare, encoding="utf-8")
    (home / "mine.toml").write_text('extends = "general"\nname = "mine"\npurpose = "A test."\n', encoding="utf-8")
    api, site = free_port(), free_port()
    script = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S)).replace("4200", api).replace("8753", site)
    assert script.count(WEBHOOK) == 1
    env = {
        **os.environ,
        "PREFECT_HOME": str(home / "server"),
        "MALMOI_SAMPLE_PORT": site,
        "MALMOI_CLUSTERS": " ".join(clusters.values()),
        "MALMOI_HOME_URL": home_url,
        "PYTHONPATH": str(install_wheel(tmp_path_factory.mktemp("wheel"))),
    }
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
        end(shell.pid, env["PREFECT_HOME"])


@pytest.fixture(scope="module")
def server(pasted):
    """The environment of a client of the server."""
    return pasted[1]


@pytest.fixture(scope="module")
def alone(pasted, tmp_path_factory):
    """The sums of the release of small.py by the command line, without a server."""
    home = tmp_path_factory.mktemp("alone")
    done = malmoi_in_process("run", "general", "--source", pasted[0] / "small.py", "--workspace", home / "w")
    assert done.returncode == 0, done.stderr
    return sums(home / "w")


@pytest.mark.heavy
def test_the_blocks_of_the_docs_end_in_a_release_and_the_run_of_ci_finds_nothing_new(pasted):
    home, server = pasted
    assert (home / "workspace" / "6-releases" / "general" / "1.0.0" / "SHA256SUMS").exists()
    url = f"{server['PREFECT_API_URL']}/flow_runs/filter"
    completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}, "sort": "START_TIME_ASC"}
    first = ask(url, completed)[1][0]
    assert first["parameters"]["sources"] == ["sample"]
    _, (second,) = ask(url, {"flow_runs": {"idempotency_key": {"any_": ["2026-W48"]}}})
    assert second["id"] != first["id"]
    wait_for(server, second["id"])
    find_line(server, second["id"], "nothing new; this release is current")
    assert [p.name for p in (home / "workspace" / "6-releases" / "general").glob("*.*.*")] == ["1.0.0"]


@pytest.mark.heavy
def test_a_block_that_is_pasted_again_leaves_its_process_and_log_alone_and_stop_ends_it(tmp_path):
    (start,) = re.findall(r"^start\(\) .*?^}\n", PAGE, re.S | re.M)
    (stop,) = re.findall(r"^kill .*\n", PAGE, re.M)
    names = re.findall(r"[\w-]+(?=\.pid)", stop)
    assert sorted(names) == sorted(re.findall(r"^start ([\w-]+) ", PAGE, re.M))
    block = "".join(f"start {name} bash -c 'echo begun; exec sleep 600'\n" for name in names)
    script = f"{start}{block}sleep 2\ncat *.pid > first\n{block}sleep 1\ncat *.pid > second\n{stop}wait || true\n"
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True, timeout=SECONDS)
    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text()
    assert {(tmp_path / f"{name}.log").read_text() for name in names} == {"begun\n"}


@pytest.mark.heavy
def test_a_call_with_a_known_idempotency_key_starts_no_second_run(server):
    url = f"{server['PREFECT_API_URL']}/deployments/{find(server, 'refresh/local')['id']}/create_flow_run"
    body = {"parameters": {"recipe": "general", "sources": ["sample"]}, "idempotency_key": "2026-W48"}
    assert ask(url, body)[1]["id"] == ask(url, body)[1]["id"]


@pytest.mark.heavy
def test_the_weekly_refresh_is_scheduled_with_parameters_that_have_just_succeeded(server):
    said = find(server, "refresh/local")
    (schedule,) = said["schedules"]
    assert (schedule["schedule"]["timezone"], schedule["active"]) == ("Asia/Seoul", True)
    assert said["parameters"] == {"recipe": "general", "sources": ["sample"]}


@pytest.fixture(scope="module")
def refreshed(pasted):
    """A run of refresh with a second source, which publishes version 1.1.0."""
    home, server = pasted
    run = wait_for(server, start(server, "refresh/local", recipe="general", sources=["sample", "small.py"]))
    assert (home / "workspace" / "6-releases" / "general" / "1.1.0" / "SHA256SUMS").exists()
    return run


@pytest.mark.heavy
def test_a_refresh_says_what_it_published_and_what_changed(pasted, refreshed):
    home, server = pasted
    made = json.loads((home / "workspace" / "6-releases" / "general" / "1.1.0" / "manifest.json").read_text())
    says = refreshed["state"]["message"]
    assert re.search(r"^general 1\.1\.0: released and verified, \d+ documents · Since 1\.0\.0: [1-9]\d* added, ", says)
    assert says.endswith(f" · root {made['root']}")
    find_line(server, refreshed["id"], "Since 1.0.0: ")


@pytest.mark.heavy
def test_a_run_has_a_name_tags_and_artifacts_whose_links_lead_somewhere(pasted, refreshed, served):
    _, server = pasted
    assert refreshed["name"] == "refresh general: sample, small"
    assert {"malmoi", "scheduled"} <= set(refreshed["tags"])
    body = {"task_runs": {"flow_run_id": {"any_": [refreshed["id"]]}}, "limit": 200}
    tasks = ask(f"{server['PREFECT_API_URL']}/task_runs/filter", body)[1]
    names = {one["name"] for one in tasks}
    assert {"probe sample", "collect sample", "collect small"} <= names
    assert [name for name in names if re.fullmatch(r"5-curated: filter shards 1-\d+ of \d+ \(.*small.*\)", name)]
    assert not [name for name in names if "_" in name]
    assert not [one["name"] for one in tasks if one["tags"]]  # each would cost two requests for limits
    found = read_artifacts(server, refreshed["id"])
    bars = [a["description"] for a in found if a["type"] == "progress"]
    for stage in ("collect sample", "collect small", "2-documents", "3-clean", "4-judged", "5-curated", "6-release"):
        assert [bar for bar in bars if bar.startswith(f"{stage}: ")]
    (funnel,) = [json.loads(a["data"]) for a in found if a["type"] == "table"]
    assert {"source", "step", "kept", "lost", "why"} == set(funnel[0])
    assert [row for row in funnel if row["step"] == "6-release 1.1.0" and row["kept"]]
    (card,) = [a["data"] for a in found if a["key"] == "release-workspace-general"]
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", card) if link.startswith(served[1])]
    assert len(links) >= 4
    for link in {link.partition("#")[0] for link in links}:
        assert urllib.request.urlopen(link, timeout=30).status == 200
    assert not re.findall(r"\]\((?!https?://|mailto:|#)", card)


@pytest.mark.heavy
def test_a_run_records_captures_stages_and_release_as_assets(pasted, refreshed):
    home, server = pasted
    body = {"filter": {"event": {"prefix": ["prefect.asset.materialization"]}}, "limit": 50}
    end, seen = time.monotonic() + 60, set()
    while time.monotonic() < end and len(seen) < 7:  # events are sent in batches
        _, events = ask(f"{server['PREFECT_API_URL']}/events/filter", body)
        mine = [e for e in events["events"] if any(refreshed["id"] in r["prefect.resource.id"] for r in e["related"])]
        seen = {e["resource"]["prefect.resource.id"].removeprefix(f"file://{home}/workspace/") for e in mine}
        time.sleep(0.5)
    stages = {"2-documents", "3-clean", "4-judged", "5-curated"}
    assert seen >= {"1-captures/small", "6-releases/general"} | stages


@pytest.mark.parametrize("engine", ["dask", "ray"])
@pytest.mark.heavy
def test_a_deployed_run_on_a_cluster_gives_the_release_of_the_command_line(engine, server, clusters, alone, tmp_path):
    run = start(
        server, "run/local", recipe="general", sources=["small.py"], engine=engine, address=clusters[engine],
        workspace=str(tmp_path / "w"),
    )  # fmt: skip
    wait_for(server, run)
    assert sums(tmp_path / "w") == alone


@pytest.mark.heavy
def test_a_run_waits_for_a_host_from_which_another_run_collects(server, tmp_path):
    api = f"{server['PREFECT_API_URL']}/v2/concurrency_limits"
    limit = f"host:127.0.0.1:{server['MALMOI_SAMPLE_PORT']}"
    assert ask(f"{api}/{limit}")[1]["limit"] == 1
    _, lease = ask(f"{api}/increment-with-lease", {"names": [limit], "slots": 1, "mode": "concurrency"})
    run = start(server, "collect/local", sources=["sample"], workspace=str(tmp_path / "other"), limit=2)
    find_line(server, run, f"waits for {limit}")
    time.sleep(2)
    assert ask(f"{server['PREFECT_API_URL']}/flow_runs/{run}")[1]["state_type"] == "RUNNING"
    assert ask(f"{api}/decrement-with-lease", {"lease_id": lease["lease_id"]})[0] == 204
    wait_for(server, run)


@pytest.mark.heavy
def test_runs_of_one_workspace_wait_in_line_and_those_of_another_do_not(server, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    with request_locks(LockRequest("malmoi curate")), Workspace.open(one).lock():
        first = start(server, "collect/local", sources=["small.py"], workspace=str(one))
        find_line(server, first, "is in use by another run (malmoi curate, process")
        wait_for(server, start(server, "collect/local", sources=["small.py"], workspace=str(two)))
        assert ask(f"{server['PREFECT_API_URL']}/flow_runs/{first}")[1]["state_type"] == "RUNNING"
        assert not (one / "1-captures").exists()
    wait_for(server, first)
    assert (one / "1-captures" / "small").exists()


@pytest.mark.heavy
def test_a_run_that_fails_says_the_reasons_of_the_ledger_and_is_posted_to_the_webhook(server, alerts, tmp_path):
    refused = start(server, "run/local", recipe="mine", sources=["bare.py"], workspace=str(tmp_path / "w"))
    assert refused[0] == 409  # a recipe of one's own is named by its file
    run = start(server, "run/local", recipe="mine.toml", sources=["bare.py"], workspace=str(tmp_path / "w"))
    said = wait_for(server, run, states=("FAILED",))["state"]["message"]
    assert re.search(r"no document is left to publish of \d+: .*rights: no-licence \d", said)
    end = time.monotonic() + 60
    while not alerts[0]:
        assert time.monotonic() < end
        time.sleep(0.5)
    assert alerts[0][0].startswith("malmoi: run is Failed")
    assert run in alerts[0][0]
    assert "no-licence" in alerts[0][0]


@pytest.mark.heavy
def test_the_server_hides_the_address_of_the_webhook_and_holds_the_automations(server):
    _, blocks = ask(f"{server['PREFECT_API_URL']}/block_documents/filter", {})
    assert "malmoi-alerts" in json.dumps(blocks)
    assert "secret-hook" not in json.dumps(blocks)
    _, found = ask(f"{server['PREFECT_API_URL']}/automations/filter", {})
    assert {(one["name"], one["enabled"]) for one in found} == {
        ("malmoi-alert", True), ("malmoi-heartbeat", True), ("malmoi-start", True),
    }  # fmt: skip


@pytest.mark.heavy
def test_a_run_whose_worker_died_before_its_first_step_becomes_crashed_and_is_posted(server, alerts, tmp_path):
    """The automation with 10 seconds instead of 20 minutes; a run that is Pending is taken by no worker."""
    api, block = server["PREFECT_API_URL"], "00000000-0000-0000-0000-000000000000"
    (rule,) = [one for one in read_automations(block) if one.name == "malmoi-start"]
    assert rule.trigger.within.total_seconds() == 1200
    rule.name, rule.trigger.within = "soon", timedelta(seconds=10)
    _, made = ask(f"{api}/automations/", rule.model_dump(mode="json"))
    try:
        url = f"{api}/deployments/{find(server, 'collect/local')['id']}/create_flow_run"
        body = {"parameters": {"sources": ["small.py"], "workspace": str(tmp_path / "w")}, "state": {"type": "PENDING"}}
        run = ask(url, body)[1]["id"]
        said = wait_for(server, run, states=("CRASHED",))
    finally:
        ask(f"{api}/automations/{made['id']}", method="DELETE")
    assert "it has not begun" in said["state"]["message"]
    end = time.monotonic() + 60
    while not [one for one in alerts[0] if run in one]:
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.heavy
def test_a_source_that_is_not_in_a_listed_folder_is_refused_also_where_the_server_does_not_check(server, tmp_path):
    """Whoever reaches the API can switch the check of the server off; the run checks again and loads no such file."""
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'done')!r}, 'w')\nSOURCE = None\n", encoding="utf-8")
    url = f"{server['PREFECT_API_URL']}/deployments/{find(server, 'collect/local')['id']}"
    assert ask(url, {"enforce_parameter_schema": False}, "PATCH")[0] == 204
    try:
        run = start(server, "collect/local", sources=[str(evil)], workspace=str(tmp_path / "w"))
    finally:
        assert ask(url, {"enforce_parameter_schema": True}, "PATCH")[0] == 204
    said = wait_for(server, run, states=("FAILED", "CRASHED"))["state"]["message"]
    assert "sources" in said
    assert not (tmp_path / "done").exists()
    assert not (tmp_path / "w").exists()


@pytest.mark.heavy
def test_a_run_of_erase_counts_and_then_erases(pasted):
    home, server = pasted
    table = next((home / "workspace" / "6-releases" / "general" / "1.0.0" / "data").rglob("*.parquet"))
    id = pq.read_table(table, columns=["id"]).column("id")[0].as_py()
    wanted = {"release": "general", "kind": "id", "keys": [id], "reason": "request of the author"}
    for dry in (True, False):
        run = start(server, "erase/local", **wanted, dry_run=dry)
        says = wait_for(server, run)["state"]["message"]
        assert re.match(rf"1 document of general 1\.\d\.\d {'would be erased$' if dry else 'erased; general 1'}", says)
        find_line(server, run, says)
    find_line(server, run, "released and verified")
    assert not [line for line in read_logs(server, run) if id in line]


@pytest.mark.parametrize("version", ["", "v2/"])
@pytest.mark.heavy
def test_the_forms_show_choices_and_help_in_a_real_browser(pasted, tmp_path, version):
    _, server = pasted
    ui = server["PREFECT_API_URL"].removesuffix("api") + version
    with open_browser(tmp_path) as browser:
        for flow in ("refresh", "run", "collect", "curate", "release", "erase"):
            said = find(server, f"{flow}/local")
            fields = said["parameter_openapi_schema"]["properties"]
            browser.open(f"{ui}deployments/deployment/{said['id']}/run", "Parameters")
            shown = browser.wait(fields["workspace"]["description"])  # the last field
            browser.shoot(tmp_path / f"{flow}.png")
            for field in fields.values():
                assert field["title"] in shown
                assert field["description"].replace("`", "") in shown.replace("`", "")
            assert 'Property is type "None"' not in shown


@pytest.mark.heavy
def test_a_run_that_a_person_starts_in_the_form_has_the_chosen_parameters(server, tmp_path):
    ui = server["PREFECT_API_URL"].removesuffix("api")
    api = server["PREFECT_API_URL"]
    with open_browser(tmp_path) as browser:
        browser.open(f"{ui}v2/deployments/deployment/{find(server, 'curate/local')['id']}/run", "workspace")
        button = "[...document.querySelectorAll('button')].filter(b => b.innerText.trim() == '{}')[{}]"
        browser.click(button.format("Select", 0))
        browser.wait("mine.toml")
        browser.click("[...document.querySelectorAll('[role=option]')].find(o => o.innerText.trim() == 'general')")
        runs, end = [], time.monotonic() + SECONDS
        while not runs and time.monotonic() < end:
            if browser.run(f"!!({button.format('Submit', 0)})"):  # a loaded server may refuse the first time
                browser.click(button.format("Submit", 0))
            time.sleep(5)
            id = find(server, "curate/local")["id"]
            runs = [r for r in ask(f"{api}/flow_runs/filter", {})[1] if r["deployment_id"] == id]
    assert runs[0]["parameters"]["recipe"] == "general"
    wait_for(server, runs[0]["id"], states=("FAILED",))  # general names no source


@pytest.mark.heavy
def test_a_command_through_the_server_gives_the_same_release_as_one_without(pasted, server, alone, tmp_path):
    done = malmoi("run", "general", "--source", pasted[0] / "small.py", "--workspace", tmp_path / "w", env=server)
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "w") == alone
    _, runs = ask(f"{server['PREFECT_API_URL']}/flow_runs/filter", {})
    ours = [r for r in runs if r["parameters"].get("workspace") == str(tmp_path / "w")]
    assert [(r["state"]["type"], r["parameters"]["recipe"]) for r in ours] == [("COMPLETED", "general")]


@pytest.mark.heavy
def test_deployments_show_the_flows_with_their_parameters(server, clusters):
    _, deployments = ask(f"{server['PREFECT_API_URL']}/deployments/filter", {})
    found = {d["entrypoint"].rpartition(".")[2]: d["parameter_openapi_schema"] for d in deployments}
    assert set(found) == {"collect", "curate", "release", "run", "refresh", "erase"}
    form = found["run"]["properties"]
    assert list(form) == [
        "recipe",
        "sources",
        "contact",
        "limit",
        "version",
        "replace",
        "engine",
        "address",
        "workspace",
    ]
    assert all(field["description"] for schema in found.values() for field in schema["properties"].values())
    assert {name: schema["required"] for name, schema in found.items()} == {
        "collect": ["sources"], "curate": ["recipe"], "release": ["recipe"], "run": ["recipe"], "refresh": ["recipe"],
        "erase": ["release", "kind", "keys", "reason"],
    }  # fmt: skip
    assert form["recipe"]["enum"] == [*list_recipes(), "mine.toml"]
    assert form["sources"]["items"]["enum"] == [*catalogue.names(), "bare.py", "small.py"]
    assert form["address"]["enum"] == ["", *clusters.values()]
    assert not [d["name"] for d in deployments if d["concurrency_limit"]]  # the workspace decides who waits
    assert all("malmoi" in d["tags"] for d in deployments)


@pytest.mark.heavy
def test_the_server_refuses_nonsense_and_names_the_field(server, clusters):
    """One test for all cases: the server is shared, and a request takes milliseconds."""
    api = server["PREFECT_API_URL"]
    ids = {flow: ask(f"{api}/deployments/name/{flow}/local")[1]["id"] for flow in {c["flow"] for c in CALLS}}
    wrong = []
    for case in CALLS:
        given = {name: clusters["dask"] if said == "CLUSTER" else said for name, said in case["parameters"].items()}
        body = {"parameters": given, "state": {"type": "SCHEDULED"}}
        status, says = ask(f"{api}/deployments/{ids[case['flow']]}/create_flow_run", body)
        if status != 409 or f"'{case['field']}" not in str(says):
            wrong.append((case, status, says))
    assert not wrong


@pytest.mark.heavy
def test_a_version_that_stands_is_refused_before_anything_is_collected(pasted, monkeypatch):
    from flows import prefect_flows

    monkeypatch.chdir(pasted[0])
    before = sorted((pasted[0] / "workspace").rglob("*"))
    with pytest.raises(CallError, match=r"version 1\.0\.0 cannot be made: general 1\.\d\.\d is released"):
        prefect_flows.run.fn(recipe="general", sources=["sample"], version="1.0.0")
    assert sorted((pasted[0] / "workspace").rglob("*")) == before


@pytest.mark.heavy
def test_a_clone_deploys_the_same_by_the_same_block(pasted, tmp_path):
    """The last test with the server: the block of a fresh copy sets the weekly schedule back to inactive."""
    home, server = pasted
    names = [f"{flow}/local" for flow in ("refresh", "run", "collect", "curate", "release", "erase")]
    before = {name: find(server, name) for name in names}
    for package in ("malmoi", "crawlers", "filters", "data_cards", "flows"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (block,) = [block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S) if "worker start" in block]
    script = "\n".join(line for line in block.splitlines() if "worker start" not in line)
    env = {**server, "MALMOI_HOME": str(home), "PATH": f"{home}/.venv/bin:{server['PATH']}", "PYTHONPATH": ""}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: find(server, name) for name in names}
    for key in ("id", "entrypoint", "parameter_openapi_schema", "pull_steps", "tags", "work_pool_name"):
        assert {name: one[key] for name, one in after.items()} == {name: one[key] for name, one in before.items()}
    assert [one["active"] for one in after["refresh/local"]["schedules"]] == [False]
