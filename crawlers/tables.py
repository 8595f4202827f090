"""Split tables into rows as items: CSV and TSV, JSON and JSON lines.

If a source does not name its columns, they are searched by the exact names below, in this
order; the contents of cells are not used for guessing. Licence columns of a row are
evidence for that row alone; licence fields of the enclosing object are evidence for each of its rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from crawlers.encodings.decode import decode
from crawlers.formats import xml_records
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.html.text_lines import plain_words
from crawlers.formats.sniffing import sniff
from crawlers.rights import licence_fields
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.document import LicenceEvidence
from malmoi.errors import TableError
from malmoi.source import Item

if TYPE_CHECKING:
    from _csv import Reader as CsvReader  # csv.reader is a function; its type has no public name

Row: TypeAlias = Mapping[str, Any]
Line: TypeAlias = tuple[int, Row] | TableError  # (line or number, row), or why there is none


TEXT = ("text", "content", "contents", "body", "article", "본문", "내용", "글", "텍스트", "문장", "원문")
KEY = ("id", "key", "no", "번호", "식별자", "일련번호")
TITLE = ("title", "headline", "subject", "제목", "표제", "글제목")
DATE = (
    "date",
    "published",
    "published_at",
    "created_at",
    "날짜",
    "작성일",
    "등록일",
    "게시일",
    "발행일",
    "작성일자",
    "일자",
)
AUTHOR = ("author", "writer", "creator", "저자", "작성자", "글쓴이", "지은이", "기자")
MAX_DEPTH = 8  # objects around the rows of an answer
MAX_FIELD = 1 << 30  # characters of one CSV field; Python's own limit of 131,072 is below a long article


def rows(
    capture: Capture,
    *,
    text: str | None = None,
    key: str | None = None,
    title: str | None = None,
    date: str | None = None,
    author: str | None = None,
    licence: str | None = None,
    name: str | None = None,
    at: str | None = None,
) -> Iterator[Item]:
    """Yield each row of a table as an item, in order; rows without text too, so that they are counted.

    The arguments name columns (JSON: fields of the objects, inside an envelope too); by default, the lists of this
    module are used. Of several lists in JSON the one counts whose objects have the named columns; `at` names it by its
    path, such as `response.body.items`. Keys are `<name>#<key of the row, or its number from 1>`; `name` defaults to
    the file name of the address.

    Raises TableError, with the line and the number of rows that are lost, if no column holds text, a named column is
    missing, several lists may be meant, two rows share a key, or the file is damaged; if a few rows are damaged or have
    no key, only after all others.
    """
    where = capture.url
    kind = sniff(capture.body, capture.header("Content-Type"), _name_file(capture.url))
    table, around = _read_rows(capture, kind, at, (text, key, title, date, author, licence))
    if at is not None and not table:
        return
    with _weigh_errors(len(table)):
        _check_most(table)
        columns = list(dict.fromkeys(column for row in table if not isinstance(row, TableError) for column in row[1]))
        text_column = _choose_column("text", text, TEXT, columns, where)
        if not text_column:
            raise TableError(
                f"{where}: no column is called {', '.join(TEXT)}. Found: {', '.join(columns) or 'none'}. "
                "Write rows(capture, text='<column>') into items() of the source file."
            )
        chosen = {
            "title": _choose_column("title", title, TITLE, columns, where),
            "date": _choose_column("date", date, DATE, columns, where),
            "author": _choose_column("author", author, AUTHOR, columns, where),
        }
        licence_column = _choose_column("licence", licence, (), columns, where)
        key_column = _choose_column("key", key, KEY, columns, where)
        keys = list(_keys(table, key_column, given=key is not None, where=where))
        faults = _check_most([row for _, row in keys])
    shared = licence_fields.find(around, capture.record)
    for row_key, row in keys:
        if isinstance(row, TableError):
            continue
        cells = {field: _cell_text(row.get(column)) for field, column in chosen.items() if column}
        found = (*licence_fields.find(row, capture.record, named=licence_column), *shared)
        one = make_row(capture, row_key, _cell_text(row.get(text_column)), cells, found)
        yield replace(one, key=f"{name}#{row_key}") if name else one
    if faults:
        more = f" {len(faults):,} rows are left out in all." if len(faults) > 1 else ""
        says = f"{faults[0]}{more}"
        raise TableError(says, len(faults))


def count_rows(capture: Capture) -> int:
    """Return how many rows an answer holds: the objects of the longest list of JSON, the most elements of one name side
    by side of XML, the lines of another table; 0 for anything else.
    """
    kind = sniff(capture.body, capture.header("Content-Type"), _name_file(capture.url))
    try:
        with input_errors(ValueError):
            if kind == "json":
                return _measure_json(json.loads(decode(capture.body, capture.charset).text))
            if kind == "xml":
                tree = xml_records.parse_xml(capture.body, capture.charset)
                return max(
                    max(Counter(inner.tag for inner in one).values(), default=0) for one in tree.iter(etree.Element)
                )
    except ValueError:
        return 0
    return capture.body.count(b"\n") if kind in ("csv", "tsv", "jsonl") else 0


def _measure_json(data: Any) -> int:
    """Return the length of the longest list of objects, at any depth.

    >>> _measure_json({"rows": [{"a": 1}, {"a": 2}], "facets": [{"b": 1}], "columns": ["a", "b", "c"]})
    2
    """
    most, waiting = 0, [data]
    while waiting:  # a list instead of a recursion: an answer may be nested deeply
        value = waiting.pop()
        if _is_list_of_objects(value):
            most = max(most, len(value))
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most


@contextmanager
def _weigh_errors(count: int) -> Iterator[None]:
    """Let an error inside the block cost `count` rows: none of the table is read."""
    try:
        yield
    except TableError as error:
        error.rows = max(1, count)
        raise


def make_row(
    capture: Capture, key: str, text: str, cells: Mapping[str, str], evidence: tuple[LicenceEvidence, ...]
) -> Item:
    """Return a row or record as an item; `cells` are the words of its title, date and author, where it has them."""
    return Item(
        key=f"{_name_file(capture.url)}#{key}",
        url=f"{capture.url.partition('#')[0]}#{quote(key, safe='')}",
        body=text,
        media="text/plain",
        charset="",
        record=capture.record,
        headers=capture.headers,  # an opt-out in the headers of the table applies to each row
        title=" ".join(plain_words(cells.get("title", "")).split()),
        date=iso_date(cells.get("date", "")),
        author=" ".join(plain_words(cells.get("author", "")).split()),
        evidence=evidence,
    )


def _name_file(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _check_most(rows: Sequence[object]) -> list[TableError]:
    """Return the errors among rows; raise the first if more than half are errors: then the table is another one."""
    faults = [row for row in rows if isinstance(row, TableError)]
    if len(faults) > len(rows) / 2:
        raise faults[0]
    return faults


def _choose_column(field: str, given: str | None, known: Sequence[str], columns: Sequence[str], where: str) -> str:
    """Return the column to read `field` from, or ""."""
    if given is not None:
        if given not in columns:
            raise TableError(
                f"{where}: there is no column {given!r} for {field}. Found: {', '.join(columns) or 'none'}. "
                f"Correct rows(capture, {field}=…) in the source file."
            )
        return given
    folded = {_fold(column): column for column in reversed(columns)}
    return next((folded[name] for name in known if name in folded), "")


def _fold(column: str) -> str:
    return column.strip().casefold().replace(" ", "")


def _keys(table: Sequence[Line], column: str, *, given: bool, where: str) -> Iterator[tuple[str, Row | TableError]]:
    """Yield (key, row), or an error in place of a row. A guessed key column is used only if its values are unique."""
    found = ["" if isinstance(one, TableError) else _cell_text(one[1].get(column)).strip() for one in table]
    held = [key for key, one in zip(found, table, strict=True) if not isinstance(one, TableError)]
    if not column or not (given or (all(held) and len(set(held)) == len(held))):
        found = [str(number) for number in range(1, len(table) + 1)]
    seen: set[str] = set()
    for key, one in zip(found, table, strict=True):
        if isinstance(one, TableError):
            yield "", one
        elif not key:
            yield "", _make_key_error(where, one[0], "has no key", column)
        elif key in seen:
            raise _make_key_error(where, one[0], f"repeats the key {key!r}", column)
        else:
            yield key, one[1]
        seen.add(key)


def _make_key_error(where: str, line: int, state: str, column: str) -> TableError:
    return TableError(f"{where}, line {line}: the row {state} in column {column!r}. Name another key column.")


def _cell_text(value: object) -> str:
    """Return a cell as text: a list of strings becomes lines; a value that is not text or a number becomes ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for entry in value if (part := _cell_text(entry)))
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _read_rows(capture: Capture, kind: str, at: str | None, named: Sequence[str | None]) -> tuple[list[Line], Row]:
    """Return the rows with their lines, and the fields of the enclosing objects; `named`: the columns, text first."""
    text = decode(capture.body, capture.charset).text
    if kind == "json":
        return _json_rows(text, capture.url, at, named)
    if at is not None and kind in ("jsonl", "csv", "tsv"):
        raise TableError(
            f"{capture.url}: this is {kind}; at={at!r} names a list of JSON. Leave it out in the source file."
        )
    if kind == "jsonl":
        return list(_json_lines(text, capture.url)), {}
    if kind in ("csv", "tsv"):
        return list(_csv_rows(text, "\t" if kind == "tsv" else ",", capture.url)), {}
    raise TableError(
        f"{capture.url}: this is {kind}, not a table (CSV, TSV, JSON or JSON lines). "
        "Leave it out with exclude=… in the source file, or fetch it again if it is an error page."
    )


