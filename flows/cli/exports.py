"""`malmoi export`, `tokens` and `ablate`: texts for trainers, how many tokens they are, and what they are worth."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli.options import ReleaseArgument, out, parse_folder, parse_output


def _each(name: str, help: str) -> Parameter:
    return Parameter(name, help=f"{help} Repeat it for several.")


@Parameter(name="*")
@dataclass(frozen=True)
class RowOptions:
    """Options that select documents."""

    use: Annotated[
        list[Literal["redistribute", "train-only"]] | None, _each("--use", "Use of texts; default: redistribute.")
    ] = None
    licence: Annotated[list[str] | None, _each("--licence", "Licence expression.")] = None
    family: Annotated[list[str] | None, _each("--family", "Licence family; default of export: as load_dataset.")] = None
    domain: Annotated[list[str] | None, _each("--domain", "Field, such as semiconductor.")] = None
    split: Annotated[list[str] | None, _each("--split", "Split, such as train.")] = None
    min_quality: Annotated[float | None, Parameter(help="Minimum quality, 0–1.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class BudgetOptions:
    """Options of tokens, budget and mixture."""

    tokenizer: Annotated[str, Parameter(help="bytes, kiwi-morphemes, qwen, tekken, or a tokenizer.json.")] = ""
    end_token: Annotated[str, Parameter(help="Token that ends a document; default: the usual names are tried.")] = ""
    tokens: Annotated[str, Parameter(help="Budget of tokens, such as 500K or 1.5B.")] = ""
    mix: Annotated[str, Parameter(help="Shares of the budget by domain, such as general=0.7,law@open=0.3.")] = ""
    repeat: Annotated[int, Parameter(validator=Number(gte=1), help="How often a document may be used.")] = 1
    seed: Annotated[int, Parameter(help="Seed of the order.")] = 0


@Parameter(name="*")
@dataclass(frozen=True)
class FileOptions:
    """Options of the files."""

    compression: Annotated[Literal["none", "gzip", "zstd"], Parameter(help="Compression of JSON lines.")] = "none"
    flat: Annotated[bool, Parameter(help="Write every column into JSON lines, not id, text and meta.")] = False
    shard_size: Annotated[int, Parameter(validator=Number(gte=1), help="Size of a file of jsonl and mds in MB.")] = 256


def export(
    release: ReleaseArgument,
    target: Annotated[Path, Parameter(converter=parse_output, help="Folder of the export; it must not exist.")],
    *,
    format: Annotated[Literal["jsonl", "mds", "megatron"], Parameter(help="Files that are written.")] = "jsonl",
    rows: RowOptions = RowOptions(),  # frozen
    budget: BudgetOptions = BudgetOptions(),
    files: FileOptions = FileOptions(),
) -> None:
    """Write the texts of a release to the folder TARGET, in a format of trainers.

    Licences, attribution and an id map go along. Texts for training only are left out unless --use train-only.
    """
    from flows import export as exporting
    from malmoi.releases.verification.untrusted_files import guard

    plan = exporting.Plan(
        format,
        _selection(rows),
        budget.tokenizer, budget.end_token, budget.tokens, budget.mix, budget.repeat, budget.seed,
        files.compression, files.flat, files.shard_size * 10**6,
    )  # fmt: skip
    with guard(release):
        done = exporting.export(release, target, plan)
    for line in exporting.explain(target, done):
        out.print(line)


def tokens(
    release: ReleaseArgument,
    *,
    tokenizer: Annotated[
        list[str] | None, _each("--tokenizer", "bytes, kiwi-morphemes, qwen, tekken, or a tokenizer.json.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print JSON.")] = False,
    rows: RowOptions = RowOptions(),
) -> None:
    """Count documents, characters and tokens of a release by licence family and domain.

    Several tokenizers are counted side by side; default: bytes. Texts for training only are left out unless --use
    train-only.
    """
    from flows import export as exporting
    from malmoi.canonical_json import canonical_json
    from malmoi.releases.verification.untrusted_files import guard

    with guard(release):
        found = exporting.count(release, _selection(rows), tokenizer or ["bytes"])
    if json:
        sys.stdout.write(canonical_json(found))
    else:
        out.print(exporting.tabulate(found))


def ablate(
    plan: Annotated[Path, Parameter(help="TOML file with inputs and held-out sets: docs/ablate.md.")],
    results: Annotated[Path, Parameter(converter=parse_output, help="Folder of models and results; it is continued.")],
    *,
    python: Annotated[str, Parameter(help="Interpreter with torch and transformers; default: this one.")] = "",
    device: Annotated[Literal["auto", "cpu", "cuda"], Parameter(help="Where models are trained.")] = "auto",
    threads: Annotated[int, Parameter(validator=Number(gte=0), help="Threads of torch; 0: torch chooses.")] = 0,
    workspace: Annotated[
        Path | None, Parameter(converter=parse_folder, help="Workspace of a release in the plan; for its next card.")
    ] = None,
) -> None:
    """Train the same small model on equal tokens of several inputs, and compare them on held-out texts.

    Measures bits per character and Korean probes, with intervals over seeds and documents. A stopped call continues.
    """
    from flows.ablation import report
    from flows.ablation.run import Machine, run

    releases = report.find_releases(plan, workspace) if workspace else {}
    facts = run(plan, results, Machine(python or sys.executable, device, threads), out.print)
    for key in ("bits", "probes"):
        out.print(report.tabulate(facts, key))
    out.print("* the interval leaves out 0   = all seeds agree in the sign")
    for note in report.list_notes(facts):
        out.print(note)
    out.print(f"Report: {report.write(facts, results)}")
    for kept in report.keep_result(facts, releases, workspace) if workspace else ():
        out.print(f"{kept}: kept. The next release prints it on its card.")


def _selection(rows: RowOptions) -> Any:
    from malmoi.export.selection import Selection

    return Selection(
        tuple(rows.use or ("redistribute",)), tuple(rows.licence or ()), tuple(rows.family or ()),
        tuple(rows.domain or ()), tuple(rows.split or ()), rows.min_quality,
    )  # fmt: skip
