"""`malmoi sources`: the catalogue, a new source, the denylist, and the operator's terms checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from flows.cli.options import WorkspaceOption, out

sources = App(name="sources", help="The catalogue: licence, access, register, terms check, last run in the workspace.")


@sources.default
def sources_(
    name: Annotated[str, Parameter(help="A source to show in full, or a path that ends in .py.")] = "",
    *,
    workspace: WorkspaceOption = Path("workspace"),
    wide: Annotated[bool, Parameter("--wide", negative="", help="One line per source, however long.")] = False,
) -> None:
    """Show the catalogue of sources as a table, or one source in full."""
    from flows.cli import show_sources

    if name:
        show_sources.show_source(workspace, name, out)
    else:
        show_sources.show_table(workspace, out, wide=wide)


@sources.command(name="new")
def sources_new(
    name: str,
    *,
    template: Annotated[
        Literal["site", "dspace"], Parameter("--template", help="What it reads: a web site, or a DSpace by OAI-PMH.")
    ] = "site",
) -> None:
    """Write a commented template of a source, NAME.py, into this folder."""
    from flows import source_files as catalogue

    catalogue.write_skeleton(name, Path.cwd(), out, template)


@sources.command(name="denied")
def sources_denied(word: str = "") -> None:
    """Show the denylist: sources that are never collected, and why; with WORD, only matching rows."""
    from flows.cli import show_sources

    show_sources.show_denied(word, out)


@sources.command(name="terms")
def sources_terms(
    name: str,
    *,
    reviewer: Annotated[str, Parameter("--reviewer", help="Name of the person who read the terms.")],
    page: Annotated[str, Parameter("--page", help="Address of the page with the terms.")],
    verdict: Annotated[str, Parameter("--verdict", help="allowed or forbidden.")],
    date: Annotated[str, Parameter("--date", help="Date of the check, such as 2026-11-24; default: today.")] = "",
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Record in the workspace that a person has read the terms of a source, and the outcome."""
    from flows import source_files as catalogue

    catalogue.record_terms(workspace, name, reviewer=reviewer, page=page, verdict=verdict, day=date, out=out)
