"""A server that is gone is not asked again at each step, and the record of its run stays for the next one."""

import threading
import uuid

import httpx
import pytest
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings

from flows.deployments import run_progress
from malmoi.workspace import Workspace


@pytest.fixture(autouse=True)
def reachable(monkeypatch):
    monkeypatch.setattr(run_progress, "_away_until", 0.0)
    monkeypatch.setattr(run_progress, "_RETRIES", 5)
    monkeypatch.setattr(get_current_settings().client, "max_retries", 5)


def fail(error):
    def call():
        calls.append(error)
        raise error

    calls = []
    return call, calls


def test_a_server_that_is_not_reached_is_left_alone_for_some_minutes(monkeypatch):
    call, calls = fail(httpx.ConnectError("refused"))
    for _ in range(3):
        assert run_progress.send("progress", call) is None
    assert len(calls) == 1 and run_progress.has_lost_server()
    monkeypatch.setattr(run_progress.time, "monotonic", lambda: run_progress._away_until)
    assert run_progress.send("progress", lambda: 7) == 7


def test_an_error_of_one_call_does_not_stop_the_next():
    call, calls = fail(ValueError("a key"))
    for _ in range(3):
        assert run_progress.send("card", call) is None
    assert len(calls) == 3 and not run_progress.has_lost_server()
    assert run_progress.send("card", lambda: 7) == 7


def test_the_record_of_a_run_that_lost_its_server_stays(tmp_path):
    home, id = Workspace.open(tmp_path / "ws"), uuid.uuid4()
    with run_progress.record_run(home, id):
        pass
    assert not list(home.flow_runs.iterdir())
    with pytest.raises(httpx.ConnectError), run_progress.record_run(home, id):
        raise httpx.ConnectError("refused")
    assert [path.name for path in home.flow_runs.iterdir()] == [str(id)]


def test_prefect_repeats_its_calls_once_until_a_lost_server_is_back(monkeypatch):
    """The final state of a run is tried three times, a minute each."""
    run_progress.send("card", fail(ValueError("a key"))[0])
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 5
    run_progress.send("progress", fail(httpx.ConnectError("refused"))[0])
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 1
    monkeypatch.setattr(run_progress, "_away_until", 0.0)
    run_progress.send("progress", lambda: 7)
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 5


def test_a_thread_does_not_wait_for_a_server_after_another_one_did():
    call, calls = fail(httpx.ConnectError("refused"))
    asked = threading.Event()

    def call_slowly():
        asked.set()
        other.join(0.2)  # which waits for its turn
        call()

    other = threading.Thread(target=lambda: asked.wait(20) and run_progress.send("progress", call))
    other.start()
    run_progress.send("progress", call_slowly)
    other.join(20)
    assert len(calls) == 1
