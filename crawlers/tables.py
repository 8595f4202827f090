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
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from crawlers.encodings.decode import decode
from crawlers.formats.html.cell_markup import plain_words
from crawlers.formats.html.page_metadata import iso_date
from crawlers.formats.sniffing import sniff
from crawlers.rights import licence_fields
from malmoi.archive.capture import Capture
from malmoi.boundary import input_errors
from malmoi.errors import TableError
from malmoi.source import Item

if TYPE_CHECKING:
    from _csv import Reader as CsvReader  # csv.reader is a function; its type has no public name

Row: TypeAlias = Mapping[str, Any]


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

    The arguments name columns (JSON: fields of the objects); by default, the lists of this module
    are used. Keys are `<name>#<key of the row, or its number from 1>`; `name` defaults to the
    file name of the address.

    Raises TableError if no column holds text, a named column is missing, two rows share a key,
    or the file is damaged (with the line).
    """
    where = capture.url
    file = unquote(urlsplit(capture.url).path.rsplit("/", 1)[-1])
    table, around = _read_rows(capture, sniff(capture.body, capture.header("Content-Type"), file))
    columns = list(dict.fromkeys(column for _, row in table for column in row))
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
    keys = _keys(table, key_column, given=key is not None, where=where)
    for row_key, (_, row) in zip(keys, table, strict=True):
        cells = {field: _cell_text(row.get(column)) for field, column in chosen.items() if column}
        yield Item(
            key=f"{name or file}#{row_key}",
            url=f"{capture.url.partition('#')[0]}#{quote(row_key, safe='')}",
            body=_cell_text(row.get(text_column)),
            media="text/plain",
            charset="",
            record=capture.record,
            headers=capture.headers,  # an opt-out in the headers of the table applies to each row
            title=" ".join(plain_words(cells.get("title", "")).split()),
            date=iso_date(cells.get("date", "")),
            author=" ".join(plain_words(cells.get("author", "")).split()),
            evidence=(*licence_fields.find(row, capture.record, named=licence_column), *shared),
        )


def _choose_column(field: str, given: str | None, known: Sequence[str], columns: Sequence[str], where: str) -> str:
    """Return the column to read `field` from, or ""."""
    if given is not None:
        if given not in columns:
            raise TableError(
                f"{where}: there is no column {given!r} for {field}. Found: {', '.join(columns) or 'none'}. "
                f"Correct rows(capture, {field}=…) in the source file."
            )
        return given
    folded = {column.strip().casefold().replace(" ", ""): column for column in reversed(columns)}
    return next((folded[name] for name in known if name in folded), "")


def _keys(table: Sequence[tuple[int, Row]], column: str, *, given: bool, where: str) -> list[str]:
    """Return a key for each row. A guessed key column is used only if its values are unique."""
    numbers = [str(number) for number in range(1, len(table) + 1)]
    if not column:
        return numbers
    found = [_cell_text(row.get(column)).strip() for _, row in table]
    if all(found) and len(set(found)) == len(found):
        return found
    if not given:
        return numbers
    seen: set[str] = set()
    for value, (line, _) in zip(found, table, strict=True):
        if not value or value in seen:
            state = "has no key" if not value else f"repeats the key {value!r}"
            raise TableError(f"{where}, line {line}: the row {state} in column {column!r}. Name another key column.")
        seen.add(value)
    return found


def _cell_text(value: object) -> str:
    """Return a cell as text: a list of strings becomes lines; a value that is not text or a number becomes ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for entry in value if (part := _cell_text(entry)))
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _read_rows(capture: Capture, kind: str) -> tuple[list[tuple[int, Row]], Row]:
    """Return the rows with their lines, and the fields of the enclosing object."""
    text = decode(capture.body, capture.charset).text
    if kind in ("json", "jsonl"):
        return _json_rows(text, capture.url, lines=kind == "jsonl")
    if kind in ("csv", "tsv"):
        return list(_csv_rows(text, "\t" if kind == "tsv" else ",", capture.url)), {}
    raise TableError(
        f"{capture.url}: this is {kind}, not a table (CSV, TSV, JSON or JSON lines). "
        "Leave it out with exclude=… in the source file, or fetch it again if it is an error page."
    )


def _csv_rows(text: str, delimiter: str, where: str) -> Iterator[tuple[int, Row]]:
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


def _csv_lines(reader: CsvReader, where: str) -> Iterator[tuple[int, Row]]:
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
                    raise TableError(
                        f"{where}, line {start}: the row has {len(cells)} fields, the header {len(header)}. "
                        "A quote or a delimiter is missing there: repair the file and collect again, or ask its "
                        "publisher."
                    )
                yield start, dict(zip(header, cells, strict=False))
            start = reader.line_num + 1


def _json_rows(text: str, where: str, *, lines: bool) -> tuple[list[tuple[int, Row]], Row]:
    if lines:
        return [
            (number, _object(_load(line, where, number), where, number))
            for number, line in enumerate(text.split("\n"), 1)
            if line.strip()
        ], {}
    data = _load(text, where, 1)
    around: Row = {}
    if isinstance(data, dict):
        lists = [
            (name, value)
            for name, value in data.items()
            if isinstance(value, list) and _is_list_of_objects(value) and not licence_fields.field_kind(name)
        ]
        if len(lists) == 1:
            around = {name: value for name, value in data.items() if name != lists[0][0]}
        data = lists[0][1] if len(lists) == 1 else [data]
    if not isinstance(data, list):
        raise TableError(f"{where}: the JSON is a {type(data).__name__}, not rows. Write items() in the source file.")
    return [(number, _object(row, where, number)) for number, row in enumerate(data, 1)], around


def _is_list_of_objects(value: Sequence[object]) -> bool:
    return bool(value) and all(isinstance(entry, dict) for entry in value)


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


def _object(row: object, where: str, number: int) -> Row:
    if not isinstance(row, dict):
        raise TableError(f"{where}, row {number}: a {type(row).__name__} instead of an object. Write items() yourself.")
    return row
