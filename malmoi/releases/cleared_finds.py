"""Finds of the second detector that persons cleared as false alarms, and the audit table that a release has of them.

A decision clears the finds of one shape in a source, or the finds of one document as the person saw them. The table
names no value: `verify` searches the release again, and each find of a kind that must not be published is in it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.licensing.review_decisions import BETWEEN, CLEAR, Decision
from malmoi.release_files import is_data_file, is_morpheme_file
from malmoi.releases import residue
from malmoi.releases.release_schema import AUDIT, MORPHEME_DATA
from malmoi.releases.residue import Located
from malmoi.releases.residue.random_words import SHAPES
from malmoi.storage import shard

NAME: Final = "cleared_finds"
TABLE: Final = f"audit/{NAME}.parquet"
SHOWN: Final = "card"  # the parts of a document that the card may show: no find in them can be cleared
_MORPHEMES: Final = frozenset(MORPHEME_DATA.names) - {"id"}
_READ: Final = 2_000  # rows at a time
Place: TypeAlias = tuple[str, str, str, str, str]  # id, table, column, kind, shape


class Detail(NamedTuple):
    """A find of a document: the table that it is in, or SHOWN, and the text that has it."""

    table: str
    find: Located

    @property
    def is_shown(self) -> bool:
        """Whether the card may show it: an id, or the host of an address."""
        return self.table == SHOWN or self.find.column == "id"


@dataclass(frozen=True, slots=True)
class Cleared:
    """A cleared find of a document, `n` times: a row of the audit table."""

    id: str
    place: str  # table: data, morphemes, or one of audit/
    field: str
    kind: str
    shape: str
    decision: str
    reviewer: str
    date: str
    reason: str
    n: int


def spell_shape(source: str, kind: str, shape: str) -> str:
    """Return the key of the finds of a kind and shape in a source.

    >>> spell_shape("notes", "key", "capitals")
    'notes | key | capitals'
    """
    return BETWEEN.join((source, kind, shape))


def digest_finds(id: str, text: str, finds: Iterable[Detail]) -> str:
    """Return 16 hexadecimal digits that change with the text of a document, its finds, or the texts that have them.

    Morphemes count only where nothing else has a find: they follow the text.
    """
    said = [(one.table, one.find.column, one.find.span.kind, one.find.text) for one in finds]
    own = [row for row in said if row[1].partition(".")[0] not in _MORPHEMES]
    values = json.dumps([id, text, sorted(own or said)], ensure_ascii=True)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def select_decisions(decisions: Iterable[Decision], sources: Collection[str]) -> tuple[Decision, ...]:
    """Return the decisions in effect that clear finds in these sources, documents before shapes, the oldest first."""
    found = [one for one in decisions if one.verdict == CLEAR and not one.revoked and one.source in sources]
    return tuple(sorted(found, key=lambda one: (one.target != "item", one.date, one.id)))


def clear_finds(
    id: str, source: str, finds: Sequence[Detail], digest: str, decisions: Sequence[Decision]
) -> tuple[list[Detail], list[tuple[Detail, Decision]]]:
    """Return the finds of a document that stay, and those that a decision clears, each with the first that does."""
    stay: list[Detail] = []
    cleared: list[tuple[Detail, Decision]] = []
    for one in finds:
        key = spell_shape(source, one.find.span.kind, one.find.shape) if one.find.shape else ""
        targets = {"item": (id, digest), "shape": (key, "")}
        said = (by for by in decisions if by.source == source and targets.get(by.target) == (by.value, by.found))
        decision = None if one.is_shown else next(said, None)
        if decision is None:
            stay.append(one)
        else:
            cleared.append((one, decision))
    return stay, cleared


def list_rows(id: str, cleared: Iterable[tuple[Detail, Decision]]) -> list[Cleared]:
    """Return the rows of the audit table for a document with this published id."""
    counts = Counter[tuple[str, str, str, str, Decision]]()
    for (table, find), by in cleared:
        place = "morphemes" if table == "data" and find.column.partition(".")[0] in _MORPHEMES else table
        counts[place, find.column, find.span.kind, find.shape, by] += 1
    rows = [
        Cleared(id, place, field, kind, shape, by.id, by.reviewer, by.date, by.reason, n)
        for (place, field, kind, shape, by), n in counts.items()
    ]
    return sorted(rows, key=lambda row: (row.place, row.field, row.kind, row.shape, row.decision))


def make_table(rows: Iterable[Cleared]) -> pa.Table:
    """Build the audit table, sorted by all columns."""
    schema = AUDIT[NAME]
    values = [{name: getattr(row, name) for name in schema.names} for row in rows]
    return pa.Table.from_pylist(values, schema).sort_by([(name, "ascending") for name in schema.names])


def read_places(folder: Path) -> Counter[Place]:
    """Return how many finds of each place the audit table of a release clears; a row without a reason clears none."""
    path = folder / TABLE
    counts: Counter[Place] = Counter()
    for row in shard.read(path).to_pylist() if path.exists() else ():
        by_shape = row["decision"].startswith("shape-")
        if row["reviewer"] and row["reason"] and (row["shape"] in SHAPES or not by_shape):
            counts[row["id"], row["place"], row["field"], row["kind"], row["shape"]] += row["n"]
    return counts


def find_differences(
    folder: Path, name: str, kinds: Collection[str], cleared: Mapping[Place, int]
) -> tuple[Counter[Place], Counter[Place]]:
    """Return the finds in the rows of a file that are not cleared, and the cleared ones that are not in them.

    Rows of the table about documents that the file does not have are ignored for data/ and morphemes/, whose documents
    are in several files.
    """
    table = "data" if is_data_file(name) else "morphemes" if is_morpheme_file(name) else Path(name).stem
    said = Counter({place: n for place, n in cleared.items() if place[1] == table})
    found, ids = Counter[Place](), set[str]()
    with pq.ParquetFile(folder / name) as file:
        for batch in file.iter_batches(_READ):
            rows = pa.Table.from_batches([batch])
            ids.update(rows["id"].to_pylist() if said else ())
            for row in residue.finds_by_row(rows, kinds):
                id = rows["id"][row].as_py()
                for one in residue.locate(rows.slice(row, 1), kinds):
                    found[id, table, one.column, one.span.kind, one.shape] += 1
    if table in ("data", "morphemes"):
        said = Counter({place: n for place, n in said.items() if place[0] in ids})
    return found - said, said - found


def has_ids(folder: Path, name: str) -> bool:
    """Whether a file has rows of documents."""
    return name.endswith(".parquet") and "id" in pq.read_schema(folder / name).names
