"""A workspace on a disk that is full: the flow run fails at once and says so; with more space it ends whole."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killing.conftest import SECONDS, Small
from tests.killing.prefect_home import PrefectHome

pytestmark = pytest.mark.heavy

# A disk of its own size, made larger after the first run; sizes in KiB.
SCRIPT = """
mount -t tmpfs -o size=${KIB}k none "$DISK"
"$@"; echo "ended $?"
mount -o remount,size=64m "$DISK"
"$@"; echo "ended $?"
cat "$DISK"/w/6-releases/general/*.*.*/SHA256SUMS > "$DISK.sums"
"""


def measure(folder: Path) -> int:
    """KiB of a folder on a tmpfs, whose pages have 4 KiB."""
    return sum(-(-path.stat().st_size // 4096) * 4 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("share", [pytest.param(0.1, marks=pytest.mark.soak), 0.6])
def test_a_flow_run_on_a_full_disk_fails_at_once_and_the_next_one_ends_whole(
    small: Small, prefect: PrefectHome, tmp_path: Path, share: float
) -> None:
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("unshare cannot make a mount namespace, so there is no disk to fill")
    disk = tmp_path / "disk"
    disk.mkdir()
    env = {**prefect.env, "KIB": str(int(share * measure(small.home / "calm"))), "DISK": str(disk)}
    command = [sys.executable, "-m", "flows.cli.main", "run", "general", "--source", small.source]
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", SCRIPT, "bash", *map(str, command), "--workspace", str(disk / "w")],
        env=env, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "ended 3" in done.stdout and "ended 0" in done.stdout, said
    assert re.search(r"the disk is full \(.*No space left on device", done.stderr), said
    assert "free space and run the same command again" in done.stderr
    assert disk.with_name("disk.sums").read_text() == small.expected
    first, second = prefect.list_runs(disk / "w")
    assert (first["state_type"], second["state_type"]) == ("FAILED", "COMPLETED")
    assert "the disk is full" in first["state"]["message"] and first["run_count"] == 1
    _, tasks = prefect.ask("/task_runs/filter", {"task_runs": {"flow_run_id": {"any_": [first["id"]]}}})
    assert not [one for one in tasks if one["run_count"] > 1], json.dumps(tasks)
