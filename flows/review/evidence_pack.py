"""Show each licence mark of documents of a release with the passage of the archived response that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from flows.release import make_redactor
from flows.review import snippets
from flows.review.snippets import Records
from flows.run import recipe_of
from malmoi import url_privacy
from malmoi.document import LicenceEvidence
from malmoi.licensing import proofs
from malmoi.printable import escape_line
from malmoi.release_files import audit_file, data_files
from malmoi.workspace_layout import Layout

OUTCOMES = {  # of a snippet, for an auditor
    snippets.TEXT: "verbatim in the text",
    snippets.MARKUP: "verbatim in the source",
    snippets.PARTS: "verbatim in the source",
    snippets.HIDDEN: "NOT FOUND verbatim: personal data was replaced in it, or its format hides it",
    snippets.MISSING: "NOT IN THIS WORKSPACE",
    snippets.UNREADABLE: "UNREADABLE",
}


def render_documents(release: Path, layout: Layout, ids: Sequence[str]) -> list[str]:
    """Return lines of Markdown about these documents of a release: what it grants, and each mark with its passage.

    Personal data around a quote is replaced.
    """
    documents = _read_documents(release, ids)
    evidence = _read_evidence(release, ids)
    wanted = {one["record"] for found in evidence.values() for one in found if one["record"]}
    records = Records(layout, {row["source"]: wanted for row in documents})
    return [line for row in documents for line in _render_document(row, evidence.get(row["id"], []), records)]


def _read_documents(release: Path, ids: Sequence[str]) -> list[dict[str, Any]]:
    names = ["id", "source", "license", "use", "title", "url", "fetched", "record", "revision"]
    table = ds.dataset(data_files(release), format="parquet", partitioning=None)
    rows = {row["id"]: row for row in table.to_table(names, filter=pc.field("id").isin(list(ids))).to_pylist()}
    return [rows[id] for id in ids]


def _read_evidence(release: Path, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    table = ds.dataset(audit_file(release, "licence_evidence"), format="parquet")
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_table(filter=pc.field("id").isin(list(ids))).to_pylist():
        found.setdefault(row["id"], []).append(row)
    return found


def _find_passage(evidence: dict[str, Any], source: str, records: Records) -> tuple[str, str]:
    """Return where a quote is in its record, and the passage that holds it."""
    if evidence["kind"] == proofs.REVIEW:
        return "the reason that a person gave for a decision", ""
    if not evidence["record"]:
        return "record withheld: personal data of the document was replaced", ""
    one = LicenceEvidence(**{field.name: evidence[field.name] for field in fields(LicenceEvidence)})
    (found,) = snippets.find_snippets(records, source, [one])
    said = ": ".join(filter(None, (OUTCOMES[found.outcome], found.detail)))
    return said, " … ".join(f"{part.before}{part.mark}{part.after}" for part in found.passages)


def _render_document(row: dict[str, Any], evidence: Sequence[dict[str, Any]], records: Records) -> list[str]:
    redact = make_redactor(recipe_of("general"))
    lines = ["", f"## {escape_line(row['id'])}", ""]
    lines += [
        f"- {key}: {escape_line(str(row[key]))}" for key in ("license", "use", "title", "url", "fetched", "revision")
    ]
    for one in evidence:
        outcome, passage = _find_passage(one, row["source"], records)
        lines += ["", f"{one['licence']}, on the {one['scope']}, {one['kind']}: **{escape_line(outcome)}**", ""]
        lines += [f"    quote    {escape_line(one['quote'])}", f"    place    {escape_line(one['place'])}"]
        lines += [f"    record   {escape_line(one['record'])}"]
        lines += [f"    passage  {escape_line(url_privacy.redact_text(passage, redact))}"] if passage else []
    return lines
