"""Compare two releases by their columns: documents added, removed and why, changed; shares, sources, files.

No text is read: `text_sha256` represents it. Files that both releases share as hard links are not compared. The answer
is the same for the same two releases. An id that the later release masks is not shown: the audit tables of that release
name such a document by number only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias, cast

from malmoi import limits
from malmoi.errors import DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.release_schema import COLUMNS
from malmoi.releases.versions.comparison import (
    CHANGES,
    Change,
    Changed,
    Comparison,
    Files,
    Removed,
    Share,
    Size,
    Version,
    Why,
)
from malmoi.storage.duckdb_tables import BEFORE, DATA, OTHER, Tables, open_tables

_Changes: TypeAlias = Sequence[tuple[str, int]]  # columns that differ, separated by blanks; documents

_NEEDED: Final = ("id", "text_sha256", "source", "license", "use", "n_chars", "n_bytes")
_DERIVED: Final = ("id", "text", "sentences", "morphemes")  # `text_sha256` is compared in their place
_CHANGE_OF: Final[dict[str, Change]] = {
    "text_sha256": "text", "license": "licence", "use": "licence", "title": "title",
    "fetched": "recaptured", "record": "recaptured", "revision": "recaptured",
}  # fmt: skip
_SHARES: Final = {
    "licences": ("license", "use"),
    "sources": ("source",),
    "fields": ("domain",),
    "registers": ("register",),
}
_LONGEST: Final = 2000  # code points of an id or a value
_MASKED: Final = "[withheld]"  # in place of the key of an id that the later release masks

# Each document of the earlier release that the later one lacks, with the reason that the later one's audit gives.
_GONE: Final = """
  WITH gone AS (SELECT a.id, a.source, a.text_sha256 FROM before.other_data a ANTI JOIN other_data b USING (id)),
  new AS (SELECT b.text_sha256, min(b.id) AS id FROM other_data b ANTI JOIN before.other_data a USING (id) GROUP BY 1),
  copies AS (SELECT member AS id, min(keeper) AS keeper, min(kind) AS kind FROM clusters GROUP BY 1),
  drops AS (SELECT DISTINCT ON (id) id, filter, reason FROM dropped ORDER BY id, stage, filter, reason),
  broken AS (SELECT id, min(stage) AS stage, min(why) AS why FROM failed GROUP BY 1),
  masked AS (SELECT DISTINCT source FROM dropped WHERE contains(id, '/[withheld ')),
  explained AS (
    SELECT gone.id, gone.source, keeper, new.id AS other, filter, drops.reason, stage, broken.why AS fault, CASE
      WHEN gone.source NOT IN (SELECT name FROM sources) THEN 'source-left-out'
      WHEN keeper IS NOT NULL THEN 'copy'
      WHEN filter IS NOT NULL THEN 'dropped'
      WHEN stage IS NOT NULL THEN 'failed'
      WHEN regexp_full_match(new.id, '[^/]*/page-[0-9a-f]{24}') THEN 'withheld'
      WHEN new.id IS NOT NULL THEN 'renamed'
      WHEN masked.source IS NOT NULL THEN 'withheld'
      ELSE 'gone' END AS why
    FROM gone LEFT JOIN new USING (text_sha256) LEFT JOIN copies ON copies.id = gone.id
      LEFT JOIN drops ON drops.id = gone.id LEFT JOIN broken ON broken.id = gone.id
      LEFT JOIN masked ON masked.source = gone.source)
"""
_LIST_GONE: Final = f"""{_GONE}
  SELECT CASE why WHEN 'withheld' THEN source || '/{_MASKED}' ELSE left(id, {_LONGEST}) END AS id, why,
    CASE why WHEN 'copy' THEN left(keeper, {_LONGEST}) WHEN 'dropped' THEN left(filter, {_LONGEST})
      WHEN 'failed' THEN left(stage, {_LONGEST}) WHEN 'renamed' THEN left(other, {_LONGEST}) ELSE '' END AS by,
    CASE why WHEN 'dropped' THEN left(reason, {_LONGEST}) WHEN 'failed' THEN left(fault, {_LONGEST}) ELSE '' END
  FROM explained ORDER BY ALL LIMIT {limits.DIFF_LISTED.value}
"""
_COUNT_GONE: Final = f"""{_GONE}
  SELECT why, CASE WHEN why IN ('copy', 'dropped') THEN coalesce(filter, '') ELSE '' END,
    CASE WHEN why IN ('copy', 'dropped') THEN coalesce(reason, '') ELSE '' END, count(*)
  FROM explained GROUP BY ALL ORDER BY ALL
