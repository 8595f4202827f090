"""Kill -9 of each process of a run, at seeded moments: every wait ends, and the next run ends with the same bytes.

`make soak` kills 200 times; the ordinary suite a few times. A case that fails names its seed and number: set
MALMOI_KILL_SEED, and MALMOI_KILL_FROM to the number of a life, to repeat it.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tests.builders.small_corpus import sums
from tests.killing.conftest import SECONDS, Small
from tests.killing.prefect_home import PrefectHome, kill_family

pytestmark = pytest.mark.heavy

SEED = int(os.environ.get("MALMOI_KILL_SEED", "20261129"))
KILLS = int(os.environ.get("MALMOI_SOAK_MATRIX", "200"))
LONGEST = 0.85  # a kill comes up to this share of the duration of an undisturbed run after the start
# What is killed in one life of a workspace: in its first run, one after the other, then in its second. The run after
# these is left alone and must succeed. In each run at most two kills of a worker: a third could meet one document alone
# for the second time, which is then counted as failed.
LIVES = {
    "command": (
        (("worker", "fork server", "run"), ("worker, then fork server", "worker")),
        (("fork server, then worker", "run"), ("run",)),
        (("run",), ("fork server", "worker, then fork server", "run")),
    ),
    "command with a server": (
        (("worker, then fork server", "run"), ("fork server", "worker")),
        (("server", "worker"), ("run",)),
        (("run",), ("worker", "fork server, then worker")),
    ),
    "deployment": (
        (("worker", "fork server", "run"), ("worker, then fork server",)),
        (("prefect worker", "worker, then fork server"), ("run",)),
        (("server", "fork server"), ("fork server, then worker", "run")),
    ),
}
FATAL = ("run", "server")  # after which a run of the command line may fail


class Life:
    """The runs over one workspace; `kills` says what was killed."""

    def __init__(self, small: Small, workspace: Path, dice: random.Random, prefect: PrefectHome | None = None) -> None:
        self.small, self.workspace, self.dice, self.prefect = small, workspace, dice, prefect
        self.kills: list[str] = []

    def start(self) -> subprocess.Popen[str]:
        """Start a run by the command line."""
        command = ["run", "general", "--source", self.small.source, "--workspace", self.workspace, "--workers", 2]
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", *map(str, command)],
            env=self.prefect.env if self.prefect else None,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def kill_during(self, run: psutil.Process, what: str, of: int = 1) -> None:
        """Kill `what` at a moment of the run, or as soon as it is there after that; nothing if the run ends first.

        `of` is the number of kills of the run.
        """
        time.sleep(self.dice.uniform(0.01, LONGEST) * self.small.seconds / of)
        first, _, then = what.partition(", then ")
        killed = self._kill(run, first)
        if then:
            time.sleep(self.dice.uniform(0, 0.5))
            killed = self._kill(run, then) or killed
        if killed:
            self.kills.append(what)

    def _kill(self, run: psutil.Process, what: str) -> bool:
        if what == "run":
            return _kill_process(run)
        if what == "server" and self.prefect:
            self.prefect.kill_server()
            return True
        if what == "prefect worker" and self.prefect:
            self.prefect.kill_worker()
            return True
        until = time.monotonic() + self.small.seconds
        while time.monotonic() < until and _is_alive(run):
            with contextlib.suppress(psutil.Error, IndexError):
                servers = [one for one in run.children() if "fork_server" in " ".join(one.cmdline())]
                return _kill_process(servers[0] if what == "fork server" else self.dice.choice(servers[0].children()))
            time.sleep(0.02)
        return False

    def end(self, run: subprocess.Popen[str], *, killed: bool) -> None:
        """Wait for the end of a run of the command line."""
        try:
            said, _ = run.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            kill_family(run)
            pytest.fail(f"hung after {self.kills}")
        assert killed or run.returncode == 0, (self.kills, said)
        assert run.returncode in (0, -9, 3), (self.kills, said)
        assert "Traceback" not in said or self.prefect, (self.kills, said)

    def end_whole(self) -> None:
        """Run once more and undisturbed: it must succeed, with the bytes of the undisturbed run."""
        run = self.start()
        self.end(run, killed=False)
        assert sums(self.workspace) == self.small.expected, self.kills
        assert not list((self.workspace / "tmp").iterdir())
        if self.prefect:
            states = Counter(one["state_type"] for one in self.prefect.list_runs(self.workspace))
            assert not states.keys() & {"RUNNING", "PENDING", "SCHEDULED"}, states
            assert list((self.workspace / ".flow-runs").iterdir()) == []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill_process(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def live_by_command(life: Life, runs: Sequence[Sequence[str]]) -> None:
    """A run by the command line for each sequence of kills, then the one that is left alone."""
    for victims in runs:
        run, before = life.start(), len(life.kills)
        for what in victims:
            life.kill_during(psutil.Process(run.pid), what, of=len(victims))
        life.end(run, killed=any(what in FATAL for what in life.kills[before:]))
        if "server" in victims and life.prefect:
            life.prefect.start_server()
    life.end_whole()


def live_by_deployment(life: Life, deployment: str, runs: Sequence[Sequence[str]]) -> None:
    """A run by a deployment for each sequence of kills; a crashed or failed one is retried."""
    prefect = life.prefect
    assert prefect is not None
    for victims in runs:
        id = prefect.start_run(deployment, recipe="general", sources=["small.py"], workspace=str(life.workspace))
        until = time.monotonic() + SECONDS
        while not (process := prefect.find_process(id)):
            assert time.monotonic() < until, f"not started after {life.kills}"
            time.sleep(0.1)
        before = len(life.kills)
        for what in victims:
            life.kill_during(process, what, of=len(victims))
            if what == "server":
                prefect.start_server()
            if what == "prefect worker":
                prefect.start_worker()
        gone, _ = psutil.wait_procs([process], timeout=SECONDS)
        assert gone, f"hung after {life.kills}"
        if "server" in victims and prefect.read_run(id)["state_type"] == "RUNNING":
            continue  # the next run of the workspace marks it as crashed
        if "prefect worker" in life.kills[before:] and prefect.read_run(id)["state_type"] == "PENDING":
            prefect.retry(id)  # its process had not begun the flow, and died at its next line of output
        state = prefect.wait_for(id)
        if not any(what in FATAL for what in life.kills[before:]):
            assert state == "COMPLETED", (life.kills, prefect.read_logs(id))
        if state != "COMPLETED":
            prefect.retry(id)
            # On a loaded machine the second report of a death may still come into a retry that has begun.
            assert prefect.wait_for(id, ("COMPLETED", "FAILED")) == "COMPLETED", (life.kills, prefect.read_logs(id))
            assert sums(life.workspace) == life.small.expected, life.kills
    life.end_whole()


def test_a_flow_run_waits_by_name_for_one_that_is_killed_and_survives_the_death_of_its_own_workers(
    small: Small, prefect: PrefectHome, tmp_path: Path
) -> None:
    life = Life(small, tmp_path / "w", random.Random(SEED), prefect)
    first = life.start()
    wait_until(lambda: any((life.workspace / "2-documents").glob("*/ledger.json")), first)
    psutil.Process(first.pid).suspend()
    second = life.start()
    assert second.stdout is not None
    line = next((line for line in second.stdout if "in use by another run" in line), "")
    (one, _) = prefect.list_runs(life.workspace)
    assert f"(flow run 'run general: small' ({one['id']}), process {first.pid} on" in line
    first.kill()
    life.end(first, killed=True)
    life.kill_during(psutil.Process(second.pid), "worker, then fork server", of=100)
    assert life.kills == ["worker, then fork server"]
    life.end(second, killed=False)
    assert sums(life.workspace) == small.expected
    one, other = prefect.list_runs(life.workspace)
    assert (one["state_type"], other["state_type"]) == ("CRASHED", "COMPLETED")
    assert one["state"]["message"].startswith("the process of this run ended")


def test_a_run_whose_server_is_killed_ends_and_the_next_one_has_the_same_bytes(
    small: Small, prefect: PrefectHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(prefect.env, "PREFECT_CLIENT_MAX_RETRIES", "1")  # else each call takes Prefect a minute
    life = Life(small, tmp_path / "w", random.Random(SEED), prefect)
    run = life.start()
    wait_until(lambda: any((life.workspace / "2-documents").glob("*/ledger.json")), run)
    prefect.kill_server()
    life.end(run, killed=True)
    prefect.start_server()
    life.end_whole()


def wait_until(is_so: object, run: subprocess.Popen[str]) -> None:
    until = time.monotonic() + SECONDS
    while not is_so():  # type: ignore[operator]
        assert run.poll() is None and time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.soak
def test_two_hundred_kills_of_every_process_leave_no_hang_and_the_same_bytes(
    small: Small, prefect: PrefectHome, tmp_path: Path
) -> None:
    """Prints a line a life, and at the end the kills of each way."""
    prefect.start_worker()
    deployment = prefect.deploy("run")
    done: Counter[tuple[str, str]] = Counter()
    failed: list[str] = []
    number = int(os.environ.get("MALMOI_KILL_FROM", "0"))
    while done.total() < KILLS and len(failed) < 5:
        way = list(LIVES)[number % len(LIVES)]
        dice = random.Random(SEED * 1000 + number)
        runs = LIVES[way][number // len(LIVES) % len(LIVES[way])]
        life = Life(small, tmp_path / f"w{number}", dice, None if way == "command" else prefect)
        began, ended = time.monotonic(), "same bytes"
        try:
            if way == "deployment":
                live_by_deployment(life, deployment, runs)
            else:
                live_by_command(life, runs)
        except (AssertionError, pytest.fail.Exception) as error:
            ended = f"FAILED {error}"
            failed.append(f"life {number}: {error}")
        done.update((way, what) for what in life.kills)
        print(f"life {number} ({way}): killed {life.kills} → {ended}, {time.monotonic() - began:.0f} s", flush=True)
        number += 1
    for (way, what), count in sorted(done.items()):
        print(f"{count:4} {way}: {what}", flush=True)
    assert not failed
