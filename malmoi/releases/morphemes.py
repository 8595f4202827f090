"""Read the sentences and morphemes of a release, document by document.

Any tool that reads Parquet can do the same (docs/morphemes.md).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from malmoi.release_files import data_files, morpheme_path

ROWS = 256  # documents in memory at once


@dataclass(frozen=True, slots=True)
class Morpheme:
    """One morpheme: `start` counts code points of the document's text; `surface` is the text there.

    `form` is the dictionary form, `tag` the Sejong tag. Contracted morphemes share a start and a surface
    (갔 = 가 + 었).
    """

    form: str
    tag: str
    start: int
    length: int
    surface: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: text[start:end] of its document, and its morphemes."""

    start: int
    end: int
    text: str
    morphemes: tuple[Morpheme, ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """An analysed document of a release; morphemes outside all sentences are in `rest`."""

    id: str
    text: str
    sentences: tuple[Sentence, ...]
    rest: tuple[Morpheme, ...]


def read_documents(release: Path) -> Iterator[Analysed]:
    """Yield every document of a release that has morphemes, in the order of its files and rows.

    `release` is the folder of a version. Documents without analysis (NULL) are skipped. Raises FileNotFoundError if
    there are no data files.

    >>> list(read_documents(Path("no/such/release")))
    Traceback (most recent call last):
    FileNotFoundError: no/such/release: no Parquet files in data/; name the folder of a version
    """
    paths = data_files(release)
    if not paths:
        raise FileNotFoundError(f"{release}: no Parquet files in data/; name the folder of a version")
    for path in paths:
        beside = release / morpheme_path(path.relative_to(release).as_posix())
        for text, layers in zip(_read_rows(path, ["id", "text"]), _read_rows(beside), strict=True):
            if layers["morphemes"] is not None and layers["sentences"] is not None:
                yield _document(text | layers)


def _read_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=columns):
            yield from batch.to_pylist()


def _document(row: dict[str, Any]) -> Analysed:
    text, layer, bounds = row["text"], row["morphemes"], row["sentences"]
    every = tuple(
        Morpheme(form, tag, start, length, text[start : start + length])
        for form, tag, start, length in zip(layer["form"], layer["tag"], layer["start"], layer["length"], strict=True)
    )
    starts = layer["start"]
    sentences: list[Sentence] = []
    rest: list[Morpheme] = []
    done = 0
    for start, end in zip(bounds["start"], bounds["end"], strict=True):
        first, last = bisect_left(starts, start, done), bisect_left(starts, end, done)
        rest += every[done:first]
        sentences.append(Sentence(start, end, text[start:end], every[first:last]))
        done = last
    return Analysed(row["id"], text, tuple(sentences), (*rest, *every[done:]))
