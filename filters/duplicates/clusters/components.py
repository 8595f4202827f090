"""Components: what pairs join, by a union-find over the numbers of documents."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from filters.duplicates.duplicate_schema import COPY, DOUBT, I64, Flags
from filters.duplicates.minhash.sketch import jit_kernel

_AT_ONCE = 1 << 16
Parents: TypeAlias = npt.NDArray[Any]  # int32, where that counts far enough: four bytes a document


def new_parents(count: int, folder: Path | None = None) -> Parents:
    """The parents of `count` documents that nothing joins yet; in a nameless file in `folder` where one is named."""
    parent: Parents = allocate_numbers(folder, count, np.int32 if count < 2**31 else np.int64)
    for at in range(0, count, _AT_ONCE):
        parent[at : at + _AT_ONCE] = np.arange(at, min(count, at + _AT_ONCE))
    return parent


def allocate_numbers(folder: Path | None, count: int, kind: Any) -> Any:
    """Zeros in memory, or in a nameless file in `folder`, mapped: where memory is short they go to the disk."""
    if folder is None or not count:
        return np.zeros(count, kind)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.asarray(np.memmap(file, kind, "w+", shape=(count,)))


@jit_kernel
def find(parent: Parents, node: int) -> int:
    """The first node of the component of `node`; the way there becomes shorter for those who come after."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit_kernel
def union(parent: Parents, left: int, right: int) -> None:
    """Join two components; the smaller number stands for both, so that the order of joining leaves no trace."""
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
    """Make each node's parent the first node of its component: its label."""
    for node in range(len(parent)):
        parent[node] = parent[parent[node]]  # smaller nodes are settled already


def labels(parent: Parents) -> Parents:
    """The label of each node, settled."""
    settle(parent)
    return parent


@dataclass(frozen=True, slots=True)
class Families:
    """What pairs of any kind join, those in doubt too: `label` of each document (settled), and what it is there."""

    label: Parents
    distinct: Parents  # at each label: documents of the family that are no exact copies of others in it
    flags: Any  # uint8, a bit each: MEMBER, COPIED; at the label: DOUBTFUL

    def members(self, start: int, end: int) -> tuple[I64, Flags]:
        """The places from `start` to `end` that have pairs, and which of them need their shingles.

        They do where a pair is in doubt, or where three that differ meet: pairs that no band brought
        together are compared when keepers are named. A copy has the shingles of its leader.
        """
        flags, label = self.flags[start:end], self.label[start:end]
        place = np.flatnonzero(flags & MEMBER)
        at = label[place]
        needs = (self.distinct[at] > 2) | (self.flags[at] & DOUBTFUL > 0)
        return start + place, needs & (flags[place] & COPIED == 0)


MEMBER, COPIED, DOUBTFUL = 1, 2, 4


def families(parent: Parents, folder: Path | None = None) -> Families:
    """The families of settled parents, of whose pairs `tally` is still to be told; `folder` as in `new_parents`."""
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
    """Book pairs in the columns of Families: of a COPY the right one is the copy, of one only."""
    for at in range(len(left)):
        flags[left[at]] |= np.uint8(MEMBER)
        flags[right[at]] |= np.uint8(MEMBER)
        if kind[at] == COPY:
            flags[right[at]] |= np.uint8(COPIED)
            distinct[label[right[at]]] -= 1
        elif kind[at] == DOUBT:
            flags[label[left[at]]] |= np.uint8(DOUBTFUL)
