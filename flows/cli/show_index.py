"""Output of the `malmoi index` commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows import query_index, release_index


def show_segments(root: Path, out: Console) -> None:
    """Print the segments of a workspace, and the inactive ones with the reason; CallError without a workspace."""
    workspace = release_index.open_workspace(root)
    lines = release_index.list_entries(workspace)
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
        out.print(f"{root}: no active segment.", markup=False)
    for line in lines:
        if line.segment.state != "counts":
            out.print(f"inactive: {line.survey}/{line.segment.name}: {line.segment.why}", markup=False)
    for name in release_index.releases_without_segment(workspace):
        out.print(
            f"release {name} has no segment: it was made before the index existed or by a recipe without "
            "near_duplicates, or its segment was deleted. Later releases cannot compare with its documents; if it is "
            "the latest, `malmoi run` with the same inputs writes the segment now.",
            markup=False,
        )


def withdraw(root: Path, ids: Sequence[str], reason: str, request: str, threshold: float, out: Console) -> None:
    """Mask documents, and list their near-duplicates in the index and in the tables of copies."""
    workspace = release_index.open_workspace(root)
    with workspace.lock():
        new = {one.key for one in release_index.withdraw(workspace, ids, reason, request)}
    alike = (
        query_index.find_copies_of_documents(workspace, ids, threshold)
        if query_index.has_active_segments(workspace)
        else {}
    )
    for id in ids:
        out.print(f"{id}: {'withdrawn' if id in new else 'already withdrawn'}", markup=False)
        for copy in alike.get(id, ()):
            out.print(f"  published: {copy.id} {copy.release} {copy.version} {copy.similarity:.3f}", markup=False)
        if id not in alike:
            out.print("  not in an active segment, so its near-duplicates in the index are unknown", markup=False)
        for member, keeper, kind, share in query_index.find_cluster_pairs(workspace, id):
            out.print(f"  found in this workspace: {member} → {keeper} {kind} {share:.3f}", markup=False)
    out.print(
        "Published releases are unchanged. The next run drops these documents before the first filter, whatever the "
        "recipe and the sources. They are no longer keepers of duplicates, so a text that was dropped as their "
        "duplicate may be released: check the near-duplicates above, and withdraw those with the same content. Each "
        "release lists the withdrawn documents that it left out.",
        markup=False,
    )
