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

    Raises TableError if no column holds text, a named column is missing, two rows share a key,
    or the file is damaged (with the line).
    """
    where = capture.url
    file = unquote(urlsplit(capture.url).path.rsplit("/", 1)[-1])
    table, around = _read_rows(capture, sniff(capture.body, capture.header("Content-Type"), file), text)
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
    folded = {_fold(column): column for column in reversed(columns)}
    return next((folded[name] for name in known if name in folded), "")


def _fold(column: str) -> str:
    return column.strip().casefold().replace(" ", "")


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


def _read_rows(capture: Capture, kind: str, column: str | None) -> tuple[list[tuple[int, Row]], Row]:
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


def _json_lines(text: str, where: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _object(_load(line, where, number), where, number)


def _json_rows(text: str, where: str, column: str | None) -> tuple[list[tuple[int, Row]], Row]:
    data, around = _open_envelope(_load(text, where, 1), frozenset((_fold(column),) if column else TEXT))
    if not isinstance(data, list):
        raise TableError(f"{where}: the JSON is a {type(data).__name__}, not rows. Write items() in the source file.")
    return [(number, _object(row, where, number)) for number, row in enumerate(data, 1)], around


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


def _object(row: object, where: str, number: int) -> Row:
    if not isinstance(row, dict):
        raise TableError(f"{where}, row {number}: a {type(row).__name__} instead of an object. Write items() yourself.")
    return row
