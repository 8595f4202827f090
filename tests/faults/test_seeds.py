"""After faults of disk, store, clock and server, a run without faults ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.heavy

SEEDS = 20
SOAK = int(os.environ.get("MALMOI_SOAK_SEEDS", "1000"))


def simulate(*arguments: str) -> tuple[list[dict], dict]:
    """The verdicts of a simulation, and its counts."""
    command = [sys.executable, "-m", "tests.faults.simulator", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, f"{command}: no answer, exit status {done.returncode}"
    return lines[:-1], lines[-1]


def requires_no_problem(first: int, last: int) -> None:
    verdicts, counts = simulate("--seeds", f"{first}:{last}")
    failed = [json.dumps(one, ensure_ascii=False, indent=1) for one in verdicts if one["problems"]]
    again = "again: python -m tests.faults.simulator --keep --seeds SEED"
    assert not failed, "\n".join((again, *failed))
    assert len(verdicts) == last - first
    print(counts)


def test_twenty_seeds_of_faults_end_as_if_undisturbed():
    requires_no_problem(0, SEEDS)


def test_a_disk_that_ignores_fsync_is_noticed():
    verdicts, _ = simulate("--only", "run", "--kinds", "power", "--no-flush", "--seeds", "0:3")
    assert any(one["problems"] for one in verdicts)


@pytest.mark.soak
def test_a_thousand_seeds_of_faults_end_as_if_undisturbed():
    requires_no_problem(SEEDS, SEEDS + SOAK)
