"""What the commands of `malmoi index` print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows import query_index, release_index


def show_segments(root: Path, out: Console) -> None:
    """The segments of a workspace, and what does not count, with the reason. CallError where there is no workspace."""
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
        out.print(f"{root}: no segment counts.", markup=False)
    for line in lines:
        if line.segment.state != "counts":
            out.print(f"does not count: {line.survey}/{line.segment.name}: {line.segment.why}", markup=False)
    for name in release_index.releases_without_segment(workspace):
        out.print(
            f"release {name} has no segment: it was made before there was an index or by a recipe that remembers "
            "nothing, or its segment was deleted. Later releases do not know its documents by it; if it is the latest, "
            "`malmoi run` over the same inputs leaves it now.",
            markup=False,
        )


def withdraw(root: Path, ids: Sequence[str], reason: str, request: str, threshold: float, out: Console) -> None:
    """Mask documents, say so, and list what is alike to them: in the index, and in the tables of copies."""
    workspace = release_index.open_workspace(root)
    with workspace.lock():
        new = {one.id for one in release_index.withdraw(workspace, ids, reason, request)}
    alike = (
        query_index.find_copies_of_documents(workspace, ids, threshold)
        if query_index.has_active_segments(workspace)
        else {}
    )
    for id in ids:
        out.print(f"{id}: {'withdrawn' if id in new else 'was withdrawn already'}", markup=False)
        for copy in alike.get(id, ()):
            out.print(f"  published: {copy.id} {copy.release} {copy.version} {copy.similarity:.3f}", markup=False)
        if id not in alike:
            out.print("  no segment of copies holds it, so nothing is known of its near-duplicates there", markup=False)
        for member, keeper, kind, share in query_index.find_cluster_pairs(workspace, id):
            out.print(f"  found by a survey: {member} → {keeper} {kind} {share:.3f}", markup=False)
    out.print(
        "No release was touched: what is published stands as it is. From the next run on these documents are left out, "
        "whatever the recipe and whatever their sources give, and stand for no copy, so that what was dropped as a "
        "copy of them may come in: look at the near-duplicates above, and withdraw those that say the same. Each "
        "release names those that it holds.",
        markup=False,
    )
