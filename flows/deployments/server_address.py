"""Find the Prefect server of a command: in the environment, or in the active profile of Prefect."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

URL = "PREFECT_API_URL"


class Server(NamedTuple):
    """The address of a Prefect server, and what names it."""

    url: str
    named_by: str


def find_server() -> Server | None:
    """Return the server that PREFECT_API_URL names, else the one of the active profile; None without either.

    Prefect is not imported: its import costs a second, and most commands need no server.
    """
    if url := os.environ.get(URL):
        return Server(url, URL)
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        name = os.environ.get("PREFECT_PROFILE") or said["active"]
        return Server(str(said["profiles"][name][URL]), f"profile {name!r} in {path}")
    except (OSError, ValueError, KeyError, TypeError):  # no profile, or none that Prefect could read
        return None
