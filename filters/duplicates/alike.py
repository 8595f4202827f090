"""Which documents of one set are alike to which of another, as far as their signatures tell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.duplicates.duplicate_schema import I64, numbers, signatures_in
from filters.duplicates.minhash.bands import banding, keys, look_up_keys
from filters.duplicates.minhash.similarity import SHORT, limits
from filters.duplicates.minhash.sketch import PERMUTATIONS, U32

PAIRS = pa.schema([("id", pa.string()), ("other", pa.string()), ("similarity", pa.float64())])
_AT_ONCE = 65536  # pairs compared at a time


def alike(left: pa.Table, right: pa.Table, *, threshold: float) -> pa.Table:
    """Pairs (id of `left`, other of `right`, estimated similarity) of two tables of sketches; none with itself.

    Costs a look at each row of `right` for each band, and the pairs that are found: `left` is held whole,
    `right` may be one shard after the other.
    """
    if not left.num_rows or not right.num_rows:
        return PAIRS.empty_table()
    mine, theirs = signatures_in(left["signature"]), signatures_in(right["signature"])
    i, j = _meeting(mine, theirs, threshold)
    least = np.minimum(numbers(left["letters"])[i], numbers(right["letters"])[j])
    long, short = (kind.least for kind in limits(threshold))
    found = _equal(mine, i, theirs, j)
    chosen = (least > 0) & (found >= np.where(least < SHORT, short, long))
    ids, others = (table["id"].take(pa.array(at[chosen])).combine_chunks() for table, at in ((left, i), (right, j)))
    table = pa.table([ids, others, pa.array(found[chosen] / PERMUTATIONS)], schema=PAIRS)
    return table.filter(pc.not_equal(table["id"], table["other"]))


def _meeting(mine: U32, theirs: U32, threshold: float) -> tuple[I64, I64]:
    """Pairs of rows that share a band, each once."""
    cut, live, found = banding(threshold), np.ones(len(mine), np.bool_), [np.empty(0, np.int64)]
    for band in range(cut.bands):
        known = keys(mine, band * cut.rows, cut.rows)
        order = np.argsort(known, kind="stable")
        asked, row = look_up_keys(keys(theirs, band * cut.rows, cut.rows), known[order], order.astype(np.uint32), live)
        found.append(row.astype(np.int64) * len(theirs) + asked)
    i, j = np.divmod(np.unique(np.concatenate(found)), len(theirs))
    return i, j


def _equal(mine: U32, i: I64, theirs: U32, j: I64) -> I64:
    """In how many values the signatures of each pair agree."""
    counts = [np.empty(0, np.int64)]
    for at in range(0, len(i), _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        counts.append((mine[i[part]] == theirs[j[part]]).sum(axis=1))
    return np.concatenate(counts)
