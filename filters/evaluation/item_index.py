"""Index over the items of evaluation sets: which run of letters belongs to which item, and which runs are evidence.

Runs that occur in many items are common test phrases (다음 중 옳지 않은 것은) and not evidence of any item.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from filters.duplicates.sketch import letters_of
from filters.evaluation import search_kernels
from filters.evaluation.item_files import Item
from filters.evaluation.search_kernels import BESIDE, I32, I64, TABLE, U8, U16, U32, U64

FEWEST = 16  # letters of its own that an item must have: docs/evaluation-sets.md states the cost of fewer
WHOLE = 40  # letters; a shorter item must occur whole to count, e.g. the title of a news story
COMMON = 8  # items; a run in more of them is a common test phrase
STRIDE = 4  # letters from one seed to the next: any run of 15 letters holds one
PASSAGE = 200  # letters of a passage that represent it, next to a question that is too short alone


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found: the share of its letters that the text contains, and the share needed."""

    set: str
    name: str
    share: float
    needed: float


@dataclass(frozen=True, slots=True)
class Hits:
    """All items found in a text, in their order, and the largest share of an item that was not found."""

    items: tuple[Hit, ...]
    near: float


@dataclass(frozen=True, eq=False)
class Index:
    """Sorted seeds with the item of each, and the letters of all items; about 360 bytes per item of 80 letters."""

    run: int
    names: tuple[tuple[str, str], ...]  # (set, file); `sources` holds indexes into it
    sources: npt.NDArray[np.uint16]  # per item
    numbers: U32  # per item: its number in its file
    items: dict[str, int]  # per set
    unsearched: dict[str, int]  # per set: too few letters of their own, or a duplicate of an earlier item
    bits: U8
    starts: U32
    seeds: U64
    owners: U32
    letters: U16
    begins: I64
    ends: I64
    kinds: U8
    of_item: I64
    alone: U8
    reach: I32
    hits: U8  # seeds near each other required before an item is compared in full
    _local: threading.local = field(default_factory=threading.local)  # buffers of one search at a time

    @property
    def nbytes(self) -> int:
        """Return the bytes of all arrays."""
        return sum(a.nbytes for a in vars(self).values() if isinstance(a, np.ndarray))

    def search(self, text: str, min_share: float) -> Hits:
        """Find the items with `min_share` of their letters in `text`, in a stretch about as long as the item."""
        letters = letters_of(text).astype(np.uint16)
        if letters.size < FEWEST or not self.seeds.size:
            return Hits((), 0.0)
        scratch = self._scratch()
        share, found = scratch[-2:]
        total, near = search_kernels.search(
            letters, self.run, min_share, WHOLE, self.bits, self.starts, self.seeds, self.owners, self.letters,
            self.begins, self.ends, self.kinds, self.of_item, self.alone, self.reach, self.hits,
            np.empty(letters.size + TABLE, np.uint64), *scratch,
        )  # fmt: skip
        return Hits(tuple(self._hit(int(i), float(share[i]), min_share) for i in np.sort(found[:total])), float(near))

    def _scratch(self) -> tuple[npt.NDArray[Any], ...]:
        """Return the buffers of a search: one set per thread; a clock value marks the entries of the current call."""
        if not hasattr(self._local, "arrays"):
            items = self.alone.size
            self._local.arrays = (
                np.empty(TABLE, np.uint64),
                np.zeros(TABLE, np.uint32),
                np.zeros(TABLE, np.uint8),
                np.zeros(2, np.int64),
                np.zeros(items, np.int64),
                *np.zeros((3, items), np.int32),
                np.zeros(items, np.float64),
                np.empty(items, np.uint32),
            )
        arrays: tuple[npt.NDArray[Any], ...] = self._local.arrays
        return arrays

    def _hit(self, item: int, share: float, min_share: float) -> Hit:
        set_name, file = self.names[self.sources[item]]
        first, end = self.of_item[item], self.of_item[item + 1]
        sizes = self.ends[first:end] - self.begins[first:end]
        size = sizes[self.kinds[first:end] == 0].sum() if self.alone[item] else sizes.sum()
        return Hit(set_name, f"{set_name}/{file}:{self.numbers[item]}", share, 1.0 if size < WHOLE else min_share)


