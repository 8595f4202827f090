"""Count tokens: for each document, and in sums by licence family and domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from malmoi.errors import CallError
from malmoi.export.selection import Rows
from malmoi.export.tokenizer import Tokenizer

Counts = npt.NDArray[np.int64]


def count_tokens(rows: Rows, tokenizers: Sequence[Tokenizer]) -> list[Counts]:
    """Return the tokens of each selected document by each tokenizer; the texts are read once, or not at all."""
    found: list[Counts] = [_read_counts(rows, one) for one in tokenizers]
    readers = [i for i, one in enumerate(tokenizers) if not one.column]
    if not readers:
        return found
    at = 0
    for batch in rows.scan(["text"]):
        texts = batch["text"].to_pylist()
        for i in readers:
            found[i][at : at + len(texts)] = [len(one) for one in tokenizers[i].encode(texts)]
        at += len(texts)
    return found


def sum_by(table: pa.Table, counts: Mapping[str, Counts], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return documents, characters and tokens of each group of `keys`, sorted; without keys one group, the total.

    `counts` has the tokens of each row by the label of a tokenizer; `tokens` of a group has their sums.
    """
    columns = {name: table[name] for name in (*keys, "n_chars")} | {label: pa.array(n) for label, n in counts.items()}
    sums = [(name, "sum") for name in ("n_chars", *counts)]
    grouped = pa.table(columns).group_by(list(keys)).aggregate([([], "count_all"), *sums])
    grouped = grouped.sort_by([(key, "ascending") for key in keys]) if keys else grouped
    return [
        {key: row[key] for key in keys}
        | {"documents": row["count_all"], "characters": row["n_chars_sum"]}
        | {"tokens": {label: row[f"{label}_sum"] for label in counts}}
        for row in grouped.to_pylist()
    ]


def _read_counts(rows: Rows, tokenizer: Tokenizer) -> Counts:
    if not tokenizer.column:
        return np.zeros(rows.table.num_rows, np.int64)
    if tokenizer.column not in rows.table.column_names or rows.table[tokenizer.column].null_count:
        raise CallError(
            f"{rows.release} does not count {tokenizer.column} of every document; leave out "
            f"--tokenizer {tokenizer.facts.name}."
        )
    column = pc.cast(rows.table[tokenizer.column], pa.int64())
    return np.asarray(column.to_numpy(), np.int64).copy()
