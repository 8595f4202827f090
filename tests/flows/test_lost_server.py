"""A server that is gone is not asked again at each step, and the record of its run stays for the next one."""

import uuid

import httpx
import pytest

from flows.monitoring import run_artifacts, run_records
from malmoi.workspace import Workspace


@pytest.fixture(autouse=True)
def reachable(monkeypatch):
    monkeypatch.setattr(run_artifacts, "_away_until", 0.0)


def fail(error):
    def call():
        calls.append(error)
        raise error

    calls = []
    return call, calls


def test_a_server_that_is_not_reached_is_left_alone_for_some_minutes(monkeypatch):
    call, calls = fail(httpx.ConnectError("refused"))
    for _ in range(3):
        assert run_artifacts.send("progress", call) is None
    assert len(calls) == 1 and run_artifacts.has_lost_server()
    monkeypatch.setattr(run_artifacts.time, "monotonic", lambda: run_artifacts._away_until)
    assert run_artifacts.send("progress", lambda: 7) == 7


def test_an_error_of_one_call_does_not_stop_the_next():
    call, calls = fail(ValueError("a key"))
    for _ in range(3):
        assert run_artifacts.send("card", call) is None
    assert len(calls) == 3 and not run_artifacts.has_lost_server()
    assert run_artifacts.send("card", lambda: 7) == 7


def test_the_record_of_a_run_that_lost_its_server_stays(tmp_path):
    home, id = Workspace.open(tmp_path / "ws"), uuid.uuid4()
    with run_records.record_run(home, id):
        pass
    assert not list(home.flow_runs.iterdir())
    with pytest.raises(httpx.ConnectError), run_records.record_run(home, id):
        raise httpx.ConnectError("refused")
    assert [path.name for path in home.flow_runs.iterdir()] == [str(id)]