def build(items: Iterable[Item], run: int) -> Index:
    """Build the index of `items`, searched by runs of `run` letters.

    The first of several items with the same question and choices represents all. An item without FEWEST letters of its
    own is not searched for. Neither is an error; `unsearched` counts both by set.
    """
    given = list(items)
    parts = parts_of(given)
    runs = runs_of(parts, run)
    ordered = np.sort(runs.hashes[runs.parts >= 0])
    common = np.unique(ordered[COMMON:][ordered[COMMON:] == ordered[: max(0, ordered.size - COMMON)]])
    asked, all_ = _count_own_letters(parts, runs, common, run, len(given))
    alone = asked >= FEWEST
    # Items that have parts and are not duplicates of an earlier one, whatever the order of their choices
    whole = np.zeros(len(given), np.uint64)
    np.add.at(whole, parts.items, search_kernels.hash_parts(parts.letters, parts.begins, parts.ends))
    first = np.zeros(len(given), bool)
    first[np.unique(whole, return_index=True)[1]] = True
    first[whole == 0] = False
    needy = np.flatnonzero(first & (all_ < FEWEST))
    passages = read_parts([" ".join(given[i].passage) for i in needy], PASSAGE)
    all_[needy] += passages.ends - passages.begins
    parts = join_parts(parts, replace(passages, items=needy[passages.items], kinds=passages.kinds + np.uint8(2)))
    seeds, owners = _build_seeds(parts, runs_of(parts, run), common, alone, first & (all_ >= FEWEST))
    names = sorted({(item.set, item.file) for item in given})
    place = {name: i for i, name in enumerate(names)}
    # Where the seeds with the same first bits begin, about two seeds each
    bits = max(8, int(seeds.size).bit_length() - 1)
    edges = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    # How far before and after a seed the rest of its item may lie: its length, plus marks between its parts. Of an item
    # whose question is enough alone, only the question is searched for.
    sizes = parts.ends - parts.begins + BESIDE
    sizes[alone[parts.items] & (parts.kinds != 0)] = 0
    counted = Counter(item.set for item in given)
    searched = Counter(given[i].set for i in np.unique(owners))
    return Index(
        run=run,
        names=tuple(names),
        sources=np.array([place[item.set, item.file] for item in given], np.uint16),
        numbers=np.array([item.number for item in given], np.uint32),
        items=dict(sorted(counted.items())),
        unsearched={name: n - searched[name] for name, n in sorted(counted.items()) if n > searched[name]},
        bits=_build_bit_filter(seeds),
        starts=np.concatenate([[0], np.searchsorted(seeds, edges), [seeds.size]]).astype(np.uint32),
        seeds=seeds,
        owners=owners,
        letters=parts.letters,
        begins=parts.begins,
        ends=parts.ends,
        kinds=parts.kinds,
        of_item=np.searchsorted(parts.items, np.arange(len(given) + 1)),
        alone=alone.astype(np.uint8),
        reach=np.bincount(parts.items, sizes, alone.size).astype(np.int32),
        hits=np.clip(np.bincount(owners, minlength=len(given)) // 4, 1, 4).astype(np.uint8),
    )


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
    which = (sizes >= LEAST) & (upto - before <= MOST_OF_ALL)
    parts = Parts(parts.letters, parts.begins[which], parts.ends[which], parts.items[which], parts.kinds[which])
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


def _count_own_letters(parts: Parts, runs: Runs, common: U64, run: int, count: int) -> tuple[I64, I64]:
    """Count the letters of each item, of its question and in total, outside common runs; both of shape (items,)."""
    begins = np.flatnonzero(_is_in(runs.hashes, common) & (runs.parts >= 0))
    change = np.zeros(runs.hashes.size + 1, np.int32)
    np.add.at(change, begins, 1)
    np.add.at(change, begins + run, -1)
    upto = np.concatenate([[0], np.cumsum(np.cumsum(change[:-1]) == 0)])
    own = upto[parts.ends] - upto[parts.begins]
    asked = np.bincount(parts.items, np.where(parts.kinds == 0, own, 0), count)
    return asked.astype(np.int64), np.bincount(parts.items, own, count).astype(np.int64)


def _is_in(hashes: U64, ordered: U64) -> Bools:
    """Return which hashes are among the `ordered`; a bit filter excludes most first, since few are."""
    found = np.zeros(hashes.size, bool)
    if ordered.size:
        bits = _build_bit_filter(ordered)
        low = hashes & np.uint64(bits.size * 8 - 1)
        likely = np.flatnonzero(
            bits[(low >> np.uint64(3)).astype(np.int64)] >> (low & np.uint64(7)).astype(np.uint8) & 1
        )
        some = hashes[likely]
        found[likely] = ordered[np.minimum(np.searchsorted(ordered, some), ordered.size - 1)] == some
    return found


def _build_seeds(parts: Parts, runs: Runs, common: U64, alone: Bools, searched: Bools) -> tuple[U64, U32]:
    """Return seeds and their items: of questions that are enough alone, else of all parts; sorted by seed, item."""
    looked = searched[parts.items] & ((parts.kinds == 0) | ~alone[parts.items])
    begin = np.flatnonzero(runs.parts >= 0)
    part = runs.parts[begin]
    here = looked[part] & ((begin - parts.begins[part]) % STRIDE == 0)
    hashes, owners = runs.hashes[begin[here]], parts.items[part[here]]
    fresh = ~_is_in(hashes, common)
    hashes, owners = hashes[fresh], owners[fresh]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    new = np.ones(hashes.size, bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    hashes, owners = hashes[new], owners[new]
    right, left = (np.searchsorted(hashes, hashes, side) for side in ("right", "left"))
    often = right - left > COMMON  # of passages, which the common runs do not include
    return hashes[~often], owners[~often].astype(np.uint32)


def _build_bit_filter(seeds: U64) -> U8:
    """Build a filter of one bit per seed among sixteen times as many: it excludes most runs of a text in one lookup."""
    size = 1 << max(16, int(seeds.size * 16).bit_length())
    flags = np.zeros(size, bool)
    flags[(seeds & np.uint64(size - 1)).astype(np.int64)] = True
    return np.packbits(flags, bitorder="little")
