"""Progress output of a run: a bar on a terminal, one line per stage elsewhere; counts only, never text."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from flows.console import SafeConsole
from flows.plurals import count_of
from malmoi.ledger import Ledger, total
from malmoi.printable import escape_controls


def _escape_lines(text: str) -> str:
    """Escape control characters line by line, so that quoted data cannot control the terminal."""
    return "\n".join(map(escape_controls, text.split("\n")))


class Step:
    """The progress of one stage."""

    def __init__(self, tick: Callable[[int], None]) -> None:
        self._tick = tick
        self.says = ""

    def advance(self, by: int = 1) -> None:
        """Count `by` more finished shards (or pages)."""
        self._tick(by)

    def ledger(self, _: Ledger) -> None:
        """Count one more finished shard."""
        self._tick(1)

    def total(self, ledgers: Sequence[Ledger]) -> None:
        """Set the totals of the whole stage."""
        entered, kept, dropped, failed = total(ledgers)
        parts = [f"{entered.total():,} in", f"{kept.total():,} kept", f"{dropped.total():,} dropped"]
        self.says = " · ".join([*parts, f"{len(failed):,} failed"] if failed else parts)


class Progress:
    """Report progress on `console`; with `quiet`, report nothing."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or SafeConsole(stderr=True, highlight=False)
        self.quiet = quiet

    @contextmanager
    def stage(self, name: str, size: int, *, standing: int = 0, unit: str = "shard") -> Iterator[Step]:
        """Show a stage of `size` shards, of which `standing` are finished already."""
        began = time.monotonic()
        if self.console.is_terminal and not self.quiet and size > standing:
            columns = (TextColumn("{task.description:<22}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
            with Bars(*columns, console=self.console, transient=True) as bars:
                task = bars.add_task(name, total=size or None, completed=standing)
                step = Step(lambda by: bars.advance(task, by))
                yield step
        else:
            step = Step(lambda by: None)
            yield step
        work = f"{size - standing} of {count_of(size, unit)}" if size else ""
        seconds = time.monotonic() - began
        self.say(f"  {name:<22} {step.says or work:<52} {'' if size == standing else f'{seconds:5.1f} s'}".rstrip())

    def say(self, line: str) -> None:
        """Print one line for the operator."""
        if not self.quiet:
            self.console.print(_escape_lines(line), markup=False, soft_wrap=True)
            sys.stderr.flush()
