"""The table of index segments that `malmoi index` prints."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows import release_index


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
