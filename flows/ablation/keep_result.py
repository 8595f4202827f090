"""Keep the result of an ablation for the releases among its inputs: the next card of each states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from malmoi.ablation.kept_result import select_result
from malmoi.ablation.plan import read_plan
from malmoi.canonical_json import canonical_json
from malmoi.errors import CallError, DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.storage.atomic_files import replace_file
from malmoi.workspace import Workspace, push
from malmoi.workspace_layout import Layout


def find_releases(plan_path: Path, root: Path) -> dict[str, Manifest]:
    """Return the inputs of a plan that are versions of releases of the workspace at `root`: name → manifest.

    A version that only the first input has is left out: differences are from that one. An input that is a part of a
    folder, such as data/*.parquet, is not a version. CallError if none is left.
    """
    known = {_identify(made) for made in map(_read_manifest, Layout(root).release_folders(manifests.NAME)) if made}
    inputs = read_plan(plan_path).input
    made = {one.name: _read_manifest(plan_path.parent / one.path) for one in inputs}
    later = {_identify(one) for name, one in made.items() if one and name != inputs[0].name}
    found = {name: one for name, one in made.items() if one and _identify(one) in known & later}
    if not found:
        raise CallError(
            f"no input of {plan_path} after the first is a release of {root}, so no card can state a difference from "
            "the first. Name the folder of a version as `path` of a later input, or leave --workspace out."
        )
    return found


def keep_result(facts: Mapping[str, Any], releases: Mapping[str, Manifest], root: Path) -> list[Path]:
    """Keep the result in the workspace at `root`, in the place of an earlier one, and return a file for each version.

    `facts`: the content of ablation.json; `releases`: of `find_releases`.
    """
    workspace, found = Workspace.open(root), dict[tuple[str, str, str], list[str]]()
    for name, made in releases.items():
        found.setdefault(_identify(made), []).append(name)
    targets = []
    with workspace.lock():
        for (release, version, merkle), names in found.items():
            target = workspace.ablation(release, version)
            replace_file(target, canonical_json(asdict(select_result(facts, version, merkle, names))))
            push(target)
            targets.append(target)
    return targets


def _identify(made: Manifest) -> tuple[str, str, str]:
    return made.name, made.version, made.root


def _read_manifest(folder: Path) -> Manifest | None:
    try:
        return manifests.read(folder)
    except DataError:  # not a release, or not a readable one; `malmoi verify` says why
        return None
