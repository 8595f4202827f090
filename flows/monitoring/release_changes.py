"""Artifact of a refresh: how the new version of a release differs from the one before."""

from __future__ import annotations

from pathlib import Path

from prefect.artifacts import create_markdown_artifact

from flows.cli import diff
from flows.monitoring.run_artifacts import make_key, tolerate_errors
from flows.release import Released
from malmoi.workspace import Workspace


def show_changes(workspace: Workspace, before: Path, made: Released) -> None:
    """Publish the differences of two versions: sizes, documents added, removed and changed, files."""
    text = diff.to_markdown(diff.compare_releases(before, made.folder))
    with tolerate_errors("changes"):
        create_markdown_artifact(
            text, key=make_key("changes", workspace, made.name), description=f"{before.name} → {made.version}"
        )
