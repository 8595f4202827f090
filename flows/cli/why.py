"""`malmoi why`: show the history of one document, from its capture to its current stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from rich.console import Console

from crawlers import source_errors
from flows.reports import duplicate_explanations
from flows.reports.duplicate_explanations import Copy
from flows.reports.side_by_side import Side, make_visible, show_pair
from malmoi.document import Document
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.licensing.rights_decision import REASONS, decide, explain
from malmoi.release_files import audit_files, data_files
from malmoi.releases import excluded_documents, exposed_pages
from malmoi.releases.verification import untrusted_files
from malmoi.storage import shard
from malmoi.storage.location import locate
from malmoi.storage.on_demand import fetch, fetch_below
from malmoi.workspace import Workspace
from malmoi.workspace_layout import LEDGER, STAGES, Layout, Stage

EXCERPT = 240  # code points
# Stages in search order, first the one that the survey compared: 4-judged for near, 3-clean for exact duplicates.
DOORS: dict[str, tuple[Stage, ...]] = {
    "near": ("4-judged", "3-clean", "5-curated", "2-documents"),
    "exact": ("3-clean", "4-judged", "5-curated", "2-documents"),
}


def show(where: Path, doc_id: str, out: Console, *, against: str = "") -> None:
    """Print the history of a document; `where` is a workspace (everything) or a release (published facts).

    A duplicate is shown beside its keeper, a keeper beside its least similar duplicate; with `against`, only the
    two documents are shown. CallError if the document does not exist.
    """
    where = locate(where)
    if (where / "manifest.json").exists():
        fetch_below(where)
        with untrusted_files.translate_errors(where):
            _compare_published(where, doc_id, against, out) if against else _show_release(where, doc_id, out)
    elif Layout(where).mark.exists():
        workspace = Workspace.open(where)
        _compare(workspace, doc_id, against, out) if against else _show_workspace(workspace, doc_id, out)
    else:
        raise CallError(
            f"{where} is neither a workspace nor a release; name the folder that holds malmoi.json or manifest.json."
        )


def _show_workspace(workspace: Workspace, doc_id: str, out: Console) -> None:
    found = False
    for stage in STAGES:
        for folder in workspace.shards(stage):
            for name in ("documents.parquet", "dropped.parquet"):
                found |= _show_stage(stage, folder / name, doc_id, out, first=not found)
    for stage in STAGES:
        for folder in workspace.shards(stage):
            for failure in _find_failures(workspace, stage, folder / LEDGER, doc_id):
                out.print(f"{stage}: failed, {make_visible(failure)}", markup=False)
                found = True
    if not found:
        raise _unknown_document(workspace, doc_id)
    for one in tombstones.read(workspace.withdrawals):
        if one.kind == "id" and one.key == doc_id and not one.revoked:
            asked = f" (request {make_visible(one.request)})" if one.request else ""
            out.print(f"\nwithdrawn {one.date}: {make_visible(one.reason)}{asked}", markup=False)
    for name, path in workspace.quarantines().items():
        finds = [row for row in excluded_documents.read_list(path) if row["id"] == doc_id]
        said = ", ".join(f"{row['kind']} × {row['count']} in {row['table']}.{row['column']}" for row in finds)
        if finds:
            out.print(f"\n6-release of {name}: quarantined for {make_visible(said)}", markup=False)
    for survey, cluster in duplicate_explanations.read_workspace_records(workspace, doc_id).items():
        out.print(f"\nduplicates (survey {', '.join(survey)})", markup=False)
        duplicate_explanations.show_cluster(cluster, doc_id, out)
        _show_copy_pair(workspace, cluster.choose_row(doc_id), out)


def _show_copy_pair(workspace: Workspace, copy: Copy, out: Console) -> None:
    """Print a duplicate beside its keeper, as the survey compared them."""
    text = _find_text(workspace, copy.id, copy.kind)
    keeper = _read_published_text(workspace.releases(copy.release), copy.keeper) if copy.release else None
    keeper = keeper if copy.release else _find_text(workspace, copy.keeper, copy.kind)
    if text is None or keeper is None:
        gone = copy.id if text is None else f"{copy.keeper} of {copy.release or 'this workspace'}"
        out.print(f"\nThe text of {make_visible(gone)} is no longer available; cannot show the pair.", markup=False)
        return
    role = f"keeper, as published in {copy.release}" if copy.release else "keeper"
    out.print()
    show_pair(Side(copy.id, "duplicate", text), Side(copy.keeper, role, keeper), out)


def _compare(workspace: Workspace, doc_id: str, other: str, out: Console) -> None:
    def side(id: str, role: str) -> Side:
        if (text := _find_text(workspace, id)) is None:
            raise _unknown_document(workspace, id)
        return Side(id, role, text)

    show_pair(side(doc_id, "document"), side(other, "against"), out)


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
    if exposed_pages.is_digest_id(doc_id):
        return CallError(
            f"{doc_id} is the masked id of a published document, whose page may show personal data that the release "
            f"replaced; a workspace uses the full id. Pass the folder of the release: `malmoi why RELEASE {doc_id}`."
        )
    return CallError(
        f"{workspace.root} has no document {doc_id!r}; ids look like source/key, as in the column id of "
        "documents.parquet and dropped.parquet in the folders of the stages."
    )


def _show_stage(stage: str, path: Path, doc_id: str, out: Console, *, first: bool) -> bool:
    fetch(path)
    table = ds.dataset(path).to_table(filter=ds.field("id") == doc_id)
    if not table.num_rows:
        return False
    doc = next(shard.to_documents(table))
    if first:
        _show_origin(doc, out)
    out.print(f"\n{stage} ({path.parent.name})", markup=False)
    for note in doc.trail:
        measured = "" if note.measured is None else f" {note.measured:g}"
        limit = "" if note.limit is None else f" (limit {note.limit:g})"
        out.print(f"  {note.by:<18} {note.verb} {note.outcome:<6} {note.reason}{measured}{limit}", markup=False)
    if "by" in table.schema.names:
        row = table.select(["by", "reason", "measured", "limit"]).to_pylist()[0]
        out.print(f"  dropped by {row['by']}: {row['reason']} {_format_measures(row)}", markup=False)
        if row["by"] == "rights" and row["reason"] in REASONS:
            out.print(f"  because  {make_visible(explain(decide(doc.evidence, doc.signals)))}", markup=False)
        if error := dict(doc.labels).get(source_errors.LABEL):
            out.print(f"  error    {make_visible(error)}", markup=False)
    out.print(f"  {len(doc.text):,} code points: {_excerpt(doc.text)}", markup=False)
    return True


def _show_origin(doc: Document, out: Console) -> None:
    p = doc.provenance
    out.print(
        f"{make_visible(doc.id)}\n  title    {_excerpt(doc.title)}\n  url      {make_visible(p.url)}", markup=False
    )
    out.print(f"  capture  {p.record}, fetched {p.fetched}, sha256 {p.payload_sha256}", markup=False)
    out.print(f"  read as  {p.format} {p.encoding}", markup=False)
    for e in doc.evidence:
        out.print(f"  evidence {e.licence} by {e.kind} ({e.scope}) at {e.place}: {_excerpt(e.quote)}", markup=False)
    for s in doc.signals:
        out.print(f"  signal   {s.name} ({s.effect}) at {s.place}: {_excerpt(s.quote)}", markup=False)
    if not doc.evidence:
        out.print("  evidence none: neither the page nor the source gives a licence", markup=False)


def _find_failures(workspace: Workspace, stage: Stage, ledger: Path, doc_id: str) -> list[str]:
    if doc_id not in ledger.read_text(encoding="utf-8"):
        return []
    found = workspace.ledger(stage, ledger.parent.name)
    rows = [f for f in found.failed if f.id == doc_id] if found else []
    return [", ".join(filter(None, (f.why, f.detail, f.url and f"of {f.url}"))) for f in rows]


def _show_release(folder: Path, doc_id: str, out: Console) -> None:
    seen = False
    for row in _read_rows(folder, doc_id):
        for name in ("id", "title", "url", "fetched", "record", "license", "use", "attribution", "text_sha256"):
            out.print(f"{name:<12} {make_visible(row[name])}", markup=False)
        out.print(f"{'text':<12} {row['n_chars']:,} code points: {_excerpt(row['text'])}", markup=False)
        seen = True
    for path in audit_files(folder):
        dataset = ds.dataset(path)
        if path.stem == "clusters" or "id" not in dataset.schema.names:
            continue
        for row in dataset.to_table(filter=ds.field("id") == doc_id).to_pylist():
            said = ", ".join(f"{k} {v}" for k, v in row.items() if v not in (None, "", doc_id))
            out.print(f"{path.stem:<18} {make_visible(said)}", markup=False)
            seen = True
    if (cluster := duplicate_explanations.read_release_record(folder, doc_id)) is not None:
        out.print("\nduplicates", markup=False)
        duplicate_explanations.show_cluster(cluster, doc_id, out)
        _show_keeper(folder, cluster.choose_row(doc_id), out)
    elif not seen:
        raise CallError(
            f"{folder} has no document {doc_id!r}; ids look like source/key, as in the column id of data/ and audit/."
        )


def _show_keeper(folder: Path, copy: Copy, out: Console) -> None:
    """Print the attribution of the keeper, and where to see the dropped text."""
    if copy.release:
        out.print(f"  {make_visible(copy.keeper)} is in {copy.release}; pass that release to see it.", markup=False)
    for row in _read_rows(folder, copy.keeper):
        out.print(f"  attribution of the keeper: {make_visible(row['attribution'])}", markup=False)
    out.print(
        "  A release contains no dropped texts. To see both texts, pass the workspace of the release: "
        "`malmoi why WORKSPACE ID`.",
        markup=False,
    )


def _compare_published(folder: Path, doc_id: str, other: str, out: Console) -> None:
    def side(id: str, role: str) -> Side:
        if (text := _read_published_text(folder, id)) is None:
            raise CallError(
                f"{folder} does not publish {id!r}; dropped texts are in the workspace: "
                "malmoi why WORKSPACE ID --against OTHER."
            )
        return Side(id, role, text)

    show_pair(side(doc_id, "document"), side(other, "against"), out)


def _read_published_text(folder: Path, doc_id: str) -> str | None:
    return next((str(row["text"]) for row in _read_rows(folder, doc_id)), None)


def _read_rows(folder: Path, doc_id: str) -> list[dict[str, Any]]:
    data = data_files(folder)
    found: list[dict[str, Any]] = ds.dataset(data).to_table(filter=ds.field("id") == doc_id).to_pylist() if data else []
    return found


def _format_measures(row: dict[str, Any]) -> str:
    return " ".join(f"{k} {row[k]:g}" for k in ("measured", "limit") if row[k] is not None)


def _excerpt(text: str) -> str:
    flat = " ".join(make_visible(text).split())
    return flat if len(flat) <= EXCERPT else flat[:EXCERPT] + " …"
