"""A server that is gone is not asked again at each step, and the record of its run stays for the next one."""

import asyncio
import threading
import uuid

import httpx
import pytest
from prefect.events import Event, emit_event, utilities
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings

from flows.monitoring import event_client, run_artifacts, run_records
from malmoi.workspace import Workspace


@pytest.fixture(autouse=True)
def reachable(monkeypatch):
    monkeypatch.setattr(run_artifacts, "_away_until", 0.0)
    monkeypatch.setattr(run_artifacts, "_RETRIES", 5)
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


def test_prefect_repeats_its_calls_once_until_a_lost_server_is_back(monkeypatch):
    """The final state of a run is tried three times, a minute each."""
    run_artifacts.send("card", fail(ValueError("a key"))[0])
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 5
    run_artifacts.send("progress", fail(httpx.ConnectError("refused"))[0])
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 1
    monkeypatch.setattr(run_artifacts, "_away_until", 0.0)
    run_artifacts.send("progress", lambda: 7)
    assert PREFECT_CLIENT_MAX_RETRIES.value() == 5


def test_a_thread_does_not_wait_for_a_server_after_another_one_did():
    call, calls = fail(httpx.ConnectError("refused"))
    asked = threading.Event()

    def call_slowly():
        asked.set()
        other.join(0.2)  # which waits for its turn
        call()

    other = threading.Thread(target=lambda: asked.wait(20) and run_artifacts.send("progress", call))
    other.start()
    run_artifacts.send("progress", call_slowly)
    other.join(20)
    assert len(calls) == 1


class Lost(event_client.EventClient):
    """A client whose server is gone until `is_back`; it counts the attempts to connect."""

    attempts, is_back, sent = 0, False, ()

    async def _reconnect(self):
        self.attempts += 1
        if not self.is_back:
            raise ConnectionRefusedError
        kept, self._unconfirmed_events, self._websocket = self._unconfirmed_events, [], self
        self.sent = (*self.sent, *kept)

    async def send(self, _):
        return

    async def _checkpoint(self):
        return


def test_events_after_one_that_failed_are_kept_and_sent_with_the_first_that_reaches_the_server(monkeypatch):
    """At the end of a process Prefect sends what is left: with a server that is gone, 7 seconds for each event."""
    events = [Event(event=f"e{n}", resource={"prefect.resource.id": "r"}) for n in range(20)]
    client = Lost("http://127.0.0.1:9/api", reconnection_attempts=0)

    async def emit_all():
        with pytest.raises(ConnectionRefusedError):
            await client._emit(events[0])
        for event in events[1:-1]:
            await client._emit(event)
        assert client.attempts == 1
        client.is_back = True
        monkeypatch.setattr(event_client.time, "monotonic", lambda: client._away_until)
        await client._emit(events[-1])

    asyncio.run(emit_all())
    assert client.attempts == 2 and list(client.sent) == events


def test_prefect_emits_events_with_this_client(monkeypatch):
    """With a client that it does not know it drops each event without a word, also those that record task runs."""
    monkeypatch.setattr(EventsWorker, "_client_override", None)
    monkeypatch.setattr(EventsWorker, "_instances", {})
    monkeypatch.setattr(EventsWorker, "start", lambda _: None)
    monkeypatch.setattr(utilities, "PrefectEventsClient", PrefectEventsClient)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    event_client.use_event_client()
    assert emit_event("e", {"prefect.resource.id": "r"})
    assert EventsWorker.instance().client_type is event_client.EventClient


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("https://api.prefect.cloud/api/accounts/1", False),
        ("", False),
    ],
)
def test_the_client_of_a_cloud_or_of_the_temporary_server_stays_that_of_prefect(url, ours, monkeypatch, tmp_path):
    monkeypatch.setattr(EventsWorker, "_client_override", None)
    monkeypatch.setattr(utilities, "PrefectEventsClient", PrefectEventsClient)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_PROFILES_PATH", raising=False)
    monkeypatch.setenv("PREFECT_API_URL", url)
    event_client.use_event_client()
    assert (EventsWorker._client_override is not None) is ours