def _csv_rows(text: str, delimiter: str, where: str) -> Iterator[Line]:
    csv.field_size_limit(MAX_FIELD)
    first = text.partition("\n")[0]
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    with input_errors(
        lambda name: TableError(f"{where}: CSV that cannot be read ({name}). Repair the file and collect again.")
    ):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from _csv_lines(reader, where)
    except csv.Error as error:
        raise TableError(
            f"{where}, line {reader.line_num}: broken CSV ({error}). Repair the file and collect again."
        ) from error


def _csv_lines(reader: CsvReader, where: str) -> Iterator[Line]:
    with input_errors(
        lambda name: TableError(
            f"{where}, line {reader.line_num}: CSV that cannot be read ({name}). Repair the file and collect again."
        ),
        csv.Error,
    ):
        header = [column.strip() for column in next(reader, [])]
        if len(set(header)) != len(header):
            raise TableError(
                f"{where}, line 1: two columns share a name: {', '.join(header)}. "
                "Rename one in the file and collect again."
            )
        start = reader.line_num + 1
        for cells in reader:
            if any(cells):
                if len(cells) < len(header) or any(cells[len(header) :]):
                    yield TableError(
                        f"{where}, line {start}: the row has {len(cells)} fields, the header {len(header)}. "
                        "A quote or a delimiter is missing there: repair the file and collect again, or ask its "
                        "publisher."
                    )
                else:
                    yield start, dict(zip(header, cells, strict=False))
            start = reader.line_num + 1