"""
# The masked drops of those sources that lost documents for a reason that the audit tables do not give.
_MASKED_DROPS: Final = f"""{_GONE}
  SELECT left(source, {_LONGEST}), filter, reason, count(*) FROM dropped WHERE contains(id, '/[withheld ')
    AND source IN (SELECT source FROM explained WHERE why = 'withheld') GROUP BY ALL ORDER BY ALL
"""
_LIST_ADDED: Final = f"""
  SELECT left(b.id, {_LONGEST}) FROM other_data b ANTI JOIN before.other_data a USING (id)
  ORDER BY b.id LIMIT {limits.DIFF_LISTED.value}
"""
_COUNT: Final = """
  SELECT count(*) FILTER (a.id IS NULL), count(*) FILTER (b.id IS NULL)
  FROM before.other_data a FULL JOIN other_data b ON a.id = b.id
"""
# Columns of all tables of both releases whose types differ, or that only one of them has.
_SCHEMA: Final = f"""
  WITH all_columns AS (SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
    WHERE NOT internal AND table_name <> '{OTHER}')
  SELECT table_name, column_name, coalesce(max(data_type) FILTER (schema_name = '{BEFORE}'), '') AS one,
    coalesce(max(data_type) FILTER (schema_name = 'main'), '') AS two
  FROM all_columns GROUP BY ALL HAVING one <> two ORDER BY ALL
