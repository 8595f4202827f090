"""Samples of a release that people judge: write the sheet, read it filled in, and keep the answers in the workspace."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.review import evidence_pack
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.releases import manifest
from malmoi.releases.sampling.strata import Drawn, draw
from malmoi.releases.sampling.wrong_grants import Counts, Rate, count_answers, estimate, read_answers
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace, push
from malmoi.workspace_layout import Layout

PACK, REVIEW, SAMPLE = "evidence.md", "review.csv", "sample.json"
COLUMNS = ("id", "source", "proof", "license", "url", "verdict", "reviewer", "date", "note")


def write_sheet(release: Path, layout: Layout, out: Path, *, seed: str, size: int) -> tuple[int, int]:
    """Write evidence.md, review.csv and sample.json for a sample of `size` documents into the new folder `out`.

    Returns the number of documents and of strata in the sample. CallError if `out` has files.
    """
    if out.exists() and any(out.iterdir()):
        raise CallError(f"{out} is not empty; give another folder with --out.")
    made = manifest.read(release)
    drawn, strata = draw(release, seed, size)
    head = [
        f"# Evidence for {made.name} {made.version}",
        "",
        f"Root `{made.root}`, seed `{seed}`: {len(drawn)} documents in {len(strata)} strata (source, proof).",
        f"Judge each licence in {REVIEW}: right, wrong or unsure. This pack quotes pages; do not publish it.",
    ]
    pages = evidence_pack.render_documents(release, layout, [one.id for one in drawn])
    said = {"release": made.name, "version": made.version, "root": made.root, "seed": seed, "size": size}
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / PACK, "\n".join([*head, *pages]) + "\n")
    replace_file(out / REVIEW, _render_sheet(drawn))
    replace_file(out / SAMPLE, canonical_json(said))
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
    said = _read_facts(folder / SAMPLE)
    answers = read_answers(folder / REVIEW if filled.is_dir() else filled, whole=True)
    workspace = Workspace.open(root)
    name, version = said["release"], said["version"]
    folders = workspace.release_folders(manifest.NAME)  # no path is made of what a file says
    release = next((one for one in folders if (one.parent.name, one.name) == (name, version)), None)
    if release is None or manifest.read(release).root != said["root"]:
        raise CallError(
            f"{folder / SAMPLE}: {name} {version} with the root {said['root'][:16]} is not in "
            f"{workspace.root}; name its workspace with --workspace."
        )
    drawn, strata = draw(release, said["seed"], said["size"])
    if sorted(one.id for one in answers) != sorted(one.id for one in drawn):
        raise CallError(
            f"{filled}: its rows are not the documents of the sample (seed {said['seed']!r}, size {said['size']}). "
            "Restore the rows that were removed or changed, or draw the sheet again."
        )
    counts = count_answers(strata, {one.id: one.stratum for one in drawn}, answers)
    target = workspace.sample(name, version)
    if target.exists() and _is_other_sample(target, said):
        raise CallError(
            f"{target} holds the answers of another sample of this release; a release has one. Delete that file if "
            "this sample is to replace it."
        )
    kept = said | {"strata": [asdict(one) for one in counts], "answers": [asdict(one) for one in answers]}
    with workspace.lock():
        replace_file(target, canonical_json(kept))
        push(target)
    return target, estimate(counts), counts


def _read_facts(path: Path) -> dict[str, Any]:
    wanted = {"release": str, "version": str, "root": str, "seed": str, "size": int}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if {name: type(value) for name, value in found.items()} == wanted:
            return dict(found)
        why = f"its keys are not {', '.join(wanted)}"
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        why = str(error)
    raise CallError(
        f"{path}: cannot be read ({why}). `malmoi review sample` writes it beside {REVIEW}: restore it, or draw the "
        "sheet again with the same seed and size."
    )


def _is_other_sample(kept: Path, said: dict[str, Any]) -> bool:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        return any(found[name] != value for name, value in said.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        return True
