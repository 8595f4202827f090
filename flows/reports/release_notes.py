"""What the operator must know of a release: documents that were quarantined, and copies of withdrawn ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import withdrawals
from malmoi.release_files import data_files
from malmoi.releases import excluded_documents
from malmoi.releases.residue import DETECTOR
from malmoi.storage import shard
from malmoi.workspace import Workspace

ALIKE = 0.8  # estimated Jaccard similarity from which a document is named as a near copy of a withdrawn one
SHOWN = 10  # near copies that are named


def list_notes(workspace: Workspace, name: str, folder: Path) -> tuple[str, ...]:
    """A line for each thing to look at in the release `name` that stands in `folder`."""
    return (*_note_quarantine(workspace, name), *_note_near_copies(workspace, folder))


def _note_quarantine(workspace: Workspace, name: str) -> Iterator[str]:
    place = workspace.quarantine(name)
    n, kinds = excluded_documents.summarise_list(place)
    if n:
        found = ", ".join(f"{kind} in {documents:,}" for kind, documents in kinds.items())
        yield (
            f"quarantined: {n:,} documents in which {DETECTOR}, the second detector, still finds personal data\n"
            f"    ({found}). They are not in the release; its card counts them.\n"
            f"    {place} lists document, column and kind. See where one comes from with\n"
            f"    `malmoi why {workspace.root} ID`. If it is personal data, mend the rule that missed it, in\n"
            "    filters/pii_rules; if it is none, mend the second detector, malmoi/releases/residue, and run again."
        )


def _note_near_copies(workspace: Workspace, folder: Path) -> Iterator[str]:
    found = copies_of_withdrawn(workspace, folder)
    for copy, id, similarity in found[:SHOWN]:
        yield (
            f"holds a near copy of a withdrawn document: {copy} is {similarity:.3f} like {id}. If it is the text that "
            "must not appear, withdraw the copy too."
        )
    if len(found) > SHOWN:
        yield f"… and {len(found) - SHOWN:,} more near copies of withdrawn documents"


def copies_of_withdrawn(workspace: Workspace, folder: Path) -> list[tuple[str, str, float]]:
    """(document of the release in `folder`, withdrawn document, similarity) of the near copies that the index knows."""
    ids = [one.id for one in withdrawals.read(workspace.withdrawals)]
    if not ids:
        return []
    from flows import query_index  # loads what compares texts, which most runs do not need

    if not query_index.has_active_segments(workspace):
        return []
    found = query_index.find_copies_of_documents(workspace, ids, ALIKE)
    alike = pa.array(sorted({copy.id for copies in found.values() for copy in copies}), pa.string())
    here: set[str] = set()
    for path in data_files(folder) if len(alike) else ():
        column = shard.read(path, ["id"]).column("id")
        here.update(column.filter(pc.is_in(column, alike)).to_pylist())
    return sorted({(c.id, id, c.similarity) for id, copies in found.items() for c in copies if c.id in here})
