"""Lineage: what a run wrote, as the asset events that Prefect shows in its event feed.

An asset is a folder of the workspace: the captures of a source, a stage, a release. The events are those of Prefect's
own `@materialize`, emitted without task runs of their own: one for each folder that changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from prefect.events import emit_event

from flows.engine.progress import Step
from flows.release import Released
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES, Stage

COLLECT = "collect "  # first word of the stage that collects a source
MATERIALIZED, REFERENCED = "prefect.asset.materialization.succeeded", "prefect.asset.referenced"


def emit_stage(workspace: Workspace, sources: Sequence[str], step: Step) -> None:
    """Emit the event of a finished stage, if it changed anything."""
    if not step.has_changed:
        return
    if step.name.startswith(COLLECT):
        source = step.name.removeprefix(COLLECT)
        _emit(MATERIALIZED, workspace.captures(source), f"captures of {source}", (), {"says": step.says})
    elif step.name in STAGES and step.dropped is not None and step.size > step.standing:
        before = [folder for folder in STAGES if folder < step.name][-1:]
        upstream = [_find_folder(workspace, before[0])] if before else [workspace.captures(one) for one in sources]
        counts = dict(zip(("in", "kept", "dropped", "failed"), step.counts, strict=True))
        payload = {**counts, "shards": step.size, "new_shards": step.size - step.standing}
        _emit(MATERIALIZED, _find_folder(workspace, step.name), step.name, upstream, payload)


def emit_release(workspace: Workspace, made: Released) -> None:
    """Emit the event of a release: made, or still current."""
    payload = {"version": made.version, "root": made.root, "documents": made.documents}
    kind = MATERIALIZED if made.new else REFERENCED
    _emit(kind, made.folder.parent, f"release {made.name}", [_find_folder(workspace, STAGES[-1])], payload)


def name_asset(path: Path) -> str:
    """Return the key of the asset in `path`; characters that Prefect refuses become "-".

    >>> name_asset(Path("/data/my corpus/2-documents"))
    'file:///data/my-corpus/2-documents'
    """
    return "file://" + "".join("-" if one in " #?&%\"'<>[]{}|\\^`\n\r\t\0" else one for one in str(path))


def _find_folder(workspace: Workspace, stage: str) -> Path:
    return workspace.stage(cast(Stage, stage), "")


def _emit(event: str, path: Path, name: str, upstream: Sequence[Path], payload: dict[str, Any]) -> None:
    resource = {"prefect.resource.id": name_asset(path), "prefect.resource.name": name}
    related = [{"prefect.resource.id": name_asset(one), "prefect.resource.role": "asset"} for one in upstream]
    emit_event(event, resource, related=related, payload=payload)
