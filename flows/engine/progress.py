"""Progress of a run: a bar on a terminal, elsewhere a line every half minute and one per stage; counts, never text."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from flows.console import SafeConsole
from flows.engine import costs
from flows.plurals import count_of
from malmoi.ledger import Ledger, total
from malmoi.printable import escape_controls

EVERY = 30.0  # seconds between two lines of a stage without a terminal
SETTLED = 5.0  # seconds before a rate and the time left are shown


def format_seconds(seconds: float) -> str:
    """Format a duration with its two largest units.

    >>> format_seconds(0.44), format_seconds(42.4), format_seconds(200), format_seconds(7500), format_seconds(200_000)
    ('0.4 s', '42 s', '3 min', '2 h 5 min', '2 d 7 h')
    """
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{seconds:.{0 if seconds >= 10 else 1}f} s"
    if minutes < 60:
        return f"{minutes} min"
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"


class Step:
    """The progress of one stage: shards of which some are finished, or what a crawler says of itself."""

    def __init__(self, name: str, size: int = 0, standing: int = 0, unit: str = "shard") -> None:
        self.name, self.size, self.standing, self.unit = name, size, standing, unit
        self.began = time.monotonic()
        self.finished = 0  # of `size` in this run, beside those that stood before
        self.documents = 0  # in the finished shards
        self.expected = 0  # documents (or captures) of all shards to make; 0: not known
        self.batched = 0  # of those, in batches that have returned; shards on a cluster have none
        self._lock = threading.Lock()  # the threads of all shards count batches
        self.says = ""  # the totals, once they are known
        self.dropped: Counter[str] | None = None  # "filter: reason" → documents of the whole stage
        self.counts = (0, 0, 0, 0)  # documents in, kept, dropped, failed, of the whole stage
        self.has_changed = True  # False: a collection found nothing new, and nothing gone
        self.state = ""  # of a crawl: pages, bytes, waiting addresses
        self.left: float | None = None  # of a crawl: seconds left at least
        self.render: Callable[[], RenderableType] | None = None
        self.changed: Callable[[], None] = lambda: None
        self.note: Callable[[str], None] = lambda line: None  # prints a line that stays

    def advance(self, by: int = 1) -> None:
        """Count `by` more finished shards (or pages)."""
        self.finished += by
        self.changed()

    def ledger(self, one: Ledger) -> None:
        """Count one more finished shard, and its documents."""
        self.documents += sum(one.entered.values())
        self.advance()

    def count_batch(self, documents: int) -> None:
        """Count the documents (or captures) of a batch of a shard that is not finished."""
        with self._lock:
            self.batched += documents
        self.changed()

    def observe(self, state: str, left: float | None, render: Callable[[], RenderableType]) -> None:
        """Show a state that is not a number of shards; `render` draws it for a terminal."""
        self.state, self.left, self.render = state, left, render
        self.changed()

    def total(self, ledgers: Sequence[Ledger]) -> None:
        """Set the totals of the whole stage."""
        entered, kept, dropped, failed = total(ledgers)
        self.counts = (entered.total(), kept.total(), dropped.total(), len(failed))
        self.dropped = Counter(f"failed: {one.why}" for one in failed)
        for (_, by, reason), count in dropped.items():
            self.dropped[f"{by}: {reason}"] += count
        parts = [f"{entered.total():,} in", f"{kept.total():,} kept", f"{dropped.total():,} dropped"]
        self.says = " · ".join([*parts, f"{len(failed):,} failed"] if failed else parts)

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    @property
    def missing(self) -> int:
        """Return the number of shards that this run has to make."""
        return self.size - self.standing

    @property
    def progress(self) -> float:
        """Return the shards made in this run; of those at work, the share of their documents."""
        share = min(1.0, self.batched / self.expected) if self.expected else 0.0
        return max(self.finished, share * self.missing)

    @property
    def share(self) -> float:
        """Return the finished share of the shards; of a crawl, the share of its time, as far as it can be known."""
        if self.size:
            return (self.standing + self.progress) / self.size
        return 0.0 if self.left is None else self.seconds / (self.seconds + self.left)

    def describe(self) -> str:
        """Describe the state in one line: what is done, documents a second, time left."""
        rate, left = "", self.left
        if self.seconds >= SETTLED and self.progress:
            documents = max(self.documents, self.batched)
            rate = f"{documents / self.seconds:,.1f} documents/s" if documents else ""
            left = self.seconds * (self.missing - self.progress) / self.progress
        done = f"{self.standing + self.finished:,} of {count_of(self.size, self.unit)}" if self.size else self.state
        return " · ".join(part for part in (done, rate, f"{format_seconds(left)} left" if left else "") if part)

    def summarise(self) -> str:
        """Describe the result: the totals, else how much was done."""
        return self.says or (f"{self.missing} of {count_of(self.size, self.unit)}" if self.size else "")


class Progress:
    """Report progress on `console`; with `quiet`, report nothing."""

    def __init__(self, console: SafeConsole | None = None, *, quiet: bool = False) -> None:
        self.console = console or SafeConsole(stderr=True, highlight=False)
        self.quiet = quiet
        self.step = Step("")  # the stage that runs; without a name between two stages
        self.costs: Path | None = None  # the file in which the cost of each stage is noted

    @contextmanager
    def stage(self, name: str, size: int, *, standing: int = 0, unit: str = "shard") -> Iterator[Step]:
        """Show a stage of `size` shards, of which `standing` are finished already."""
        step = Step(name, size, standing, unit)
        self.step, step.note = step, self.say
        with self.watch(step):
            yield step
        self.finish(step)
        self.step = Step("")

    @contextmanager
    def watch(self, step: Step) -> Iterator[None]:
        """Show a stage while it runs."""
        if self.quiet or not self.console.is_terminal:
            step.changed = Throttled(lambda: self.say(f"  {step.name}: {step.describe()}"), EVERY)
            yield
        elif step.size > step.standing:
            columns = (TextColumn("{task.description:<22}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
            with Bars(*columns, TextColumn("{task.fields[rate]}"), console=self.console, transient=True) as bars:
                task = bars.add_task(step.name, total=step.size, completed=step.standing, rate="")
                step.changed = lambda: bars.update(
                    task, completed=step.standing + step.progress, rate=step.describe().partition(" · ")[2]
                )
                yield
        else:
            with Live(console=self.console, refresh_per_second=4, transient=True) as live:
                step.changed = lambda: live.update(step.render() if step.render else "")
                yield

    def finish(self, step: Step) -> None:
        """Show the result of a stage."""
        took = "" if step.size == step.standing else f"{step.seconds:5.1f} s"
        if self.costs is not None and step.has_changed and (took or not step.size):
            costs.note(self.costs, step.name, step.seconds)
        self.say(f"  {step.name:<22} {step.summarise():<52} {took}".rstrip())

    def say(self, line: str) -> None:
        """Print one line for the operator."""
        if not self.quiet:
            # Line by line: quoted data cannot control the terminal.
            text = "\n".join(map(escape_controls, line.split("\n")))
            self.console.print(text, soft_wrap=True)
            sys.stderr.flush()


class Throttled:
    """Call `call` at most once in `seconds`, for the first time after that."""

    def __init__(self, call: Callable[[], None], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Call unless it is too early."""
        with self._lock:
            if time.monotonic() - self._last >= self._seconds:
                self._last = time.monotonic()
                self._call()
