"""Where each document of a survey lies: a number, its place, counted through the shards in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.earlier import Earlier, positions
from filters.duplicates.keepers import MEMBER
from filters.duplicates.schema import I64, U64
from malmoi.survey import Surveyed

_KNOWN = [name for name in MEMBER.names if name not in ("place", "published", "release")]


@dataclass(frozen=True, slots=True)
class Layout:
    """The shards in the order of their files' names, and the place of the first document of each, and the end."""

    shards: tuple[Surveyed, ...]
    starts: I64

    @property
    def count(self) -> int:
        """How many documents these are."""
        return int(self.starts[-1] - self.starts[0])

    def groups(self, documents: int) -> list[tuple[int, int]]:
        """Runs of shards (first, behind the last) with about as many documents as asked for."""
        found, first = [], 0
        for number in range(len(self.shards)):
            if self.starts[number + 1] - self.starts[first] >= documents or number + 1 == len(self.shards):
                found.append((first, number + 1))
                first = number + 1
        return found

    def part(self, first: int, last: int) -> Layout:
        """The shards from `first` to before `last`, with the places they have in the whole."""
        return Layout(self.shards[first:last], self.starts[first : last + 1])

    def split(self, places: I64) -> list[I64]:
        """Sorted places as row numbers of each shard."""
        cuts = np.searchsorted(places, self.starts)
        return [places[a:b] - s for a, b, s in zip(cuts[:-1], cuts[1:], self.starts[:-1], strict=True)]

    def sources(self) -> frozenset[str]:
        """The sources that come in."""
        columns = (pq.read_table(s.documents, columns=["source"])["source"] for s in self.shards)
        return frozenset(name for column in columns for name in pc.unique(column).to_pylist())


def lay(shards: Sequence[Surveyed]) -> Layout:
    """The layout of `shards`, whatever order they are given in."""
    ordered = tuple(sorted(shards, key=lambda s: (str(s.sketch), str(s.documents))))
    counts = [pq.read_metadata(s.sketch).num_rows for s in ordered]
    return Layout(ordered, np.cumsum([0, *counts], dtype=np.int64))


def rows_file(folder: Path, number: int) -> Path:
    """The file with the rows about the shard of that number."""
    return folder / f"rows-{number:05d}.parquet"


def members_of(sketch: Path, rows: I64, place: int, earlier: Sequence[Earlier]) -> pa.Table:
    """The documents at `rows` of a shard that starts at `place`, as a table of schema MEMBER."""
    table = read_rows(sketch, [*_KNOWN, "h"], rows)
    known = published(np.asarray(table["h"]), earlier)
    extra = {
        "place": pa.array(place + rows, pa.int64()),
        "published": pa.array(known),
        "release": pa.array([""]).take(pa.array(np.zeros(len(rows), np.int64))),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def published(h: U64, earlier: Sequence[Earlier]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each id stands in an earlier release."""
    found = np.zeros(len(h), np.bool_)
    order = np.argsort(h)
    for one in earlier:
        found[order[positions(h[order], one.h)]] = True
    return found


def published_members(one: Earlier, rows: I64) -> pa.Table:
    """The documents at `rows` of a segment, as a table of schema MEMBER."""
    table = read_rows(one.documents, [*_KNOWN, "release", "version"], rows)
    extra = {
        "place": pa.array(one.base + rows, pa.int64()),
        "published": pa.array(np.ones(len(rows), np.bool_)),
        "release": pc.binary_join_element_wise(table["release"], table["version"], "/"),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def read_rows(path: Path, columns: Sequence[str], rows: I64) -> pa.Table:
    """Rows of a Parquet file by sorted number; row groups without any of them are not read."""
    tables = []
    with pq.ParquetFile(path) as file:
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(rows, [start, end])
            if high > low:
                table = file.read_row_group(group, columns=list(columns))
                tables.append(table.take(pa.array(rows[low:high] - start)))
            start = end
        empty = file.schema_arrow.empty_table().select(columns)
    return pa.concat_tables([empty, *tables]).select(columns)
