"""Choose keepers (representatives) of near duplicates, without morphological analysis.

Order of preference: rights, published already, completeness, surface, date, id. The best member of a family keeps
its near duplicates, the best of the rest keeps its own, and so on. Invariants: each copy reaches the threshold with
its keeper, and no two kept documents reach it. The ends of a chain of pairs are not copies of each other by
that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.duplicates.clusters.components import Parents, join, labels, new_parents
from filters.duplicates.clusters.keeper_kernels import (
    choose_keepers,
    find_complete,
    join_sure,
    join_verified,
    share_shingles,
)
from filters.duplicates.minhash.duplicate_schema import (
    DOUBT,
    I32,
    I64,
    KINDS,
    MEASURED,
    REASONS,
    TABLE,
    Pairs,
    digests_in,
    numbers,
)
from filters.duplicates.minhash.shingles import Shingles
from filters.duplicates.minhash.similarity import bounds, limits
from filters.duplicates.minhash.sketch import U32

DENSE = 16  # places a member, up to which a lookup table of all places is cheaper than a search

MEMBER = pa.schema(
    [
        ("place", pa.int64()),
        ("id", pa.string()),
        ("digest", pa.binary(32)),
        ("letters", pa.int64()),
        ("rights", pa.int8()),
        ("surface", pa.int8()),
        ("date", pa.string()),
        ("published", pa.bool_()),  # its id is in an earlier release
        ("release", pa.string()),  # name/version if it is not among the new documents, else empty
    ]
)


@dataclass(frozen=True, slots=True)
class Members:
    """Documents with pairs: `known` of schema MEMBER, a signature for each row of it, and the shingles."""

    known: pa.Table
    signatures: U32
    shingles: Shingles


@dataclass(frozen=True, slots=True)
class Order:
    """The ranks that decide keepers: a value for each member, by family, then in the order of keepers."""

    member: I64  # position in the table of members
    starts: I64  # of each family, and the end
    ranks: I32  # shape (members, 6), in the order of REASONS
    letters: I64
    standing: I64  # 1: of an earlier release, which is never dropped


def name_keepers(members: Members, pairs: Sequence[Pairs], threshold: float) -> tuple[pa.Table, I64]:
    """Return the rows of TABLE about `members`, sorted by id, and the place of the document of each row.

    `members` contains whole components of the pairs. The order of members and pairs has no effect, nor has the cut
    of `pairs`, which are processed piece by piece.
    """
    order = pc.sort_indices(members.known, sort_keys=[("id", "ascending"), ("release", "ascending")])
    at = np.asarray(order).astype(np.int64)
    known = members.known.take(order)
    digests = digests_in(known["digest"])
    first, length = members.shingles.first[at], members.shingles.length[at]
    letters, bound = numbers(known["letters"]), bounds(threshold)
    needed = np.array([kind.threshold for kind in limits(threshold)])
    flat, signatures = members.shingles.flat, members.signatures
    del members  # free the unsorted copies
    position = _position_finder(numbers(known["place"]))
    parent, family = new_parents(known.num_rows), new_parents(known.num_rows)
    for some in pairs:
        left, right = position(some.left), position(some.right)
        share_shingles(digests, left, right, some.kind, first, length)
        join_sure(parent, left, right, some.kind, digests)
        join(family, left, right)
    for some in pairs:
        left, right = (position(side[some.kind == DOUBT]) for side in (some.left, some.right))
        join_verified(parent, left, right, signatures, at, letters, flat, first, length, bound, needed)
    found = _order_members(known, labels(family), labels(parent), letters)
    keeper, share, said = choose_keepers(
        found.starts, found.ranks, found.letters, found.standing, digests[found.member], signatures, at[found.member],
        flat, first[found.member], length[found.member], bound, needed,
    )  # fmt: skip
    return _table(known, found.member, keeper, share, said)


def _position_finder(place: I64) -> Callable[[I64], I64]:
    """Return a function that maps places to their positions in `place`."""
    if len(place) and (largest := int(np.max(place))) < DENSE * len(place):
        at = np.empty(largest + 1, np.int32)
        at[place] = np.arange(len(place), dtype=np.int32)
        return lambda places: at[places].astype(np.int64)
    order = np.argsort(place)
    return lambda places: order[np.searchsorted(place, places, sorter=order)]


def _order_members(known: pa.Table, family: Parents, component: Parents, letters: I64) -> Order:
    """Sort members by family, then by rank; completeness is relative to the verified component.

    All members of a family are compared, also those that no verified pair has joined: in a large group that shares
    a template, bands find only some of its pairs.
    """
    dates = pc.if_else(pc.equal(known["date"], ""), "9999", known["date"])  # undated ones come last
    rights, surface = numbers(known["rights"]), numbers(known["surface"])
    fresh = 1 - numbers(known["published"].cast(pa.int8()))
    date = numbers(pc.rank(dates, tiebreaker="dense"))
    partial = 1 - find_complete(component, rights * 2 + fresh, letters)
    static = (rights << 48) | (fresh << 47) | (partial << 46) | (surface << 38) | date
    member = np.lexsort((static, family))  # ties go to the smaller id, since members are sorted by id
    cuts = np.flatnonzero(np.diff(family[member])) + 1
    starts = np.concatenate([[0], cuts, [len(member)]]) if len(member) else np.zeros(1, np.int64)
    ranks = np.empty((len(member), 6), np.int32)
    for number, column in enumerate((rights, fresh, partial, surface, date, np.arange(len(member)))):
        ranks[:, number] = column[member]
    standing = numbers(pc.not_equal(known["release"], "").cast(pa.int8()))
    return Order(member, starts.astype(np.int64), ranks, letters[member], standing[member])


def _table(known: pa.Table, member: I64, keeper: I64, share: Any, said: Any) -> tuple[pa.Table, I64]:
    """Build the rows of TABLE: `keeper` has positions in `member`, `said` (kind, measured, reason) of each."""
    copies = np.flatnonzero(keeper >= 0)
    copies = copies[np.argsort(member[copies])]
    kept = pa.array(member[keeper[copies]])
    copy = pa.array(member[copies])
    words = [_take_words(said[copies, i], all_) for i, all_ in enumerate((KINDS, MEASURED, REASONS))]
    columns = [known["id"].take(copy), known["id"].take(kept), words[0], pa.array(share[copies]), *words[1:]]
    table = pa.table([*columns, known["release"].take(kept)], schema=TABLE)
    return table, numbers(known["place"].take(copy))


def _take_words(numbers_: Any, words: tuple[str, ...]) -> pa.Array:
    return pa.array(words).take(pa.array(numbers_))
