"""Show each licence mark of documents of a release with the passage of the archived response that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from crawlers.extract import load_capture
from crawlers.rights.claims import readable_text
from flows.release import make_redactor
from flows.run import recipe_of
from malmoi import url_privacy
from malmoi.archive import collection
from malmoi.archive.capture import Capture, IndexRow
from malmoi.errors import CaptureError
from malmoi.licensing import proofs
from malmoi.licensing.licence_words import fold
from malmoi.printable import escape_line
from malmoi.release_files import audit_file, data_files
from malmoi.workspace_layout import Layout

AROUND = 160  # code points of a passage on each side of the quote


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a quote is in the archived response: `outcome` says whether it is there, `text` shows what is around it."""

    outcome: str
    text: str = ""


def render_documents(release: Path, layout: Layout, ids: Sequence[str]) -> list[str]:
    """Return lines of Markdown about these documents of a release: what it grants, and each mark with its passage.

    Personal data around a quote is replaced.
    """
    documents = _read_documents(release, ids)
    evidence = _read_evidence(release, ids)
    records = {one["record"] for found in evidence.values() for one in found if one["record"]}
    places = dict(_find_records(layout, sorted({row["source"] for row in documents}), records))
    return [line for row in documents for line in _render_document(row, evidence.get(row["id"], []), places)]


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


def _find_records(layout: Layout, sources: Sequence[str], records: set[str]) -> Iterator[tuple[str, IndexRow]]:
    for source in sources:
        for run in collection.runs(layout.captures(source)):
            yield from ((row.record, collection.resolve_row(run, row)) for row in run.rows if row.record in records)


def find_passage(quote: str, capture: Capture) -> Passage:
    """Find a quote in an archived response: in its visible text, else in its source, part by part."""
    text = fold(readable_text(capture.body, capture.header("Content-Type"), capture.charset, capture.url))
    if quote in text:
        return Passage("verbatim in the text", _cut(text, quote))
    source = fold(capture.body.decode(capture.charset or "utf-8", "replace"))
    address, _, words = quote.partition(" ")
    if address in source and words in source:
        return Passage("verbatim in the source", _cut(source, address))
    return Passage("NOT FOUND verbatim: personal data was replaced in it, or its format hides it")


def _cut(text: str, quote: str) -> str:
    at = text.index(quote)
    return text[max(0, at - AROUND) : at + len(quote) + AROUND]


def _look_up(evidence: dict[str, Any], places: dict[str, IndexRow]) -> Passage:
    if evidence["kind"] == proofs.REVIEW:
        return Passage("the reason that a person gave for a decision")
    if not evidence["record"]:
        return Passage("record withheld: personal data of the document was replaced")
    if (row := places.get(evidence["record"])) is None:
        return Passage("NOT IN THIS WORKSPACE")
    try:
        return find_passage(evidence["quote"], load_capture(row))
    except (CaptureError, LookupError) as error:
        return Passage(f"UNREADABLE: {error}")


def _render_document(row: dict[str, Any], evidence: Sequence[dict[str, Any]], places: dict[str, IndexRow]) -> list[str]:
    redact = make_redactor(recipe_of("general"))
    lines = ["", f"## {escape_line(row['id'])}", ""]
    lines += [
        f"- {key}: {escape_line(str(row[key]))}" for key in ("license", "use", "title", "url", "fetched", "revision")
    ]
    for one in evidence:
        passage = _look_up(one, places)
        lines += ["", f"{one['licence']}, on the {one['scope']}, {one['kind']}: **{escape_line(passage.outcome)}**", ""]
        lines += [f"    quote    {escape_line(one['quote'])}", f"    place    {escape_line(one['place'])}"]
        lines += [f"    record   {escape_line(one['record'])}"]
        lines += [f"    passage  {escape_line(url_privacy.redact_text(passage.text, redact))}"] if passage.text else []
    return lines
