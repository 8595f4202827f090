"""Parse the flight data of Next.js: chunks pushed by scripts, and the React rows in them.

A page pushes `[1, "<text>"]` and `[3, "<base64>"]`; chunks end anywhere, also inside a row or a character.
Joined, they are rows: `<id>:<JSON>` up to a line end, `<id>:T<bytes, hexadecimal>,<text>` for a long string that
other rows reference as `$<id>`, and typed arrays with their length.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

PUSH = "__next_f"
MAX_STEPS = 200_000  # values visited while texts are inserted into the rows of one page
STEP = 100  # code points of an inserted text per step: a text may be referenced a million times
MAX_DEPTH = 100
_PUSHED = re.compile(r"__next_f(?:[\"']\s?\])?(?:\s{0,3}\|\|\s{0,3}\[\]\s{0,3}\))?\s{0,3}\.\s{0,3}push\(\s{0,9}")
_ROW = re.compile(rb"([0-9a-f]{0,8}):")
_SIZED = re.compile(rb"([TAOoUSsLlGgMmV])([0-9a-f]{1,8}),")  # a text, or one of the typed arrays
_PLACE = re.compile(r"\$\$[A-Z][A-Z_0-9]{2,40}\$\$")  # placeholder for an advertisement in a publisher's script
_DECODER = json.JSONDecoder(strict=False)
_TEXT, _BINARY = 1, 3


def read_chunks(source: str) -> Iterator[str | bytes]:
    """Yield the chunks of data that a script pushes, without the start mark (0) and the form state (2).

    >>> list(read_chunks('(self.__next_f=self.__next_f||[]).push([0]);self.__next_f.push([1,"a"])'))
    ['a']
    """
    for match in _PUSHED.finditer(source):
        value = _read(source, match.end())
        if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], str):
            continue
        if value[0] == _TEXT:
            yield value[1]
        elif value[0] == _BINARY:
            try:
                yield base64.b64decode(value[1])
            except ValueError:
                continue


def rows(chunks: Iterable[str | bytes]) -> Iterator[Any]:
    """Yield the values of the rows with referenced texts inserted; an unreferenced text is a value of its own.

    >>> list(rows(["1:{\\"body\\":\\"$2\\"}\\n2:T", "6,낱", "말"]))
    [{'body': '낱말'}]
    """
    texts: dict[str, str] = {}
    values: list[Any] = []
    for name, value in _split(_join_chunks(chunks)):
        if isinstance(value, str):
            texts[name] = _PLACE.sub("\n", value)
        else:
            values.append(value)
    named: set[str] = set()
    steps = [MAX_STEPS]
    for value in values:
        yield _insert_texts(value, texts, named, steps, 0)
    yield from ({"text": text} for name, text in texts.items() if name not in named)


def _join_chunks(chunks: Iterable[str | bytes]) -> bytes:
    """Join the chunks to one stream of UTF-8. A surrogate pair may be split between two chunks."""
    parts = []
    for is_text, group in groupby(chunks, lambda chunk: isinstance(chunk, str)):
        if is_text:
            text = "".join(map(str, group))
            parts.append(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())
        else:
            parts.append(b"".join(chunk for chunk in group if isinstance(chunk, bytes)))
    return b"".join(parts)


def _split(raw: bytes) -> Iterator[tuple[str, Any]]:
    """Yield each row of text or JSON as (id, value); skip modules, hints, errors and typed arrays."""
    at = 0
    while at < len(raw):
        head = _ROW.match(raw, at)
        start = head.end() if head else at
        name = head.group(1).decode() if head else ""
        if head and (sized := _SIZED.match(raw, start)):
            at = sized.end() + int(sized.group(2), 16)
            if sized.group(1) == b"T":
                yield name, raw[sized.end() : at].decode("utf-8", "replace")
            continue
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        if head and raw[start : start + 1] in (b"[", b"{", b'"'):
            yield name, _read(raw[start:end].decode("utf-8", "replace"), 0)
        at = end + 1


def _read(source: str, start: int) -> Any:
    """Parse the JSON value that begins at `start`; None if it is not JSON."""
    try:
        return _DECODER.raw_decode(source, start)[0]
    except (ValueError, RecursionError):
        return None


def _insert_texts(value: Any, texts: dict[str, str], named: set[str], steps: list[int], depth: int) -> Any:
    steps[0] -= 1
    if steps[0] < 0 or depth > MAX_DEPTH:
        return None
    if isinstance(value, str):
        if value[:1] != "$" or value[1:] not in texts:
            return value
        named.add(value[1:])
        steps[0] -= len(texts[value[1:]]) // STEP
        return texts[value[1:]]
    if isinstance(value, list):
        return [_insert_texts(entry, texts, named, steps, depth + 1) for entry in value]
    if isinstance(value, dict):
        found = {key: _insert_texts(entry, texts, named, steps, depth + 1) for key, entry in value.items()}
        inner = value.get("children")
        if isinstance(inner, str) and inner[:1] == "$" and inner[1:] in texts:
            found.setdefault("text", found["children"])  # the content of an element: a long text
        return found
    return value
