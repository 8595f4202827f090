"""Print what a workspace holds, and what a run would do."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from crawlers import catalogue
from flows import release_index
from flows.collect import describe_collection
from flows.console import SafeConsole
from flows.curate import extract_jobs
from flows.plurals import count_of
from flows.release import suggest_next_look
from flows.reports.side_by_side import make_visible
from flows.run import recipe_of, sources_of
from malmoi.archive import collection
from malmoi.errors import CallError, MalmoiError, StageError
from malmoi.ledger import Ledger, describe_losses, total
from malmoi.recipe import Recipe
from malmoi.releases import excluded_documents
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES, Layout, Stage


def show(root: Path, recipe_name: str, given: Sequence[str], out: SafeConsole) -> None:
    """Print captures, stages and releases of a workspace, and what is out of date for a recipe."""
    if not Layout(root).mark.exists():
        command = f"malmoi collect SOURCE --workspace {shlex.quote(str(root))}"
        raise CallError(f"{root} is not a workspace yet; `{command}` makes one. `malmoi sources` lists the catalogue.")
    workspace = Workspace.open(root)
    table = Table("source", "runs", "current captures", "by run", title="captures")
    for folder in workspace.capture_folders():
        runs = collection.runs(folder)
        by_run = Counter({run.folder.name: len(rows) for run, rows in collection.select_current(runs)})
        listed = ", ".join(f"{k}: {v:,}" for k, v in sorted(by_run.items()))
        table.add_row(folder.name, str(len(runs)), f"{by_run.total():,}", listed)
    out.print(table)
    table = Table("stage", "shards", "in", "kept", "dropped", "failed", title="finished shards (all recipes)")
    found = [(stage, read_ledgers(workspace, stage)) for stage in STAGES]
    for stage, ledgers in found:
        entered, kept, dropped, failed = total(ledgers)
        counts = (len(ledgers), entered.total(), kept.total(), dropped.total(), len(failed))
        table.add_row(stage, *(f"{n:,}" for n in counts))
    out.print(table)
    for stage, ledgers in found:
        if why := describe_losses(ledgers):
            out.print(f"{stage} not kept: {why}")
    for name, path in workspace.quarantines().items():
        n, kinds = excluded_documents.summarise_list(path)
        why = ", ".join(f"{kind} in {documents:,}" for kind, documents in kinds.items())
        out.print(f"6-release of {name} not kept: quarantined {n:,} ({why}), listed in {path}")
    if faults := [one for stage in STAGES for one in _ledgers(workspace, stage) if isinstance(one, StageError)]:
        out.print(f"{count_of(len(faults), 'damaged shard')} not counted, the first: {faults[0]}")
    releases = workspace.release_folders("manifest.json")
    for folder in releases:
        out.print(f"release {folder.parent.name} {folder.name}: {folder}")
    if not releases:
        out.print("no release yet")
    out.print(release_index.summary(workspace))
    try:
        recipe = recipe_of(recipe_name)
        # The workspace does not know the file paths of sources that are not in the catalogue.
        folders = {path.name for path in workspace.capture_folders()}
        collected = [name for name in catalogue.names() if name in folders]
        names = sources_of(recipe, recipe_name, given or (() if recipe.sources else collected))
        show_plan(recipe, names, root, out, collect=False)
    except MalmoiError as error:
        out.print(f"recipe {recipe_name}: {error}")
    if holder := workspace.find_holder():
        out.print(f"{root} is in use by another run ({holder}); wait until it has ended.")
        return
    if look := _suggest_command(workspace, found, released=bool(releases)):
        out.print(look)


def _suggest_command(workspace: Workspace, found: Sequence[tuple[Stage, Sequence[Ledger]]], *, released: bool) -> str:
    """Return the next step as a command to paste."""
    where = f"--workspace {shlex.quote(str(workspace.root))}"
    if not workspace.capture_folders():
        return f"Next: collect a source (`malmoi sources` lists the catalogue): malmoi collect SOURCE {where}"
    if look := suggest_next_look(workspace, found):
        return look
    if not released and (quarantines := workspace.quarantines()):
        id = excluded_documents.read_list(next(iter(quarantines.values())))[0]["id"]
        command = f"malmoi why {shlex.quote(str(workspace.root))} {shlex.quote(make_visible(id))}"
        return f"See what was found in one of the quarantined documents: {command}"
    return "" if released else f"Next: malmoi run RECIPE --source SOURCE {where}"


def read_ledgers(workspace: Workspace, stage: Stage) -> list[Ledger]:
    """Return the ledgers of all finished shards of a stage, sorted by key, without unreadable ones."""
    return [one for one in _ledgers(workspace, stage) if isinstance(one, Ledger)]


def _ledgers(workspace: Workspace, stage: Stage) -> Iterator[Ledger | StageError]:
    """Yield the ledger of each shard of a stage, or its error: shards of older versions have no digest."""
    for folder in workspace.shards(stage):
        try:
            if (ledger := workspace.ledger(stage, folder.name)) is not None:
                yield ledger
        except StageError as error:
            yield error


def show_plan(recipe: Recipe, names: Sequence[str], root: Path, out: SafeConsole, *, collect: bool) -> None:
    """Print what a run of `recipe` would fetch and extract; nothing is written."""
    if not Layout(root).mark.exists():
        out.print(f"{root} is new; a run would make everything.")
        for name in names:
            source = catalogue.load(name).source
            out.print(f"collect {source.name}: {type(source.access).__name__} of {source.publisher}")
        return
    workspace = Workspace.open(root)
    for name in names:
        if collect:
            out.print("collect " + describe_collection(workspace, name))
        try:
            jobs = list(extract_jobs(workspace, name))
        except MalmoiError as error:
            out.print(str(error))
            continue
        new = [job for job in jobs if workspace.ledger("2-documents", job.key) is None]
        captures, size = sum(len(j.rows) for j in new), sum(r.size for j in new for r in j.rows)
        out.print(
            f"curate {catalogue.load(name).source.name} by {recipe.name}: {len(new)} of "
            f"{count_of(len(jobs), 'shard')} to extract "
            f"({count_of(captures, 'capture')}, {size / 1e6:,.1f} MB of payload; "
            f"about {2 * size / 1e6:,.0f} MB of disk)"
        )
