"""What a person judges: `malmoi review` (documents that need a decision, and grants) and `malmoi inspect` (texts)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

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
from malmoi.printable import dump_json, escape_line

SHOWN = 5  # finds of a group
QUOTE = 160  # code points of a quote that are shown
NEXT = "The next run takes that into account."

review = App(name="review", help="Documents that need the decision of a person: a page to decide, or the terminal.")

ReviewerOption = Annotated[str, Parameter("--reviewer", help="Name or role of who decides; releases publish it.")]
ReasonOption = Annotated[str, Parameter("--reason", help="Why, at most 300 characters; releases publish it.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Choice:
    """Options that name what is decided, and how."""

    decide: Annotated[str, Parameter(help="A shape as --list shows it, or the id of a document.")] = ""
    addresses: Annotated[
        str, Parameter(help="Instead: prefix of addresses, or expression from ^ on; needs --source.")
    ] = ""
    grant: Annotated[str, Parameter(help="Licence of the table that the documents have.")] = ""
    deny: Annotated[bool, Parameter(help="The documents may not be used.")] = False
    reviewer: ReviewerOption = ""
    reason: ReasonOption = ""


@review.default
def review_(
    *,
    list_: Annotated[bool, Parameter("--list", help="List the queue, grouped by shape.")] = False,
    json: Annotated[bool, Parameter(help="With --list: JSON lines, a group each.")] = False,
    choice: Choice = Choice(),  # frozen
    source: SeveralSources = None,
    port: PortOption = 0,
    open_: OpenOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Serve a page that shows the documents and records decisions; or list them, or decide here."""
    from flows.release_index import open_workspace
    from flows.review import decisions

    if not list_ and choice != Choice():
        home = open_workspace(workspace)
        if bool(choice.decide) == bool(choice.addresses) or bool(choice.grant) == choice.deny:
            raise CallError(
                "a decision needs one of --decide SHAPE, --decide ID and --addresses PATTERN, and one of --grant "
                "LICENCE and --deny; give these."
            )
        if choice.addresses and len(source or ()) != 1:
            raise CallError("--addresses is about one source; name it with --source NAME.")
        target, name = decisions.find_target(choice.decide) if choice.decide else ("addresses", (source or [""])[0])
        by, value = decisions.Reviewer(choice.reviewer, choice.reason), choice.decide or choice.addresses
        made, count = decisions.decide_target(home, target, value, name, choice.grant, by)
        verdict = f"{made.licence} granted" if made.verdict == "grant" else "denied"
        _print(f"{made.id}: {verdict}, {count_of(count, 'document')} of the queue. {NEXT}")
    elif list_ or json:
        _list_queue(open_workspace(workspace), source or (), json)
    else:
        from flows.review.review_session import ReviewSession, WorkspaceQueue
        from flows.review.server import serve_session
        from malmoi.workspace import keep_private

        keep_private()
        home = open_workspace(workspace)
        words = "Review page", "the next run applies the decisions.", "Decisions are kept."
        session = ReviewSession(WorkspaceQueue(home, source or ()))
        serve_session(session, port, out, words, home.tmp if open_ else None)


def _list_queue(workspace: Any, sources: Sequence[str], json: bool) -> None:
    """Print the queue: each group with its number, shape, source and one example, or as JSON lines."""
    from flows.review.decisions import read_groups
    from malmoi.licensing.review_decisions import find_strongest

    groups = read_groups(workspace, sources)
    for number, group in enumerate(groups, 1):
        item, count = group.items[0], len(group.items)
        strongest = find_strongest(item.evidence)
        mark = {name: getattr(strongest, name, "")[:QUOTE] for name in ("licence", "kind", "place", "quote")}
        if json:
            example = {"id": item.id, "url": item.url, "title": item.title, **mark}
            shape = {"shape": group.shape.key, "source": group.shape.source}
            sys.stdout.write(dump_json({"number": number, **shape, "documents": count, "example": example}) + "\n")
            continue
        _print(f"{number}. {group.shape.source}, {count_of(count, 'document')}")
        _print(f"   shape: {group.shape.key}")
        _print(f"   example: {item.id} {item.url}")
        _print(f"   {mark['licence'] or 'no licence'} by {mark['kind']} at {mark['place'] or '?'}:")
        _print(f"   {mark['quote']}")
    if not json:
        total = sum(len(group.items) for group in groups)
        _print(f"{count_of(total, 'document')} in {count_of(len(groups), 'group')} need a review")


