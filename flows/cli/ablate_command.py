"""`malmoi ablate`: what the texts of several inputs are worth to a small model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli.options import out, parse_output


def ablate(
    plan: Annotated[Path, Parameter(help="TOML file with inputs and held-out sets: docs/ablate.md.")],
    results: Annotated[Path, Parameter(converter=parse_output, help="Folder of models and results; it is continued.")],
    *,
    python: Annotated[str, Parameter("--python", help="Interpreter with torch and NumPy; default: this one.")] = "",
    device: Annotated[Literal["auto", "cpu", "cuda"], Parameter("--device", help="Where models are trained.")] = "auto",
    threads: Annotated[
        int, Parameter("--threads", validator=Number(gte=0), help="Threads of torch; 0: torch chooses.")
    ] = 0,
) -> None:
    """Train the same small model on equal tokens of several inputs, and compare them on held-out texts.

    Measures bits per character and Korean probes, with intervals over seeds and documents. A stopped call continues.
    """
    from flows.ablation import report, run_ablation
    from flows.ablation.results import tabulate

    machine = run_ablation.Machine(python or sys.executable, device, threads)
    facts = run_ablation.run(plan, results, machine, lambda line: out.print(line, markup=False))
    for key in ("bits", "probes"):
        out.print(tabulate(facts, key))
    out.print("* the interval leaves out 0   = all seeds agree in the sign", markup=False)
    for note in report.list_notes(facts):
        out.print(note, markup=False)
    out.print(f"Report: {report.write(facts, results)}", markup=False)
