"""`malmoi why`: one document's path, from its capture to where it stands now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from rich.console import Console

from flows.status import STAGES
from malmoi import shard
from malmoi.document import Document
from malmoi.errors import CallError
from malmoi.workspace import Workspace

EXCERPT = 240  # code points


def show(where: Path, doc_id: str, out: Console) -> None:
    """Print what is known of a document; `where` is a workspace (everything) or a release (what is published)."""
    if (where / "manifest.json").exists():
        _release(where, doc_id, out)
    elif (where / "malmoi.json").exists():
        _workspace(Workspace.open(where), doc_id, out)
    else:
        raise CallError(f"{where} is neither a workspace nor a release.")


def _workspace(workspace: Workspace, doc_id: str, out: Console) -> None:
    found = False
    for stage in STAGES:
        for ledger in sorted((workspace.root / stage).glob("*/ledger.json")):
            for name in ("documents.parquet", "dropped.parquet"):
                found |= _stage(stage, ledger.parent / name, doc_id, out, first=not found)
    for ledger in sorted(workspace.root.glob("[2-5]-*/*/ledger.json")):
        for failure in _failures(workspace, ledger, doc_id):
            out.print(f"{ledger.parent.parent.name}: failed, {failure}", markup=False)
            found = True
    if not found:
        raise CallError(f"{workspace.root} has no document {doc_id!r}; ids look like source/key, see dropped.parquet.")
    for table in sorted(workspace.root.glob("surveys/*/table.parquet")):
        _cluster(table, doc_id, out)


def _stage(stage: str, path: Path, doc_id: str, out: Console, *, first: bool) -> bool:
    table = ds.dataset(path).to_table(filter=ds.field("id") == doc_id)
    if not table.num_rows:
        return False
    doc = next(shard.to_documents(table))
    if first:
        _origin(doc, out)
    out.print(f"\n{stage} ({path.parent.name})", markup=False)
    for note in doc.trail:
        measured = "" if note.measured is None else f" {note.measured:g}"
        limit = "" if note.limit is None else f" (limit {note.limit:g})"
        out.print(f"  {note.by:<18} {note.verb} {note.outcome:<6} {note.reason}{measured}{limit}", markup=False)
    if "by" in table.schema.names:
        row = table.select(["by", "reason", "measured", "limit"]).to_pylist()[0]
        out.print(f"  dropped by {row['by']}: {row['reason']} {_numbers(row)}", markup=False)
    out.print(f"  {len(doc.text):,} code points: {_excerpt(doc.text)}", markup=False)
    return True


def _origin(doc: Document, out: Console) -> None:
    p = doc.provenance
    out.print(f"{doc.id}\n  title    {doc.title}\n  url      {p.url}", markup=False)
    out.print(f"  capture  {p.record}, fetched {p.fetched}, sha256 {p.payload_sha256}", markup=False)
    out.print(f"  read as  {p.format} {p.encoding}", markup=False)
    for e in doc.evidence:
        out.print(f"  evidence {e.licence} by {e.kind} ({e.scope}) at {e.place}: {_excerpt(e.quote)}", markup=False)
    for s in doc.signals:
        out.print(f"  signal   {s.name} ({s.effect}) at {s.place}: {_excerpt(s.quote)}", markup=False)
    if not doc.evidence:
        out.print("  evidence none: nothing on the page or in the source says that it may be used", markup=False)


def _cluster(path: Path, doc_id: str, out: Console) -> None:
    found = ds.dataset(path)
    if not {"id", "keeper"} <= set(found.schema.names):
        return  # the table of another survey
    table = found.to_table(filter=(ds.field("id") == doc_id) | (ds.field("keeper") == doc_id))
    rows: list[dict[str, Any]] = table.to_pylist()
    if rows:
        out.print(f"\ncluster ({path.parent.name})", markup=False)
    for row in sorted(rows, key=lambda r: (-r["similarity"], r["id"])):
        out.print(f"  {row['id']} → {row['keeper']} {row['kind']} {row['similarity']:.3f}", markup=False)


def _failures(workspace: Workspace, ledger: Path, doc_id: str) -> list[str]:
    if doc_id not in ledger.read_text(encoding="utf-8"):
        return []
    stage = next(s for s in STAGES if s == ledger.parent.parent.name)
    found = workspace.ledger(stage, ledger.parent.name)
    return [f.why for f in found.failed if f.id == doc_id] if found else []


def _release(folder: Path, doc_id: str, out: Console) -> None:
    data = sorted(folder.glob("data/**/*.parquet"))
    rows = ds.dataset(data).to_table(filter=ds.field("id") == doc_id).to_pylist() if data else []
    for row in rows:
        for name in ("id", "title", "url", "fetched", "record", "license", "use", "attribution", "text_sha256"):
            out.print(f"{name:<12} {row[name]}", markup=False)
        out.print(f"{'text':<12} {row['n_chars']:,} code points: {_excerpt(row['text'])}", markup=False)
    seen = bool(rows)
    for path in sorted(folder.glob("audit/*.parquet")):
        dataset = ds.dataset(path)
        columns = [c for c in ("id", "keeper", "member") if c in dataset.schema.names]
        for column in columns:
            for row in dataset.to_table(filter=ds.field(column) == doc_id).to_pylist():
                said = ", ".join(f"{k} {v}" for k, v in row.items() if v not in (None, "", doc_id))
                out.print(f"{path.stem:<18} {said}", markup=False)
                seen = True
    if not seen:
        raise CallError(f"{folder} has no document {doc_id!r}.")


def _numbers(row: dict[str, Any]) -> str:
    return " ".join(f"{k} {row[k]:g}" for k in ("measured", "limit") if row[k] is not None)


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT else flat[:EXCERPT] + " …"
