"""Notes of a release for the operator: no publisher, quarantined documents, near-duplicates of withdrawn ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.plurals import count_of
from malmoi.erasure import tombstones
from malmoi.publisher import Publisher
from malmoi.release_files import data_files
from malmoi.releases import excluded_documents
from malmoi.releases import manifest as manifests
from malmoi.releases.residue import DETECTOR
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout

ALIKE = 0.8  # estimated Jaccard similarity from which a document is listed as a near-duplicate of a withdrawn one
QUARANTINED = "quarantined: "  # how the note about quarantined documents begins
SHOWN = 10  # near-duplicates listed


def list_notes(workspace: Workspace, name: str, folder: Path) -> tuple[str, ...]:
    """List what to check in the release `name` in `folder`, one line each."""
    notes = list(note_publisher(manifests.read(folder).publisher))
    if note := describe_quarantine(workspace, name):
        notes.append(
            f"{note}\n"
            f"    {workspace.quarantine(name)} lists why, with every value masked;\n"
            f"    `malmoi review finds --workspace {workspace.root}` shows it, `malmoi why {workspace.root} ID` the\n"
            f"    history of a document. If what {DETECTOR}, the second detector, finds is personal data, correct the\n"
            "    rule that missed it, in filters/pii_rules; if not, clear it with `malmoi review clear`; run again.\n"
            "    Of an `unverified` document `malmoi verify` would state a fault: correct its source, or report it."
        )
    copies = copies_of_withdrawn(workspace, folder)
    for copy, id, similarity in copies[:SHOWN]:
        notes.append(
            f"contains a near-duplicate of a withdrawn document: {copy}, similarity {similarity:.3f} to {id}. "
            "If it has the withdrawn content, withdraw it too."
        )
    if len(copies) > SHOWN:
        notes.append(f"… and {len(copies) - SHOWN:,} more near-duplicates of withdrawn documents")
    return tuple(notes)


def note_publisher(publisher: Publisher) -> Iterator[str]:
    """Yield a note if the recipe leaves name or contact of the publisher out.

    >>> list(note_publisher(Publisher(name="A", contact="a@example.org")))
    []
    """
    missing = [key for key in ("name", "contact") if not getattr(publisher, key)]
    if missing:
        what = f"{missing[0]} of the publisher" if len(missing) == 1 else "publisher"
        yield (
            f"the recipe has no {what}; the card says so to readers and rights holders.\n"
            "    Add [publisher] with name and contact to a recipe of your own (docs/recipes.md), for the next version."
        )


def describe_quarantine(layout: Layout, name: str) -> str:
    """Return in a line how many documents the latest attempt at the release `name` quarantined, and why; "" if none."""
    n, kinds = excluded_documents.summarise_list(layout.quarantine(name))
    found = ", ".join(f"{kind} in {documents:,}" for kind, documents in kinds.items())
    return f"{QUARANTINED}{count_of(n, 'document')} ({found}), not in the release; its card counts them" if n else ""


def copies_of_withdrawn(workspace: Workspace, folder: Path) -> list[tuple[str, str, float]]:
    """Return (document of the release in `folder`, withdrawn document, similarity) of near-duplicates in the index."""
    ids = tombstones.read_ids(workspace.withdrawals)
    if not ids:
        return []
    from flows import query_index  # loads the comparison of texts, which most runs do not need

    if not query_index.has_active_segments(workspace):
        return []
    found = query_index.find_copies_of_documents(workspace, ids, ALIKE)
    alike = pa.array(sorted({copy.id for copies in found.values() for copy in copies}), pa.string())
    here: set[str] = set()
    for path in data_files(folder) if len(alike) else ():
        column = shard.read(path, ["id"]).column("id")
        here.update(column.filter(pc.is_in(column, alike)).to_pylist())
    return sorted({(c.id, id, c.similarity) for id, copies in found.items() for c in copies if c.id in here})