def _print(line: str) -> None:
    out.print(escape_line(line))


@review.command
def finds(
    *,
    source: SeveralSources = None,
    json: Annotated[bool, Parameter(help="JSON lines, a shape each, with all finds.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """List what the second detector found in quarantined documents, by shape, with every value masked."""
    from flows.release_index import open_workspace
    from flows.review import decisions

    groups = decisions.read_finds(open_workspace(workspace), source or ())
    if json:
        for group in groups:
            sys.stdout.write(dump_json({"shape": group.key, "finds": list(group.finds)}) + "\n")
        return
    for number, group in enumerate(groups, 1):
        about = f"{count_of(group.count, 'find')} in {count_of(group.documents, 'document')}"
        by = "" if decisions.has_shape(group) else ", cleared by document only"
        by = by if any(map(decisions.can_clear, group.finds)) else ", cannot be cleared"
        _print(f"{number}. {group.key}: {about}{by}")
        for one in group.finds[:SHOWN]:
            _print(f"   {one['id']}, {one['table']}.{one['column']} × {one['count']}: {one['context']}")
        if len(group.finds) > SHOWN:
            _print(f"   … and {len(group.finds) - SHOWN:,} more; --json lists all")
    total = len({one["id"] for group in groups for one in group.finds})
    _print(f"{count_of(total, 'document')} quarantined by finds that are not cleared")


@review.command
def clear(
    target: Annotated[str, Parameter(help="A shape as `malmoi review finds` shows it, or the id of a document.")],
    *,
    reviewer: ReviewerOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Clear finds as false alarms; the next run publishes the documents that have no others."""
    from flows.release_index import open_workspace
    from flows.review import decisions

    made, count = decisions.clear_target(open_workspace(workspace), target, decisions.Reviewer(reviewer, reason))
    _print(f"{', '.join(one.id for one in made)}: {count_of(count, 'find')} cleared. {NEXT}")


@review.command(name="decisions")
def list_decisions(*, workspace: WorkspaceOption = Path("workspace")) -> None:
    """List all decisions, revoked ones too."""
    from flows.release_index import open_workspace
    from flows.review.decisions import read_decisions

    made = read_decisions(open_workspace(workspace))
    for one in made:
        verdict = f"grant {one.licence}" if one.verdict == "grant" else one.verdict
        revoked = f"; revoked {one.revoked} by {one.revoked_by}: {one.revoked_reason}" if one.revoked else ""
        _print(f"{one.id} {one.date} {verdict} {one.source}: {one.value} ({one.reviewer}: {one.reason}){revoked}")
    _print(f"{count_of(len(made), 'decision')}, {sum(not one.revoked for one in made):,} in effect")


@review.command
def revoke(
    id: Annotated[str, Parameter(help="Id of a decision, as `malmoi review decisions` lists it.")],
    *,
    reviewer: ReviewerOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Revoke a decision; the next run takes out what rests on it."""
    from flows.release_index import open_workspace
    from flows.review import decisions

    one = decisions.revoke(open_workspace(workspace), id, decisions.Reviewer(reviewer, reason))
    _print(f"{one.id}: revoked. {NEXT}")


@review.command(name="export")
def export(file: OutputArgument, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Write all decisions to a file of JSON lines; - is standard output."""
    from flows.release_index import open_workspace
    from flows.review import decisions
    from malmoi.storage.atomic_files import replace_file

    made = decisions.read_decisions(open_workspace(workspace))
    if str(file) == "-":
        sys.stdout.write(decisions.spell_decisions(made))
        return
    replace_file(file, decisions.spell_decisions(made))
    _print(f"{file}: {count_of(len(made), 'decision')}")


@review.command(name="import")
def import_(file: Path, *, workspace: WorkspaceOption = Path("workspace")) -> None:
    """Add the decisions of a file of JSON lines, all or none; those that are known change nothing."""
    from flows.release_index import open_workspace
    from flows.review import decisions

    added, known = decisions.import_decisions(open_workspace(workspace), file)
    _print(f"{count_of(added, 'decision')} added, {known:,} known before. {NEXT}")


@review.command
def sample(
    release: Annotated[Path | None, Parameter(converter=parse_release, help="Folder of one version.")] = None,
    *,
    seed: Annotated[str, Parameter(help="Any word; who audits chooses it, and it decides the sample.")] = "",
    size: Annotated[
        int, Parameter(validator=Number(gte=1, lte=10_000), help="Number of documents in the sample.")
    ] = 50,
    to: Annotated[Path, Parameter("--out", converter=parse_output, help="New folder for the sheet.")] = Path(
        "evidence"
    ),
    read: Annotated[Path | None, Parameter(help="Folder of a filled sheet, or its CSV file.")] = None,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Draw a sample of the grants of a release with their archived licence marks, or keep the filled sheet."""
    from flows.review import sample as samples
    from malmoi.workspace_layout import Layout

    if read is not None:
        kept, rate, counts = samples.keep_answers(read, workspace)
        judged, wrong = sum(one.judged for one in counts), sum(one.wrong + one.unsure for one in counts)
        out.print(
            f"{kept}: {count_of(judged, 'document')}, {wrong} wrong or unsure: {100 * rate.value:.2f} % of the grants, "
            f"95 % interval {100 * rate.low:.2f} to {100 * rate.high:.2f} %. The next release prints it on its card."
        )
        return
    if release is None or not seed:
        raise CallError("name a release and --seed to draw a sample, or --read FOLDER to keep a filled sheet.")
    written, strata = samples.write_sheet(release, Layout(workspace), to, seed=seed, size=size)
    where = f"{count_of(written, 'document')} of {strata} strata"
    out.print(f"{to}: {samples.PACK} and {samples.REVIEW}, {where}. Fill in {samples.REVIEW}.")


def inspect(
    release: Annotated[Path | None, Parameter(converter=parse_release, help="Folder of one version.")] = None,
    *,
    seed: Annotated[str, Parameter(help="Any word or number; it decides the sample.")] = "",
    size: Annotated[
        int, Parameter(validator=Number(gte=1, lte=10_000), help="Number of documents in the sample.")
    ] = 200,
    reader: Annotated[str, Parameter(help="Who reads; names the sheet.")] = "",
    to: Annotated[
        Path, Parameter("--out", converter=parse_output, help="Folder of the sheets; what is in it is continued.")
    ] = Path("inspection"),
    list_: Annotated[
        bool, Parameter("--list", help="No page: write the texts and the sheet, to fill in elsewhere.")
    ] = False,
    read: Annotated[
        list[Path] | None, Parameter(consume_multiple=True, help="One filled sheet, or those of two readers.")
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
        out.print(f"{kept}: {count_of(counts[0].judged, 'document')}, {readers}.")
        for one in counts:
            rate = one.rate
            line = f"  {one.question.replace('_', ' '):<15}{100 * rate.value:6.2f} %"
            line += f"   95 % interval {100 * rate.low:.2f} to {100 * rate.high:.2f} %"
            if one.agreement is not None:
                kappa = "not defined" if one.kappa is None else f"{one.kappa:.2f}"
                line += f"   agreement {100 * one.agreement:.2f} %, kappa {kappa}"
            out.print(line)
        out.print("The next release prints it on its card.")
        return
    if release is None or not seed or not reader:
        raise CallError("name a release, --seed and --reader to inspect it, or --read SHEET to keep a filled sheet.")
    keep_private()
    sheet = inspection.open_sheet(release, to, (seed, size), reader)
    if list_:
        texts = inspection.write_texts(sheet)
        count = count_of(len(sheet.texts), "document")
        out.print(f"{to}: {count}. Read {texts.name}, and fill in {sheet.path.name}.")
        return
    from flows.review.inspection import InspectSession
    from flows.review.server import serve_session

    words = "Inspection page", "the sheet is saved after each document.", f"The answers are in {sheet.path}."
    serve_session(InspectSession(sheet), port, out, words, to if open_ else None)
