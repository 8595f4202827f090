"""Query the tables of a release in SQL; no other module uses DuckDB.

A finished release is opened read-only: each table is a view over its Parquet files, or a copy of small ones. DuckDB
can read nothing outside the folder and write nothing, and one question is one SELECT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.errors import DataError
from malmoi.release_files import audit_files, data_files
from malmoi.storage import shard

DATA = "data"  # the view over all shards below data/; every other table is one file in audit/
BEFORE = "before"  # the schema of the tables of the other release, where two are compared
OTHER = "other_data"  # rows of `data` in files that are not the same file in both releases (hard links)
MEMORY = "1GB"  # of one sort; DuckDB spills the rest to its temporary folder
SMALL = 32 * 1024 * 1024  # bytes of Parquet, with texts; below it Arrow is used: starting DuckDB five times costs 0.2 s
READ_ONCE = 8 * 1024 * 1024  # bytes of Parquet; below it a table is read once, not for each question: half the CPU time
MOST_REPEATED = 1_000_000  # ids that are returned
ROWS = 65_536  # of one row group of an audit table
_spill: int | None = None  # bytes; None: the default of DuckDB
_GLOB = re.compile(r"[\[*?]")
Value: TypeAlias = int | str | None  # decimals are strings of fixed scale, so that equal values compare equal


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a SELECT: column names and rows, in order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


class Tables:
    """The views of one release; `ask` queries them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> None:
        self._connection = connection
        self.names = names

    def ask(self, sql: str) -> Answer:
        """Return the result of one SELECT: integers, decimals, strings and NULL only.

        DataError if the question is not one SELECT, fails, or returns floating point numbers: their sums
        depend on the number of threads.
        """
        try:
            statements = duckdb.extract_statements(sql)
            if [s.type for s in statements] != [duckdb.StatementType.SELECT]:
                raise DataError("a question is one SELECT and nothing else")
            found = self._connection.execute(sql)
            columns = tuple(str(c[0]) for c in found.description or ())
            rows = tuple(tuple(_value(v) for v in row) for row in found.fetchall())
        except duckdb.Error as error:
            raise DataError(f"the question failed: {_first_line(error)}") from error
        return Answer(columns, rows)


def limit_spill(size: int) -> None:
    """Limit the temporary files of each connection of this process to `size` bytes."""
    global _spill
    _spill = size


@contextmanager
def open_tables(folder: Path, *, before: Path | None = None) -> Iterator[Tables]:
    """Open the tables of the release in `folder`: `data` and one for each `audit/*.parquet`.

    The tables of the release in `before`, if given, are `before.data` and so on, and both have a view OTHER. DataError
    if a file cannot be read as Parquet or has no data.
    """
    files = _list_views(folder)
    views = [("main", name, paths) for name, paths in files.items()]
    if before is not None:
        views += [(BEFORE, name, paths) for name, paths in _list_views(before).items()]
        views += [("main", OTHER, _list_other(folder, before)), (BEFORE, OTHER, _list_other(before, folder))]
    with (
        TemporaryDirectory(prefix="malmoi-tables-", ignore_cleanup_errors=True) as spill,
        _connect(spill) as connection,
    ):
        connection.execute("SET parquet_metadata_cache = true")
        if _spill is not None:
            connection.execute(f"SET max_temp_directory_size = '{_spill}B'")
        connection.execute(f"CREATE SCHEMA {BEFORE}")  # empty where one release is opened
        sizes = [sum(path.stat().st_size for path in paths) for *_, paths in views]
        if max(sizes) <= READ_ONCE:
            connection.execute("SET threads = 1")  # to wake another costs more than it does
        for (schema, name, paths), size in zip(views, sizes, strict=True):
            try:
                rows = _parquet(paths) if paths else f"{schema}.{DATA} WHERE false"
                target = f"{schema}.{_quote_name(name)} AS SELECT * FROM {rows}"
                with suppress(duckdb.Error):  # a damaged column costs only the questions about it
                    if paths and size <= READ_ONCE:
                        connection.execute(f"CREATE TABLE {target}")
                        continue
                connection.execute(f"CREATE VIEW {target}")
            except duckdb.Error as error:
                raise DataError(f"table {name} cannot be read: {_first_line(error)}") from error
        places = [str(place) for place in (folder, before) if place is not None]
        both = ", ".join(sorted({quote_string(f"{p}/") for place in places for p in (place, _escape_glob(place))}))
        connection.execute(f"SET allowed_directories = [{both}]")  # DuckDB checks the path and its pattern
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield Tables(connection, tuple(files))


