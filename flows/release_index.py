"""The deduplication index of a workspace: list its segments, and find published near-duplicates by it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds
from rich.table import Table

from flows.console import SafeConsole
from malmoi import recipe as recipes
from malmoi.erasure import tombstones
from malmoi.errors import CallError
from malmoi.releases import segments
from malmoi.releases.segments import ROWS, IndexSegment
from malmoi.survey import Survey
from malmoi.workspace import Workspace
from malmoi.workspace_layout import Layout

if TYPE_CHECKING:
    from filters.duplicates.index_lookup import Texts

COPIES = "copies"  # the survey whose segments hold MinHash signatures
_PAIR = ["id", "keeper", "kind", "similarity"]


def show_segments(root: Path, out: SafeConsole) -> None:
    """Print the segments of a workspace, and the inactive ones with the reason; CallError without a workspace."""
    workspace = open_workspace(root)
    lines = list_entries(workspace)
    shown = Table("survey", "release", "version", "documents", "bytes", "masked", title="index")
    for line in lines:
        if line.segment.state == "counts":
            facts = line.segment.readable_facts
            merged = f" (with {len(facts.replaces)} merged)" if facts.replaces else ""
            row = (line.survey, facts.release, facts.version + merged, f"{facts.documents:,}")
            shown.add_row(*row, f"{line.bytes:,}", f"{line.masked:,}")
    if shown.row_count:
        out.print(shown)
    else:
        out.print(f"{root}: no active segment.")
    for line in lines:
        if line.segment.state != "counts":
            out.print(f"inactive: {line.survey}/{line.segment.name}: {line.segment.why}")
    for name in releases_without_segment(workspace):
        out.print(
            f"release {name} has no segment: it was made before the index existed or by a recipe without "
            "near_duplicates, or its segment was deleted. Later releases cannot compare with its documents; if it is "
            "the latest, `malmoi run` with the same inputs writes the segment now."
        )


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One segment with its size, as `malmoi index` lists it."""

    survey: str
    segment: IndexSegment
    bytes: int
    masked: int


def open_workspace(root: Path) -> Workspace:
    """Open the workspace at `root`; CallError if there is none, and nothing is created."""
    if not Layout(root).mark.exists():
        raise CallError(
            f"{root} is not a workspace; name one with --workspace, or make one: "
            f"`malmoi run RECIPE --source SOURCE --workspace {shlex.quote(str(root))}`."
        )
    return Workspace.open(root)


def list_index_surveys() -> dict[str, Survey]:
    """Return the surveys that write index segments, by name."""
    found = (getattr(recipes.load_filter(name), "SURVEY", None) for name in recipes.list_filters())
    return {one.name: one for one in found if one is not None and one.remembers}


def segments_by_survey(workspace: Workspace) -> dict[str, list[IndexSegment]]:
    """Return all segments of each survey that has a folder in the index, including inactive ones."""
    roots, known = segments.read_release_roots(workspace), list_index_surveys()
    names = workspace.index_names()
    return {n: segments.find_segments(workspace, n, known[n].version if n in known else None, roots) for n in names}


def list_entries(workspace: Workspace) -> list[IndexEntry]:
    """List every segment with its size on disk and its number of masked documents."""
    withdrawn = tombstones.read_ids(workspace.withdrawals)
    entries = []
    for survey, one in ((name, one) for name, known in segments_by_survey(workspace).items() for one in known):
        size = sum(path.stat().st_size for path in one.folder.rglob("*") if path.is_file())
        masked = 0 if one.state == "broken" else len(segments.find_ids(one.folder, withdrawn))
        entries.append(IndexEntry(survey, one, size, masked))
    return entries


def releases_without_segment(workspace: Workspace) -> list[str]:
    """List "name version" of each release without a segment: older than the index, or its segment was deleted."""
    left = {
        (one.readable_facts.release, *mark)
        for found in segments_by_survey(workspace).values()
        for one in segments.select_counting(found)
        for mark in segments.marks(one)
    }
    standing = [
        (name, version, root[: segments.ROOT])
        for (name, version), root in segments.read_release_roots(workspace).items()
    ]
    return [f"{name} {version}" for name, version, root in standing if (name, version, root) not in left]


def summary(workspace: Workspace) -> str:
    """Describe the size of the index in one line."""
    found = list_entries(workspace)
    counting = [one for one in found if one.segment.state == "counts"]
    if not found:
        return "index: empty; a release writes a segment if its recipe has near_duplicates"
    documents = sum(one.segment.readable_facts.documents for one in counting)
    masked, size = sum(one.masked for one in counting), sum(one.bytes for one in counting) / 1e6
    unseen = f", {len(found) - len(counting)} not active" if len(found) > len(counting) else ""
    return f"index: {len(counting)} segments, {documents:,} documents, {masked} masked, {size:,.1f} MB{unseen}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A published near-duplicate; similarity is the estimated Jaccard similarity of the shingles."""

    id: str
    release: str
    version: str
    similarity: float


def list_active(workspace: Workspace) -> list[IndexSegment]:
    """List the active segments of copies, by release and version."""
    return segments.select_counting(segments_by_survey(workspace).get(COPIES, ()))


def find_copies(workspace: Workspace, given: Texts, threshold: float) -> dict[int, list[Copy]]:
    """Map the number of each text to its published near-duplicates, most similar first; texts without any are left out.

    Withdrawn documents, and rows replaced by a newer release of the same name, are ignored.
    """
    from filters.duplicates.index_lookup import find_near_copies  # loads the comparison of texts, which few need

    out, known = set(tombstones.read_ids(workspace.withdrawals)), list_active(workspace)
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
    """Yield for each (id, text) one object: its id and its published near-duplicates. CallError without an index."""
    from filters.duplicates.index_lookup import Texts

    given = list(rows)
    if not list_active(workspace):
        raise CallError(
            f"{workspace.root} has no index yet: no release has written a segment. Release by a recipe "
            "with near_duplicates: the release writes one."
        )
    found = find_copies(workspace, Texts.from_strings([text for _, text in given]), threshold)
    for n, (id, _) in enumerate(given):
        yield {"id": id, "copies": [asdict(copy) for copy in found.get(n, ())]}


def find_copies_of_documents(workspace: Workspace, ids: Sequence[str], threshold: float) -> dict[str, list[Copy]]:
    """Map each indexed document to its published near-duplicates, without itself."""
    rows: dict[str, pa.Table] = {}
    for one in list_active(workspace):
        dataset = ds.dataset(one.folder / ROWS)
        table = dataset.to_table(filter=ds.field("id").isin(list(ids)))
        rows |= {id: table.slice(i, 1) for i, id in enumerate(table.column("id").to_pylist())}  # newest last
    if not rows:
        return {}
    from filters.duplicates.index_lookup import Texts

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
    from filters import normalise
    from flows.input_files import read_inputs, to_document, to_row
    from malmoi.apply import apply

    for found in read_inputs(files, jsonl):
        doc = to_document(to_row(found))
        yield doc.id, apply(doc, "normalise", "mend", normalise.mend(doc)).text
