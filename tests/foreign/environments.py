"""Environments of other tools, without malmoi and without network; `make foreign` makes them."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (Path(__file__).parent / "requirements").glob("*.txt"))
# A network namespace of its own has no way out, not even to this machine's loopback.
OFFLINE = ("unshare", "--map-root-user", "--net")


def run_offline(name: str, script: Path, *arguments: str, folder: Path, home: Path) -> str:
    """Run a script in the environment `name` within `folder`, without network; return what it prints."""
    python = ROOT / ".foreign" / name / "bin" / "python"
    if not (python.parents[1] / ".installed").is_file():
        pytest.skip(f"no environment for {name}: run make foreign")
    if subprocess.run([*OFFLINE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare cannot make a network namespace, so nothing proves that a tool stays offline")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HF_", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [*OFFLINE, python, script, *arguments],
        cwd=folder,
        env=kept | {"HOME": str(home), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{name}, {script.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout
