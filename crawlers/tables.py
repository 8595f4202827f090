"""Split tables into rows as items: CSV and TSV, JSON and JSON lines.

If a source does not name its columns, they are searched by the exact names below, in this
order; the contents of cells are not used for guessing. Licence columns of a row are
evidence for that row alone; licence fields of the enclosing object are evidence for each of its rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from crawlers.encodings.decode import decode
from crawlers.formats.html.cell_markup import plain_words
from crawlers.formats.html.page_metadata import iso_date
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
) -> Iterator[Item]:
    """Yield each row of a table as an item, in order; rows without text too, so that they are counted.

    The arguments name columns (JSON: fields of the objects, inside an envelope too); by default, the lists of this
    module are used. Keys are `<name>#<key of the row, or its number from 1>`; `name` defaults to the
    file name of the address.

    Raises TableError, with the line, if no column holds text, a named column is missing, two rows share a key, or the
    file is damaged; if a few rows are damaged or have no key, only after all others.
    """
    where = capture.url
    kind = sniff(capture.body, capture.header("Content-Type"), _name_file(capture.url))
    table, around = _read_rows(capture, kind, text)
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
    shared = licence_fields.find(around, capture.record)
    key_column = _choose_column("key", key, KEY, columns, where)
    keys = list(_keys(table, key_column, given=key is not None, where=where))
    faults = _check_most([row for _, row in keys])
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
        raise TableError(says)


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


def _read_rows(capture: Capture, kind: str, column: str | None) -> tuple[list[Line], Row]:
    """Return the rows with their lines, and the fields of the enclosing objects; `column` is the given one of text."""
    text = decode(capture.body, capture.charset).text
    if kind == "jsonl":
        return list(_json_lines(text, capture.url)), {}
    if kind == "json":
        return _json_rows(text, capture.url, column)
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


def _json_rows(text: str, where: str, column: str | None) -> tuple[list[Line], Row]:
    data, around = _open_envelope(_load(text, where, 1), frozenset((_fold(column),) if column else TEXT))
    if not isinstance(data, list):
        raise TableError(f"{where}: the JSON is a {type(data).__name__}, not rows. Write items() in the source file.")
    return [_object(row, where, number) for number, row in enumerate(data, 1)], around


def _open_envelope(data: object, columns: frozenset[str]) -> tuple[object, Row]:
    """Return the list of rows inside nested objects, and the fields around it; an object without one is a row itself.

    An interface with one result often gives the object where a list would be: it is the row if it has a text column.

    >>> answer = {"response": {"header": {"code": "00"}, "body": {"items": {"item": [{"본문": "가"}]}, "total": 1}}}
    >>> _open_envelope(answer, frozenset(("본문",)))
    ([{'본문': '가'}], {'total': 1})
    """
    around: dict[str, Any] = {}
    inner = data
    while isinstance(inner, dict) and not _has_text(inner, columns):
        lists = [
            name for name, value in inner.items() if _is_list_of_objects(value) and not licence_fields.field_kind(name)
        ]
        nested = lists or [name for name, value in inner.items() if _holds_rows(value, columns)]
        if len(nested) != 1:
            break
        around |= {name: value for name, value in inner.items() if name != nested[0] and not isinstance(value, dict)}
        inner = inner[nested[0]]
        if lists:
            return inner, around
    if isinstance(inner, dict):
        return ([inner], around) if _has_text(inner, columns) else ([data], {})
    return inner, around


def _holds_rows(value: object, columns: frozenset[str], depth: int = 0) -> bool:
    """Whether an object holds a list of objects, or an object with a text column, at most MAX_DEPTH objects deep."""
    if not isinstance(value, dict) or depth > MAX_DEPTH:
        return False
    return _has_text(value, columns) or any(
        _is_list_of_objects(one) or _holds_rows(one, columns, depth + 1) for one in value.values()
    )


def _has_text(row: Row, columns: frozenset[str]) -> bool:
    """Whether a column that may hold the text does so: the `body` of an envelope is an object."""
    return any(_fold(name) in columns and not isinstance(value, dict) for name, value in row.items())


def _is_list_of_objects(value: object) -> bool:
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
