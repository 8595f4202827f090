"""Run the crawler in a separate process, and show its progress: pages, bytes, hosts, licence marks."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from crawlers.fetch import archive
from crawlers.formats import ParsedItem
from flows.engine.progress import SETTLED, Step, format_seconds
from flows.plurals import count_of
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.errors import CallError, HostError, SourceError
from malmoi.licensing.rights_decision import decide
from malmoi.printable import escape_controls
from malmoi.processes.import_path import PYTHON
from malmoi.processes.rlimits import end_with_parent
from malmoi.storage.atomic_files import replace_file

HOSTS = 8  # hosts shown, most waiting addresses first
# By the exit status of the crawler; any other is a SourceError.
ERRORS = {CallError.status: CallError, HostError.crawler_status: HostError}
LOOK = 0.2  # share of the time spent on reading licence marks; the crawl needs the rest of the machine


@dataclass(slots=True)
class State:
    """The crawler's last report, and the licence marks on its pages so far."""

    source: str
    began: float = field(default_factory=time.monotonic)
    said: dict[str, Any] = field(default_factory=dict)
    uses: Counter[str] = field(default_factory=Counter)  # use, or "exclude: reason" → pages checked

    def number(self, name: str) -> int:
        """Return a count of the last report, 0 if it has none."""
        return int(self.said.get(name) or 0)

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def seconds_left(self) -> float | None:
        """Return the seconds that the known addresses take at least; None if too little is known.

        At the pace so far, and no faster than the pace of each host.
        """
        done, waiting = self.number("pages") or self.number("fetched"), self.number("queued")
        if of := self.number("of"):
            done, waiting = self.number("bytes"), max(0, of - self.number("bytes"))
        if self.seconds < SETTLED or not done or not waiting:
            return None
        paces = [
            float(one.get("delay") or 0) * int(one.get("waiting") or 0) for one in self.said.get("hosts", {}).values()
        ]
        return max([self.seconds * waiting / done, *paces])


def run_crawler(
    definition: catalogue.Definition, folder: Path, job: Mapping[str, Any], show: Callable[[State], None]
) -> None:
    """Run one job of `crawlers.fetch` in `folder` to its end; CallError or SourceError with its message if it fails.

    The crawler ends with this process. Archived pages stay; the next run continues from there.
    """
    name = definition.source.name
    state, looker = State(name), Looker(definition, folder / archive.OPEN)
    order = folder / "job.json"
    replace_file(order, json.dumps(job, ensure_ascii=False, indent=1) + "\n")
    with (
        (folder / "errors.log").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [*PYTHON, "-m", "crawlers.fetch", str(order)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=partial(end_with_parent, signal.SIGTERM),
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                state.said |= json.loads(line)
                looker.look(state.uses)
                show(state)
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
        if status:
            errors.seek(0)
            ended = (
                f"{name}: the crawler ended with status {status} and no message; its archived pages "
                "are kept. Run the same command again to continue."
            )
            said = errors.read().strip().splitlines() or [ended]
            raise ERRORS.get(status, SourceError)(escape_controls(said[-1]))


def make_observer(step: Step) -> Callable[[State], None]:
    """Return a function that shows a state of the crawler as the progress of its stage, and prints its forecasts."""

    def show(state: State) -> None:
        if said := state.said.pop("forecast", ""):
            step.note(f"  {step.name}: {said}")
        step.observe(summary(state), state.seconds_left(), partial(render_state, state))

    return show


def summary(state: State) -> str:
    """Summarise a state in one line: pages, bytes, waiting addresses, failures.

    >>> summary(State("a", said={"pages": 1200, "bytes": 3_400_000, "queued": 7, "blocked": 2}))
    '1,200 pages · 3.4 MB · 7 waiting · 2 blocked'
    """
    parts = [f"{state.number('pages') or state.number('fetched'):,} pages", format_size(state.number("bytes"))]
    if of := state.number("of"):
        parts = [f"{format_size(state.number('bytes'))} of {format_size(of)}"]
    names = (("queued", "waiting"), ("not_modified", "unchanged"), ("blocked", "blocked"), ("failed", "failed"))
    parts += [f"{state.number(name):,} {word}" for name, word in names if state.number(name)]
    pages = state.number("pages") or state.number("fetched")
    parts += [f"{pages / state.seconds:.1f} pages/s"] if pages and state.seconds >= SETTLED else []
    return " · ".join(parts)


def format_size(count: int) -> str:
    """Format bytes in decimal units.

    >>> format_size(999), format_size(3_400_000), format_size(1_270_000_000)
    ('999 B', '3.4 MB', '1.3 GB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"


def render_state(state: State) -> Group:
    """Render the state for a terminal."""
    seconds, left = state.seconds, state.seconds_left()
    end = f" · {format_seconds(left)} left" if left else ""
    clock = f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"
    lines: list[Text | Table] = [Text(f"collect {state.source}  {clock}  {summary(state)}{end}")]
    if looked := state.uses.total():
        told = " · ".join(f"{use} {count:,}" for use, count in state.uses.most_common(6))
        lines.append(Text(f"  licence marks on {count_of(looked, 'page')}: {told}", style="dim"))
    if hosts := state.said.get("hosts"):
        table = Table("host", "waiting", "every", "rests for", box=None, padding=(0, 2), header_style="dim")
        for column in table.columns[1:]:
            column.justify = "right"
        ordered = sorted(hosts.items(), key=lambda pair: -int(pair[1].get("waiting") or 0))
        for host, facts in ordered[:HOSTS]:
            rest, every = float(facts.get("resting") or 0), f"{float(facts.get('delay') or 0):.1f} s"
            waiting = f"{int(facts.get('waiting') or 0):,}"
            table.add_row(Text(f"  {escape_controls(host)}"), waiting, every, f"{rest:.0f} s" if rest else "")
        if len(hosts) > HOSTS:
            table.add_row(f"  and {len(hosts) - HOSTS} more hosts", "", "", "")
        lines.append(table)
    return Group(*lines)


class Looker:
    """Reads the licence marks of pages archived so far, within a share of the time."""

    def __init__(self, definition: catalogue.Definition, path: Path) -> None:
        from crawlers import defaults  # it loads lxml: only for sources that are fetched

        self._source = definition.source.name
        self._items = definition.items or defaults.items
        self._evidence = defaults.evidence_for(definition.source, {}, definition.evidence)
        self._path = path
        self._at = 0  # offset after the last record read
        self._spent = 0.0
        self._began = time.monotonic()

    def look(self, uses: Counter[str]) -> None:
        """Count the use of pages archived since the last call, as far as the time allows."""
        began = time.monotonic()
        try:
            for entry, end in archive.entries(self._path, self._at):
                self._at = end
                if entry.status == 200 and not entry.refers_to:
                    uses.update(self._uses(entry))
                spent = self._spent + time.monotonic() - began
                if spent > LOOK * (time.monotonic() - self._began):
                    break
        except FileNotFoundError:  # not created yet, or just renamed to its final name
            return
        finally:
            self._spent += time.monotonic() - began

    def _uses(self, entry: archive.Entry) -> list[str]:
        capture = Capture(
            entry.record, entry.url, entry.fetched, 200, entry.headers, archive.read_body(entry), self._source
        )
        try:
            with input_errors(ValueError):
                decided = [decide(*self._evidence(ParsedItem(item))) for item in self._items(capture)]
        except Exception:
            return ["unreadable"]  # no verdict yet: extraction will say what is wrong with the page
        return [one.use if one.use != "exclude" else f"exclude ({one.reason})" for one in decided]
