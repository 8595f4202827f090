"""Compare two releases by their columns: documents added, removed and why, changed; shares, sources, files.

No text is read: `text_sha256` represents it. Files that both releases share as hard links are not compared. The answer
is the same for the same two releases; `malmoi diff --json` prints it (docs/releases.md describes each key). An id that
the later release masks is not shown: the audit tables of that release name such a document by number only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from malmoi import limits
from malmoi.errors import DataError
from malmoi.releases import manifest as manifests
from malmoi.releases.manifest import Manifest
from malmoi.releases.release_schema import COLUMNS
from malmoi.storage.duckdb_tables import BEFORE, DATA, OTHER, Tables, open_tables

FORMAT = 1  # of the JSON; raise it with a change of a key
# What changed in a document, the first that applies; `recaptured`: fetched again, with the same content.
Change: TypeAlias = Literal["text", "licence", "title", "metadata", "recaptured"]
CHANGES: tuple[Change, ...] = get_args(Change)
# Why a document is gone: its source was left out · it is a copy of a kept one · a filter dropped it · it failed · the
# same text has another id · it is withheld (masked), or its page is gone · no stage saw it: its page is gone.
Why: TypeAlias = Literal["source-left-out", "copy", "dropped", "failed", "renamed", "withheld", "gone"]
WHYS: tuple[Why, ...] = get_args(Why)
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
_LIST_CHANGED: Final = f"SELECT left(id, {_LONGEST}), differ {{}} ORDER BY id LIMIT {limits.DIFF_LISTED.value}"
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


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one release; `bytes` are those of its Parquet files."""

    documents: int
    characters: int
    text_bytes: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two releases."""

    name: str
    version: str
    date: str
    root: str
    schema_version: int
    n_shards: int
    recipe: str  # its digest
    size: Size


@dataclass(frozen=True, slots=True)
class Removed:
    """A document of the earlier release only; `by` is a filter, a stage or the id of a representative."""

    id: str  # `<source>/[withheld]` if the later release masks it
    why: Why
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document of both releases, and the columns that differ."""

    id: str
    change: Change
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Documents and characters of one value of a column in both releases."""

    value: str
    documents: tuple[int, int]
    characters: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Files:
    """Parquet files by path, as the manifests list them; `unchanged` have the same sha256."""

    unchanged: int
    unchanged_bytes: int
    changed: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences of two releases. Counts are complete, lists end at `limit diff_listed`."""

    before: Version
    after: Version
    added: int
    removed: int
    changed: dict[str, int]  # documents by `Change`
    columns: dict[str, int]  # documents by column that differs
    reasons: tuple[tuple[str, str, str, int], ...]  # why, by, reason, documents; `by` is never an id here
    masked: tuple[tuple[str, str, str, int], ...]  # source, filter, reason, documents that the later release masks
    added_ids: tuple[str, ...]
    removed_ids: tuple[Removed, ...]
    changed_ids: tuple[Changed, ...]
    shares: dict[str, tuple[Share, ...]]  # licences, sources, fields, registers: all values of both
    filters: tuple[tuple[str, int, int], ...]  # filter, version before and after; 0 = not in the recipe
    schema: tuple[tuple[str, str, str, str], ...]  # table, column, type before and after; "" = not there
    files: Files

    def to_value(self) -> dict[str, Any]:
        """Return the value of the JSON."""
        return {"format": FORMAT, **asdict(self)}


def compare(before: Path, after: Path) -> Comparison:
    """Compare two releases, which may come from strangers; the caller limits time and memory.

    DataError if one cannot be read, lacks a column that is needed, or repeats an id.
    """
    one, two = manifests.read(before), manifests.read(after)
    with open_tables(after, before=before) as tables:
        shared = _list_shared_columns(tables)
        for place, folder in ((f"{BEFORE}.{DATA}", before), (DATA, after)):
            ((rows, ids),) = _ask_numbers(tables, f"SELECT count(*), count(DISTINCT id) FROM {place}")
            if rows != ids:
                says = f"{rows - ids:,} documents have no id of their own; see `malmoi verify {folder}`."
                raise DataError(f"{folder}: {says}")
        ((added, removed),) = _ask_numbers(tables, _COUNT)
        cases = ", ".join(
            f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in shared if name not in _DERIVED
        )
        # The documents of both releases: id, and the names of the columns that differ.
        pairs = f"SELECT id, concat_ws(' ', {cases}) AS differ FROM before.{OTHER} a JOIN {OTHER} b USING (id)"
        differing = f"FROM ({pairs}) WHERE differ <> ''"
        changed, columns = Counter[str](dict.fromkeys(CHANGES, 0)), Counter[str]()
        for names, n in tables.ask(f"SELECT differ, count(*) {differing} GROUP BY 1 ORDER BY 1").rows:
            changed[_name_change(str(names))] += int(n or 0)
            columns.update(dict.fromkeys(str(names).split(), int(n or 0)))
        old, new = ({file.path: file for file in made.files} for made in (one, two))
        both = old.keys() & new.keys()
        same = [path for path in both if old[path].sha256 == new[path].sha256]
        a, b = dict(one.recipe_filters), dict(two.recipe_filters)
        filters = ((name, a.get(name, 0), b.get(name, 0)) for name in sorted(a.keys() | b.keys()))
        return Comparison(
            before=_describe(one, tables, f"{BEFORE}.{DATA}"),
            after=_describe(two, tables, DATA),
            added=added,
            removed=removed,
            changed=dict(changed),
            columns=dict(sorted(columns.items())),
            masked=_ask_counted(tables, _MASKED_DROPS),
            reasons=_ask_counted(tables, _COUNT_GONE),
            added_ids=tuple(str(row[0]) for row in tables.ask(_LIST_ADDED).rows),
            removed_ids=tuple(
                Removed(str(id), cast(Why, why), str(by), str(reason))
                for id, why, by, reason in tables.ask(_LIST_GONE).rows
            ),
            changed_ids=tuple(
                Changed(str(id), _name_change(str(differ)), tuple(str(differ).split()))
                for id, differ in tables.ask(_LIST_CHANGED.format(differing)).rows
            ),
            shares={name: _compare_shares(tables, names) for name, names in _SHARES.items() if {*names} <= {*shared}},
            filters=tuple(row for row in filters if row[1] != row[2]),
            schema=tuple(tuple(map(str, row)) for row in tables.ask(_SCHEMA).rows),  # type: ignore[misc]
            files=Files(
                unchanged=len(same),
                unchanged_bytes=sum(new[path].bytes for path in same),
                changed=len(both) - len(same),
                added=len(new.keys() - both),
                removed=len(old.keys() - both),
            ),
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


def _name_change(differ: str) -> Change:
    """Return the first change in the order of CHANGES.

    >>> _name_change("title text_sha256 n_chars"), _name_change("fetched quality"), _name_change("fetched")
    ('text', 'metadata', 'recaptured')
    """
    found = {_CHANGE_OF.get(name, "metadata") for name in differ.split()}
    return next(change for change in CHANGES if change in found)


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
