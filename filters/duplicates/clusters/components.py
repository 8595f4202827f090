"""Connected components of pairs of documents, by union-find over document numbers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from filters.duplicates.minhash.duplicate_schema import COPY, DOUBT, I64, Flags
from filters.duplicates.minhash.sketch import jit_kernel

_AT_ONCE = 1 << 16
Parents: TypeAlias = npt.NDArray[Any]  # int32 if it can count all documents: four bytes each


def new_parents(count: int, folder: Path | None = None) -> Parents:
    """Return the parents of `count` unjoined documents; in an unnamed file in `folder`, if given."""
    parent: Parents = allocate_numbers(folder, count, np.int32 if count < 2**31 else np.int64)
    for at in range(0, count, _AT_ONCE):
        parent[at : at + _AT_ONCE] = np.arange(at, min(count, at + _AT_ONCE))
    return parent


def allocate_numbers(folder: Path | None, count: int, kind: Any) -> Any:
    """Allocate zeros in memory, or in a mapped unnamed file in `folder`, which goes to disk if memory is short."""
    if folder is None or not count:
        return np.zeros(count, kind)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.asarray(np.memmap(file, kind, "w+", shape=(count,)))


@jit_kernel
def find(parent: Parents, node: int) -> int:
    """Return the first node of the component of `node`, with path compression."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit_kernel
def union(parent: Parents, left: int, right: int) -> None:
    """Join two components; the smaller number is the root, so that the order of joins has no effect."""
    left, right = find(parent, left), find(parent, right)
    if left < right:
        parent[right] = left
    elif right < left:
        parent[left] = right


@jit_kernel(by=1)
def join(parent: Parents, left: I64, right: I64) -> None:
    """Join all pairs.

    >>> parent = new_parents(5)
    >>> join(parent, np.array([1, 3]), np.array([3, 4]))
    >>> labels(parent).tolist()
    [0, 1, 2, 1, 1]
    """
    for i in range(len(left)):
        union(parent, left[i], right[i])


@jit_kernel
def settle(parent: Parents) -> None:
    """Set the parent of each node to the first node of its component: its label."""
    for node in range(len(parent)):
        parent[node] = parent[parent[node]]  # smaller nodes are settled already


def labels(parent: Parents) -> Parents:
    """Settle and return the label of each node."""
    settle(parent)
    return parent


@dataclass(frozen=True, slots=True)
class Families:
    """Families: components of all pairs, those in doubt included; `label` (settled) and flags of each document."""

    label: Parents
    distinct: Parents  # at each label: documents of the family that are not exact copies of others in it
    flags: Any  # uint8, a bit each: MEMBER, COPIED; at the label: DOUBTFUL

    def members(self, start: int, end: int) -> tuple[I64, Flags]:
        """Return the places from `start` to `end` that have pairs, and whether each needs its shingles.

        Shingles are needed if the family has a pair in doubt, or three or more distinct documents: pairs that
        share no band are compared when keepers are chosen. A copy uses the shingles of its leader.
        """
        flags, label = self.flags[start:end], self.label[start:end]
        place = np.flatnonzero(flags & MEMBER)
        at = label[place]
        needs = (self.distinct[at] > 2) | (self.flags[at] & DOUBTFUL > 0)
        return start + place, needs & (flags[place] & COPIED == 0)


MEMBER, COPIED, DOUBTFUL = 1, 2, 4


def families(parent: Parents, folder: Path | None = None) -> Families:
    """Return the families of settled parents; call `tally` for their pairs next. `folder` as in `new_parents`."""
    count = len(parent)
    found = Families(parent, allocate_numbers(folder, count, parent.dtype), allocate_numbers(folder, count, np.uint8))
    _sizes(parent, found.distinct)
    return found


@jit_kernel
def _sizes(label: Parents, size: Parents) -> None:
    for node in range(len(label)):
        size[label[node]] += 1


@jit_kernel(by=3)
def tally(label: Parents, distinct: Parents, flags: Any, left: I64, right: I64, kind: Any) -> None:
    """Count pairs in the columns of Families; the right document of a COPY is the copy, of one document only."""
    for at in range(len(left)):
        flags[left[at]] |= np.uint8(MEMBER)
        flags[right[at]] |= np.uint8(MEMBER)
        if kind[at] == COPY:
            flags[right[at]] |= np.uint8(COPIED)
            distinct[label[right[at]]] -= 1
        elif kind[at] == DOUBT:
            flags[label[left[at]]] |= np.uint8(DOUBTFUL)
