"""The deduplication index of a workspace: its active segments, and the withdrawn documents."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from flows.console import SafeConsole
from malmoi import recipe as recipes
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.releases import segments
from malmoi.releases.segments import IndexSegment
from malmoi.survey import Survey
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout


def show_segments(root: Path, out: SafeConsole) -> None:
    """Print the segments of a workspace, and the inactive ones with the reason; CallError without a workspace."""
    workspace = open_workspace(root)
    lines = list_entries(workspace)
    shown = Table("survey", "release", "version", "documents", "bytes", "masked", title="index")
    for line in lines:
        if line.segment.state == "counts":
            facts = line.segment.readable_facts
            merged = f" (with {len(facts.replaces)} merged)" if facts.replaces else ""
            row = (line.survey, facts.release, facts.version + merged, f"{facts.documents:,}")
            shown.add_row(*row, f"{line.bytes:,}", f"{line.masked:,}")
    if shown.row_count:
        out.print(shown)
    else:
        out.print(f"{root}: no active segment.")
    for line in lines:
        if line.segment.state != "counts":
            out.print(f"inactive: {line.survey}/{line.segment.name}: {line.segment.why}")
    for name in releases_without_segment(workspace):
        out.print(
            f"release {name} has no segment: it was made before the index existed or by a recipe without "
            "near_duplicates, or its segment was deleted. Later releases cannot compare with its documents; if it is "
            "the latest, `malmoi run` with the same inputs writes the segment now."
        )


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One segment with its size, as `malmoi index` lists it."""

    survey: str
    segment: IndexSegment
    bytes: int
    masked: int


def open_workspace(root: Path) -> Workspace:
    """Open the workspace at `root`; CallError if there is none, and nothing is created."""
    if not Layout(root).mark.exists():
        raise CallError(
            f"{root} is not a workspace; name one with --workspace, or make one: "
            f"`malmoi run RECIPE --source SOURCE --workspace {shlex.quote(str(root))}`."
        )
    return Workspace.open(root)


def list_index_surveys() -> dict[str, Survey]:
    """Return the surveys that write index segments, by name."""
    found = (getattr(recipes.load_filter(name), "SURVEY", None) for name in recipes.list_filters())
    return {one.name: one for one in found if one is not None and one.remembers}


def segments_by_survey(workspace: Workspace) -> dict[str, list[IndexSegment]]:
    """Return all segments of each survey that has a folder in the index, including inactive ones."""
    roots, known = segments.read_release_roots(workspace), list_index_surveys()
    names = workspace.index_names()
    return {n: segments.find_segments(workspace, n, known[n].version if n in known else None, roots) for n in names}


def list_entries(workspace: Workspace) -> list[IndexEntry]:
    """List every segment with its size on disk and its number of masked documents."""
    withdrawn = tombstones.read_ids(workspace.withdrawals)
    entries = []
    for survey, one in ((name, one) for name, known in segments_by_survey(workspace).items() for one in known):
        size = sum(path.stat().st_size for path in one.folder.rglob("*") if path.is_file())
        masked = 0 if one.state == "broken" else len(segments.find_ids(one.folder, withdrawn))
        entries.append(IndexEntry(survey, one, size, masked))
    return entries


def releases_without_segment(workspace: Workspace) -> list[str]:
    """List "name version" of each release without a segment: older than the index, or its segment was deleted."""
    left = {
        (one.readable_facts.release, *mark)
        for found in segments_by_survey(workspace).values()
        for one in segments.select_counting(found)
        for mark in segments.marks(one)
    }
    standing = [
        (name, version, root[: segments.ROOT])
        for (name, version), root in segments.read_release_roots(workspace).items()
    ]
    return [f"{name} {version}" for name, version, root in standing if (name, version, root) not in left]


def summary(workspace: Workspace) -> str:
    """Describe the size of the index in one line."""
    found = list_entries(workspace)
    counting = [one for one in found if one.segment.state == "counts"]
    if not found:
        return "index: empty; a release writes a segment if its recipe has near_duplicates"
    documents = sum(one.segment.readable_facts.documents for one in counting)
    masked, size = sum(one.masked for one in counting), sum(one.bytes for one in counting) / 1e6
    unseen = f", {len(found) - len(counting)} not active" if len(found) > len(counting) else ""
    return f"index: {len(counting)} segments, {documents:,} documents, {masked} masked, {size:,.1f} MB{unseen}"
