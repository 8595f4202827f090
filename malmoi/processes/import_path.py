"""Start of a Python process: the working folder leaves the import path, and garbage is collected seldom.

A file in the working folder must not be imported in place of a module.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

COLLECT_AFTER = 20_000  # new objects; Python's 700 costs imports and conversions a tenth of their time
SAFE = "PYTHONSAFEPATH"  # environment variable: Python then omits the working folder and that of the script
PYTHON = (sys.executable, "-P")  # how a child process starts Python; -P is SAFE as an option


def exclude_working_folder() -> None:
    """Remove the working folder from `sys.path` of this process and of every Python process that it starts.

    Python puts it first for `python -m` and `python -c`, which is also how multiprocessing starts its helpers.
    Two entries stay: those in PYTHONPATH, and the folder from which Malmoi itself is imported.
    """
    os.environ[SAFE] = "1"
    here, chosen = Path.cwd(), os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = {Path(entry).resolve() for entry in chosen if entry}
    home = Path(__file__).resolve().parents[2]
    if home not in {Path(entry).resolve() for entry in sys.path[1:] if entry}:
        kept.add(home)
    while sys.path and sys.path[0] in ("", str(here)) and here.resolve() not in kept:
        del sys.path[0]


def collect_seldom() -> None:
    """Collect after COLLECT_AFTER new objects."""
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()


def exclude_imports() -> None:
    """Leave all objects that exist now out of later collections, which then copy no memory that forks share."""
    gc.freeze()
