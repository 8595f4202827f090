"""Read what became of each document: from the first stage to the filter that dropped it, or to the last stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flows.engine.stage_runs import Curated
from malmoi.document import Document
from malmoi.ledger import Ledger
from malmoi.storage import shard
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Stage


def read_ends(workspace: Workspace, curated: Curated) -> Iterator[tuple[Document, Document, str, str]]:
    """Yield each document as extracted, as it ended, and the filter and the reason that dropped it ("" if kept).

    The filter is "failed" for a document that a stage could not process.
    """
    ended = {doc.id: (doc, by, reason) for doc, by, reason in _read_stages(workspace, curated.stages, "dropped")}
    ended |= {doc.id: (doc, "", "") for doc, _, _ in _read_stages(workspace, curated.stages[-1:], "documents")}
    for doc, _, _ in _read_stages(workspace, curated.stages[:1], "documents", "dropped"):
        yield doc, *ended.get(doc.id, (doc, "failed", ""))


def _read_stages(
    workspace: Workspace, stages: Sequence[tuple[Stage, tuple[Ledger, ...]]], *names: str
) -> Iterator[tuple[Document, str, str]]:
    """Yield the documents in the files `names` of these stages, with filter and reason of a drop, else "" and ""."""
    for stage, ledgers in stages:
        for path in (workspace.stage(stage, ledger.key) / f"{name}.parquet" for ledger in ledgers for name in names):
            table = shard.read(path)
            docs = shard.to_documents(table.select(shard.DOCUMENTS.names))
            none = [""] * table.num_rows
            columns = (table[name].to_pylist() if name in table.column_names else none for name in ("by", "reason"))
            yield from zip(docs, *columns, strict=True)
