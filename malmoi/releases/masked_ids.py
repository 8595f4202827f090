"""Mask ids that a release must not name: their documents are dropped, and audit tables refer to them by number.

Such an id contains personal data, or leads to a page that does: the page of a document that was dropped for it, of a
copy of one, or of a document that was dropped before any filter searched for personal data. Ids of withdrawn documents
are withheld too: they would lead to what was removed on request.

The number is the position among all such ids of the release, in sorted order: it is unique within the release, and
cannot be traced back to the id. A hash could: a telephone number has few values to try.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import url_privacy
from malmoi.releases import excluded_documents, kept_parts, residue
from malmoi.releases.excluded_documents import ExclusionRules
from malmoi.releases.release_inputs import Redact, bind_phrases
from malmoi.storage import shard
from malmoi.storage.shuffle import Run, name_task

Names: TypeAlias = Mapping[str, str]  # id → its name in the release
# Reasons of drops whose page shows what must not be found, so that its copies are withheld too.
PAGES: Final = (
    "resident-number",
    excluded_documents.QUARANTINED[1],
    excluded_documents.UNVERIFIED[1],  # a value may have lost its placeholder
    excluded_documents.WITHDRAWN[1],
)
PERSONAL: Final = (*PAGES, "personal-data-in-id")
_MASK: Final = "/[withheld "  # between the source and the number of a masked id
# Of a dropped document, scanned for what its page shows.
_WORDS: Final = ["title", "author", "text", "evidence", "signals"]


@dataclass(frozen=True, slots=True)
class Search:
    """The work of one task: a finished stage shard, whose dropped documents are searched for such ids."""

    folder: Path
    redact: Redact | None
    sought: ExclusionRules = field(default_factory=ExclusionRules)
    key: str = ""  # digest of its dropped documents and of all else that decides the result; "": it is not kept


class Hidden(NamedTuple):
    """Ids of a shard that a release must not name, and those among them whose copies it must not name either."""

    ids: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    has_signals: bool = False  # whether a dropped document of the shard has a signal


@name_task("find ids to mask in shards")
def search(work: Search) -> Hidden:
    """Return the ids of dropped documents of a stage shard that a release must not name."""
    path = work.folder / "dropped.parquet"
    if not path.exists():
        return Hidden()
    table = shard.read(path, ["id", "reason", "signals"])
    rows = list(zip(table.column("id").to_pylist(), table.column("reason").to_pylist(), strict=True))
    hidden = find_withheld([id for id, _ in rows], work.redact, work.sought)
    about = (id for id, reason in rows if reason in PERSONAL)
    shown: list[str] = []  # ids of documents whose own text has a find of a kind that quarantines: their pages show it
    if work.sought.kinds:
        words = shard.read(path, ["id", *_WORDS])
        finds = residue.finds_by_row(words.select(_WORDS), work.sought.kinds)
        shown = [str(id) for id in words.column("id").take(pa.array(list(finds), pa.int64())).to_pylist()]
    return Hidden(
        (*about, *hidden, *shown),
        tuple(id for id, reason in rows if reason in PAGES),
        bool(pc.any(pc.greater(pc.list_value_length(table.column("signals")), 0)).as_py()),
    )


def search_all(work: Sequence[Search], run: Run, record: Path | None) -> list[Hidden]:
    """Run all searches; `record` keeps the results of those that have a key, for the next release."""
    record_values = {} if record is None else kept_parts.read_record(record)
    held = {key: Hidden(tuple(ids), tuple(pages), said) for key, (ids, pages, said) in record_values.items()}
    missing = [one for one in work if one.key not in held]
    made = zip(missing, run(search, missing), strict=True)
    found = {one.folder: (one.key, hidden) for one, hidden in made}
    held = {one.key: held[one.key] for one in work if one.key in held} | dict(found.values())
    if record is not None and found:
        kept_parts.write_record(record, {key: hidden for key, hidden in held.items() if key})
    return [found[one.folder][1] if one.folder in found else held[one.key] for one in work]


def find_withheld(ids: Sequence[str], redact: Redact | None, sought: ExclusionRules) -> tuple[str, ...]:
    """Return those of `ids` that contain personal data by either detector, or are withdrawn."""
    phrase = bind_phrases(redact)
    carry = () if redact is None else tuple(id for id in ids if url_privacy.has_personal_data(id, phrase))
    return (*carry, *excluded_documents.find_excluded(ids, sought))


def find_cluster_copies(pages: Collection[str], copies: pa.Table, published: Sequence[Path]) -> tuple[str, ...]:
    """Return the ids in a cluster with one of `pages` that no table in `published` has: their texts are
    near-duplicates.
    """
    here = select_clusters(copies, pages)
    found = {*here.column("member").to_pylist(), *here.column("keeper").to_pylist()}
    for path in published if found else ():
        found.difference_update(shard.read(path, ["id"]).column("id").to_pylist())
    return tuple(sorted(found))


def select_clusters(copies: pa.Table, ids: Collection[str]) -> pa.Table:
    """Return the rows of an audit table of copies whose cluster has one of `ids`."""
    sought = pa.array(sorted(ids), pa.string())
    touched = pc.or_(pc.is_in(copies["member"], value_set=sought), pc.is_in(copies["keeper"], value_set=sought))
    clusters = copies["cluster"].filter(touched).combine_chunks()
    return copies.filter(pc.is_in(copies["cluster"], value_set=clusters))


def mask_ids(ids: Iterable[str], first: int = 1) -> Names:
    """Map each of `ids` to its name in the release; `first` is the lowest number.

    >>> mask_ids(["a/u/hong@example.kr", "a/u/bae@example.kr"])
    {'a/u/bae@example.kr': 'a/[withheld 1]', 'a/u/hong@example.kr': 'a/[withheld 2]'}
    """
    return {id: f"{id.partition('/')[0]}{_MASK}{n}]" for n, id in enumerate(sorted(set(ids)), first)}


def number_of(name: str) -> int:
    """Return the number of a masked id; 0 if `name` is not one.

    >>> number_of("a/[withheld 12]"), number_of("a/12")
    (12, 0)
    """
    head, mark, rest = name.partition(_MASK)
    return int(rest[:-1]) if mark and "/" not in head and rest[:-1].isdecimal() and rest[-1] == "]" else 0


def rename_ids(table: pa.Table, columns: Iterable[str], given: Names) -> pa.Table:
    """Replace the ids in `columns` as `given` maps them; returns the same table object if it has none."""
    if not given:
        return table
    old, new = pa.array(list(given), pa.string()), pa.array(list(given.values()), pa.string())
    for name in columns:
        at = pc.index_in(table.column(name), value_set=old)
        if at.null_count < len(at):
            column = pc.coalesce(new.take(at.combine_chunks()), table.column(name))
            table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def rename_copies(table: pa.Table, given: Names) -> pa.Table:
    """Replace the ids in the audit table of copies as `given` maps them, and sort it again."""
    if not given:
        return table
    table = rename_ids(table, ("cluster", "keeper", "member"), given)
    return table.sort_by([(name, "ascending") for name in table.column_names])
