"""`malmoi sources`: the catalogue, a new source, the denylist, and the operator's terms checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import ContactOption, WorkspaceOption, out, wait_for_lock
from malmoi.errors import CallError

JsonOption = Annotated[bool, Parameter("--json", help="Print one JSON object.")]

sources = App(name="sources", help="The catalogue: licence, access, register, terms check, last run in the workspace.")


@sources.default
def sources_(
    name: Annotated[str, Parameter(help="A source to show in full, or a path that ends in .py.")] = "",
    *,
    workspace: WorkspaceOption = Path("workspace"),
    wide: Annotated[bool, Parameter(help="One line per source, however long.")] = False,
) -> None:
    """Show the catalogue of sources as a table, or one source in full."""
    from flows import catalogue_page

    if name:
        catalogue_page.show_source(workspace, name, out)
    else:
        catalogue_page.show_table(workspace, out, wide=wide)


@sources.command(name="new")
def sources_new(
    name: str,
    *,
    template: Annotated[
        Literal["site", "dspace"], Parameter(help="What it reads: a web site, or a DSpace by OAI-PMH.")
    ] = "site",
) -> None:
    """Write a commented template of a source, NAME.py, into this folder."""
    from flows import source_files as catalogue

    catalogue.write_skeleton(name, Path.cwd(), out, template)


@sources.command(name="denied")
def sources_denied(word: str = "") -> None:
    """Show the denylist: sources that are never collected, and why; with WORD, only matching rows."""
    from flows import catalogue_page

    catalogue_page.show_denied(word, out)


@sources.command(name="terms")
def sources_terms(
    name: str,
    *,
    reviewer: Annotated[str, Parameter(help="Name of the person who read the terms.")],
    page: Annotated[str, Parameter(help="Address of the page with the terms.")],
    verdict: Annotated[str, Parameter(help="allowed or forbidden.")],
    date: Annotated[str, Parameter(help="Date of the check, such as 2026-11-24; default: today.")] = "",
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Record in the workspace that a person has read the terms of a source, and the outcome."""
    from flows import source_files as catalogue
    from flows.probing import probe_records
    from malmoi.workspace import Workspace

    source = catalogue.record_terms(workspace, name, reviewer=reviewer, page=page, verdict=verdict, day=date, out=out)
    probe_records.forget_terms(Workspace.open(workspace), source)


@sources.command(name="probe")
def sources_probe(
    *names: str,
    every: Annotated[bool, Parameter("--all", help="Probe every source of the catalogue.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
    contact: ContactOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask sources for a few items each, and print field by field what holds; the result stays in the workspace."""
    from flows import run as runs
    from flows.probing import probe_source
    from malmoi.workspace import Workspace

    runs.refuse_call(workspace, None, contact=contact)
    chosen = probe_source.choose(names, every=every)
    home = Workspace.open(workspace)
    with wait_for_lock("sources probe", None), home.lock():
        probe_source.probe_all(home, chosen, contact, out, as_json=as_json, every=every)


@sources.command(name="repair")
def sources_repair(
    name: Annotated[str, Parameter(help="A source, or its path that ends in .py.")],
    *,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Leave the damaged records of what a source collected out, count them by run, and keep all others.

    The next collection asks for them again. No file of an archive is changed.
    """
    from crawlers import catalogue
    from crawlers.repair import repair
    from malmoi.workspace import Workspace

    source = catalogue.load(name).source if name.endswith(".py") or name in catalogue.names() else None
    home = Workspace.open(workspace)
    folder = home.captures(source.name if source else name)
    if not folder.is_dir():
        raise CallError(f"{folder}: nothing is collected of such a source; name one that `malmoi status` lists.")
    with wait_for_lock("sources repair", None), home.lock():
        for one in repair(folder, source):
            out.print(one.describe())


@sources.command(name="forecast")
def sources_forecast(
    name: str,
    *,
    sample: Annotated[int, Parameter(validator=Number(gte=2), help="Captures to draw at random.")] = 200,
    seed: Annotated[str, Parameter(help="Seed of the draw; the same seed draws the same sample.")] = "0",
    recipe: Annotated[str, Parameter(help="A shipped recipe, or a path that ends in .toml.")] = "general",
    workspace: WorkspaceOption = Path("workspace"),
    contact: ContactOption = None,
    as_json: JsonOption = False,
) -> None:
    """Collect a random sample of a source and foretell the whole: characters, licences, drops, CPU, disk, days."""
    from crawlers import catalogue
    from flows import run as runs
    from flows.engine.progress import Progress
    from flows.probing.forecast import forecast, show
    from flows.source_files import terms_of
    from malmoi.statistics import Sample
    from malmoi.workspace import Workspace

    runs.refuse_call(workspace, None, contact=contact)
    chosen, terms = runs.recipe_of(recipe), terms_of(Workspace(workspace), catalogue.load(name).source)
    home = Workspace.open(workspace)
    with wait_for_lock("forecast", None), home.lock():
        found = forecast(home, name, chosen, Sample(sample, seed), Progress(), contact=contact, terms=terms)
    if as_json:
        out.print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        show(found, out)
