"""Shards: the Arrow schema of a stage, and conversion of documents to and from Parquet.

One explicit schema serves every stage, so that columns do not depend on the content.
Arrow is used at the boundaries only; inside the pipeline documents are plain values.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate, chain
from operator import attrgetter, is_
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from malmoi.apply import Dropped
from malmoi.document import Document, LicenceEvidence, Morphemes, Note, Provenance, Signal, Span
from malmoi.errors import StageError
from malmoi.ledger import File
from malmoi.storage import checksummed_files
from malmoi.storage.on_demand import fetch

# While it reads, Arrow replaces the Ctrl-C handler of Python, and loses a Ctrl-C if the read ends before its check.
pa.enable_signal_handlers(False)

SCHEMA_VERSION = 2  # part of every stage key; raise it with any change of a column below


def _struct(cls: type, **other: pa.DataType) -> pa.DataType:
    """Return the Arrow struct of a frozen dataclass: strings, except the fields named in `other`."""
    return pa.struct([(f.name, other.get(f.name, pa.string())) for f in fields(cls)])


_TEXT = ("id", "text", "title", "date", "author")
_FROM = tuple(f.name for f in fields(Provenance))
_LISTS: dict[str, tuple[type, pa.DataType]] = {
    "evidence": (LicenceEvidence, _struct(LicenceEvidence)),
    "signals": (Signal, _struct(Signal)),
    "spans": (Span, _struct(Span, start=pa.uint32(), end=pa.uint32(), confidence=pa.float64())),
    "trail": (Note, _struct(Note, measured=pa.float64(), limit=pa.float64())),
}
LABELS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))
MEASURES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))
MORPHEMES = pa.struct(
    [
        ("form", pa.list_(pa.string())),
        ("tag", pa.list_(pa.string())),
        ("start", pa.list_(pa.uint32())),
        ("length", pa.list_(pa.uint16())),
    ]
)
SENTENCES = pa.struct([("start", pa.list_(pa.uint32())), ("end", pa.list_(pa.uint32()))])

_LAYERS = {
    "morphemes": (MORPHEMES, {"form": "form", "tag": "tag", "start": "start", "length": "length"}),
    "sentences": (SENTENCES, {"start": "sentence_start", "end": "sentence_end"}),
}

DOCUMENTS = pa.schema(
    [pa.field(n, pa.string(), nullable=False) for n in _TEXT]
    + [pa.field(n, pa.string(), nullable=False) for n in _FROM]
    + [pa.field(n, pa.list_(kind)) for n, (_, kind) in _LISTS.items()]
    + [("labels", LABELS), ("measures", MEASURES), ("morphemes", MORPHEMES), ("sentences", SENTENCES)]
)
# Column → the value it is built from: if that is the identical object, the column is unchanged.
_VALUES = {n: attrgetter("provenance" if n in _FROM else "morphemes" if n in _LAYERS else n) for n in DOCUMENTS.names}
DROPPED = pa.schema(
    [*DOCUMENTS, ("by", pa.string()), ("reason", pa.string()), ("measured", pa.float64()), ("limit", pa.float64())]
)


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """Documents with the table they were read from; columns of unchanged documents are reused from it."""

    table: pa.Table
    docs: Sequence[Document]

    def reusable_columns(self, docs: Sequence[Document], rows: Sequence[int]) -> dict[str, pa.ChunkedArray]:
        """Return the columns that are unchanged in all of `docs`, which were read from `rows`."""
        came = [self.docs[row] for row in rows]
        names = [n for n, value in _VALUES.items() if all(map(is_, map(value, docs), map(value, came)))]
        table = self.table.select(names)
        if len(rows) < table.num_rows:
            table = table.take(pa.array(rows, pa.int64()))
        return dict(zip(names, table.columns, strict=True))


def to_table(docs: Sequence[Document], came: LoadedTable | None = None, rows: Sequence[int] = ()) -> pa.Table:
    """Return documents as a table of schema DOCUMENTS, in the given order; `rows` is the row of each in `came`."""
    columns: dict[str, Any] = came.reusable_columns(docs, rows) if came is not None else {}
    columns |= {name: _build_column(name, docs) for name in DOCUMENTS.names if name not in columns}
    return pa.table(columns, schema=DOCUMENTS)


def _build_column(name: str, docs: Sequence[Document]) -> pa.Array:
    """Build one column of a table of documents."""
    if name in _TEXT:
        return pa.array([getattr(d, name) for d in docs], pa.string())
    if name in _FROM:
        return pa.array([getattr(d.provenance, name) for d in docs], pa.string())
    if name in _LISTS:
        cls, kind = _LISTS[name]
        return _build_structs([getattr(d, name) for d in docs], kind, attrgetter(*(f.name for f in fields(cls))))
    if name in ("labels", "measures"):
        return _build_structs([getattr(d, name) for d in docs], DOCUMENTS.field(name).type.value_type)
    kind, attributes = _LAYERS[name]
    return _layer([d.morphemes for d in docs], kind, attributes)


def _build_structs(
    rows: Sequence[Sequence[Any]], kind: pa.DataType, values: Callable[[Any], Any] = tuple
) -> pa.ListArray:
    """Build a column of lists of structs field by field: a dictionary for each struct would dominate the write."""
    flat = zip(*(values(one) for row in rows for one in row), strict=True)
    children = [pa.array(column, field.type) for field, column in zip(kind, flat, strict=False)]
    if not children:  # zip yields no columns if there are no rows
        children = [pa.array([], field.type) for field in kind]
    return pa.ListArray.from_arrays(_offsets(rows), pa.StructArray.from_arrays(children, fields=list(kind)))


def _offsets(rows: Sequence[Sequence[Any]]) -> pa.Array:
    return pa.array(np.cumsum([0, *map(len, rows)], dtype=np.int32))


def to_dropped_table(drops: Sequence[Dropped], came: LoadedTable | None = None, rows: Sequence[int] = ()) -> pa.Table:
    """Return dropped documents as a table of schema DROPPED: the document, the filter and its verdict."""
    table = to_table([d.document for d in drops], came, rows)
    said = {
        "by": pa.array([d.by for d in drops], pa.string()),
        "reason": pa.array([d.verdict.reason for d in drops], pa.string()),
        "measured": pa.array([d.verdict.measured for d in drops], pa.float64()),
        "limit": pa.array([d.verdict.limit for d in drops], pa.float64()),
    }
    return pa.table([*table.columns, *said.values()], schema=DROPPED)


def _layer(layers: Sequence[Morphemes | None], kind: pa.DataType, attributes: dict[str, str]) -> pa.StructArray:
    """Build a struct of list columns from flat arrays: an object for each morpheme would dominate the write."""
    lists = []
    for name, attribute in attributes.items():
        values = [() if m is None else getattr(m, attribute) for m in layers]
        item = kind.field(name).type.value_type
        if pa.types.is_string(item):
            flat = pa.array(list(chain.from_iterable(values)), item)
        else:
            parts = [np.asarray(v, item.to_pandas_dtype()) for v in values]
            flat = pa.array(np.concatenate(parts) if parts else [], item)
        lists.append(pa.ListArray.from_arrays(_offsets(values), flat))
    mask = pa.array([m is None for m in layers], pa.bool_())
    return pa.StructArray.from_arrays(lists, fields=list(kind), mask=mask)


def to_documents(table: pa.Table) -> Iterator[Document]:
    """Yield the documents of a table of schema DOCUMENTS; other columns are ignored, missing ones are empty."""
    n = table.num_rows
    plain = {name: table.column(name).to_pylist() if name in table.column_names else [""] * n for name in _TEXT + _FROM}
    sources = [Provenance(*row) for row in zip(*(plain[name] for name in _FROM), strict=True)]
    columns: dict[str, list[Any]] = {name: plain[name] for name in _TEXT}
    columns |= {name: _tuples(table, name, cls) for name, (cls, _) in _LISTS.items()}
    columns |= {name: _tuples(table, name, lambda *pair: pair) for name in ("labels", "measures")}
    layers = _layers(table)
    for i in range(n):
        row: dict[str, Any] = {name: column[i] for name, column in columns.items()}
        yield Document(**row, provenance=sources[i], morphemes=layers[i])


def _tuples(table: pa.Table, name: str, make: Callable[..., Any]) -> list[tuple[Any, ...]]:
    """Return a column of lists of structs as tuples of `make(*fields)`."""
    if name not in table.column_names:
        return [()] * table.num_rows
    column = table.column(name).combine_chunks()
    flat = column.flatten()
    made = list(map(make, *(child.to_pylist() for child in flat.flatten())))
    return _split_lists(made, column)


def _split_lists(flat: Sequence[Any], column: pa.Array) -> list[Any]:
    """Split the flattened values of a column of lists, list by list; a null is an empty list."""
    ends = list(accumulate(length or 0 for length in column.value_lengths().to_pylist()))
    return [tuple(flat[at:end]) for at, end in zip([0, *ends], ends, strict=False)]


def _layers(table: pa.Table) -> list[Morphemes | None]:
    if "morphemes" not in table.column_names or table.column("morphemes").null_count == table.num_rows:
        return [None] * table.num_rows
    rows = zip(table.column("morphemes").to_pylist(), table.column("sentences").to_pylist(), strict=True)
    return [_morphemes(layer, sentences) for layer, sentences in rows]


def _morphemes(layer: dict[str, Any] | None, sentences: dict[str, Any] | None) -> Morphemes | None:
    if layer is None or sentences is None:
        return None
    return Morphemes(
        start=array("I", layer["start"]),
        length=array("H", layer["length"]),
        tag=tuple(layer["tag"]),
        form=tuple(layer["form"]),
        sentence_start=array("I", sentences["start"]),
        sentence_end=array("I", sentences["end"]),
    )


def pack_table(table: pa.Table) -> bytes:
    """Serialise a small table to bytes, to send it between processes; a slice packs its own rows only."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def unpack_table(content: bytes) -> pa.Table:
    """Return the table that `pack_table` packed."""
    with pa.ipc.open_stream(content) as stream:
        return stream.read_all()


