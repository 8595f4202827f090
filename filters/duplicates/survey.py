"""The survey of copies: one sketch a document, and for each copy the document that stands for it.

The keeper of a cluster is named by what is known before Kiwi, in this order: the freer rights, the
longer text, the one with title and date, the earlier date, the smaller id. The order of input changes
nothing. A member counts as a copy of its keeper only if the two are alike themselves: a chain of
pairs does not make its ends alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from filters.duplicates.clusters import I64, components, pairs, similarity
from filters.duplicates.sketch import PERMUTATIONS, U32, exact_digest, matrix, signature
from malmoi.document import Document
from malmoi.survey import Survey

_SIGNATURE = pa.binary(PERMUTATIONS * 4)
SKETCH = pa.schema(
    [
        ("id", pa.string()),
        ("digest", pa.string()),
        ("rank", pa.string()),
        ("signature", _SIGNATURE),
    ]
)
TABLE = pa.schema(
    [
        ("id", pa.string()),
        ("keeper", pa.string()),
        ("similarity", pa.float64()),
        ("kind", pa.string()),
    ]
)
_RIGHTS = {"redistribute": 0, "train-only": 1}


def sketch(doc: Document) -> Mapping[str, Any]:
    """One row of SKETCH; `rank` sorts the members of a cluster, the keeper first."""
    chars = sum(map(len, doc.text.split()))
    parts = (
        f"{_RIGHTS.get(doc.label('use'), 9)}",
        f"{9_999_999_999 - chars:010}",
        f"{2 - bool(doc.title) - bool(doc.date)}",
        doc.date or "9999",
    )
    return {
        "id": doc.id,
        "digest": exact_digest(doc.text),
        "rank": "|".join(parts),
        "signature": signature(doc.text).astype("<u4").tobytes(),
    }


def reduce(sketches: pa.Table, *, threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.8) -> pa.Table:
    """Every document that is a copy: its keeper, and how alike the two are (estimated Jaccard).

    Keepers have no row: a new copy somewhere must not change what is known of the document it copies.
    """
    sketches = sketches.sort_by([("id", "ascending")])
    ids = sketches.column("id").to_pylist()
    if len(ids) < 2:
        return TABLE.empty_table()
    signatures = matrix(sketches.column("signature").to_pylist())
    digests = sketches.column("digest").to_pylist()
    ranks = list(zip(sketches.column("rank").to_pylist(), ids, strict=True))
    cluster = _clusters(signatures, digests, threshold)
    rows: list[dict[str, Any]] = []
    for members in _groups(cluster):
        rows += _judged(members, signatures, digests, ranks, threshold)
    rows.sort(key=lambda row: str(row["id"]))
    return pa.Table.from_pylist(rows, schema=TABLE)


def _clusters(signatures: U32, digests: list[str], threshold: float) -> I64:
    left, right = pairs(signatures, threshold)
    first: dict[str, int] = {}
    copies = [(first.setdefault(digest, i), i) for i, digest in enumerate(digests)]
    same = np.array([pair for pair in copies if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)
    left, right = np.concatenate([left, same[:, 0]]), np.concatenate([right, same[:, 1]])
    return components(len(digests), left, right)


def _groups(cluster: I64) -> list[list[int]]:
    """Row numbers of each component of two or more, in order of the component's first row."""
    order = np.argsort(cluster, kind="stable")
    cuts = np.flatnonzero(np.diff(cluster[order])) + 1
    return [group.tolist() for group in np.split(order, cuts) if len(group) > 1]


def _judged(
    members: list[int], signatures: U32, digests: list[str], ranks: list[tuple[str, str]], threshold: float
) -> list[dict[str, Any]]:
    """Name keepers until every member is alike to one: the best of what is left keeps those that are alike to it."""
    rows: list[dict[str, Any]] = []
    left = sorted(members, key=lambda i: ranks[i])
    while left:
        keeper, others = left[0], np.array(left[1:], dtype=np.int64)
        alike = similarity(signatures, np.full(len(others), keeper, dtype=np.int64), others)
        rest: list[int] = []
        for i, share in zip(others.tolist(), alike.tolist(), strict=True):
            if digests[i] == digests[keeper]:
                rows.append(_row(ranks[i][1], ranks[keeper][1], 1.0, "exact"))
            elif share >= threshold:
                rows.append(_row(ranks[i][1], ranks[keeper][1], share, "near"))
            else:
                rest.append(i)
        left = rest
    return rows


def _row(id_: str, keeper: str, share: float, kind: str) -> dict[str, Any]:
    return {"id": id_, "keeper": keeper, "similarity": share, "kind": kind}


SURVEY = Survey(name="copies", version=1, schema=SKETCH, sketch=sketch, reduce=reduce)
