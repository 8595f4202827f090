"""Records of flow runs: a run whose process is gone is ended, one that lives or belongs to another server is not."""

import logging
import uuid
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from flows.deployments import run_progress
from malmoi.workspace import Workspace

OURS, OTHER = "http://127.0.0.1:4200/api", "http://127.0.0.1:4300/api"


@pytest.fixture
def ended(monkeypatch):
    """The runs that are marked as crashed on the server OURS."""
    found = []
    state = SimpleNamespace(is_pending=lambda: False, is_running=lambda: True, is_cancelling=lambda: False)

    class Client:
        def read_flow_run(self, id):
            return SimpleNamespace(id=id, name="a-run", state=state, deployment_id=None)

        def set_flow_run_state(self, id, state, force):
            assert state.is_crashed() and force
            found.append(id)

    monkeypatch.setenv("PREFECT_API_URL", OURS)
    monkeypatch.setattr(run_progress, "get_client", lambda sync_client: nullcontext(Client()))
    monkeypatch.setattr(run_progress, "get_run_logger", lambda: logging.getLogger("run"))
    return found


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "w")


def list_records(workspace):
    return sorted(path.name for path in (workspace.flow_runs).iterdir())


def leave_record(workspace, url):
    """The id of a run whose process was killed."""
    id = uuid.uuid4()
    (workspace.flow_runs).mkdir(exist_ok=True)
    (workspace.flow_runs / str(id)).write_text(url)
    return id


def test_a_run_is_recorded_while_it_lives_and_not_ended_by_another(workspace, ended):
    id = uuid.uuid4()
    with run_progress.record_run(workspace, id):
        run_progress.end_dead_runs(workspace)
        assert list_records(workspace) == [str(id)]
        with run_progress.record_run(workspace, id):  # a flow of the command line, recorded before it begins
            assert list_records(workspace) == [str(id)]
    assert list_records(workspace) == [] and ended == []


def test_the_run_of_a_dead_process_is_ended_once(workspace, ended):
    dead = leave_record(workspace, OURS)
    run_progress.end_dead_runs(workspace)
    run_progress.end_dead_runs(workspace)
    assert ended == [dead] and list_records(workspace) == []


def test_a_record_of_another_server_stays_for_a_run_that_uses_that_one(workspace, ended, monkeypatch):
    dead = leave_record(workspace, OTHER)
    run_progress.end_dead_runs(workspace)
    assert ended == [] and list_records(workspace) == [str(dead)]
    monkeypatch.setenv("PREFECT_API_URL", OTHER)
    run_progress.end_dead_runs(workspace)
    assert ended == [dead]


def test_a_retry_takes_over_the_record_of_its_killed_attempt(workspace, ended):
    id = leave_record(workspace, OURS)
    with run_progress.record_run(workspace, id):
        run_progress.end_dead_runs(workspace)
    assert ended == [] and list_records(workspace) == []


def test_a_server_that_does_not_take_the_state_stops_nothing_and_the_record_stays(workspace, monkeypatch):
    def refuse(sync_client):
        raise ConnectionError

    monkeypatch.setenv("PREFECT_API_URL", OURS)
    monkeypatch.setattr(run_progress, "get_client", refuse)
    dead = leave_record(workspace, OURS)
    run_progress.end_dead_runs(workspace)
    assert list_records(workspace) == [str(dead)]