def write(table: pa.Table, path: Path, *, row_group_rows: int = 4096, statistics: bool | list[str] = True) -> File:
    """Write a table to `path` in an unfinished folder; equal tables give equal bytes.

    `statistics` names the columns by whose bounds a reader may skip row groups: statistics take half of the write time.
    """
    pq.write_table(
        table.combine_chunks(),
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=row_group_rows,
        write_statistics=statistics,
    )
    return file_of(path, table.num_rows)


def file_of(path: Path, rows: int) -> File:
    """Return name, digest, rows and size of a finished file."""
    return File(path.name, sha256_of(path), rows, path.stat().st_size)


def sha256_of(path: Path) -> str:
    """Return the sha256 (hex) of the bytes of a file; a placeholder is downloaded first."""
    fetch(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file of the workspace; StageError if it was changed or cannot be read."""
    checksummed_files.check(path)
    try:
        return read_parquet(path, columns)
    except (pa.ArrowInvalid, OSError) as error:  # OSError: Arrow raises it for a broken header
        raise StageError(
            f"{path}: cannot be read back ({error}). Delete {path.parent} and run again: it is created anew."
        ) from error


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a small Parquet file whose digest need not be checked; columns are in the order of the file."""
    with pq.ParquetFile(path) as file:  # read_table would import Arrow's dataset layer
        # Threads of Arrow take more CPU than they save: the files are small, and shards are read side by side.
        return file.read(columns=None if columns is None else list(columns), use_threads=False)
