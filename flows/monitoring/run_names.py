"""Names of flow runs: recipe and sources, instead of two random words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

SHOWN = 3  # sources that a name spells


def name_run() -> str:
    """Return the name of the running flow run."""
    return describe_call(flow_run.flow_name or "", flow_run.parameters)


def describe_call(flow: str, parameters: Mapping[str, Any]) -> str:
    """Describe a call: flow, recipe or release, and sources.

    >>> describe_call("run", {"recipe": "general", "sources": ["sample", "mine/news.py"]})
    'run general: sample, news'
    >>> describe_call("collect", {"sources": ["a", "b", "c", "d"], "limit": 10})
    'collect: a, b, c and 1 more, limit 10'
    """
    about = [Path(str(parameters[name])).stem for name in ("recipe", "release") if parameters.get(name)]
    sources = [Path(str(source)).stem for source in parameters.get("sources") or ()]
    said = ", ".join(sources[:SHOWN]) + (f" and {len(sources) - SHOWN} more" if len(sources) > SHOWN else "")
    limits = [f"limit {parameters['limit']}"] if parameters.get("limit") else []
    rest = ", ".join([*([said] if said else []), *limits])
    return " ".join([flow, *about]) + (f": {rest}" if rest else "")
