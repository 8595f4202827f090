"""The deduplication index of a workspace: its active segments, and the withdrawn documents."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi import recipe as recipes
from malmoi.erasure import tombstones
from malmoi.erasure.tombstones import Tombstone
from malmoi.errors import CallError
from malmoi.release_files import data_files
from malmoi.releases.index import segments
from malmoi.releases.index.segments import IndexSegment
from malmoi.survey import Survey
from malmoi.workspace import Workspace
from malmoi.workspace_layout import STAGES, Layout


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
    return [
        IndexEntry(survey, one, _folder_size(one.folder), _count_masked(one, withdrawn))
        for survey, found in segments_by_survey(workspace).items()
        for one in found
    ]


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


def withdraw(workspace: Workspace, ids: Sequence[str], reason: str, request: str, *, day: str = "") -> list[Tombstone]:
    """Record that documents are withdrawn, all of them or none; return those that were not withdrawn before.

    `day` defaults to today. CallError if neither a release nor a stage of the workspace has one of them, or if the
    reason is empty or differs from the recorded one.
    """
    unknown = set(ids) - find_published(workspace, ids)
    if unknown and (unknown := unknown - _find_curated(workspace, unknown)):
        raise CallError(
            f"no release and no stage of {workspace.root} has a document {min(unknown)!r}; nothing was written. "
            "An id is written source/key, as in the column `id` of data/; "
            f"`malmoi why {shlex.quote(str(workspace.root))} ID` shows the history of one."
        )
    day = day or datetime.now(UTC).date().isoformat()
    return list(tombstones.add(workspace.withdrawals, [Tombstone("id", id, day, reason, request) for id in ids]))


def find_published(workspace: Workspace, ids: Sequence[str]) -> set[str]:
    """Find which of `ids` an index segment or a release of the workspace contains."""
    found: set[str] = set()
    for one in (one for known in segments_by_survey(workspace).values() for one in known if one.state != "broken"):
        found |= set(segments.find_ids(one.folder, ids))
    if set(ids) - found:
        for path in (file for folder in workspace.release_folders("data") for file in data_files(folder)):
            column = pq.read_table(path, columns=["id"]).column("id")
            found |= set(column.filter(pc.is_in(column, pa.array(ids, pa.string()))).to_pylist())
    return found


def _find_curated(workspace: Workspace, ids: Collection[str]) -> set[str]:
    """Find which of `ids` a finished stage kept or dropped: copies of published documents, and unpublished ones."""
    found: set[str] = set()
    for name in ("documents", "dropped"):
        for path in workspace.stage_files(f"{name}.parquet", *STAGES):
            column = pq.read_table(path, columns=["id"]).column("id")
            found |= set(column.filter(pc.is_in(column, pa.array(sorted(ids), pa.string()))).to_pylist())
    return found


def _count_masked(one: IndexSegment, withdrawn: Sequence[str]) -> int:
    return 0 if one.state == "broken" else len(segments.find_ids(one.folder, withdrawn))


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
