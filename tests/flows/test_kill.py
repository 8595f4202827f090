"""Kill -9 at any moment and run again: from the same captures the release is byte-identical."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.builders import small_archive
from tests.builders.small_corpus import make, malmoi, malmoi_in_process, sums

MOMENTS = 8  # two in each workspace, one after the other
SEED = 20261124
BOUNDARIES = (  # each second one, so that a run starts again from every other state
    (
        "1-captures/small/*/run.json",
        "3-clean/*/ledger.json",
        "surveys/index/*/*/*/segment.json",
        "5-curated/*/ledger.json",
    ),
    (
        "2-documents/*/ledger.json",
        "surveys/*/table.parquet",
        "4-judged/*/ledger.json",
        "6-releases/*/*/card.json",
    ),
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The source, the sums of an undisturbed run, and how long it took."""
    root = tmp_path_factory.mktemp("kill")
    source = make(root, pages=24)
    began = time.monotonic()
    done = malmoi("run", "general", "--source", source, "--workspace", root / "calm")
    assert done.returncode == 0, done.stderr
    return source, sums(root / "calm"), time.monotonic() - began


def start(source: Path, workspace: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "flows.cli.main", "run", "general", "--source", source, "--workspace", workspace]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(process: subprocess.Popen) -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=120)  # a fork server first ends its imports
    assert not alive, f"workers outlive the run: {alive}"


def finishes_identically(source: Path, workspace: Path, expected: str) -> None:
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", workspace)
    assert done.returncode == 0, done.stderr
    assert sums(workspace) == expected
    assert list((workspace / "tmp").iterdir()) == []


def killed_when_it_stands(source: Path, workspace: Path, boundary: str) -> None:
    process = start(source, workspace)
    until = time.monotonic() + 120
    while process.poll() is None and not any(workspace.glob(boundary)) and time.monotonic() < until:
        time.sleep(0.002)
    kill(process)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "boundaries",
    (BOUNDARIES[0], pytest.param(BOUNDARIES[1], marks=pytest.mark.heavy)),
    ids=("captures-to-curated", "documents-to-release"),
)
def test_killed_at_one_stage_boundary_after_the_other_it_ends_as_if_undisturbed(undisturbed, tmp_path, boundaries):
    source, expected, _ = undisturbed
    for boundary in boundaries:
        killed_when_it_stands(source, tmp_path / "w", boundary)
    finishes_identically(source, tmp_path / "w", expected)


@pytest.mark.heavy
def test_killed_once_a_host_is_learned_it_ends_as_if_undisturbed(tmp_path):
    archive = tmp_path / "board.warc"
    small_archive.write(archive, small_archive.site(48, lambda n: small_archive.page(n, inside=small_archive.MARK)))
    source = Path(small_archive.source(tmp_path, archive))
    done = malmoi_in_process("run", "general", "--source", source, "--workspace", tmp_path / "calm")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "calm").glob("surveys/*/template.json"))
    killed_when_it_stands(source, tmp_path / "w", "surveys/*/template.json")
    assert list((tmp_path / "w").glob("surveys/*/template.json"))
    finishes_identically(source, tmp_path / "w", sums(tmp_path / "calm"))


def killed_at_moments(undisturbed, tmp_path, workspaces: int, kills: int, seed: int) -> None:
    source, expected, seconds = undisturbed
    dice = random.Random(seed)
    for number in range(workspaces):
        workspace = tmp_path / f"w{number}"
        for _ in range(kills):
            process = start(source, workspace)
            time.sleep(dice.uniform(0.2, seconds))
            kill(process)
        finishes_identically(source, workspace, expected)


@pytest.mark.heavy
def test_killed_at_seeded_moments_it_ends_as_if_undisturbed(undisturbed, tmp_path):
    killed_at_moments(undisturbed, tmp_path, MOMENTS // 2, 2, SEED)


@pytest.mark.soak
def test_killed_at_hundreds_of_moments_it_ends_as_if_undisturbed(undisturbed, tmp_path):
    killed_at_moments(undisturbed, tmp_path, int(os.environ.get("MALMOI_SOAK_KILLS", "300")), 1, SEED + 1)


# A worker, the fork server or both are killed while a run goes on, which goes on to the same bytes.

VICTIMS = ("worker", "fork server", "both")
WAYS = ((), ("--prefect",))


def victims(run: psutil.Process, what: str, dice: random.Random) -> list[psutil.Process]:
    """The processes of a run to kill, as far as there are any."""
    found = []
    with contextlib.suppress(psutil.Error):
        for server in (p for p in run.children() if "fork_server" in " ".join(p.cmdline())):
            workers = server.children()
            found += [dice.choice(workers)] if workers and what != "fork server" else []
            found += [server] if what != "worker" else []
    return found


def killed_once(source: Path, workspace: Path, way: tuple[str, ...], what: str, moment: float, seed: int) -> str:
    """Kill once, `moment` seconds after the fork server appeared; the sums of the release that came of it."""
    arguments = ("run", "general", "--source", source, "--workspace", workspace, "--workers", 2, *way)
    run = subprocess.Popen(
        [sys.executable, "-m", "flows.cli.main", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with run:
        family = psutil.Process(run.pid)
        try:
            began, killed = 0.0, False
            while run.poll() is None and not killed:
                found = victims(family, what, random.Random(seed))
                began = began or (time.monotonic() if victims(family, "fork server", random.Random(0)) else 0.0)
                if found and time.monotonic() - began >= moment:
                    for process in found:
                        with contextlib.suppress(psutil.Error):
                            process.kill()
                            killed = True
                time.sleep(0.01)
            _, said = run.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            kill(run)
            pytest.fail(f"hung: {what} killed at {moment:.1f} s, {way}")
    assert run.returncode == 0, said.decode()
    return sums(workspace)


@pytest.mark.parametrize("what", VICTIMS)
@pytest.mark.heavy
def test_a_run_whose_workers_are_killed_goes_on_to_the_same_bytes(undisturbed, tmp_path, what):
    source, expected, _ = undisturbed
    assert killed_once(source, tmp_path / "w", (), what, 0.3, SEED) == expected


@pytest.mark.heavy
def test_a_run_under_prefect_whose_workers_are_killed_goes_on_to_the_same_bytes(undisturbed, tmp_path):
    source, expected, _ = undisturbed
    assert killed_once(source, tmp_path / "w", ("--prefect",), "both", 4.0, SEED) == expected


@pytest.mark.soak
def test_fifty_runs_whose_workers_are_killed_go_on_to_the_same_bytes(tmp_path):
    """With and without Prefect, at moments from 0.2 s to 12 s after the start of the pool; prints a line a run."""
    source = make(tmp_path, pages=208)
    assert malmoi("run", "general", "--source", source, "--workspace", tmp_path / "calm").returncode == 0
    expected = sums(tmp_path / "calm")
    dice = random.Random(SEED + 2)
    for number in range(int(os.environ.get("MALMOI_SOAK_WORKER_KILLS", "50"))):
        way, what = WAYS[number % 2], VICTIMS[number // 2 % 3]
        moment = 0.2 * 60.0 ** dice.random()  # evenly among the orders of magnitude
        assert killed_once(source, tmp_path / f"w{number}", way, what, moment, SEED + number) == expected
        print(f"{number}: {what} killed at {moment:.1f} s {' '.join(way)} → same bytes", flush=True)
