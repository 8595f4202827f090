"""Keep the working folder off the import path: a file there must not run because it is called like a module."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SAFE = "PYTHONSAFEPATH"  # environment variable; Python then leaves the working folder and that of a script out
PYTHON = (sys.executable, "-P")  # how a child process starts Python; -P is SAFE as an option


def exclude_working_folder() -> None:
    """Take the working folder off `sys.path`, and keep it off that of every Python process started from here.

    Python puts it first for `python -m` and `python -c`, which is also how multiprocessing starts its helpers.
    Two entries stay: what the user names in PYTHONPATH, and the folder that Malmoi itself is imported from.
    """
    os.environ[SAFE] = "1"
    here, chosen = Path.cwd(), os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = {Path(entry).resolve() for entry in chosen if entry}
    home = Path(__file__).resolve().parents[2]
    if home not in {Path(entry).resolve() for entry in sys.path[1:] if entry}:
        kept.add(home)
    while sys.path and sys.path[0] in ("", str(here)) and here.resolve() not in kept:
        del sys.path[0]