@contextmanager
def _connect(tmp: Path | str | None = None, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that spills to `tmp` and loads no extension; DataError with the first line of its errors."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"SET memory_limit = '{memory}'; SET enable_progress_bar = false")
        connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        if tmp is not None:
            connection.execute(f"SET temp_directory = {quote_string(str(tmp))}")
        yield connection
    except duckdb.Error as error:
        raise DataError(_first_line(error)) from error
    finally:
        connection.close()


def _list_views(folder: Path) -> dict[str, list[Path]]:
    files = {DATA: data_files(folder)} | {p.stem: [p] for p in audit_files(folder)}
    if not files[DATA]:
        raise DataError(f"{folder}: no Parquet file below data/; this is not a finished release.")
    return files


def _list_other(folder: Path, than: Path) -> list[Path]:
    """Return the data files of a release that are not the same file in the release `than`."""
    pairs = ((path, than / path.relative_to(folder)) for path in data_files(folder))
    return [path for path, other in pairs if not (other.is_file() and path.samefile(other))]


def sort_into(target: Path, schema: pa.Schema, parts: Sequence[tuple[str, Sequence[Path]]], *, tmp: Path) -> int:
    """Write the rows of all parts to `target`, sorted by all columns in order; return the number of rows.

    A part is a list of SELECT expressions and the Parquet files to read. The same rows give the same bytes,
    whatever file they came from. Memory is bounded; DuckDB spills the rest to `tmp`.
    """
    selects = [f"SELECT {columns} FROM {_parquet(paths)}" for columns, paths in parts if paths]
    options = {"compression": "zstd", "compression_level": 3}
    with _connect(tmp) as connection, pq.ParquetWriter(target, schema, **options) as writer:
        if not selects:
            return 0
        keys = ", ".join(str(i + 1) for i in range(len(schema)))
        found = connection.sql(f"{' UNION ALL '.join(selects)} ORDER BY {keys}")
        rows = 0
        for group in _groups(found.to_arrow_reader(ROWS), schema):
            writer.write_table(group, row_group_size=ROWS)
            rows += group.num_rows
        return rows


def find_repeated(column: str, paths: Sequence[Path], *, tmp: Path, limit: int) -> list[str]:
    """Return the first `limit` values, sorted, that occur more than once in `column` of all files.

    DataError if a file cannot be read.
    """
    name, files = _quote_name(column), _parquet(paths)
    sql = f"SELECT {name} FROM {files} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT {limit}"
    with _connect(tmp) as connection:
        return [str(row[0]) for row in connection.execute(sql).fetchall()]


def find_repeated_ids(paths: Sequence[Path], *, tmp: Path) -> list[str]:
    """Return the ids that occur more than once in all files together, sorted; the first MOST_REPEATED of them.

    They are counted in Arrow if the files are small, else by DuckDB, which spills to `tmp`. StageError if a file was
    changed or cannot be read.
    """
    if sum(path.stat().st_size for path in paths) > SMALL:
        try:
            return find_repeated("id", paths, tmp=tmp, limit=MOST_REPEATED)
        except DataError:
            for path in paths:
                shard.read(path, ["id"])  # names the damaged file, and what to do
            raise
    ids = [shard.read(path, ["id"])["id"].cast(pa.string()) for path in paths]
    counts = pa.table({"id": pa.chunked_array([part for one in ids for part in one.chunks], pa.string())})
    counts = counts.group_by("id").aggregate([([], "count_all")])
    return sorted(counts.filter(pc.greater(counts["count_all"], 1))["id"].to_pylist())[:MOST_REPEATED]


def list_columns(kind: str, paths: Sequence[Path]) -> dict[str, str]:
    """Return the columns of files of one kind (`parquet`, `json`, `text`) with their types; DataError if unreadable."""
    with _open_files(paths) as connection:
        found = connection.execute(f"DESCRIBE SELECT * FROM {_files(kind, paths)}").fetchall()
        return {str(row[0]): str(row[1]) for row in found}


def select_texts(
    kind: str, paths: Sequence[Path], column: str, where: str, most: int, *, tmp: Path, id_column: str = ""
) -> list[tuple[str, str]]:
    """Return (id, text) of the rows that the SQL condition `where` selects, in the order of the MD5 of the id.

    Where there is no column of ids, or no value in it, the text is the id. Empty texts are left out. Reading ends with
    the first text that brings the sum to `most` code points. DataError if the condition fails.
    """
    text = _quote_name(column)
    key = f"coalesce(CAST({_quote_name(id_column)} AS VARCHAR), {text})" if id_column else text
    condition = f"AND ({where}\n)" if where.strip() else ""
    rows = f"SELECT {key} AS key, {text} AS text FROM {_files(kind, paths)} WHERE trim({text}) <> '' {condition}"
    sql = f"SELECT key, text FROM ({rows}) ORDER BY md5(key), text"
    found, size = [], 0
    with _open_files(paths, tmp) as connection:
        if [one.type for one in duckdb.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
            raise DataError("a condition is one SQL expression.")
        selected = connection.execute(sql)
        while size < most and (batch := selected.fetchmany(1000)):
            for row in batch:
                found.append(row)
                size += len(row[1])
                if size >= most:
                    break
    return found


def select_into(
    target: Path, sql: str, tables: Mapping[str, Sequence[Path]], *, tmp: Path, memory: str = MEMORY
) -> int:
    """Write the result of `sql` to a Parquet file; return the number of rows.

    `tables` maps each name after FROM to its Parquet files. DataError if one is unreadable or the question fails.
    """
    every = [path for paths in tables.values() for path in paths]
    with _open_files(every, tmp, memory) as connection:
        for name, paths in tables.items():
            connection.execute(f"CREATE VIEW {_quote_name(name)} AS SELECT * FROM {_files('parquet', paths)}")
        rows = connection.sql(sql).to_arrow_reader(ROWS)
        with pq.ParquetWriter(target, rows.schema, compression="zstd", compression_level=3) as writer:
            count = 0
            for batch in rows:
                writer.write_batch(batch)
                count += batch.num_rows
    return count


@contextmanager
def _open_files(
    paths: Sequence[Path], tmp: Path | None = None, memory: str = MEMORY
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that can read these files only."""
    with _connect(tmp, memory) as connection:
        allowed = ", ".join(sorted({quote_string(p) for path in paths for p in (str(path), _escape_glob(str(path)))}))
        connection.execute(f"SET allowed_paths = [{allowed}]")
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield connection


def _files(kind: str, paths: Sequence[Path]) -> str:
    listed = ", ".join(quote_string(_escape_glob(str(p))) for p in paths)
    return {
        "parquet": f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)",
        "json": f"read_json([{listed}], format = 'newline_delimited', union_by_name = true, sample_size = -1)",
        "text": f"read_text([{listed}])",
    }[kind]


def _groups(batches: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of exactly ROWS rows (the last may be shorter), whatever the size of the batches."""
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(schema)])
        while waiting.num_rows >= ROWS:
            yield waiting.slice(0, ROWS).combine_chunks()
            waiting = waiting.slice(ROWS)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _parquet(paths: Sequence[Path]) -> str:
    listed = ", ".join(quote_string(_escape_glob(str(p))) for p in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _escape_glob(path: str) -> str:
    """Escape a path so that as a pattern it matches this path only.

    >>> _escape_glob("/data/a[1]*")
    '/data/a[[]1][*]'
    """
    return _GLOB.sub(r"[\g<0>]", path)


def quote_string(value: str) -> str:
    """Return `value` as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal | None):
        raise DataError(f"a card holds whole numbers, decimals and words, not {type(value).__name__}")
    return str(value) if isinstance(value, Decimal) else value


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
