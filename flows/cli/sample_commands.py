"""Samples of a release that people judge: `malmoi review sample` (grants) and `malmoi inspect` (texts)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from flows.cli.options import WorkspaceOption, find_release, out, parse_output
from flows.plurals import count_of
from malmoi.errors import CallError


def _parse_release(_: Any, tokens: Sequence[Token]) -> Path:
    return find_release(tokens[0].value)


def sample(
    release: Annotated[Path | None, Parameter(converter=_parse_release, help="Folder of one version.")] = None,
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
    release: Annotated[Path | None, Parameter(converter=_parse_release, help="Folder of one version.")] = None,
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
    port: Annotated[
        int, Parameter("--port", validator=Number(gte=0, lte=65535), help="Port of the page; default: a free one.")
    ] = 0,
    open_: Annotated[bool, Parameter("--open", negative="", help="Open the page in a browser.")] = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Serve a page to answer four questions about each text of a random sample; or report and keep filled sheets."""
    if read:
        _report(read, workspace)
        return
    if release is None or not seed or not reader:
        raise CallError("name a release, --seed and --reader to inspect it, or --read SHEET to keep a filled sheet.")
    from flows.review import inspection
    from malmoi.workspace import keep_private

    keep_private()
    sheet = inspection.open_sheet(release, to, (seed, size), reader)
    if list_:
        texts = inspection.write_texts(sheet)
        count = count_of(len(sheet.texts), "document")
        out.print(f"{to}: {count}. Read {texts.name}, and fill in {sheet.path.name}.", markup=False)
        return
    from flows.review.inspect_session import InspectSession
    from flows.review.serve_page import serve_session

    words = "Inspection page", "the sheet is saved after each document.", f"The answers are in {sheet.path}."
    serve_session(InspectSession(sheet), port, out, words, to if open_ else None)


def _report(sheets: Sequence[Path], workspace: Path) -> None:
    from flows.review import inspection

    kept, counts = inspection.keep_sheets(sheets, workspace)
    readers = count_of(len(sheets), "reader")
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
