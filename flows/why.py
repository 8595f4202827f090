"""`malmoi why`: the history of one document, from its capture to its current stage, and its duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from crawlers import source_errors
from flows.console import SafeConsole
from flows.plurals import count_of
from flows.reports.side_by_side import Side, make_visible, show_pair
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.licensing.rights_decision import REASONS, decide, explain
from malmoi.release_files import audit_file, audit_files, data_files
from malmoi.releases import excluded_documents
from malmoi.releases.verification import untrusted_files
from malmoi.storage import shard
from malmoi.storage.location import locate
from malmoi.storage.on_demand import fetch, fetch_below
from malmoi.url_privacy import is_digest_id
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER, STAGES, Layout, Stage

EXCERPT = 240  # code points
# Stages in search order, first the one that the survey compared: 4-judged for near, 3-clean for exact duplicates.
DOORS: dict[str, tuple[Stage, ...]] = {
    "near": ("4-judged", "3-clean", "5-curated", "2-documents"),
    "exact": ("3-clean", "4-judged", "5-curated", "2-documents"),
}
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


def show(where: Path, doc_id: str, out: SafeConsole, *, against: str = "") -> None:
    """Print the history of a document; `where` is a workspace (everything) or a release (published facts).

    A duplicate is shown beside its keeper, a keeper beside its least similar duplicate; with `against`, only the
    two documents are shown. CallError if the document does not exist.
    """
    where = locate(where)
    if (where / "manifest.json").exists():
        fetch_below(where)
        with untrusted_files.translate_errors(where):
            if not against:
                _show_release(where, doc_id, out)
                return
            texts = [_read_published_text(where, id) for id in (doc_id, against)]
        if None in texts:
            missing = (doc_id, against)[texts.index(None)]
            raise CallError(
                f"{where} does not publish {missing!r}; dropped texts are in the workspace: "
                "malmoi why WORKSPACE ID --against OTHER."
            )
    elif Layout(where).mark.exists():
        workspace = Workspace.open(where)
        if not against:
            _show_workspace(workspace, doc_id, out)
            return
        texts = [_find_text(workspace, id) for id in (doc_id, against)]
        if None in texts:
            raise _unknown_document(workspace, (doc_id, against)[texts.index(None)])
    else:
        raise CallError(
            f"{where} is neither a workspace nor a release; name the folder that holds malmoi.json or manifest.json."
        )
    show_pair(Side(doc_id, "document", texts[0] or ""), Side(against, "against", texts[1] or ""), out)


def _show_workspace(workspace: Workspace, doc_id: str, out: SafeConsole) -> None:
    found = False
    for stage in STAGES:
        for folder in workspace.shards(stage):
            for name in ("documents.parquet", "dropped.parquet"):
                found |= _show_stage(stage, folder / name, doc_id, out, first=not found)
    for stage in STAGES:
        for folder in workspace.shards(stage):
            if doc_id not in (folder / LEDGER).read_text(encoding="utf-8"):
                continue
            ledger = workspace.ledger(stage, folder.name)
            for failure in (one for one in (ledger.failed if ledger else ()) if one.id == doc_id):
                words = ", ".join(filter(None, (failure.why, failure.detail, failure.url and f"of {failure.url}")))
                out.print(f"{stage}: failed, {make_visible(words)}")
                found = True
    if not found:
        raise _unknown_document(workspace, doc_id)
    for one in tombstones.read(workspace.withdrawals):
        if one.kind == "id" and one.key == doc_id and not one.revoked:
            asked = f" (request {make_visible(one.request)})" if one.request else ""
            out.print(f"\nwithdrawn {one.date}: {make_visible(one.reason)}{asked}")
    for name, path in workspace.quarantines().items():
        finds = [row for row in excluded_documents.read_list(path) if row["id"] == doc_id]
        said = ", ".join(f"{row['kind']} × {row['count']} in {row['table']}.{row['column']}" for row in finds)
        if finds:
            out.print(f"\n6-release of {name}: quarantined for {make_visible(said)}")
    for survey, cluster in read_workspace_records(workspace, doc_id).items():
        out.print(f"\nduplicates (survey {', '.join(survey)})")
        show_cluster(cluster, doc_id, out)
        _show_copy_pair(workspace, cluster.choose_row(doc_id), out)


def _show_copy_pair(workspace: Workspace, copy: Copy, out: SafeConsole) -> None:
    """Print a duplicate beside its keeper, as the survey compared them."""
    text = _find_text(workspace, copy.id, copy.kind)
    keeper = _read_published_text(workspace.releases(copy.release), copy.keeper) if copy.release else None
    keeper = keeper if copy.release else _find_text(workspace, copy.keeper, copy.kind)
    if text is None or keeper is None:
        gone = copy.id if text is None else f"{copy.keeper} of {copy.release or 'this workspace'}"
        out.print(f"\nThe text of {make_visible(gone)} is no longer available; cannot show the pair.")
        return
    role = f"keeper, as published in {copy.release}" if copy.release else "keeper"
    out.print()
    show_pair(Side(copy.id, "duplicate", text), Side(copy.keeper, role, keeper), out)


def _find_text(workspace: Workspace, doc_id: str, kind: str = "near") -> str | None:
    """Return the text of a document from the stage that this kind of survey compared, else from another one."""
    for stage in DOORS.get(kind, DOORS["near"]):
        for folder in workspace.shards(stage):
            for name in ("documents.parquet", "dropped.parquet"):
                fetch(folder / name)
                table = ds.dataset(folder / name).to_table(["text"], filter=ds.field("id") == doc_id)
                if table.num_rows:
                    return str(table.column("text")[0].as_py())
    return None


def _unknown_document(workspace: Workspace, doc_id: str) -> CallError:
    if is_digest_id(doc_id):
        return CallError(
            f"{doc_id} is the masked id of a published document, whose page may show personal data that the release "
            f"replaced; a workspace uses the full id. Pass the folder of the release: `malmoi why RELEASE {doc_id}`."
        )
    return CallError(
        f"{workspace.root} has no document {doc_id!r}; ids look like source/key, as in the column id of "
        "documents.parquet and dropped.parquet in the folders of the stages."
    )


def _show_stage(stage: str, path: Path, doc_id: str, out: SafeConsole, *, first: bool) -> bool:
    fetch(path)
    table = ds.dataset(path).to_table(filter=ds.field("id") == doc_id)
    if not table.num_rows:
        return False
    doc = next(shard.to_documents(table))
    if first:
        p = doc.provenance
        out.print(f"{make_visible(doc.id)}\n  title    {_excerpt(doc.title)}\n  url      {make_visible(p.url)}")
        out.print(f"  capture  {p.record}, fetched {p.fetched}, sha256 {p.payload_sha256}")
        out.print(f"  read as  {p.format} {p.encoding}")
        for e in doc.evidence:
            words = f"{e.licence} by {e.kind} ({e.scope}) at {e.place}: {_excerpt(e.quote)}"
            out.print(f"  evidence {words}")
        for s in doc.signals:
            out.print(f"  signal   {s.name} ({s.effect}) at {s.place}: {_excerpt(s.quote)}")
        if not doc.evidence:
            out.print("  evidence none: neither the page nor the source gives a licence")
    out.print(f"\n{stage} ({path.parent.name})")
    for note in doc.trail:
        measured = "" if note.measured is None else f" {note.measured:g}"
        limit = "" if note.limit is None else f" (limit {note.limit:g})"
        out.print(f"  {note.by:<18} {note.verb} {note.outcome:<6} {note.reason}{measured}{limit}")
    if "by" in table.schema.names:
        row = table.select(["by", "reason", "measured", "limit"]).to_pylist()[0]
        measures = " ".join(f"{name} {row[name]:g}" for name in ("measured", "limit") if row[name] is not None)
        out.print(f"  dropped by {row['by']}: {row['reason']} {measures}")
        if row["by"] == "rights" and row["reason"] in REASONS:
            out.print(f"  because  {make_visible(explain(decide(doc.evidence, doc.signals)))}")
        if error := dict(doc.labels).get(source_errors.LABEL):
            out.print(f"  error    {make_visible(error)}")
    out.print(f"  {len(doc.text):,} code points: {_excerpt(doc.text)}")
    return True


def _show_release(folder: Path, doc_id: str, out: SafeConsole) -> None:
    seen = False
    for row in _read_rows(folder, doc_id):
        for name in ("id", "title", "url", "fetched", "record", "license", "use", "attribution", "text_sha256"):
            out.print(f"{name:<12} {make_visible(row[name])}")
        out.print(f"{'text':<12} {row['n_chars']:,} code points: {_excerpt(row['text'])}")
        seen = True
    for path in audit_files(folder):
        dataset = ds.dataset(path)
        if path.stem == "clusters" or "id" not in dataset.schema.names:
            continue
        for row in dataset.to_table(filter=ds.field("id") == doc_id).to_pylist():
            said = ", ".join(f"{k} {v}" for k, v in row.items() if v not in (None, "", doc_id))
            out.print(f"{path.stem:<18} {make_visible(said)}")
            seen = True
    if (cluster := read_release_record(folder, doc_id)) is not None:
        out.print("\nduplicates")
        show_cluster(cluster, doc_id, out)
        copy = cluster.choose_row(doc_id)
        if copy.release:
            out.print(f"  {make_visible(copy.keeper)} is in {copy.release}; pass that release to see it.")
        for row in _read_rows(folder, copy.keeper):
            out.print(f"  attribution of the keeper: {make_visible(row['attribution'])}")
        out.print(
            "  A release contains no dropped texts. To see both texts, pass the workspace of the release: "
            "`malmoi why WORKSPACE ID`."
        )
    elif not seen:
        raise CallError(
            f"{folder} has no document {doc_id!r}; ids look like source/key, as in the column id of data/ and audit/."
        )


def _read_published_text(folder: Path, doc_id: str) -> str | None:
    return next((str(row["text"]) for row in _read_rows(folder, doc_id)), None)


def _read_rows(folder: Path, doc_id: str) -> list[dict[str, Any]]:
    data = data_files(folder)
    found: list[dict[str, Any]] = ds.dataset(data).to_table(filter=ds.field("id") == doc_id).to_pylist() if data else []
    return found


def _excerpt(text: str) -> str:
    flat = " ".join(make_visible(text).split())
    return flat if len(flat) <= EXCERPT else flat[:EXCERPT] + " …"


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
    ids, new = {doc_id}, {doc_id}  # of the cluster: all documents that rows connect to this one
    for _ in range(HOPS):
        asked = pa.array(sorted(new), pa.string())
        touches = pc.is_in(ds.field(member), asked) | pc.is_in(ds.field("keeper"), asked)
        pairs = table.to_table([member, "keeper"], filter=touches)
        new = {*pairs.column(member).to_pylist(), *pairs.column("keeper").to_pylist()} - ids
        if not new:
            break
        ids |= new
    return CopyRecord(tuple(sorted(Copy(**row) for row in rows)), min(ids), len(ids))


def show_cluster(said: CopyRecord, doc_id: str, out: SafeConsole) -> None:
    """Print the cluster of a document, its keeper with the reason, or its duplicates."""
    out.print(f"  cluster  {make_visible(said.cluster)}, {count_of(said.size, 'document')}")
    for row in said.rows:
        if row.id == doc_id:
            where = f" of the earlier release {row.release}" if row.release else ""
            out.print(
                f"  keeper   {make_visible(row.keeper)}{where}\n  similar  {row.describe_similarity()} ({row.kind})"
            )
            out.print(f"  kept     because {make_visible(row.describe_reason())}")
    held = [row for row in said.rows if row.keeper == doc_id]
    if held:
        many = f"{len(held):,} duplicates, the least similar first" if len(held) > 1 else "one duplicate"
        out.print(f"  keeper of {many}")
    for row in held[:SHOWN]:
        out.print(
            f"    {make_visible(row.id)}: {row.describe_similarity()}; "
            f"kept because {make_visible(row.describe_reason())}"
        )
    if len(held) > SHOWN:
        out.print(f"    … and {len(held) - SHOWN:,} more")
