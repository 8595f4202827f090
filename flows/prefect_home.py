"""Pull step of the Prefect deployments: the folder in which a worker starts a run is deleted after it."""

from __future__ import annotations

import os
from pathlib import Path

from malmoi.errors import CallError


def enter(directory: str) -> None:
    """Change to the folder of MALMOI_HOME, to which relative paths of a run refer.

    CallError if it was not set at deployment: the run would write into the worker's folder and be lost.
    """
    if not Path(directory).is_absolute():
        raise CallError(
            f"MALMOI_HOME is {directory!r}, not an absolute path; export MALMOI_HOME=$PWD in the folder of your "
            "workspace, and deploy again."
        )
    os.chdir(directory)
