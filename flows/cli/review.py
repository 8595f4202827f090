"""What a person judges: `malmoi review` (documents that need a decision, and grants) and `malmoi inspect` (texts)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import (
    OpenOption,
    OutputArgument,
    PortOption,
    SeveralSources,
    WorkspaceOption,
    out,
    parse_output,
    parse_release,
)
from flows.plurals import count_of
from malmoi.errors import CallError

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
    source: SeveralSources = None,
    port: PortOption = 0,
    open_: OpenOption = False,
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
        from flows.release_index import open_workspace
        from flows.review.review_session import ReviewSession, WorkspaceQueue
        from flows.review.server import serve_session
        from malmoi.workspace import keep_private

        keep_private()
        home = open_workspace(workspace)
        words = "Review page", "the next run applies the decisions.", "Decisions are kept."
        session = ReviewSession(WorkspaceQueue(home, source or ()))
        serve_session(session, port, out, words, home.tmp if open_ else None)


@review.command(name="finds")
def finds(
    *,
    source: SeveralSources = None,
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
def export(file: OutputArgument, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Write all decisions to a file of JSON lines; - is standard output."""
    from flows.review import terminal

    terminal.export_decisions(workspace, file, out)


@review.command(name="import")
def import_(file: Path, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Add the decisions of a file of JSON lines, all or none; those that are known change nothing."""
    from flows.review import terminal

    terminal.import_decisions(workspace, file, out)


@review.command
def sample(
    release: Annotated[Path | None, Parameter(converter=parse_release, help="Folder of one version.")] = None,
    *,
    seed: Annotated[str, Parameter("--seed", help="Any word; who audits chooses it, and it decides the sample.")] = "",
    size: Annotated[
        int, Parameter("--size", validator=Number(gte=1, lte=10_000), help="Number of documents in the sample.")
    ] = 50,
    to: Annotated[Path, Parameter("--out", converter=parse_output, help="New folder for the sheet.")] = Path(
        "evidence"
    ),
    read: Annotated[Path | None, Parameter("--read", help="Folder of a filled sheet, or its CSV file.")] = None,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Draw a sample of the grants of a release with their archived licence marks, or keep the filled sheet."""
    from flows.review import sample as samples
    from malmoi.workspace_layout import Layout

    if read is not None:
        kept, rate, counts = samples.keep_answers(read, workspace)
        judged, wrong = sum(one.judged for one in counts), sum(one.wrong + one.unsure for one in counts)
        out.print(
            f"{kept}: {count_of(judged, 'document')}, {wrong} wrong or unsure: {100 * rate.rate:.2f} % of the grants, "
            f"95 % interval {100 * rate.low:.2f} to {100 * rate.high:.2f} %. The next release prints it on its card.",
            markup=False,
        )
        return
    if release is None or not seed:
        raise CallError("name a release and --seed to draw a sample, or --read FOLDER to keep a filled sheet.")
    written, strata = samples.write_sheet(release, Layout(workspace), to, seed=seed, size=size)
    where = f"{count_of(written, 'document')} of {strata} strata"
    out.print(f"{to}: {samples.PACK} and {samples.REVIEW}, {where}. Fill in {samples.REVIEW}.", markup=False)


def inspect(
    release: Annotated[Path | None, Parameter(converter=parse_release, help="Folder of one version.")] = None,
    *,
    seed: Annotated[str, Parameter("--seed", help="Any word or number; it decides the sample.")] = "",
    size: Annotated[
        int, Parameter("--size", validator=Number(gte=1, lte=10_000), help="Number of documents in the sample.")
    ] = 200,
    reader: Annotated[str, Parameter("--reader", help="Who reads; names the sheet.")] = "",
    to: Annotated[
        Path, Parameter("--out", converter=parse_output, help="Folder of the sheets; what is in it is continued.")
    ] = Path("inspection"),
    list_: Annotated[
        bool, Parameter("--list", negative="", help="No page: write the texts and the sheet, to fill in elsewhere.")
    ] = False,
    read: Annotated[
        list[Path] | None,
        Parameter("--read", negative="", consume_multiple=True, help="One filled sheet, or those of two readers."),
    ] = None,
    port: PortOption = 0,
    open_: OpenOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Serve a page to answer four questions about each text of a random sample; or report and keep filled sheets."""
    from flows.review import inspection
    from malmoi.workspace import keep_private

    if read:
        kept, counts = inspection.keep_sheets(read, workspace)
        readers = count_of(len(read), "reader")
        out.print(f"{kept}: {count_of(counts[0].judged, 'document')}, {readers}.", markup=False)
        for one in counts:
            rate = one.rate
            line = f"  {one.question.replace('_', ' '):<15}{100 * rate.rate:6.2f} %"
            line += f"   95 % interval {100 * rate.low:.2f} to {100 * rate.high:.2f} %"
            if one.agreement is not None:
                kappa = "not defined" if one.kappa is None else f"{one.kappa:.2f}"
                line += f"   agreement {100 * one.agreement:.2f} %, kappa {kappa}"
            out.print(line, markup=False)
        out.print("The next release prints it on its card.", markup=False)
        return
    if release is None or not seed or not reader:
        raise CallError("name a release, --seed and --reader to inspect it, or --read SHEET to keep a filled sheet.")
    keep_private()
    sheet = inspection.open_sheet(release, to, (seed, size), reader)
    if list_:
        texts = inspection.write_texts(sheet)
        count = count_of(len(sheet.texts), "document")
        out.print(f"{to}: {count}. Read {texts.name}, and fill in {sheet.path.name}.", markup=False)
        return
    from flows.review.inspection import InspectSession
    from flows.review.server import serve_session

    words = "Inspection page", "the sheet is saved after each document.", f"The answers are in {sheet.path}."
    serve_session(InspectSession(sheet), port, out, words, to if open_ else None)
