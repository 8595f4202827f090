"""Samples of a release that people judge: write the sheet, read it filled in, and keep the answers in the workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows.review import evidence_pack
from flows.review.sample_facts import check_ids, find_release, keep, make_facts, read_facts
from malmoi.errors import CallError
from malmoi.releases.sampling.intervals import Rate
from malmoi.releases.sampling.strata import Drawn, draw
from malmoi.releases.sampling.wrong_grants import Counts, count_answers, estimate, read_answers
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout

PACK, REVIEW = "evidence.md", "review.csv"
COLUMNS = ("id", "source", "proof", "license", "url", "verdict", "reviewer", "date", "note")


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
    pages = evidence_pack.render_documents(release, layout, [one.id for one in drawn])
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / PACK, "\n".join([*head, *pages]) + "\n")
    replace_file(out / REVIEW, _render_sheet(drawn))
    facts.write(out)
    return len(drawn), len({one.stratum for one in drawn})


def _render_sheet(drawn: Sequence[Drawn]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([one.id, one.source, one.proof, one.licence, one.url, "", "", "", ""] for one in drawn)
    return text.getvalue()


def keep_answers(filled: Path, root: Path) -> tuple[Path, Rate, tuple[Counts, ...]]:
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
