"""What the flows refuse or explain by themselves, and commands that use Prefect with a dead server or without one."""

import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prefect.exceptions import ParameterTypeError
from prefect.utilities.schema_tools.validation import ValidationError, validate

from crawlers import catalogue
from flows.curate import Curated
from flows.deployments.home_folder import enter
from flows.erase import Erased
from flows.withdrawals import count_erased
from malmoi.errors import CallError, StageError
from malmoi.ledger import Ledger
from tests.builders.small_corpus import make, malmoi

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = ROOT / "flows" / "deployments" / "prefect.yaml"


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


@pytest.mark.one_case_in(3)
@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("PREFECT_API_URL", "http://127.0.0.1:9/api"),
        ("PREFECT_API_URL", "banana"),
        ("profile 'office'", "http://127.0.0.1:9/api"),
    ],
)
def test_a_server_that_does_not_answer_is_named_with_what_to_do(tmp_path, place, url):
    env = {**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_PROFILES_PATH": str(tmp_path / "profiles.toml")}
    if place == "PREFECT_API_URL":
        env[place] = url
    else:
        text = f'active = "office"\n[profiles.office]\nPREFECT_API_URL = "{url}"\n'
        (tmp_path / "profiles.toml").write_text(text, encoding="utf-8")
    done = malmoi("collect", "sample", "--workspace", tmp_path / "w", env=env)
    assert done.returncode == 3
    assert re.search(rf"the Prefect server of {re.escape(place)}.*, {re.escape(url)}, does not answer", done.stderr)
    assert "unset it to run without Prefect" in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_a_server_that_takes_connections_and_says_nothing_is_named_within_seconds(monkeypatch, tmp_path):
    from flows import prefect_flows

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/api")
        monkeypatch.setattr(prefect_flows, "PATIENCE", 0.2)
        with pytest.raises(StageError, match=r"does not answer \(ReadTimeout"):
            prefect_flows.call_flow(prefect_flows.collect, None, sources=["sample"], workspace=str(tmp_path / "w"))


@pytest.mark.heavy
def test_without_a_server_a_command_ends_with_its_result_and_no_traceback(tmp_path):
    source = make(tmp_path, pages=2)
    env = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    home = {"PREFECT_HOME": str(tmp_path / "home")}
    done = malmoi("collect", source, "--workspace", tmp_path / "w", "--prefect", env=env | home)
    assert done.returncode == 0, done.stderr
    assert "Completed('small: 3 new, 3 current')" in done.stderr + done.stdout
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("workspace", "why"),
    [
        ("../../etc", "a path with the part '..'"),
        ("a/../../b", "a path with the part '..'"),
        ("/", "the root of the file system"),
        ("/.", "the root of the file system"),
        ("//./", "the root of the file system"),
        ("gs://bucket/ws", "an address"),
        ("~/ws", "a path that begins with ~ or $"),
    ],
)
def test_a_wrong_workspace_is_refused_by_the_schema_and_the_flow_in_a_short_sentence(workspace, why):
    from flows import prefect_flows

    schema = prefect_flows.collect.parameters.model_dump_for_openapi()
    given = {"sources": ["sample"], "workspace": workspace}
    with pytest.raises(ValidationError, match="'workspace'") as refused:
        validate(given, schema, raise_on_error=True)
    assert f"'title': {why!r}" in str(refused.value)
    assert len(str(refused.value)) < 220
    with pytest.raises(ParameterTypeError, match=re.escape(f"is {why}")):
        prefect_flows.collect.validate_parameters(given)
    validate(given | {"workspace": "/mnt/share/..ws/.hidden"}, schema, raise_on_error=True)


def test_a_schema_has_no_rule_about_fields_that_its_flow_lacks():
    from flows import prefect_flows

    for name in ("collect", "curate", "release", "run", "refresh", "erase"):
        schema = getattr(prefect_flows, name).parameters.model_dump_for_openapi()
        named = {
            field for rule in schema["allOf"] for part in (rule, *rule.values()) for field in part.get("properties", ())
        }
        ruled = {"address", "contact", "engine", "release", "version", "workspace"}
        assert named == schema["properties"].keys() & ruled, name


def test_the_messages_of_curate_and_erase_are_one_line_of_counts():
    first = Ledger("2-documents", "k", {"a": 7}, {"a": 7}, {})
    last = Ledger("5-curated", "k", {"a": 7}, {"a": 4}, {("a", "length", "too-short"): 3})
    assert Curated((("2-documents", (first,)), ("5-curated", (last,))), ()).summary == "4 of 7 documents kept"
    found = Erased("general", "", "1.0.0", ("small/a",), (), (), False, 0)
    assert next(count_erased(found, dry=True)) == "1 document of general 1.0.0 would be erased"
    done = replace(found, version="1.0.1")
    assert next(count_erased(done, dry=False)) == "1 document of general 1.0.0 erased; general 1.0.1 is released"


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
            "clusters": "{{ $MALMOI_CLUSTERS }}",
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
