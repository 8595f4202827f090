"""The pull step of the deployments: a worker starts a run in a folder that is deleted behind it."""

from __future__ import annotations

import os
from pathlib import Path

from malmoi.errors import CallError


def enter(directory: str) -> None:
    """Change to the folder of MALMOI_HOME, below which relative paths of a run lie.

    CallError where it was not set at the deployment: the run would write into the worker's folder, and be lost.
    """
    if not Path(directory).is_absolute():
        raise CallError(
            f"MALMOI_HOME is {directory!r}, not an absolute path; export MALMOI_HOME=$PWD in the folder of your "
            "workspace, and deploy again."
        )
    os.chdir(directory)
