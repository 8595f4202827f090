"""Releases that were made before are made again, byte for byte."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.soak
def test_ten_workspaces_give_the_releases_that_they_gave():
    ended = subprocess.run(
        [sys.executable, "-m", "tests.frozen.roots"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
