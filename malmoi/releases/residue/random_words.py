"""Whether a word is random, as keys are, or a placeholder for a key.

docs/personal-data.md defines placeholders for both detectors; this one measures them by differences of code points and
shares no code with the filter.
"""

from __future__ import annotations

import string
from itertools import groupby
from typing import Final

import numpy as np

SIGNS: Final = "-_.: "
TEMPLATES: Final = ("<", "{", "$", "...", "****", "[", "%(")
STANDS_FOR: Final = (
    "example", "your", "changeme", "placeholder", "dummy", "sample", "replace", "insert", "redacted",
)  # fmt: skip
IN_CAPITALS: Final = "EXAMPLE"  # vendors write it into sample keys in manuals
ALIKE, CLIMBING = 4, 5  # minimum letters of a row of equal letters, and of a row of consecutive letters
LONGEST_CLUSTER: Final = 4  # consecutive consonants within a word
_APART: Final = str.maketrans(dict.fromkeys(SIGNS, " "))


def is_stand_in(word: str) -> bool:
    """Whether `word` describes a key or its length, and is not a key.

    >>> [is_stand_in(w) for w in ("AWS-S3-SECRET-KEY-FOR-NOTEBOOK-SYNC", "oW7XXXXXX", "1234567890abcdef", "your-key")]
    [True, True, True, True]
    >>> is_stand_in("9f2c41d07ab84e6fb1c3")
    False
    """
    folded = word.casefold()
    parts = word.translate(_APART).split()
    if IN_CAPITALS in word or any(sign in folded for sign in TEMPLATES):
        return True
    if any(part.casefold().startswith(telling) for part in parts for telling in STANDS_FOR):
        return True
    return _count_regular(folded) * 2 > len(folded) or _is_made_of_words(parts)


def _count_regular(word: str) -> int:
    """Return how many letters of `word` are in a row of equal or of consecutive letters."""
    if len(word) < ALIKE:
        return 0
    codes = np.frombuffer(word.encode("utf-32-le", "replace"), np.uint32).astype(np.int64)
    steps = np.diff(codes)
    steps = np.where((codes[:-1] == ord("9")) & (codes[1:] == ord("0")), 1, steps)
    steps = np.where((codes[:-1] == ord("0")) & (codes[1:] == ord("9")), -1, steps)
    total, free = 0, 1  # a letter between two rows belongs to one of them
    for step, row in groupby(steps.tolist()):
        n = sum(1 for _ in row)
        if abs(step) <= 1 and n + 1 >= (CLIMBING if step else ALIKE):
            total += n + free
            free = 0
        else:
            free = 1
    return total


def _is_made_of_words(parts: list[str]) -> bool:
    """Whether two or more parts are each a word in one case, a short number, or a word followed by one."""
    stems = [part.rstrip(string.digits) for part in parts]
    tails = [len(part) - len(stem) for part, stem in zip(parts, stems, strict=True)]
    plain = all(
        not stem or (stem.isalpha() and (stem.isupper() or stem[1:].islower() or len(stem) == 1)) for stem in stems
    )
    long = [stem.casefold() for stem in stems if len(stem) >= 4]
    if len(parts) < 2 or not plain or max(tails) > 4 or not long:
        return False
    return sum(map(_is_pronounceable, long)) * 2 > len(long)


def _is_pronounceable(word: str) -> bool:
    clusters = [(vowel, sum(1 for _ in row)) for vowel, row in groupby(word, key=lambda c: c in "aeiouy")]
    return any(vowel for vowel, _ in clusters) and all(vowel or n <= LONGEST_CLUSTER for vowel, n in clusters)
