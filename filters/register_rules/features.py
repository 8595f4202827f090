"""Compute what the model of registers reads: hashed n-grams of morphemes and of characters.

Nouns, names and numbers are only their tags among the n-grams of morphemes, so that the subject of a text says little
about its register. Lengths of sentences and lines are left out: they tell writers apart, not registers.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from filters.korean.morpheme_signs import grammar_of
from malmoi.document import Morphemes

BITS: Final = 16  # of a slot
# Formulae are at the head and the tail; the middle of a long text has more of the same.
HEAD, TAIL = 900, 300  # code points
MOST: Final = 1_000  # morphemes
MORPHEME_SIZES: Final = (1, 2, 3)  # of n-grams
CHARACTER_SIZES: Final = (1, 2, 3, 4)
MORPHEME_WEIGHT: Final = np.float32(0.5)  # of the morphemes beside the characters; by leaving one writer out
_MASKED: Final = b"N0LHU"  # signs of `morpheme_signs` whose forms are left out
_CODES_KEPT: Final = 20_000  # forms whose hash is remembered
# Odd constants that mix 64 bits, one for each place of an n-gram; our choice among known good ones.
_ODD: Final = tuple(
    np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)
_SHOWN: Final = np.full(128, 131, np.uint64)  # factor of the hash of a form, by sign
_SHOWN[np.frombuffer(_MASKED, np.uint8)] = 0

Codes = npt.NDArray[np.uint64]
Slots = npt.NDArray[np.intp]
Values = npt.NDArray[np.float32]


class Features(NamedTuple):
    """Slots and values of the n-grams of a text; values of characters have length 1, those of morphemes 0.5."""

    morphemes: tuple[Slots, Values]
    characters: tuple[Slots, Values]


class _Codes(dict[str, int]):
    """The hash of each form, remembered."""

    def __missing__(self, form: str) -> int:
        if len(self) > _CODES_KEPT:
            self.clear()
        code = self[form] = crc32(form.encode("utf-8", "replace"))
        return code


_CODE_OF = _Codes()


def compute_features(text: str, found: Morphemes) -> Features:
    """Return the features of the first 900 and the last 300 code points of a text and their morphemes."""
    first, last = _window(text, found)
    signs = grammar_of(found).signs
    forms = found.form[:first] + found.form[last:]
    tags = np.frombuffer((signs[:first] + signs[last:]).encode(), np.uint8)
    codes = np.fromiter(map(_CODE_OF.__getitem__, forms), np.uint64, len(forms)) * _SHOWN[tags] + tags
    head = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
    letters = np.frombuffer(f"\n{head}\n".encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = np.where((letters >= 48) & (letters <= 57), np.uint32(48), letters)  # every digit counts as 0
    slots, values = _count_slots(codes, MORPHEME_SIZES)
    return Features((slots, values * MORPHEME_WEIGHT), _count_slots(letters.astype(np.uint64), CHARACTER_SIZES))


def _window(text: str, found: Morphemes) -> tuple[int, int]:
    """Return how many morphemes the head has, and the index of the first one of the tail."""
    size = len(found)
    if len(text) <= HEAD + TAIL:
        return min(size, MOST), size
    first = min(bisect_left(found.start, HEAD), MOST)
    return first, max(bisect_left(found.start, len(text) - TAIL), first, size - (MOST - first))


def _count_slots(codes: Codes, sizes: tuple[int, ...]) -> tuple[Slots, Values]:
    """Return the slots of all n-grams, and the square root of how often each occurs, scaled to length 1."""
    hashed = [_hash_runs(codes, size) for size in sizes if len(codes) >= size]
    if not hashed:
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    slots = np.concatenate(hashed)
    slots.sort()
    new = np.empty(len(slots), np.bool_)
    new[0] = True
    np.not_equal(slots[1:], slots[:-1], out=new[1:])
    starts = new.nonzero()[0]
    times = np.empty(len(starts), np.float32)
    times[:-1] = starts[1:] - starts[:-1]
    times[-1] = len(slots) - starts[-1]
    return slots[starts].astype(np.intp), np.sqrt(times / np.float32(len(slots)))


def _hash_runs(codes: Codes, size: int) -> npt.NDArray[np.uint16]:
    """Return the slot of each run of `size` codes."""
    runs = len(codes) - size + 1
    mixed = codes[:runs] * _ODD[0] + np.uint64(size)
    for shift in range(1, size):
        mixed ^= mixed >> np.uint64(29)
        mixed *= _ODD[shift]
        mixed += codes[shift : runs + shift]
    mixed ^= mixed >> np.uint64(31)
    mixed *= _ODD[0]
    return (mixed >> np.uint64(64 - BITS)).astype(np.uint16)
