"""The letters of the parts of evaluation items, in arrays: read in batches, truncated, and hashed run by run."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from filters.duplicates.sketch import letters_of
from filters.evaluation import search_kernels
from filters.evaluation.items import Item
from filters.evaluation.search_kernels import I64, U8, U16, U64

Bools: TypeAlias = npt.NDArray[np.bool_]

MOST = 600  # letters; the rest of a longer part is left out
MOST_OF_ALL = 6_000  # letters; later parts of an item are left out
LEAST = 3  # letters; a shorter part (서울, 참) is not evidence
_PARTED = "\ua66e"  # a letter that occurs in no set: parts are read together and split there
_AT_ONCE = 4096  # parts


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of all items, sorted by item: letters[begin:end] of each, and its kind."""

    letters: U16
    begins: I64
    ends: I64
    items: I64
    kinds: U8  # 0 question, 1 choice, 2 passage


def parts_of(given: Sequence[Item]) -> Parts:
    """Return questions and choices; if an item has no question of LEAST letters, its choices count as the question."""
    found = read_parts([text for item in given for text in (*item.question, *item.choices)], MOST)
    items = np.repeat(np.arange(len(given)), [len(item.question) + len(item.choices) for item in given])
    kinds = [kind for item in given for kind in (0,) * len(item.question) + (1,) * len(item.choices)]
    sizes = found.ends - found.begins
    upto = np.cumsum(sizes)
    before = np.concatenate([[0], upto])[np.searchsorted(items, items)]  # letters of the preceding items
    parts = replace(found, items=items, kinds=np.array(kinds, np.uint8))
    parts = _select_parts(parts, (sizes >= LEAST) & (upto - before <= MOST_OF_ALL))
    asks = np.zeros(len(given), bool)
    asks[parts.items[parts.kinds == 0]] = True
    return replace(parts, kinds=parts.kinds * asks[parts.items].astype(np.uint8))


def read_parts(texts: Sequence[str], most: int) -> Parts:
    """Read the letters of each text, at most `most`, as the only part of the item with its number.

    Texts are read in batches, since a call costs more than a text.
    """
    letters, begins, ends, size = [np.empty(0, np.uint16)], [], [], 0
    for at in range(0, len(texts), _AT_ONCE):
        some = (unicodedata.normalize("NFC", t[: 2 * most].replace(_PARTED, "")) for t in texts[at : at + _AT_ONCE])
        points = letters_of("".join(text + _PARTED for text in some))
        stops = np.flatnonzero(points == ord(_PARTED))
        starts = np.concatenate([[0], stops[:-1] + 1])
        letters.append(points.astype(np.uint16))
        begins.append(starts + size)
        ends.append(np.minimum(stops, starts + most) + size)
        size += points.size
    nothing = np.zeros(0, np.int64)
    places = np.arange(len(texts))
    return Parts(
        np.concatenate(letters),
        np.concatenate([nothing, *begins]),
        np.concatenate([nothing, *ends]),
        places,
        np.zeros(places.size, np.uint8),
    )


def _select_parts(parts: Parts, which: Bools) -> Parts:
    return Parts(parts.letters, parts.begins[which], parts.ends[which], parts.items[which], parts.kinds[which])


def join_parts(one: Parts, other: Parts) -> Parts:
    """Join all parts of both, sorted by item; those of `one` before those of `other`."""
    items = np.concatenate([one.items, other.items])
    order = np.argsort(items, kind="stable")
    return Parts(
        np.concatenate([one.letters, other.letters]),
        np.concatenate([one.begins, other.begins + one.letters.size])[order],
        np.concatenate([one.ends, other.ends + one.letters.size])[order],
        items[order],
        np.concatenate([one.kinds, other.kinds])[order],
    )


@dataclass(frozen=True, slots=True)
class Runs:
    """The hash of the run that begins at each letter, and the part that contains it; -1 if none begins there."""

    hashes: U64
    parts: npt.NDArray[np.int32]


def runs_of(parts: Parts, run: int) -> Runs:
    """Return the runs of `run` letters of all parts."""
    hashes, owners = np.zeros(parts.letters.size, np.uint64), np.full(parts.letters.size, -1, np.int32)
    search_kernels.hash_runs_of_parts(parts.letters, parts.begins, parts.ends, run, hashes, owners)
    return Runs(hashes, owners)
