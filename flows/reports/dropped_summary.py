"""Summarise dropped documents in one line per stage, with the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from crawlers import catalogue
from flows.engine.stage_runs import Curated
from flows.reports.side_by_side import make_visible
from malmoi.archive import collection
from malmoi.ledger import Ledger, describe_losses, total
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage


def describe_nothing_left(workspace: Workspace, name: str, curated: Curated) -> str:
    """Describe why a release would be empty: the reasons of all stages with counts, and what to do next."""
    ledgers = list(chain.from_iterable(found for _, found in curated.stages))
    probed = " ".join(shlex.quote(source) for source, _ in curated.read)
    entered = total(curated.ledgers("2-documents"))[0].total()
    if not entered:
        captures = ", ".join(source for source, _ in curated.read)
        return (
            f"recipe {name}: no document is left to publish, because extraction gave none ({captures}). "
            f"`malmoi sources probe {probed}` says why, and `malmoi status --workspace "
            f"{shlex.quote(str(workspace.root))}` what was collected."
        )
    says = f"recipe {name}: no document is left to publish of {entered:,}: {describe_losses(ledgers)}."
    missed = {source: lost for source, _ in curated.read if (lost := _count_missed(workspace, source))}
    if sum(lost.total() for lost in missed.values()) > entered:  # then the stages are not the main cause
        from crawlers.fetch.failures import advise_on_missed  # it imports Scrapy

        whole = ", ".join(
            f"{source} {', '.join(f'{reason} {count:,}' for reason, count in lost.most_common())}"
            for source, lost in missed.items()
        )
        says = (
            f"recipe {name}: no document is left to publish, because most addresses gave no page when they were "
            f"collected ({whole}). {advise_on_missed(sum(missed.values(), Counter()))} Of the {entered:,} collected: "
            f"{describe_losses(ledgers)}."
        )
    if any(by == "rights" for ledger in ledgers for _, by, _ in ledger.dropped):
        says += f" `malmoi sources probe {probed}` says why a licence is not granted."
    return f"{says} {look}" if (look := suggest_next_look(workspace, curated.stages)) else says


def _count_missed(workspace: Workspace, source: str) -> Counter[str]:
    """Return reason → addresses that the last collection of a source asked for without getting a page."""
    runs = collection.list_runs(workspace.captures(catalogue.load(source).source.name))
    facts = collection.read_facts(runs[-1]) if runs else {}
    found = Counter(facts.get("failed_by", {})) + Counter(facts.get("blocked_by", {}))
    found.pop("links-unread", None)  # a page that came
    return found


def suggest_next_look(workspace: Workspace, stages: Iterable[tuple[Stage, Sequence[Ledger]]]) -> str:
    """Return the command that shows a dropped document of the stage that dropped most; "" if none was dropped."""
    most = max(
        ((sum(ledger.dropped.values()), stage, ledger) for stage, ledgers in stages for ledger in ledgers),
        key=lambda row: row[0],
        default=None,
    )
    if most is None or most[0] <= 0:
        return ""
    _, stage, ledger = most
    ids = shard.read(workspace.stage(stage, ledger.key) / "dropped.parquet", ["id"])["id"]
    command = f"malmoi why {shlex.quote(str(workspace.root))} {shlex.quote(make_visible(ids[0].as_py()))}"
    return f"See how one of them was dropped: {command}"
