"""`malmoi review`: documents that need the decision of a person: page, list, decide, revoke, export and import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import WorkspaceOption, out, parse_output
from flows.cli.sample_commands import sample

review = App(name="review", help="Documents that need the decision of a person: a page to decide, or the terminal.")

ReviewerOption = Annotated[str, Parameter("--reviewer", help="Name or role of who decides; releases publish it.")]
ReasonOption = Annotated[str, Parameter("--reason", help="Why, at most 300 characters; releases publish it.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Choice:
    """Options that name what is decided, and how."""

    decide: Annotated[str, Parameter("--decide", help="A shape as --list shows it, or the id of a document.")] = ""
    addresses: Annotated[
        str, Parameter("--addresses", help="Instead: prefix of addresses, or expression from ^ on; needs --source.")
    ] = ""
    grant: Annotated[str, Parameter("--grant", help="Licence of the table that the documents have.")] = ""
    deny: Annotated[bool, Parameter("--deny", negative="", help="The documents may not be used.")] = False
    reviewer: ReviewerOption = ""
    reason: ReasonOption = ""


@review.default
def review_(
    *,
    list_: Annotated[bool, Parameter("--list", negative="", help="List the queue, grouped by shape.")] = False,
    json: Annotated[bool, Parameter("--json", negative="", help="With --list: JSON lines, a group each.")] = False,
    choice: Choice = Choice(),  # frozen
    source: Annotated[list[str] | None, Parameter("--source", negative="", help="Name of a source.")] = None,
    port: Annotated[
        int, Parameter("--port", validator=Number(gte=0, lte=65535), help="Port of the page; default: a free one.")
    ] = 0,
    open_: Annotated[bool, Parameter("--open", negative="", help="Open the page in a browser.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Serve a page that shows the documents and records decisions; or list them, or decide here."""
    from flows.review import terminal
    from flows.review.decisions import Reviewer

    if not list_ and choice != Choice():
        by = Reviewer(choice.reviewer, choice.reason)
        terminal.decide(
            workspace, choice.decide, choice.addresses, choice.grant, by, source or (), out, deny=choice.deny
        )
    elif list_ or json:
        terminal.show_groups(workspace, source or (), out, json=json)
    else:
        from flows.review.serve_page import serve_page

        serve_page(workspace, source or (), port, out, show=open_)


@review.command(name="finds")
def finds(
    *,
    source: Annotated[list[str] | None, Parameter("--source", negative="", help="Name of a source.")] = None,
    json: Annotated[bool, Parameter("--json", negative="", help="JSON lines, a shape each, with all finds.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """List what the second detector found in quarantined documents, by shape, with every value masked."""
    from flows.review import terminal

    terminal.show_finds(workspace, source or (), out, json=json)


@review.command(name="clear")
def clear(
    target: Annotated[str, Parameter(help="A shape as `malmoi review finds` shows it, or the id of a document.")],
    *,
    reviewer: ReviewerOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Clear finds as false alarms; the next run publishes the documents that have no others."""
    from flows.review import terminal

    terminal.clear(workspace, target, reviewer, reason, out)


@review.command(name="decisions")
def decisions(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List all decisions, revoked ones too."""
    from flows.review import terminal

    terminal.show_decisions(workspace, out)


@review.command(name="revoke")
def revoke(
    id: Annotated[str, Parameter(help="Id of a decision, as `malmoi review decisions` lists it.")],
    *,
    reviewer: ReviewerOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Revoke a decision; the next run takes out what rests on it."""
    from flows.review import terminal

    terminal.revoke(workspace, id, reviewer, reason, out)


@review.command(name="export")
def export(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True, converter=parse_output)],
    *,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Write all decisions to a file of JSON lines; - is standard output."""
    from flows.review import terminal

    terminal.export_decisions(workspace, file, out)


@review.command(name="import")
def import_(file: Path, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Add the decisions of a file of JSON lines, all or none; those that are known change nothing."""
    from flows.review import terminal

    terminal.import_decisions(workspace, file, out)


review.command(sample)
