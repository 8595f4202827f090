"""What a person gives to a command: files of any format, or lines of JSON."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from crawlers import formats
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.source import Item

Row: TypeAlias = dict[str, Any]
_PAGE_FIELDS = ("html", "base64", "text")


def rows(files: Sequence[Path], jsonl: Path | None) -> Iterator[Row]:
    """One object a file (`id`, `url`, `bytes`) or a line (its own fields; `id` is a string, by default its number).

    CallError where both or neither are given; and, as they are read, for a file that cannot be read
    and for a line that is no JSON object (with its number).
    """
    if bool(files) == (jsonl is not None):
        raise CallError("give either files or --jsonl FILE (- for standard input).")
    return _from_lines(jsonl) if jsonl is not None else _from_files(files)


def _from_files(files: Sequence[Path]) -> Iterator[Row]:
    for path in files:
        try:
            yield {"id": str(path), "url": path.name, "bytes": path.read_bytes()}
        except OSError as error:
            raise CallError(f"{path}: {error.strerror}; name a readable file.") from error


def _from_lines(path: Path) -> Iterator[Row]:
    try:
        stream = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name a readable file, or - for standard input.") from error
    with stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
                if b"\\u" in line:  # only an escape can say half of a pair: UTF-8 cannot
                    row = _clean_strings(row)
            except (ValueError, RecursionError) as error:  # of the JSON or of its encoding
                raise CallError(f"{path}:{number}: not a JSON object in UTF-8 ({error}). Correct the line.") from error
            if not isinstance(row, dict):
                raise CallError(
                    f"{path}:{number}: not a JSON object but {type(row).__name__}. Write one object a line."
                )
            row = {"id": number, **row}
            yield {**row, "id": row["id"] if isinstance(row["id"], str) else str(row["id"])}


def _clean_strings(value: Any) -> Any:
    """Lone surrogates, which no output can hold, become U+FFFD: one code point for one, so that offsets stay."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean_strings(one) for one in value]
    if isinstance(value, dict):
        return {_clean_strings(k): _clean_strings(v) for k, v in value.items()}
    return value


def item(row: Row) -> Item:
    """The input as an item; the format is found by content, the name is only a hint."""
    if "bytes" in row:
        body = row["bytes"]
    elif "base64" in row:
        try:
            body = base64.b64decode(row["base64"], validate=True)
        except (ValueError, TypeError) as error:
            raise CallError(
                f"{row['id']}: field 'base64' cannot be decoded: {error}. Encode the bytes again (RFC 4648)."
            ) from error
    elif "html" in row:
        if not isinstance(row["html"], str):
            raise CallError(f"{row['id']}: field 'html' is not a string; correct the line.")
        body = row["html"].encode()
    else:
        raise CallError(f"{row['id']}: the object needs one of the fields {', '.join(_PAGE_FIELDS[:2])}.")
    url = str(row.get("url", ""))
    media = "text/html" if "html" in row else (mimetypes.guess_type(url)[0] or "")
    given = row.get("headers") or {}
    if not isinstance(given, dict):
        raise CallError(f"{row['id']}: field 'headers' is not an object of names and values; correct the line.")
    headers = tuple((str(k), str(v)) for k, v in given.items())
    return Item(
        key=str(row["id"]), url=url, body=body, media=media, charset="utf-8" if "html" in row else "",
        record="", headers=headers,
    )  # fmt: skip


def document(row: Row) -> Document:
    """The input as a document, and nothing known of it but id, address and text; CallError where it has no text."""
    if isinstance(row.get("bytes"), bytes):
        row = {**row, "text": formats.extract(item(row)).text}
    if not isinstance(row.get("text"), str):
        why = "field 'text' is not a string" if "text" in row else "the object needs the field 'text'"
        raise CallError(f"{row['id']}: {why}. Correct the line.")
    url = str(row.get("url", ""))
    return Document(id=str(row["id"]), text=row["text"], provenance=Provenance("try", url, "", "", ""))
