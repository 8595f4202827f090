"""`malmoi audit`: what an auditor asks of the publisher of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flows.cli.options import ReleaseArgument, WorkspaceOption, out, parse_output
from flows.plurals import count_of

audit = App(name="audit", help="Evidence for an auditor: samples of a release with their archived licence marks.")


@audit.command(name="sample")
def sample(
    release: ReleaseArgument,
    *,
    seed: Annotated[str, Parameter("--seed", help="Any word; the auditor chooses it, and it decides the sample.")],
    n: Annotated[int, Parameter("--n", validator=Number(gte=1, lte=10_000), help="Number of documents.")] = 20,
    to: Annotated[Path, Parameter("--out", converter=parse_output, help="New folder for the evidence.")] = Path(
        "evidence"
    ),
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Write each licence mark of a sample with the archived passage that holds it, and a review file to fill in."""
    from flows import evidence_pack
    from malmoi.workspace_layout import Layout

    written = evidence_pack.write_pack(release, Layout(workspace), to, seed=seed, n=n)
    out.print(f"{to}: {evidence_pack.PACK} and {evidence_pack.REVIEW}, {count_of(written, 'document')}", markup=False)
