"""The survey of copies: one sketch a document, and for each copy the document that stands for it.

The keeper of a cluster is named by what is known before Kiwi: of those with the freest rights the
earliest that is nearly as long as the longest (the original, which a later copy with a note of the
editor is not), then the longer, the one with a title, the smaller id. The order of input changes
nothing. A member counts as a copy of its keeper only if the two are alike themselves: a chain of
pairs does not make its ends alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from filters.duplicates.clusters import I64, components, needed, pairs, similarity
from filters.duplicates.sketch import PERMUTATIONS, U32, exact_digest, letters_of, matrix, signature_of
from malmoi.document import Document
from malmoi.survey import Survey

_SIGNATURE = pa.binary(PERMUTATIONS * 4)
SKETCH = pa.schema(
    [
        ("id", pa.string()),
        ("digest", pa.string()),
        ("letters", pa.int64()),
        ("rights", pa.int8()),
        ("date", pa.string()),
        ("titled", pa.bool_()),
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
NEARLY_AS_LONG = 0.9  # of the letters of the longest member; within it the date decides
_RIGHTS = {"redistribute": 0, "train-only": 1}


@dataclass(frozen=True, slots=True)
class _Member:
    """What is known of a document when the keeper is named."""

    row: int
    id: str
    digest: str
    letters: int
    rights: int
    date: str
    titled: bool


def sketch(doc: Document) -> Mapping[str, Any]:
    """One row of SKETCH; `letters` counts letters and digits, `rights` is 0 for the freest."""
    letters = letters_of(doc.text)
    return {
        "id": doc.id,
        "digest": exact_digest(doc.text),
        "letters": len(letters),
        "rights": _RIGHTS.get(doc.label("use"), 9),
        "date": doc.date,
        "titled": bool(doc.title),
        "signature": signature_of(letters).astype("<u4").tobytes(),
    }


def reduce(sketches: pa.Table, *, threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.8) -> pa.Table:
    """Every document that is a copy: its keeper, and how alike the two are (estimated Jaccard).

    Keepers have no row: a new copy somewhere must not change what is known of the document it copies.
    """
    sketches = sketches.sort_by([("id", "ascending")])
    if sketches.num_rows < 2:
        return TABLE.empty_table()
    signatures = matrix(sketches.column("signature").to_pylist())
    known = sketches.select(["id", "digest", "letters", "rights", "date", "titled"]).to_pylist()
    members = [_Member(row, **fields) for row, fields in enumerate(known)]
    cluster = _clusters(signatures, members, threshold)
    rows: list[dict[str, Any]] = []
    for group in _groups(cluster):
        rows += _judged([members[i] for i in group], signatures, threshold)
    rows.sort(key=lambda row: str(row["id"]))
    return pa.Table.from_pylist(rows, schema=TABLE)


def _clusters(signatures: U32, members: list[_Member], threshold: float) -> I64:
    letters = np.array([m.letters for m in members], dtype=np.int64)
    left, right = pairs(signatures, letters, threshold)
    first: dict[str, int] = {}
    copies = [(first.setdefault(m.digest, m.row), m.row) for m in members]
    same = np.array([pair for pair in copies if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)
    left, right = np.concatenate([left, same[:, 0]]), np.concatenate([right, same[:, 1]])
    return components(len(members), left, right)


def _groups(cluster: I64) -> list[list[int]]:
    """Row numbers of each component of two or more, in order of the component's first row."""
    order = np.argsort(cluster, kind="stable")
    cuts = np.flatnonzero(np.diff(cluster[order])) + 1
    return [group.tolist() for group in np.split(order, cuts) if len(group) > 1]


def _judged(members: list[_Member], signatures: U32, threshold: float) -> list[dict[str, Any]]:
    """Name keepers until every member is alike to one: the best of what is left keeps those that are alike to it."""
    rows: list[dict[str, Any]] = []
    left = members
    while left:
        keeper = _keeper(left)
        others = [m for m in left if m is not keeper]
        numbers = np.array([m.row for m in others], dtype=np.int64)
        letters = np.array([m.letters for m in others], dtype=np.int64)
        alike = similarity(signatures, np.full(len(others), keeper.row, dtype=np.int64), numbers)
        limits = needed(np.full(len(others), keeper.letters, dtype=np.int64), letters, threshold)
        left = []
        for member, share, limit in zip(others, alike.tolist(), limits.tolist(), strict=True):
            if member.digest == keeper.digest:
                rows.append(_row(member.id, keeper.id, 1.0, "exact"))
            elif share >= limit:
                rows.append(_row(member.id, keeper.id, share, "near"))
            else:
                left.append(member)
    return rows


def _keeper(members: list[_Member]) -> _Member:
    """The member that stands for the others; among the nearly longest an undated one comes after all dates."""
    freest = min(m.rights for m in members)
    free = [m for m in members if m.rights == freest]
    enough = NEARLY_AS_LONG * max(m.letters for m in free)
    candidates = [m for m in free if m.letters >= enough]
    return min(candidates, key=lambda m: (m.date or "9999", -m.letters, not m.titled, m.id))


def _row(id_: str, keeper: str, share: float, kind: str) -> dict[str, Any]:
    return {"id": id_, "keeper": keeper, "similarity": share, "kind": kind}


COLUMNS = ("id", "source", "text", "title", "date", "labels")
SURVEY = Survey(name="copies", version=2, schema=SKETCH, sketch=sketch, reduce=reduce, columns=COLUMNS)
