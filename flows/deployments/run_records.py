"""Records of flow runs in their workspace: whose process is alive, so that a dead one does not stay "Running".

Each flow run locks a file of its id in `.flow-runs/` while its process lives; the kernel releases the lock however the
process ends. A run that ends deletes its file. Thus a file that can be locked belongs to a dead process, and the next
flow run of the workspace marks that run as crashed on its server, also one that died while it waited for its turn.

A run of the command line has its file before its server shows it as running. The worker of a deployed run reports a
process that dies before that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.deployments import run_progress
from flows.deployments.home_folder import find_server
from flows.engine.task_mapper import quiet_prefect
from malmoi.storage.locks import LockRequest, find_request, is_open_file, request_locks, try_lock
from malmoi.workspace import Workspace

LONGEST_WAIT = 6 * 3600.0  # seconds for the workspace, unless the command line says otherwise
LONGEST_LOOK = 60.0  # seconds that another run takes to look at a record
REASON = "the process of this run ended without a word (it was killed, or its machine failed). Finished work is kept."


_held: set[Path] = set()  # the records of this process


@contextmanager
def record_run(workspace: Workspace, id: UUID) -> Iterator[None]:
    """Record the flow run `id` in the workspace while the body runs in this process."""
    with _record(workspace.flow_runs / str(id)):
        yield


@contextmanager
def take_turn(workspace: Workspace) -> Iterator[None]:
    """Record the running flow run in the workspace, end runs of dead processes, and set how locks are waited for.

    Another run that holds the workspace is waited for, up to LONGEST_WAIT; the log names it.
    """
    quiet_prefect()
    asked, id = find_request(), str(flow_run.id)
    seconds = LONGEST_WAIT if asked.seconds is None else asked.seconds
    with _record(workspace.flow_runs / id):
        end_dead_runs(workspace)
        with request_locks(LockRequest(f"flow run {flow_run.name!r} ({id})", seconds, get_run_logger().info)):
            yield


@contextmanager
def hold_workspace(workspace: Workspace) -> Iterator[None]:
    """Take the turn of the running flow run, and hold the workspace."""
    with take_turn(workspace), workspace.lock():
        end_dead_runs(workspace)  # the run that held it may have been killed
        yield


def end_dead_runs(workspace: Workspace) -> None:
    """Mark the recorded runs whose processes are gone as crashed on the server of this process, and log their names.

    A record of another server stays, for a run that uses that one.
    """

    def end(record: Path) -> None:
        with suppress(FileNotFoundError), record.open("r+", encoding="utf-8") as stream:
            if not try_lock(stream) or stream.read() != _find_url():
                return
            with suppress(ObjectNotFound), get_client(sync_client=True) as client:
                run = client.read_flow_run(UUID(record.name))
                state, is_deployed = run.state, run.deployment_id is not None
                waits = state is not None and state.is_pending() and not is_deployed  # no worker will start it
                if state is not None and (waits or state.is_running() or state.is_cancelling()):
                    client.set_flow_run_state(run.id, Crashed(message=REASON), force=True)
                    get_run_logger().info(f"flow run {run.name!r} ({run.id}) is marked as crashed: its process is gone")
            record.unlink()

    for path in sorted(workspace.flow_runs.iterdir()):
        run_progress.send("states of dead runs", partial(end, path))


@contextmanager
def _record(path: Path) -> Iterator[None]:
    """Hold the record of a run while the body runs; one that a killed attempt of the same run left is taken over.

    The record of a run that could not tell its server how it ended stays, so that the next run does.

    No record is made beside that of an earlier attempt that is still alive: the workspace is locked by it.
    """
    if path in _held:
        yield
        return
    path.parent.mkdir(exist_ok=True)
    until = time.monotonic() + LONGEST_LOOK
    while time.monotonic() < until:
        with path.open("a+", encoding="utf-8") as stream:
            if try_lock(stream) and is_open_file(stream, path):  # not deleted meanwhile
                stream.truncate(0)
                stream.write(_find_url())
                stream.flush()
                _held.add(path)
                lost = False
                try:
                    yield
                except httpx.TransportError:
                    lost = True
                    raise
                finally:
                    _held.remove(path)
                    if not lost and not run_progress.has_lost_server():
                        path.unlink(missing_ok=True)
                return
        time.sleep(0.1)
    yield


def _find_url() -> str:
    """Return the address of the server; "" for the temporary one, whose database is that of PREFECT_HOME."""
    server = find_server()
    return server.url if server else ""