"""


def compare(before: Path, after: Path) -> Comparison:
    """Compare two releases, which may come from strangers; the caller limits time and memory.

    DataError if one cannot be read, lacks a column that is needed, or repeats an id.
    """
    one, two = manifests.read(before), manifests.read(after)
    with open_tables(after, before=before) as tables:
        shared = _list_shared_columns(tables)
        for place, folder in ((f"{BEFORE}.{DATA}", before), (DATA, after)):
            _refuse_repeated_ids(tables, place, folder)
        ((added, removed),) = _ask_numbers(tables, _COUNT)
        differing = _spell_differences(shared)
        changes = _count_changes(tables, differing)
        return Comparison(
            before=_describe(one, tables, f"{BEFORE}.{DATA}"),
            after=_describe(two, tables, DATA),
            added=added,
            removed=removed,
            changed=_sum_by_change(changes),
            columns=_sum_by_column(changes),
            masked=_ask_counted(tables, _MASKED_DROPS),
            reasons=_ask_counted(tables, _COUNT_GONE),
            added_ids=tuple(str(row[0]) for row in tables.ask(_LIST_ADDED).rows),
            removed_ids=tuple(
                Removed(str(id), cast(Why, why), str(by), str(reason))
                for id, why, by, reason in tables.ask(_LIST_GONE).rows
            ),
            changed_ids=_list_changed(tables, differing),
            shares={name: _compare_shares(tables, names) for name, names in _SHARES.items() if {*names} <= {*shared}},
            filters=_compare_filters(one, two),
            schema=tuple(tuple(map(str, row)) for row in tables.ask(_SCHEMA).rows),  # type: ignore[misc]
            files=_compare_files(one, two),
        )


def _list_shared_columns(tables: Tables) -> list[str]:
    """Return the columns of data/ that this version knows and both releases have with equal types."""
    rows = tables.ask(
        f"SELECT column_name FROM duckdb_columns() WHERE table_name = '{DATA}' AND NOT internal "
        "GROUP BY 1 HAVING count(*) = 2 AND count(DISTINCT data_type) = 1"
    ).rows
    found = {str(row[0]) for row in rows}
    if missing := [name for name in _NEEDED if name not in found]:
        raise DataError(
            f"the releases do not share the columns {', '.join(missing)} of data/; they cannot be compared."
        )
    return [column.name for column in COLUMNS if column.name in found]


def _refuse_repeated_ids(tables: Tables, place: str, folder: Path) -> None:
    ((rows, ids),) = _ask_numbers(tables, f"SELECT count(*), count(DISTINCT id) FROM {place}")
    if rows != ids:
        raise DataError(f"{folder}: {rows - ids:,} documents have no id of their own; see `malmoi verify {folder}`.")


def _ask_numbers(tables: Tables, sql: str) -> list[tuple[int, ...]]:
    return [tuple(int(value or 0) for value in row) for row in tables.ask(sql).rows]


def _ask_counted(tables: Tables, sql: str) -> tuple[tuple[str, str, str, int], ...]:
    return tuple((str(a), str(b), str(c), int(n or 0)) for a, b, c, n in tables.ask(sql).rows)


def _describe(made: Manifest, tables: Tables, place: str) -> Version:
    sql = f"SELECT count(*), sum(n_chars)::BIGINT, sum(n_bytes)::BIGINT FROM {place}"
    ((documents, characters, text_bytes),) = _ask_numbers(tables, sql)
    size = Size(documents, characters, text_bytes, len(made.files), sum(file.bytes for file in made.files))
    return Version(
        made.name, made.version, made.date, made.root, made.schema_version, made.n_shards, made.recipe_digest, size
    )


def _spell_differences(shared: Sequence[str]) -> str:
    """Return a query of the documents of both releases: id, and the names of the columns that differ."""
    names = [name for name in shared if name not in _DERIVED]
    cases = ", ".join(f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in names)
    return f"SELECT id, concat_ws(' ', {cases}) AS differ FROM before.{OTHER} a JOIN {OTHER} b USING (id)"


def _count_changes(tables: Tables, differing: str) -> _Changes:
    sql = f"SELECT differ, count(*) FROM ({differing}) WHERE differ <> '' GROUP BY 1 ORDER BY 1"
    return [(str(differ), int(n or 0)) for differ, n in tables.ask(sql).rows]


def _list_changed(tables: Tables, differing: str) -> tuple[Changed, ...]:
    sql = f"SELECT left(id, {_LONGEST}), differ FROM ({differing}) WHERE differ <> '' ORDER BY id"
    rows = tables.ask(f"{sql} LIMIT {limits.DIFF_LISTED.value}").rows
    return tuple(Changed(str(id), _name_change(str(differ)), tuple(str(differ).split())) for id, differ in rows)


def _name_change(differ: str) -> Change:
    """Return the first change in the order of CHANGES.

    >>> _name_change("title text_sha256 n_chars"), _name_change("fetched quality"), _name_change("fetched")
    ('text', 'metadata', 'recaptured')
    """
    found = {_CHANGE_OF.get(name, "metadata") for name in differ.split()}
    return next(change for change in CHANGES if change in found)


def _sum_by_change(changes: _Changes) -> dict[str, int]:
    counts: Counter[str] = Counter(dict.fromkeys(CHANGES, 0))
    for differ, n in changes:
        counts[_name_change(differ)] += n
    return dict(counts)


def _sum_by_column(changes: _Changes) -> dict[str, int]:
    counts = Counter[str]()
    for differ, n in changes:
        counts.update(dict.fromkeys(differ.split(), n))
    return dict(sorted(counts.items()))


def _compare_shares(tables: Tables, names: Sequence[str]) -> tuple[Share, ...]:
    value = f"left(concat_ws(' · ', {', '.join(names)}), {_LONGEST})"
    rows = tables.ask(
        f"SELECT {value} AS value, count(*) FILTER (was), count(*) FILTER (NOT was), "
        "coalesce(sum(n_chars) FILTER (was), 0)::BIGINT, coalesce(sum(n_chars) FILTER (NOT was), 0)::BIGINT "
        f"FROM (SELECT {', '.join(names)}, n_chars, true AS was FROM before.data "
        f"UNION ALL SELECT {', '.join(names)}, n_chars, false FROM data) GROUP BY 1 ORDER BY 1 "
        f"LIMIT {limits.DIFF_LISTED.value}"
    ).rows
    numbers = ((str(row[0]), [int(n or 0) for n in row[1:]]) for row in rows)
    return tuple(Share(value, (n[0], n[1]), (n[2], n[3])) for value, n in numbers)


def _compare_filters(one: Manifest, two: Manifest) -> tuple[tuple[str, int, int], ...]:
    a, b = dict(one.recipe_filters), dict(two.recipe_filters)
    found = ((name, a.get(name, 0), b.get(name, 0)) for name in sorted(a.keys() | b.keys()))
    return tuple(row for row in found if row[1] != row[2])


def _compare_files(one: Manifest, two: Manifest) -> Files:
    a, b = ({file.path: file for file in made.files} for made in (one, two))
    same = [path for path in a.keys() & b.keys() if a[path].sha256 == b[path].sha256]
    return Files(
        unchanged=len(same),
        unchanged_bytes=sum(b[path].bytes for path in same),
        changed=len(a.keys() & b.keys()) - len(same),
        added=len(b.keys() - a.keys()),
        removed=len(a.keys() - b.keys()),
    )
