"""Write the index segments of a release before the release is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flows.engine import run_surveys
from flows.engine.run_surveys import Basis
from malmoi.ledger import Ledger
from malmoi.recipe import Recipe
from malmoi.release_files import data_files
from malmoi.releases import manifest as manifests
from malmoi.releases.index import segment_rows, segments
from malmoi.releases.index.segments import Facts, IndexSegment
from malmoi.releases.manifest import Manifest
from malmoi.storage.on_demand import fetch
from malmoi.storage.shuffle import Run
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage


def write_segments(
    workspace: Workspace, recipe: Recipe, stages: Sequence[tuple[Stage, Sequence[Ledger]]], folder: Path, run: Run = map
) -> None:
    """Write a segment of the release in `folder` for each survey of `recipe` that has `remembers`.

    The release may be unpublished. Nothing is computed again: the rows come from the sketches that the survey used.
    Leftovers of a stopped run of this name are removed first. If the release has its segment, it is kept.
    """
    made = manifests.read(folder)
    for basis in run_surveys.list_index_bases(workspace, recipe, stages):
        roots = segments.read_release_roots(workspace)
        known = segments.find_segments(workspace, basis.survey.name, basis.survey.version, roots)
        segments.sweep(workspace, segments.leftovers(known, made.name, roots))
        known = [one for one in known if one.folder.exists()]
        facts = _segment_facts(basis, made, run_surveys.choose_segments(workspace, basis, made.name, known))
        target = segments.folder_of(workspace, facts)
        if not _has_segment(known, target):
            segments.sweep(workspace, (one for one in known if one.folder == target))
            _write_segment(workspace, basis, facts, folder, segments.select_counting(known), target, run)


def _segment_facts(basis: Basis, made: Manifest, read: Sequence[IndexSegment]) -> Facts:
    return Facts(
        survey=basis.survey.name,
        survey_version=basis.survey.version,
        release=made.name,
        version=made.version,
        root=made.root,
        documents=0,
        inputs=basis.inputs,
        read=tuple(one.name for one in read),
    )


def _has_segment(known: Sequence[IndexSegment], target: Path) -> bool:
    """Whether the segment at `target`, or one that it was merged into, counts; also while it waits for its release."""
    name = f"{target.parent.name}/{target.name}"
    return any(name in (one.name, *one.readable_facts.replaces) for one in segments.select_counting(known))


def _write_segment(
    workspace: Workspace,
    basis: Basis,
    facts: Facts,
    folder: Path,
    known: Sequence[IndexSegment],
    target: Path,
    run: Run,
) -> None:
    own = [one.folder for one in known if one.readable_facts.release == facts.release]
    fetch(*data_files(folder))
    with workspace.temporary_folder() as work, workspace.temporary_folder() as born:
        segment_rows.write(
            born,
            basis.survey,
            facts,
            sketches=[job.target for job in basis.jobs],
            data=data_files(folder),
            earlier=own,
            work=work,
            run=run,
        )
        workspace.move_into_place(born, target)
