"""Number the documents of a survey: the place of a document counts through the shards in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.duplicates.clusters.keepers import MEMBER
from filters.duplicates.earlier_releases import Earlier, positions
from filters.duplicates.minhash.duplicate_schema import I64, U64, Flags
from malmoi.storage import shard
from malmoi.storage.on_demand import fetch
from malmoi.survey import Surveyed

_FEW = ["date", "release", "version"]  # columns of few distinct values, read as dictionaries
_KNOWN = [name for name in MEMBER.names if name not in ("place", "published", "release")]


@dataclass(frozen=True, slots=True)
class Layout:
    """The shards, sorted by file name, with the place of the first document of each, and the end."""

    shards: tuple[Surveyed, ...]
    starts: I64

    @property
    def count(self) -> int:
        """Return the number of documents."""
        return int(self.starts[-1] - self.starts[0])

    def groups(self, documents: int) -> list[tuple[int, int]]:
        """Return runs of shards (first, end) with about `documents` documents each."""
        found, first = [], 0
        for number in range(len(self.shards)):
            if self.starts[number + 1] - self.starts[first] >= documents or number + 1 == len(self.shards):
                found.append((first, number + 1))
                first = number + 1
        return found

    def part(self, first: int, last: int) -> Layout:
        """Return the shards from `first` to before `last`, with their places in the whole layout."""
        return Layout(self.shards[first:last], self.starts[first : last + 1])

    def split(self, places: I64) -> list[I64]:
        """Split sorted places into row numbers of each shard."""
        cuts = np.searchsorted(places, self.starts)
        return [places[a:b] - s for a, b, s in zip(cuts[:-1], cuts[1:], self.starts[:-1], strict=True)]

    def sources(self) -> frozenset[str]:
        """Return the sources of the documents."""
        columns = (_read_sources(s.documents) for s in self.shards)
        return frozenset(name for column in columns for name in pc.unique(column).to_pylist())


def _read_sources(documents: Path) -> pa.ChunkedArray:
    fetch(documents)
    return shard.read_parquet(documents, ["source"])["source"]


def lay_out(shards: Sequence[Surveyed]) -> Layout:
    """Return the layout of `shards`, independent of their order."""
    ordered = tuple(sorted(shards, key=lambda s: (str(s.sketch), str(s.documents))))
    counts = [pq.read_metadata(s.sketch).num_rows for s in ordered]
    return Layout(ordered, np.cumsum([0, *counts], dtype=np.int64))


def rows_file(folder: Path, number: int) -> Path:
    """Return the path of the rows about the shard of that number."""
    return folder / f"rows-{number:05d}.parquet"


def members_of(sketch: Path, rows: I64, place: int, earlier: Sequence[Earlier]) -> pa.Table:
    """Return the documents at `rows` of a shard that starts at `place`, as a table of schema MEMBER."""
    table = read_rows(sketch, [*_KNOWN, "h"] if earlier else _KNOWN, rows)
    known = find_published(np.asarray(table["h"]), earlier) if earlier else np.zeros(len(rows), np.bool_)
    extra = {
        "place": pa.array(place + rows, pa.int64()),
        "published": pa.array(known),
        "release": pa.array([""]).take(pa.array(np.zeros(len(rows), np.int64))),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def find_published(h: U64, earlier: Sequence[Earlier]) -> Flags:
    """Return whether each id is in an earlier release and has not been withdrawn since."""
    found = np.zeros(len(h), np.bool_)
    order = np.argsort(h)
    for one in earlier:
        found[order[positions(h[order], one.hashes_unmasked)]] = True
    return found


def members_of_segment(one: Earlier, rows: I64) -> pa.Table:
    """Return the documents at `rows` of a segment, as a table of schema MEMBER."""
    table = one.rows(rows)
    extra = {
        "place": pa.array(one.base + rows, pa.int64()),
        "published": pa.array(np.ones(len(rows), np.bool_)),
    }
    return pa.table({n: extra[n] if n in extra else table[n] for n in MEMBER.names}, schema=MEMBER)


def read_rows(path: Path, columns: Sequence[str], rows: I64) -> pa.Table:
    """Read rows of a Parquet file by sorted number; row groups without any of them are skipped."""
    plain = dict.fromkeys(_FEW, pa.string())
    with pq.ParquetFile(path, memory_map=True, read_dictionary=[n for n in _FEW if n in columns]) as file:
        counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.cumsum([0, *counts])
        hit = np.flatnonzero(np.diff(np.searchsorted(rows, starts)))
        if not len(hit):
            schema = pa.schema([pa.field(n, plain.get(n, file.schema_arrow.field(n).type)) for n in columns])
            return schema.empty_table()
        table = file.read_row_groups(hit.tolist(), columns=list(columns), use_threads=False)
        group = np.searchsorted(starts, rows, "right") - 1
        first = np.cumsum([0, *np.diff(starts)[hit]])  # the first row of each group that is read, in the table
        table = table.take(pa.array(first[np.searchsorted(hit, group)] + rows - starts[group])).select(columns)
        return table.cast(pa.schema([pa.field(f.name, plain.get(f.name, f.type)) for f in table.schema]))
