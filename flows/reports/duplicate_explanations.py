"""Explain duplicates for `malmoi why`, from the surveys of a workspace or from the audit of a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from rich.console import Console

from flows.plurals import count_of
from flows.reports.side_by_side import make_visible
from malmoi.release_files import audit_file
from malmoi.workspace import Workspace

SHOWN = 10  # duplicates of one keeper, the least similar first: those need a check
HOPS = 16  # maximum distance from copy to keeper to copy when a cluster is collected
_BECAUSE = {
    "rights": "its licence is freer",
    "earlier-release": "it is in an earlier release",
    "completeness": "it is more complete",
    "surface": "its text is cleaner",
    "date": "its date is earlier",
    "id": "its id is smaller; all other criteria are equal",
}


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """One row of a table of copies; fields missing in an older table are empty."""

    similarity: float
    id: str
    keeper: str
    kind: str
    measured: str = ""
    reason: str = ""
    release: str = ""

    def describe_reason(self) -> str:
        """Describe why its keeper was kept.

        >>> Copy(0.9, "a/2", "a/1", "near", reason="date").describe_reason()
        'its date is earlier (date)'
        """
        return f"{_BECAUSE.get(self.reason, self.reason)} ({self.reason})" if self.reason else "no reason was recorded"

    def describe_similarity(self) -> str:
        """Describe how similar the two are."""
        if self.kind == "exact":
            return "equal except for white space, or the same work of another source"
        how = {"exact": ", measured on the texts", "estimated": ", estimated from signatures"}
        return f"Jaccard similarity {self.similarity:.3f}{how.get(self.measured, '')}"


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """The rows of one document in a table of copies, as a duplicate and as a keeper, sorted; and the whole cluster."""

    rows: tuple[Copy, ...]
    cluster: str  # the smallest id of the cluster
    size: int

    def choose_row(self, doc_id: str) -> Copy:
        """Return the row to show: the document's own as a duplicate, else the least similar of its duplicates."""
        return min(self.rows, key=lambda row: (row.id != doc_id, row))


def read_workspace_records(workspace: Workspace, doc_id: str) -> dict[tuple[str, ...], CopyRecord]:
    """Read the document's rows in the tables of copies of a workspace, by their surveys."""
    found: dict[CopyRecord, tuple[str, ...]] = {}
    for path in workspace.survey_files("table.parquet"):
        if (said := _read_record(path, "id", doc_id)) is not None:
            found[said] = (*found.get(said, ()), path.parent.name)
    return {names: said for said, names in found.items()}


def read_release_record(folder: Path, doc_id: str) -> CopyRecord | None:
    """Read the document's rows in the audit of a release; None if it has no duplicates."""
    path = audit_file(folder, "clusters")
    return _read_record(path, "member", doc_id) if path.exists() else None


def _read_record(path: Path, member: str, doc_id: str) -> CopyRecord | None:
    table = ds.dataset(path)
    if not {member, "keeper", "kind", "similarity"} <= set(table.schema.names):
        return None  # the table of another survey
    fields = {"id": member} | {n: n for n in Copy.__dataclass_fields__ if n in table.schema.names and n != "id"}
    columns = {name: ds.field(column) for name, column in fields.items()}
    either = (ds.field(member) == doc_id) | (ds.field("keeper") == doc_id)
    rows = table.to_table(columns, filter=either).to_pylist()
    if not rows:
        return None
    ids = _find_cluster(table, member, doc_id)
    return CopyRecord(tuple(sorted(Copy(**row) for row in rows)), min(ids), len(ids))


def _find_cluster(table: ds.Dataset, member: str, doc_id: str) -> set[str]:
    """Return the ids of a cluster: all documents connected to the document by rows."""
    ids, new = {doc_id}, {doc_id}
    for _ in range(HOPS):
        asked = pa.array(sorted(new), pa.string())
        touches = pc.is_in(ds.field(member), asked) | pc.is_in(ds.field("keeper"), asked)
        rows = table.to_table([member, "keeper"], filter=touches)
        new = {*rows.column(member).to_pylist(), *rows.column("keeper").to_pylist()} - ids
        if not new:
            break
        ids |= new
    return ids


def show_cluster(said: CopyRecord, doc_id: str, out: Console) -> None:
    """Print the cluster of a document, its keeper with the reason, or its duplicates."""
    out.print(f"  cluster  {make_visible(said.cluster)}, {count_of(said.size, 'document')}", markup=False)
    for row in said.rows:
        if row.id == doc_id:
            where = f" of the earlier release {row.release}" if row.release else ""
            out.print(
                f"  keeper   {make_visible(row.keeper)}{where}\n  similar  {row.describe_similarity()} ({row.kind})",
                markup=False,
            )
            out.print(f"  kept     because {make_visible(row.describe_reason())}", markup=False)
    held = [row for row in said.rows if row.keeper == doc_id]
    if held:
        many = f"{len(held):,} duplicates, the least similar first" if len(held) > 1 else "one duplicate"
        out.print(f"  keeper of {many}", markup=False)
    for row in held[:SHOWN]:
        out.print(
            f"    {make_visible(row.id)}: {row.describe_similarity()}; "
            f"kept because {make_visible(row.describe_reason())}",
            markup=False,
        )
    if len(held) > SHOWN:
        out.print(f"    … and {len(held) - SHOWN:,} more", markup=False)
