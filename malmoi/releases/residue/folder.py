"""Scan a folder of a release: every column of strings of its Parquet files, and every text file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from malmoi.releases.residue import numbers, words
from malmoi.releases.residue.classes import chains, classes_of, codes_of, spelled

ROWS: Final = 2_000  # of a Parquet file at once
PIECE: Final = 1 << 20  # code points that are looked at together
APART: Final = "\n\x1e\n"  # between two values, so that nothing grows together: no word, sign or number holds it


@dataclass(frozen=True, slots=True, order=True)
class Residue:
    """Personal data left in one place: file (relative to the folder), column ("" for a text file), kind, how often.

    Never a value, and no place inside the column: the report may be published.
    """

    file: str
    column: str
    kind: str
    count: int


def scan(folder: Path) -> list[Residue]:
    """What looks like personal data in the files below `folder`, sorted; an empty list means that nothing does.

    Reads Parquet by batches, so that memory does not grow with the release, and every other file as UTF-8. Placeholders
    and what policy keeps (numbers of companies, 15xx numbers) are no finds. It does not look for names, messenger
    handles, and addresses without a flat: no sign tells them. In a line of more than PIECE code points of a text file a
    find may be counted twice, never missed. Raises OSError and pyarrow.ArrowInvalid for
    a file that cannot be read, since a scan that leaves a file out proves nothing.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        values = _columns(path) if path.suffix == ".parquet" else (("", piece) for piece in _pieces(path))
        for column, text in values:
            for kind in kinds(text):
                found[name, column, kind] += 1
        for kind in kinds(name):
            found[name, "", kind] += 1
    return sorted(Residue(*place, count) for place, count in found.items())


def kinds(text: str) -> Iterator[str]:
    """The kind of each find in one text, with repetitions.

    >>> list(kinds("문의 010-0000-1234, hong@example.kr"))
    ['phone', 'email']
    >>> list(kinds("문의 [전화번호1], 대표 1588-0000, 법인등록번호 000000-0000000"))
    []
    """
    if not text:
        return
    codes = codes_of(text)
    marks = classes_of(codes)
    for chain in chains(text, marks):
        yield from numbers.found(text, chain)
    for digits in spelled(text, marks):
        if digits.startswith(numbers.MOBILE) and len(digits) in (10, 11):
            yield "phone"
    yield from words.found(text, codes, marks)


def _columns(path: Path) -> Iterator[tuple[str, str]]:
    """(column, values) of a Parquet file, a batch of rows at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for leaf, values in _strings(name, column):
                    for text in _joined(values):
                        yield leaf, text


def _strings(name: str, column: pa.Array) -> Iterator[tuple[str, Any]]:
    """Every array of strings inside a column, with its dotted name; forms of morphemes are put together row by row."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary, kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield name, column
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from _strings(f"{name}.{kind.field(number).name}", column.field(number))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        if pa.types.is_string(kind.value_type):
            yield name, pc.binary_join(column, "")  # a number that the analysis took to pieces is one again
        else:
            yield from _strings(name, pc.list_flatten(column))


def _joined(values: Any) -> Iterator[str]:
    """The values of an array as texts of about PIECE code points, each value whole."""
    part: list[str] = []
    size = 0
    for value in values.to_pylist():
        if value:
            part.append(value)
            size += len(value)
            if size >= PIECE:
                yield APART.join(part)
                part, size = [], 0
    if part:
        yield APART.join(part)


def _pieces(path: Path) -> Iterator[str]:
    """A text file in pieces of whole lines; a line longer than a piece is cut with an overlap."""
    overlap = 512
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        rest = ""
        while block := stream.read(PIECE):
            text = rest + block
            cut = text.rfind("\n") + 1
            if cut <= len(rest):
                yield text
                rest = text[-overlap:] if len(text) > overlap else ""
            else:
                yield text[:cut]
                rest = text[cut:]
        if rest:
            yield rest


def total(residues: Iterable[Residue]) -> dict[str, int]:
    """Finds by kind over all files, sorted by kind: what a card shows."""
    counts: Counter[str] = Counter()
    for one in residues:
        counts[one.kind] += one.count
    return dict(sorted(counts.items()))
