"""Two runs over one workspace: the second waits as long as it was told to, or is refused by the name of the holder."""

import os
import threading
from pathlib import Path

import pytest

from flows.cli.options import wait_for_lock
from malmoi.errors import CallError
from malmoi.storage import locks
from malmoi.storage.locks import LockRequest, request_locks
from malmoi.workspace import Workspace
from tests.builders.small_corpus import malmoi_in_process


@pytest.fixture
def held(tmp_path: Path):
    """A workspace that another run holds, and the event that ends that run."""
    workspace, taken, ended = Workspace.open(tmp_path / "w"), threading.Event(), threading.Event()

    def run() -> None:
        with request_locks(LockRequest("malmoi curate")), workspace.lock():
            taken.set()
            ended.wait(60)

    thread = threading.Thread(target=run)
    thread.start()
    assert taken.wait(60)
    yield workspace, ended
    ended.set()
    thread.join()


def test_a_run_that_does_not_wait_is_refused_by_the_command_process_host_and_start_of_the_holder(held):
    says = rf"w is in use by another run \(malmoi curate, process {os.getpid()} on \S+ since 20.* UTC\); wait for it"
    with pytest.raises(CallError, match=says), held[0].lock():
        pass


def test_status_names_the_holder_and_proposes_no_other_run(held):
    workspace, ended = held
    says = malmoi_in_process("status", "--workspace", workspace.root).stdout.replace("\n", " ")
    assert f"{workspace.root} is in use by another run (malmoi curate, process " in says
    assert "wait until it has ended." in says and "Next:" not in says
    assert workspace.find_holder().startswith("malmoi curate, process ")
    ended.set()
    with request_locks(LockRequest("", 60.0)), workspace.lock():
        pass
    assert workspace.find_holder() == ""
    assert "Next:" in malmoi_in_process("status", "--workspace", workspace.root).stdout


def test_a_run_that_waits_shows_the_holder_once_and_goes_on_when_that_one_has_ended(held, monkeypatch):
    workspace, ended = held
    shown: list[str] = []
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        ended.set() if len(pauses) == 3 else None
        ended.wait(0.01)

    monkeypatch.setattr(locks.time, "sleep", pause)
    with request_locks(LockRequest("malmoi run", 60.0, shown.append)), workspace.lock():
        assert (workspace.root / ".lock").read_text().startswith(f"malmoi run, process {os.getpid()} on ")
    assert len(pauses) >= 3
    (line,) = shown
    assert line.startswith(f"{workspace.root} is in use by another run (malmoi curate, process ")
    assert line.endswith("; waiting for it")


def test_a_wait_ends_at_its_time(held):
    shown: list[str] = []
    with pytest.raises(CallError, match="in use"), request_locks(LockRequest("", 0.2, shown.append)), held[0].lock():
        pass
    assert len(shown) == 1


def test_the_next_lock_is_asked_for_as_before(tmp_path):
    with wait_for_lock("run", 5.0):
        assert (locks.find_request().name, locks.find_request().seconds) == ("malmoi run", 5.0)
    assert locks.find_request() == LockRequest()


@pytest.mark.parametrize("wait", ["-1", "soon"])
def test_a_time_that_is_none_is_refused(tmp_path, wait):
    done = malmoi_in_process("collect", "sample", "--workspace", tmp_path / "w", f"--wait={wait}")
    assert done.returncode == 2 and "--wait" in done.stderr
    assert not (tmp_path / "w").exists()


def test_the_command_waits_as_told_and_says_for_whom(held):
    workspace, ended = held
    source = workspace.root.parent / "own.py"
    source.write_text(
        "from malmoi.source import Folder, LicenceClaim, LicenceRule, Source\nfrom pathlib import Path\n"
        f"SOURCE = Source('own', 'own', 'own', Folder(Path({str(workspace.root.parent)!r}), include=('*.html',)),\n"
        "    claim=(LicenceClaim('CC-BY-4.0', 'CC BY 4.0', file='L.txt'),), rule=LicenceRule(('licence-file',)))\n",
        encoding="utf-8",
    )
    (workspace.root.parent / "L.txt").write_text("CC BY 4.0\n")
    call = ("collect", source, "--workspace", workspace.root)
    assert malmoi_in_process(*call).returncode == 2
    timer = threading.Timer(1.0, ended.set)
    timer.start()
    done = malmoi_in_process(*call, "--wait", 120)
    timer.join()
    assert "is in use by another run (malmoi curate, process" in done.stdout + done.stderr
    assert "in use" not in done.stderr
