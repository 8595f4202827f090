"""Compute what the model of registers reads: hashed n-grams of morphemes and of characters, and shares of style.

Nouns, names and numbers are only their tags among the n-grams of morphemes, so that the subject of a text says little
about its register.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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
_SIGNS: Final = "NBP0VviMIFcpmnxLHUWw.e,o-'()J"  # of `morpheme_signs`
_MASKED: Final = "N0LHU"  # signs of content: form left out
_ASCII: Final = "\n !\"'()*+,-./0:;=?[]_|~"
STYLE: Final = len(_SIGNS) + len(_ASCII) + 9  # numbers
STYLE_WEIGHT: Final = 0.3  # of the style beside n-grams of length 1; by leaving one writer out
_CODES_KEPT: Final = 20_000  # forms whose hash is remembered

_SIGN_AT = np.frombuffer(_SIGNS.encode(), np.uint8)
_ASCII_AT = np.frombuffer(_ASCII.encode(), np.uint8)
_SHOWN = np.ones(128, np.uint64)
_SHOWN[np.frombuffer(_MASKED.encode(), np.uint8)] = 0
# Odd constants that mix 64 bits, one for each place of an n-gram; our choice among known good ones.
_ODD: Final = tuple(
    np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)

Slots = npt.NDArray[np.intp]
Values = npt.NDArray[np.float32]


class Features(NamedTuple):
    """Slots and values of the n-grams of a text, each group of length 1, and its style."""

    morphemes: tuple[Slots, Values]
    characters: tuple[Slots, Values]
    style: Values


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
    signs = grammar_of(found).signs
    first, last = _window(text, found)
    forms = found.form[:first] + found.form[last:]
    shown = signs[:first] + signs[last:]
    head = text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"
    tags = np.frombuffer(shown.encode("ascii", "replace"), np.uint8)
    codes = np.fromiter(map(_CODE_OF.__getitem__, forms), np.uint64, len(forms))
    codes = codes * _SHOWN[tags] * np.uint64(131) + tags
    letters = np.frombuffer(f"\n{head}\n".encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = np.where((letters >= 48) & (letters <= 57), np.uint32(48), letters)
    sentences = max(1, bisect_right(found.sentence_start, found.start[first - 1]) if first else 1)
    return Features(
        _count_slots(codes, MORPHEME_SIZES),
        _count_slots(letters.astype(np.uint64), CHARACTER_SIZES),
        _measure_style(head, letters, tags, sentences),
    )


def _window(text: str, found: Morphemes) -> tuple[int, int]:
    """Return how many morphemes the head has, and the index of the first one of the tail."""
    size = len(found)
    if len(text) <= HEAD + TAIL:
        return min(size, MOST), size
    first = bisect_left(found.start, HEAD)
    last = max(first, bisect_left(found.start, len(text) - TAIL))
    first = min(first, MOST)
    return first, max(last, size - (MOST - first))


def _count_slots(codes: npt.NDArray[np.uint64], sizes: tuple[int, ...]) -> tuple[Slots, Values]:
    """Return the slots of all n-grams, and the square root of how often each occurs, scaled to length 1."""
    hashed = []
    for size in sizes:
        if len(codes) < size:
            break
        mixed = codes[: len(codes) - size + 1] * _ODD[0] + np.uint64(size)
        for shift in range(1, size):
            mixed = (mixed ^ (mixed >> np.uint64(29))) * _ODD[shift] + codes[shift : len(codes) - size + 1 + shift]
        mixed = (mixed ^ (mixed >> np.uint64(31))) * _ODD[0]
        hashed.append(mixed >> np.uint64(64 - BITS))
    if not hashed:
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    slots = np.concatenate(hashed).astype(np.uint16)
    slots.sort()
    starts = np.flatnonzero(np.concatenate((np.array([True]), slots[1:] != slots[:-1])))
    times = np.diff(starts, append=len(slots))
    values = np.sqrt(times / len(slots)).astype(np.float32)
    return slots[starts].astype(np.intp), values


def _measure_style(head: str, letters: npt.NDArray[np.uint32], tags: npt.NDArray[np.uint8], sentences: int) -> Values:
    """Return shares of tags and signs, and lengths of sentences and lines, each about 0 to 1."""
    size, words = len(letters), max(1, len(tags))
    kinds = np.bincount(tags, minlength=128)[_SIGN_AT] / words
    signs = np.bincount(letters[letters < 128], minlength=128)
    latin = signs[65:91].sum() + signs[97:123].sum()
    lines = [len(line) for line in head.split("\n") if line]
    count = max(1, len(lines))
    more = (
        min(3.0, words / sentences / 30),
        min(3.0, count / sentences),
        min(3.0, size / count / 200),
        sum([n <= 25 for n in lines]) / count,
        latin / size * 5,
        float(np.count_nonzero((letters >= 0x4E00) & (letters <= 0x9FFF))) / size * 20,
        float(np.count_nonzero((letters >= 0x2460) & (letters <= 0x27BF))) / size * 20,
        float(np.count_nonzero((letters >= 0x3131) & (letters <= 0x318E))) / size * 20,
        min(1.0, size / 1000),
    )
    found = np.concatenate((np.sqrt(kinds), np.sqrt(signs[_ASCII_AT] / size), more))
    return (found * STYLE_WEIGHT).astype(np.float32)
