"""Ids that carry personal data: their documents are dropped, and the audit tables name them by a number.

The number is the place among all such ids of the release, in their order: it is unique within the
release, and nothing leads from it to the id. A hash would: a telephone number has few values to try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from malmoi import links, shard
from malmoi.releases.inputs import Redact

Names: TypeAlias = Mapping[str, str]  # id → what the release calls it
_FALLEN: Final = "fallen:"  # a reason in the table of copies that names an id: `fallen:<id> <reason>`


@dataclass(frozen=True, slots=True)
class Search:
    """The work of one task: a finished stage shard, in whose dropped documents such ids are looked for."""

    folder: Path
    redact: Redact | None


def search(work: Search) -> tuple[str, ...]:
    """The ids of dropped documents of a stage shard that carry personal data."""
    path = work.folder / "dropped.parquet"
    if work.redact is None or not path.exists():
        return ()
    return among(shard.read(path, ["id"]).column("id").to_pylist(), work.redact)


def among(ids: Iterable[str], redact: Redact | None) -> tuple[str, ...]:
    """Those of `ids` that carry personal data; none where a recipe leaves it alone."""
    return () if redact is None else tuple(id for id in ids if links.carries(id, redact))


def names(ids: Iterable[str]) -> Names:
    """What a release calls each of `ids`.

    >>> names(["a/u/hong@example.kr", "a/u/bae@example.kr"])
    {'a/u/bae@example.kr': 'a/[withheld 1]', 'a/u/hong@example.kr': 'a/[withheld 2]'}
    """
    return {id: f"{id.partition('/')[0]}/[withheld {n}]" for n, id in enumerate(sorted(set(ids)), 1)}


def renamed(table: pa.Table, columns: Iterable[str], given: Names) -> pa.Table:
    """The table with the ids of `columns` as `given` names them; the very same table where it holds none."""
    if not given:
        return table
    old, new = pa.array(list(given), pa.string()), pa.array(list(given.values()), pa.string())
    for name in columns:
        at = pc.index_in(table.column(name), value_set=old)
        if at.null_count < len(at):
            column = pc.coalesce(new.take(at.combine_chunks()), table.column(name))
            table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def copies(table: pa.Table, given: Names) -> pa.Table:
    """The audit table of copies as `given` names its ids, sorted anew."""
    if not given:
        return table
    table = renamed(table, ("cluster", "keeper", "member"), given)
    reasons = [_reason(reason, given) for reason in table.column("reason").to_pylist()]
    table = table.set_column(table.schema.get_field_index("reason"), "reason", pa.array(reasons, pa.string()))
    return table.sort_by([(name, "ascending") for name in table.column_names])


def _reason(reason: str, given: Names) -> str:
    """A reason without the id of a fallen keeper that is withheld.

    >>> _reason("fallen:a/u/1 date", {"a/u/1": "a/[withheld 1]"})
    'fallen:a/[withheld 1] date'
    """
    id, _, why = reason.removeprefix(_FALLEN).rpartition(" ")
    return f"{_FALLEN}{given[id]} {why}" if reason.startswith(_FALLEN) and id in given else reason
