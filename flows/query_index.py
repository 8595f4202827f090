"""Asking the index: which published documents a text, or a document that was withdrawn, is a near copy of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from filters import normalise
from filters.duplicates.index_lookup import Texts, find_near_copies
from flows.input_files import read_inputs as given_rows
from flows.input_files import to_document, to_row
from flows.release_index import segments_by_survey
from malmoi import withdrawals
from malmoi.apply import apply
from malmoi.errors import CallError
from malmoi.releases.index import segments
from malmoi.releases.index.segments import ROWS, IndexSegment
from malmoi.workspace import Workspace

COPIES = "copies"  # the survey whose segments hold signatures
_PAIR = ["id", "keeper", "kind", "similarity"]


@dataclass(frozen=True, slots=True)
class Copy:
    """A published document that is a near copy: similarity is the estimated Jaccard similarity of the shingles."""

    id: str
    release: str
    version: str
    similarity: float


def find_active_segments(workspace: Workspace) -> list[IndexSegment]:
    """The segments of copies that count, by release and version. CallError where there is none."""
    found = segments.select_counting(segments_by_survey(workspace).get(COPIES, ()))
    if not found:
        raise CallError(
            f"{workspace.root} has no index yet: no release that stands has left a segment. Release by a recipe "
            "with near_duplicates: the release leaves one."
        )
    return found


def has_active_segments(workspace: Workspace) -> bool:
    """Whether the index has a segment of copies that counts."""
    return bool(segments.select_counting(segments_by_survey(workspace).get(COPIES, ())))


def find_copies(workspace: Workspace, given: Texts, threshold: float) -> dict[int, list[Copy]]:
    """For the number of each text that has some, its near copies among what is published, most alike first.

    Withdrawn documents and rows that a newer one of the same release name replaces stand for nothing.
    """
    out = {one.id for one in withdrawals.read(workspace.withdrawals)}
    known = find_active_segments(workspace)
    found: dict[int, list[Copy]] = defaultdict(list)
    for at, one in enumerate(known):
        hits = [hit for hit in find_near_copies(one.folder / ROWS, given, threshold) if hit.id not in out]
        newer = [n for n in known[at + 1 :] if n.readable_facts.release == one.readable_facts.release]
        replaced = {id for n in newer for id in segments.find_ids(n.folder, sorted({hit.id for hit in hits}))}
        for hit in hits:
            if hit.id not in replaced:
                found[hit.text].append(Copy(hit.id, hit.release, hit.version, hit.similarity))
    return {n: sorted(c, key=lambda c: (-c.similarity, c.id, c.release)) for n, c in found.items()}


def ask(workspace: Workspace, rows: Iterable[tuple[str, str]], threshold: float) -> Iterator[dict[str, Any]]:
    """For each (id, text) one object: its id, and the published documents that it is a near copy of."""
    given = list(rows)
    found = find_copies(workspace, Texts.from_strings([text for _, text in given]), threshold)
    for n, (id, _) in enumerate(given):
        yield {"id": id, "copies": [asdict(copy) for copy in found.get(n, ())]}


def find_copies_of_documents(workspace: Workspace, ids: Sequence[str], threshold: float) -> dict[str, list[Copy]]:
    """For each document that the index holds, the published documents that are near copies of it, itself left out."""
    rows: dict[str, pa.Table] = {}
    for one in find_active_segments(workspace):
        dataset = ds.dataset(one.folder / ROWS)
        table = dataset.to_table(filter=ds.field("id").isin(list(ids)))
        rows |= {id: table.slice(i, 1) for i, id in enumerate(table.column("id").to_pylist())}  # the newest stands
    if not rows:
        return {}
    given = Texts.from_arrow(pa.concat_tables(rows.values()).combine_chunks())
    found = find_copies(workspace, given, threshold)
    return {id: [copy for copy in found.get(n, ()) if copy.id != id] for n, id in enumerate(rows)}


def find_cluster_pairs(workspace: Workspace, id: str) -> list[tuple[str, str, str, float]]:
    """(copy, keeper, kind, similarity) of the pairs with `id` in the tables of copies of this workspace, each once."""
    found = set()
    for path in workspace.survey_files("table.parquet"):
        dataset = ds.dataset(path)
        if set(_PAIR) <= set(dataset.schema.names):
            wanted = (ds.field("id") == id) | (ds.field("keeper") == id)
            table = dataset.to_table(columns=_PAIR, filter=wanted)
            found |= set(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return sorted(found, key=lambda row: (-row[3], row[0], row[1]))


def read_texts(files: Sequence[Path], jsonl: Path | None) -> Iterator[tuple[str, str]]:
    """(id, text) of each file, whatever its format, or of each line of JSON; normalised as published texts are.

    CallError names the file, and the line, of what cannot be read.
    """
    for found in given_rows(files, jsonl):
        doc = to_document(to_row(found))
        yield doc.id, apply(doc, "normalise", "mend", normalise.mend(doc)).text