def _json_lines(text: str, where: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _object(_load(line, where, number), where, number)
            except TableError as error:
                yield error


def _json_rows(text: str, where: str, at: str | None, named: Sequence[str | None]) -> tuple[list[Line], Row]:
    found, around = _choose_list(_load(text, where, 1), at, named, where)
    return [_object(row, where, number) for number, row in enumerate(found, 1)], around


def _choose_list(data: object, at: str | None, named: Sequence[str | None], where: str) -> tuple[Sequence[object], Row]:
    """Return the list of rows inside nested objects, and the fields around it; an object without one is a row itself.

    Among several lists those count whose objects have the text column, of those the ones with all `named` columns, and
    of these the outermost. An interface with one result often gives the object where a list would be: it is the row if
    it has a text column.

    >>> answer = {"response": {"header": {"code": "00"}, "body": {"items": {"item": [{"본문": "가"}]}, "total": 1}}}
    >>> _choose_list(answer, None, ("본문",), "")
    ([{'본문': '가'}], {'total': 1})
    """
    columns = frozenset((_fold(named[0]),) if named and named[0] else TEXT)
    if _is_list_of_objects(data) and not any(_has_text(row, columns) for row in data):  # envelope: [{…}, {"list": […]}]
        inner = {str(number): row for number, row in enumerate(data)}
        data = inner if any(_is_list_of_objects(value) for row in data for value in row.values()) else data
    if isinstance(data, list) and at is None:
        return data, {}
    if not isinstance(data, dict):
        raise TableError(f"{where}: the JSON is a {type(data).__name__}, not rows. Write items() in the source file.")
    lists = {path: (rows, around) for path, rows, around in _find_lists(data, columns)}
    if at in lists:
        return lists[at]
    found = {path: rows for path, (rows, _) in lists.items() if rows}
    fitting = [path for path, rows in found.items() if any(_has_text(row, columns) for row in rows)]
    wanted = {name for name in named if name}
    fitting = [path for path in fitting if wanted <= {name for row in found[path] for name in row}] or fitting
    depth = min((path.count(".") for path in fitting), default=0)
    chosen = [path for path in fitting if path.count(".") == depth] or (list(found) if len(found) == 1 else [])
    if at is None and not found:
        return [data], {}
    if at is None and len(chosen) == 1:
        return lists[chosen[0]]
    state = f"no list at {at!r}" if at is not None else f"{len(chosen) or 'no'} lists have the columns"
    known = (
        f"{path} ({', '.join(dict.fromkeys(name for row in rows for name in row))})" for path, rows in found.items()
    )
    raise TableError(
        f"{where}: {state}. Found: {', '.join(known) or 'none'}. "
        "Name the columns, or the list with at='<path>', in rows() of the source file.",
        max(map(len, found.values()), default=1),
    )


def _find_lists(data: Row, columns: frozenset[str]) -> Iterator[tuple[str, Sequence[Row], Row]]:
    """Yield (path, rows, fields around them) of lists of objects, objects with a text column, and empty values."""
    waiting: list[tuple[str, Row, dict[str, Any]]] = [("", data, {})]
    for path, value, around in waiting:
        if _has_text(value, columns):
            yield path, [value], around
            continue
        for name, inner in value.items():
            place = f"{path}.{name}" if path else name
            rest = around | {key: one for key, one in value.items() if key != name and not isinstance(one, dict)}
            if isinstance(inner, dict) and place.count(".") < MAX_DEPTH:
                waiting.append((place, inner, rest))
            elif inner in ([], "", None) or (_is_list_of_objects(inner) and not licence_fields.field_kind(name)):
                yield place, inner or [], rest


def _has_text(row: Row, columns: frozenset[str]) -> bool:
    """Whether a column that may hold the text does so: the `body` of an envelope is an object, or a list of them."""
    texts = (value for name, value in row.items() if _fold(name) in columns)
    return any(not isinstance(value, dict) and not _is_list_of_objects(value) for value in texts)


def _is_list_of_objects(value: object) -> TypeGuard[list[Row]]:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _load(text: str, where: str, line: int) -> Any:
    try:
        with input_errors(
            lambda name: TableError(  # such as a number of thousands of digits, or too deep nesting
                f"{where}, line {line}: JSON that cannot be read ({name}). Repair the file and collect again."
            ),
            json.JSONDecodeError,
        ):
            return json.loads(text)
    except json.JSONDecodeError as error:
        at = line + error.lineno - 1
        raise TableError(
            f"{where}, line {at}: broken JSON ({error.msg}). Repair the file and collect again."
        ) from error


def _object(row: object, where: str, number: int) -> Line:
    if not isinstance(row, dict):
        kind = type(row).__name__
        return TableError(f"{where}, row {number}: a {kind} instead of an object. Write items() yourself.")
    return number, row
