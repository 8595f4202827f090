"""The facts of a sample of a release, written beside each sheet, so that a sheet of another sample is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError
from malmoi.releases import manifest
from malmoi.storage.atomic_files import replace_file
from malmoi.storage.on_demand import fetch_below
from malmoi.workspace import Workspace, push

SAMPLE = "sample.json"


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
    if target.exists() and _is_other_sample(target, said):
        raise CallError(
            f"{target} holds the answers of another sample of this release; a release has one. Delete that file if "
            "this sample is to replace it."
        )
    with workspace.lock():
        replace_file(target, canonical_json(said | dict(answers)))
        push(target)


def _is_other_sample(kept: Path, said: dict[str, Any]) -> bool:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        return any(found[name] != value for name, value in said.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        return True
