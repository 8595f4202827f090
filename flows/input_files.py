"""Read the input of a command: files of any format, or JSON lines."""

from __future__ import annotations

import base64
import contextlib
import json
import mimetypes
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from crawlers import formats
from malmoi.document import Document, Provenance
from malmoi.errors import CallError
from malmoi.limits import TRY_FILE_BYTES, TRY_LINE_BYTES
from malmoi.source import Item

Row: TypeAlias = dict[str, Any]
TO_NAME = 8 << 20  # bytes; a longer line is not parsed again for the id of a document that ended its worker
UNREADABLE = "unreadable-file"
_PAGE_FIELDS = ("html", "base64", "text")


@dataclass(frozen=True, slots=True)
class RawInput:
    """The bytes of a file or line, or why they are missing; parsed in a worker, because they are untrusted."""

    name: str  # of the file, or the number of the line
    body: bytes
    file: bool = False
    where: str = ""  # file and line, for messages
    reason: str = ""
    detail: str = ""


def read_inputs(files: Sequence[Path], jsonl: Path | None) -> Iterator[RawInput]:
    """Yield the content of the files, or of the lines of a file, unparsed; `to_row` parses it.

    An input that cannot be read, or exceeds its limit, carries the reason. CallError if both or neither are given,
    or if the file of lines cannot be opened.
    """
    if bool(files) == (jsonl is not None):
        raise CallError("give either files or --jsonl FILE (- for standard input).")
    return _read_lines(jsonl) if jsonl is not None else map(_read_file, files)


def _read_file(path: Path) -> RawInput:
    try:
        with path.open("rb") as stream:
            body = stream.read(TRY_FILE_BYTES.value + 1)
    except OSError as error:
        return RawInput(str(path), b"", reason=UNREADABLE, detail=str(error.strerror or error))
    if len(body) > TRY_FILE_BYTES.value:
        return RawInput(str(path), b"", reason="too-large", detail=TRY_FILE_BYTES.describe())
    return RawInput(str(path), body, file=True)


def _read_lines(path: Path) -> Iterator[RawInput]:
    try:
        stream = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise CallError(f"{path}: {error.strerror}; name a readable file, or - for standard input.") from error
    with stream:
        number = 0
        while line := stream.readline(TRY_LINE_BYTES.value + 1):
            number += 1
            if len(line) > TRY_LINE_BYTES.value:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(TRY_LINE_BYTES.value)
                yield RawInput(str(number), b"", reason="too-large", detail=TRY_LINE_BYTES.describe())
            elif line.strip():
                yield RawInput(str(number), line, where=f"{path}:{number}")


def to_row(found: RawInput) -> Row:
    """Return the object of a file (`id`, `url`, `bytes`) or of a line (its fields; `id` is a string, by default the
    line number).

    CallError for a line that is not a JSON object (with its number), and for unreadable input.
    """
    if found.reason:
        raise CallError(f"{found.name}: {found.detail}; name a readable file.")
    if found.file:
        return {"id": found.name, "url": Path(found.name).name, "bytes": found.body}
    try:
        read = json.loads(found.body.decode("utf-8-sig"))
        if b"\\u" in found.body:  # only an escape can express a lone surrogate: UTF-8 cannot
            read = _clean_strings(read)
    except (ValueError, RecursionError) as error:  # of the JSON or of its encoding
        raise CallError(f"{found.where}: not a JSON object in UTF-8 ({error}). Correct the line.") from error
    if not isinstance(read, dict):
        raise CallError(f"{found.where}: not a JSON object but {type(read).__name__}. Write one object per line.")
    read = {"id": found.name, **read}
    return {**read, "id": read["id"] if isinstance(read["id"], str) else str(read["id"])}


def failure_row(found: RawInput, reason: str) -> Row:
    """Return the answer for a document that exceeds a limit or cannot be read."""
    name = found.name
    if found.where and len(found.body) <= TO_NAME:
        with contextlib.suppress(CallError):
            name = to_row(found)["id"]
    return {"id": name, "outcome": "failed", "reason": reason, **({"detail": found.detail} if found.detail else {})}


def _clean_strings(value: Any) -> Any:
    """Replace lone surrogates, which cannot be written, by U+FFFD: one code point for one, so that offsets stay."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean_strings(one) for one in value]
    if isinstance(value, dict):
        return {_clean_strings(k): _clean_strings(v) for k, v in value.items()}
    return value


def to_item(row: Row) -> Item:
    """Return the input as an item; the format is detected from the content, the name is only a hint."""
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
        raise CallError(f"{row['id']}: field 'headers' is not an object of strings; correct the line.")
    headers = tuple((str(k), str(v)) for k, v in given.items())
    return Item(
        key=str(row["id"]), url=url, body=body, media=media, charset="utf-8" if "html" in row else "",
        record="", headers=headers,
    )  # fmt: skip


def to_document(row: Row) -> Document:
    """Return the input as a document with only id, address and text; CallError if it has no text."""
    if isinstance(row.get("bytes"), bytes):
        row = {**row, "text": formats.extract(to_item(row)).text}
    if not isinstance(row.get("text"), str):
        why = "field 'text' is not a string" if "text" in row else "the object needs the field 'text'"
        raise CallError(f"{row['id']}: {why}. Correct the line.")
    url = str(row.get("url", ""))
    return Document(id=str(row["id"]), text=row["text"], provenance=Provenance("try", url, "", "", ""))
