"""`malmoi review sample`: draw a sample of the grants of a release, and keep what people say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from flows.cli.options import WorkspaceOption, find_release, out, parse_output
from flows.plurals import count_of
from malmoi.errors import CallError


def _parse_release(_: Any, tokens: tuple[Token, ...]) -> Path:
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
