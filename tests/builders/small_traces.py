"""Find bytes anywhere below a folder: in names, plain files, gzip members, zstd, Parquet pages, Arrow files."""

from __future__ import annotations

import contextlib
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD, PARQUET, ARROW = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"ARROW1"


def find_traces(workspace: Path, needles: list[bytes]) -> list[Path]:
    """The files, relative to the workspace, whose name or content has one of `needles`, whatever packs it."""
    files = sorted(path for path in workspace.rglob("*") if path.is_file() or (path.is_symlink() and not path.is_dir()))
    return [path.relative_to(workspace) for path in files if _has(path, workspace, needles)]


def _has(path: Path, root: Path, needles: list[bytes]) -> bool:
    name = str(path.relative_to(root)).encode("utf-8", "surrogateescape")
    return any(needle in piece for piece in (name, *_pieces(path)) for needle in needles)


def _pieces(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if content.startswith(GZIP):
        yield from _members(content)
    elif content.startswith(ZSTD):
        yield zstd.decompress(content)
    elif content.startswith(PARQUET):
        table = pq.read_table(path)
        yield from _strings(table)
        yield repr(table.schema.metadata).encode()
    elif content.startswith(ARROW):
        yield from _batches(content)


def _members(content: bytes) -> Iterator[bytes]:
    while content.startswith(GZIP):
        unpacker = zlib.decompressobj(31)
        yield unpacker.decompress(content)
        content = unpacker.unused_data


def _batches(content: bytes) -> Iterator[bytes]:
    """Read the stream within an Arrow file as far as it goes: a power cut may have taken the end of the file."""
    with contextlib.suppress(pa.ArrowInvalid, OSError):
        for batch in pa.ipc.open_stream(content[8:]):
            yield from _strings(pa.Table.from_batches([batch]))


def _strings(table: pa.Table) -> Iterator[bytes]:
    for column in table.columns:
        for chunk in column.chunks:
            yield b"\0".join(_leaves(chunk))


def _leaves(array: Any) -> Iterator[bytes]:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _leaves(array.flatten())
    elif pa.types.is_struct(kind):
        for child in array.flatten():
            yield from _leaves(child)
    elif pa.types.is_dictionary(kind):
        yield from _leaves(array.dictionary)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (value.encode("utf-8", "surrogatepass") for value in array.to_pylist() if value is not None)
    elif pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        yield from (value for value in array.to_pylist() if value is not None)
