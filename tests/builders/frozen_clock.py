"""A clock that stands still, for this process and for its forks: what they make is the same at any time."""

from __future__ import annotations

import datetime as clocks
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.builders import forked_process

NOW = clocks.datetime(2026, 11, 29, 3, 4, 5, tzinfo=clocks.UTC)
_ROOT = Path(__file__).parents[2]


def replace_clock(now: Callable[[], clocks.datetime] = lambda: NOW) -> None:
    """Let every loaded module of the project read the time from `now`."""

    class Clock(clocks.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now().astimezone(tz)

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("malmoi", "flows", "crawlers") and vars(module).get("datetime") is clocks.datetime:
            module.datetime = Clock  # type: ignore[attr-defined]


def freeze() -> None:
    """Load all modules that read the time, stop the clock for them, and let crawlers be forks, which have it too."""
    forked_process.fork_crawlers()
    for package in ("malmoi", "flows", "crawlers"):
        for file in sorted((_ROOT / package).rglob("*.py")):
            if "datetime.now(" in file.read_text(encoding="utf-8"):
                importlib.import_module(".".join(file.relative_to(_ROOT).with_suffix("").parts))
    replace_clock()
