"""Train and measure one model in a child process, by an interpreter that has torch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from malmoi import ablation
from malmoi.errors import CallError, StageError
from malmoi.processes.child_process import end_with_parent
from malmoi.storage.atomic_files import replace_file

SCRIPT = Path(ablation.__file__).parent / "train_model.py"


def require_torch(python: str) -> None:
    """Raise CallError if the interpreter has no torch or NumPy."""
    try:
        done = subprocess.run(
            [python, "-c", "import numpy, torch"], capture_output=True, text=True, check=False, env=_environment()
        )
        reason = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended with an error"])[-1]
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise CallError(
            f"{python} cannot import torch and NumPy ({reason}). Run pip install 'malmoi[ablate]', or name with "
            "--python the interpreter of an environment that has both."
        )


def run_job(python: str, job: dict[str, Any], show: Callable[[dict[str, Any]], None]) -> None:
    """Train and measure the model of a job in its folder; call `show` with each saved step.

    A job that was killed continues from its last saved step. StageError if the child fails.
    """
    folder = Path(job["folder"])
    replace_file(folder / "job.json", json.dumps(job))
    with (folder / "errors.log").open("w+", encoding="utf-8") as errors:
        child = subprocess.Popen(
            [python, SCRIPT, folder / "job.json"],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment(),
            preexec_fn=partial(end_with_parent, signal.SIGKILL),
        )  # fmt: skip
        try:
            assert child.stdout is not None
            for line in child.stdout:
                show(json.loads(line))
            status = child.wait()
        finally:
            child.kill()
            child.wait()
        if status:
            errors.seek(0)
            said = (errors.read().strip().splitlines() or ["no message"])[-1]
            raise StageError(
                f"training ended with status {status} ({said}; {folder / 'errors.log'}). Run the same command again: "
                "it continues from the last saved step."
            )


def _environment() -> dict[str, str]:
    """Return the environment without the variables that would give another interpreter the modules of this one."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
