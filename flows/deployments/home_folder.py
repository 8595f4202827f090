"""The folder of a deployed run, and what its operator has listed: sources, recipes and clusters that it may use."""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.errors import CallError

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


HOME = "MALMOI_HOME"  # to which relative paths of a run refer
SOURCES_PATH = "MALMOI_SOURCES_PATH"  # folders of sources and recipes, separated by ":"; default: MALMOI_HOME
CLUSTERS = "MALMOI_CLUSTERS"  # addresses of Ray and Dask clusters, separated by white space
_MARKS = {".py": re.compile(r"^SOURCE\b", re.M), ".toml": re.compile(r"^(purpose|extends)\s*=", re.M)}


def enter(directory: str, sources: str = "", clusters: str = "") -> None:
    """Change to the folder of MALMOI_HOME: Prefect deletes the folder in which a worker starts a run.

    CallError if it was not set at deployment: the run would write into the worker's folder and be lost.
    """
    if not Path(directory).is_absolute():
        raise CallError(
            f"MALMOI_HOME is {directory!r}, not an absolute path; export MALMOI_HOME=$PWD in the folder of your "
            "workspace, and deploy again."
        )
    os.chdir(directory)
    os.environ[HOME] = directory
    for name, value in ((SOURCES_PATH, sources), (CLUSTERS, clusters)):
        os.environ[name] = "" if "{{" in value else value  # it was not set at deployment


def list_files(suffix: str) -> tuple[str, ...]:
    """List the sources (".py") or recipes (".toml") of the folders, as a form names them; () without MALMOI_HOME.

    A file below MALMOI_HOME is named relative to it. Subfolders are not searched, and no file is executed.
    """
    home = os.environ.get(HOME)
    if not home:
        return ()
    folders = [Path(home, one) for one in (os.environ.get(SOURCES_PATH) or ".").split(os.pathsep)]
    found = set()
    for path in (path for folder in folders for path in folder.glob(f"[!.]*{suffix}")):
        with suppress(OSError, ValueError):  # a folder, or not text
            if _MARKS[suffix].search(path.read_text(encoding="utf-8")):
                found.add(path)
    return tuple(sorted(str(one.relative_to(home) if one.is_relative_to(home) else one) for one in found))


def list_clusters() -> tuple[str, ...]:
    """List the clusters that a run may use: a cluster can run code in the process of the flow."""
    return tuple(dict.fromkeys(os.environ.get(CLUSTERS, "").split()))
