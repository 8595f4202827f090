"""Query the deduplication index: find published near-duplicates of a text or of a withdrawn document."""

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
from malmoi.apply import apply
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.releases import segments
from malmoi.releases.segments import ROWS, IndexSegment
from malmoi.workspace import Workspace

COPIES = "copies"  # the survey whose segments hold MinHash signatures
_PAIR = ["id", "keeper", "kind", "similarity"]


@dataclass(frozen=True, slots=True)
class Copy:
    """A published near-duplicate; similarity is the estimated Jaccard similarity of the shingles."""

    id: str
    release: str
    version: str
    similarity: float


def find_active_segments(workspace: Workspace) -> list[IndexSegment]:
    """Return the active segments of copies, by release and version; CallError if there is none."""
    found = segments.select_counting(segments_by_survey(workspace).get(COPIES, ()))
    if not found:
        raise CallError(
            f"{workspace.root} has no index yet: no release has written a segment. Release by a recipe "
            "with near_duplicates: the release writes one."
        )
    return found


def has_active_segments(workspace: Workspace) -> bool:
    """Whether the index has an active segment of copies."""
    return bool(segments.select_counting(segments_by_survey(workspace).get(COPIES, ())))


def find_copies(workspace: Workspace, given: Texts, threshold: float) -> dict[int, list[Copy]]:
    """Map the number of each text to its published near-duplicates, most similar first; texts without any are left out.

    Withdrawn documents, and rows replaced by a newer release of the same name, are ignored.
    """
    out = set(tombstones.read_ids(workspace.withdrawals))
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
    """Yield for each (id, text) one object: its id and its published near-duplicates."""
    given = list(rows)
    found = find_copies(workspace, Texts.from_strings([text for _, text in given]), threshold)
    for n, (id, _) in enumerate(given):
        yield {"id": id, "copies": [asdict(copy) for copy in found.get(n, ())]}


def find_copies_of_documents(workspace: Workspace, ids: Sequence[str], threshold: float) -> dict[str, list[Copy]]:
    """Map each indexed document to its published near-duplicates, without itself."""
    rows: dict[str, pa.Table] = {}
    for one in find_active_segments(workspace):
        dataset = ds.dataset(one.folder / ROWS)
        table = dataset.to_table(filter=ds.field("id").isin(list(ids)))
        rows |= {id: table.slice(i, 1) for i, id in enumerate(table.column("id").to_pylist())}  # newest last
    if not rows:
        return {}
    given = Texts.from_arrow(pa.concat_tables(rows.values()).combine_chunks())
    found = find_copies(workspace, given, threshold)
    return {id: [copy for copy in found.get(n, ()) if copy.id != id] for n, id in enumerate(rows)}


def find_cluster_pairs(workspace: Workspace, id: str) -> list[tuple[str, str, str, float]]:
    """Return (copy, keeper, kind, similarity) of the pairs with `id` in the workspace's tables of copies, each once."""
    found = set()
    for path in workspace.survey_files("table.parquet"):
        dataset = ds.dataset(path)
        if set(_PAIR) <= set(dataset.schema.names):
            wanted = (ds.field("id") == id) | (ds.field("keeper") == id)
            table = dataset.to_table(columns=_PAIR, filter=wanted)
            found |= set(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return sorted(found, key=lambda row: (-row[3], row[0], row[1]))


def read_texts(files: Sequence[Path], jsonl: Path | None) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of each file, in any format, or of each JSON line; normalised like published texts.

    CallError names the file and the line that cannot be read.
    """
    for found in given_rows(files, jsonl):
        doc = to_document(to_row(found))
        yield doc.id, apply(doc, "normalise", "mend", normalise.mend(doc)).text
