"""Samples of a release that people judge: the facts that draw one again, and the sheet of its grants with evidence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from filters.redact import make_redactor
from flows.review import snippets
from flows.review.snippets import Records
from flows.run import recipe_of
from malmoi import url_privacy
from malmoi.canonical_json import canonical_json
from malmoi.document import LicenceEvidence
from malmoi.errors import CallError
from malmoi.licensing import proofs
from malmoi.printable import escape_line
from malmoi.release_files import audit_file, data_files
from malmoi.releases import manifest
from malmoi.releases.sampling.wrong_grants import Counts, count_answers, draw, estimate, read_answers
from malmoi.statistics import Estimate
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.on_demand import fetch_below
from malmoi.workspace import Workspace, push
from malmoi.workspace_layout import Layout

SAMPLE = "sample.json"  # written beside each sheet, so that a sheet of another sample is refused
PACK, REVIEW = "evidence.md", "review.csv"
COLUMNS = ("id", "source", "proof", "license", "url", "verdict", "reviewer", "date", "note")
OUTCOMES = {  # of a snippet, for an auditor
    snippets.TEXT: "verbatim in the text",
    snippets.MARKUP: "verbatim in the source",
    snippets.PARTS: "verbatim in the source",
    snippets.HIDDEN: "NOT FOUND verbatim: personal data was replaced in it, or its format hides it",
    snippets.MISSING: "NOT IN THIS WORKSPACE",
    snippets.UNREADABLE: "UNREADABLE",
}


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """The release of a sample, and what draws the same sample again."""

    release: str
    version: str
    root: str  # Merkle root
    seed: str
    size: int

    def write(self, folder: Path) -> None:
        """Write the facts into the folder of a sheet."""
        replace_file(folder / SAMPLE, canonical_json(asdict(self)))


def make_facts(release: Path, seed: str, size: int) -> SampleFacts:
    """Return the facts of a sample of the release in the folder `release`."""
    made = manifest.read(release)
    return SampleFacts(made.name, made.version, made.root, seed, size)


def read_facts(folder: Path, command: str) -> SampleFacts:
    """Return the facts in the folder of a sheet that `malmoi command` wrote; CallError if they cannot be read."""
    path, wanted = folder / SAMPLE, {"release": str, "version": str, "root": str, "seed": str, "size": int}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if {name: type(value) for name, value in found.items()} == wanted:
            return SampleFacts(**found)
        why = f"its keys are not {', '.join(wanted)}"
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        why = str(error)
    raise CallError(
        f"{path}: cannot be read ({why}). `malmoi {command}` writes it beside the sheet: restore it, or draw the "
        "sheet again with the same seed and size."
    )


def find_release(workspace: Workspace, facts: SampleFacts, folder: Path) -> Path:
    """Return the release of a sample in its workspace; `folder` has the sheet. CallError if it is not there."""
    folders = workspace.release_folders(manifest.NAME)  # no path is made of what a file says
    named = (facts.release, facts.version)
    release = next((one for one in folders if (one.parent.name, one.name) == named), None)
    if release is None or manifest.read(release).root != facts.root:
        raise CallError(
            f"{folder / SAMPLE}: {facts.release} {facts.version} with the root {facts.root[:16]} is not in "
            f"{workspace.root}; name its workspace with --workspace."
        )
    fetch_below(release)
    return release


def check_ids(sheet: Path, given: Iterable[str], drawn: Iterable[str], facts: SampleFacts) -> None:
    """Raise CallError if the documents of a sheet are not those of the sample, each once."""
    if sorted(given) != sorted(drawn):
        raise CallError(
            f"{sheet}: its rows are not the documents of the sample (seed {facts.seed!r}, size {facts.size}). "
            "Restore the rows that were removed or changed, or draw the sheet again."
        )


def keep(workspace: Workspace, target: Path, facts: SampleFacts, answers: Mapping[str, Any]) -> None:
    """Keep the answers about a sample in the workspace. CallError if `target` holds those of another sample."""
    said = asdict(facts)
    if target.exists():
        try:
            kept = json.loads(target.read_text(encoding="utf-8"))
            is_other = any(kept[name] != value for name, value in said.items())
        except (ValueError, KeyError, TypeError, RecursionError):
            is_other = True
        if is_other:
            raise CallError(
                f"{target} holds the answers of another sample of this release; a release has one. Delete that file if "
                "this sample is to replace it."
            )
    with workspace.lock():
        replace_file(target, canonical_json(said | dict(answers)))
        push(target)


def write_sheet(release: Path, layout: Layout, out: Path, *, seed: str, size: int) -> tuple[int, int]:
    """Write evidence.md, review.csv and sample.json for a sample of `size` documents into the new folder `out`.

    Returns the number of documents and of strata in the sample. CallError if `out` has files.
    """
    if out.exists() and any(out.iterdir()):
        raise CallError(f"{out} is not empty; give another folder with --out.")
    facts = make_facts(release, seed, size)
    drawn, strata = draw(release, seed, size)
    head = [
        f"# Evidence for {facts.release} {facts.version}",
        "",
        f"Root `{facts.root}`, seed `{seed}`: {len(drawn)} documents in {len(strata)} strata (source, proof).",
        f"Judge each licence in {REVIEW}: right, wrong or unsure. This pack quotes pages; do not publish it.",
    ]
    pages = render_documents(release, layout, [one.id for one in drawn])
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / PACK, "\n".join([*head, *pages]) + "\n")
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([one.id, one.source, one.proof, one.licence, one.url, "", "", "", ""] for one in drawn)
    replace_file(out / REVIEW, sheet.getvalue())
    facts.write(out)
    return len(drawn), len({one.stratum for one in drawn})


def keep_answers(filled: Path, root: Path) -> tuple[Path, Estimate, tuple[Counts, ...]]:
    """Check a filled sheet, keep it in the workspace at `root`, and return its file, the rate and the counts.

    `filled` is the folder of the sheet or review.csv in it. The sample is drawn again, so that each answer is one of
    its documents and none is missing. CallError says what does not fit.
    """
    folder = filled if filled.is_dir() else filled.parent
    facts = read_facts(folder, "review sample")
    answers = read_answers(folder / REVIEW if filled.is_dir() else filled, whole=True)
    workspace = Workspace.open(root)
    drawn, strata = draw(find_release(workspace, facts, folder), facts.seed, facts.size)
    check_ids(filled, (one.id for one in answers), (one.id for one in drawn), facts)
    counts = count_answers(strata, {one.id: one.stratum for one in drawn}, answers)
    target = workspace.sample(facts.release, facts.version)
    said = {"strata": [asdict(one) for one in counts], "answers": [asdict(one) for one in answers]}
    keep(workspace, target, facts, said)
    return target, estimate(counts), counts


def render_documents(release: Path, layout: Layout, ids: Sequence[str]) -> list[str]:
    """Return lines of Markdown about these documents of a release: what it grants, and each mark with its passage.

    Personal data around a quote is replaced.
    """
    names = ["id", "source", "license", "use", "title", "url", "fetched", "record", "revision"]
    table, chosen = ds.dataset(data_files(release), format="parquet", partitioning=None), pc.field("id").isin(list(ids))
    documents = {row["id"]: row for row in table.to_table(names, filter=chosen).to_pylist()}
    evidence: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
    for row in (
        ds.dataset(audit_file(release, "licence_evidence"), format="parquet").to_table(filter=chosen).to_pylist()
    ):
        evidence[row["id"]].append(row)
    wanted = {one["record"] for rows in evidence.values() for one in rows if one["record"]}
    records = Records(layout, {row["source"]: wanted for row in documents.values()})
    redact, lines = make_redactor(recipe_of("general")), list[str]()
    for row in (documents[id] for id in ids):
        lines += ["", f"## {escape_line(row['id'])}", ""]
        for key in ("license", "use", "title", "url", "fetched", "revision"):
            lines.append(f"- {key}: {escape_line(str(row[key]))}")
        for one in evidence[row["id"]]:
            passage = ""  # that holds the quote
            if one["kind"] == proofs.REVIEW:
                outcome = "the reason that a person gave for a decision"
            elif not one["record"]:
                outcome = "record withheld: personal data of the document was replaced"
            else:
                mark = LicenceEvidence(**{field.name: one[field.name] for field in fields(LicenceEvidence)})
                (snippet,) = snippets.find_snippets(records, row["source"], [mark])
                outcome = ": ".join(filter(None, (OUTCOMES[snippet.outcome], snippet.detail)))
                passage = " … ".join(f"{part.before}{part.mark}{part.after}" for part in snippet.passages)
            lines += ["", f"{one['licence']}, on the {one['scope']}, {one['kind']}: **{escape_line(outcome)}**", ""]
            lines += [f"    quote    {escape_line(one['quote'])}", f"    place    {escape_line(one['place'])}"]
            lines += [f"    record   {escape_line(one['record'])}"]
            lines += [f"    passage  {escape_line(url_privacy.redact_text(passage, redact))}"] if passage else []
    return lines
