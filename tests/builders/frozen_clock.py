"""A clock that stands still, for this process and for the crawler it starts: what it makes is the same at any time.

`python -m tests.builders.frozen_clock JOB` is `python -m crawlers.fetch JOB` by that clock.
"""

from __future__ import annotations

import datetime as clocks
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
    """Load all modules that read the time, stop the clock for them, and let crawlers start with it stopped."""
    for package in ("malmoi", "flows", "crawlers"):
        for file in sorted((_ROOT / package).rglob("*.py")):
            if "datetime.now(" in file.read_text(encoding="utf-8"):
                importlib.import_module(".".join(file.relative_to(_ROOT).with_suffix("").parts))
    replace_clock()
    from flows.reports import crawl_progress

    crawl_progress.subprocess = SimpleNamespace(Popen=_start, PIPE=subprocess.PIPE)  # type: ignore[assignment]


def _start(command: Sequence[str], **named: Any) -> subprocess.Popen[str]:
    """Start the crawler with the clock stopped."""
    stopped = ["tests.builders.frozen_clock" if word == "crawlers.fetch" else word for word in command]
    return subprocess.Popen(stopped, env=os.environ | {"PYTHONPATH": str(_ROOT)}, **named)


if __name__ == "__main__":
    freeze()
    from crawlers.fetch.__main__ import main

    raise SystemExit(main(sys.argv[1:]))
