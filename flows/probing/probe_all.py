"""Probe several sources one after the other, and print the results."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawlers import catalogue
from flows.probing.probe_records import Outcome, ProbeResult
from flows.probing.probe_source import probe
from malmoi.errors import CallError, DataError, SourceError
from malmoi.workspace import Workspace


def choose(names: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """Return the sources to probe: those named, or with `every` those of the catalogue."""
    if every and names:
        raise CallError("--all probes every source of the catalogue; leave out the names, or leave out --all.")
    if not every and not names:
        raise CallError("name the sources to probe, or pass --all; `malmoi sources` lists the catalogue.")
    return tuple(catalogue.names()) if every else tuple(names)


def probe_all(
    workspace: Workspace, names: Sequence[str], contact: str | None, out: Console, *, as_json: bool, every: bool
) -> None:
    """Probe the sources and print each result.

    Raises SourceError if one failed, DataError if one is not what it declares, CallError if one could not be asked.
    With `every` those that could not be asked, for want of a key, do not count, unless none could.
    """
    found = []
    for name in names:
        found.append(probe(workspace, name, contact=contact))
        if not as_json:
            _show(found[-1], out)
    if as_json:
        out.print(json.dumps([one.to_json() for one in found], ensure_ascii=False, indent=1), markup=False)
    by_outcome: dict[Outcome, list[str]] = {}
    for one in found:
        by_outcome.setdefault(one.outcome, []).append(one.source)
    if failed := by_outcome.get("failed"):
        raise SourceError(
            f"could not be probed: {', '.join(failed)}. Read the checks that failed above, then probe again once the "
            "host works or the source file is corrected."
        )
    if differ := by_outcome.get("differs"):
        raise DataError(
            f"not what the source declares: {', '.join(differ)}. Compare the checks that differ with an answer, and "
            "correct the source file; a changed licence or page of terms is read by a person first."
        )
    asked = len(found) - len(by_outcome.get("not asked", ()))
    if (missing := by_outcome.get("not asked")) and not (every and asked):
        raise CallError(f"not asked: {', '.join(missing)}. Supply what is named above, and probe again.")


def _show(result: ProbeResult, out: Console) -> None:
    out.print(Text(f"{result.source}: {result.outcome}", style="bold"), soft_wrap=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in result.checks:
        table.add_row(Text(one.field), Text(one.state), Text(one.says))
    out.print(table, soft_wrap=False)
