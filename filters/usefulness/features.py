"""Features of the quality model: hashed n-grams of characters and of grammar, and measures of form.

A subject says little about what a text teaches, so words count by their class only; particles, endings, adverbs,
conjunctions, pronouns and auxiliaries count by their form.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from filters.korean.morpheme_signs import ENDINGS, Grammar, grammar_of
from filters.korean.ngram_model import Places, fold_codes, hash_ngrams, keep_distinct
from filters.quality import Evidence, evidence_of
from filters.views import text_views
from malmoi.document import Morphemes

CHARACTERS, GRAMMAR = (2, 3, 4), (1, 2, 3)  # lengths of n-grams
WINDOW, MORPHEMES = 400, 200  # code points and morphemes of a window: the length of the longer labelled texts
# Windows of a longer text: head, middle and tail. Their score is 0.017 from that of all windows (mean of absolute
# differences over 80 texts of more than 2,000 code points), that of the head alone 0.073.
MOST_WINDOWS = 3
FEWEST = 60  # different n-grams, about 20 code points: with fewer the evidence shrinks in proportion
# Tags whose forms are read; of other morphemes only the class (`filters.korean.morpheme_signs`).
_FORMS = ("J", "E", "MA", "NP", "NNB", "VX", "MM", "IC", "XS", "VC", "XP")
_SIGNS = ".,:;|·>◆●■▶-*~!?"
_SENTENCE_ENDS = ("다.", "요.", "다", "까?", "죠.", "음", "함")
_SALT = np.uint32(0x5BD1E995)  # keeps n-grams of grammar apart from those of characters

MEASURES = (
    "particles", "endings", "complete", "listed", "foreign", "sentence_size", "eojeol_size", "code", "digits", "signs",
    "exclamations", "lines", "closed_lines",
)  # fmt: skip
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Different n-grams of each window as slots of the hash, and the measures in the order of `MEASURES`."""

    characters: tuple[Places, ...]
    grammar: tuple[Places, ...]
    measures: Floats


def read_features(text: str, found: Morphemes) -> Features:
    """Return the features of a text; of its fenced code only the share is read."""
    prose, read = text_views.prose(text), grammar_of(found)
    characters = tuple(_hash_characters(prose[start:end]) for start, end in cut_windows(len(prose), WINDOW))
    grammar = tuple(
        _hash_grammar(found.form[start:end], found.tag[start:end], read.signs[start:end])
        for start, end in cut_windows(len(found), MORPHEMES)
    )
    return Features(characters, grammar, np.array(list(_measure(text, prose, evidence_of(text, found), read))))


def _hash_characters(text: str) -> Places:
    return keep_distinct(np.concatenate(hash_ngrams(fold_codes(text), CHARACTERS)))


def _hash_grammar(forms: Sequence[str], tags: Sequence[str], signs: str) -> Places:
    codes = np.fromiter(map(_code_of, forms, tags, signs), np.uint32, len(forms))
    return keep_distinct(np.concatenate(hash_ngrams(codes ^ _SALT, GRAMMAR)))


def weight_of(number: int) -> float:
    """Return the factor of one of `number` different n-grams: over the root of their number, less if they are few."""
    return min(1.0, number / FEWEST) / math.sqrt(max(FEWEST, number))


def cut_windows(size: int, window: int) -> list[tuple[int, int]]:
    """Return the bounds of windows spread evenly over `size` code points or morphemes, at most `MOST_WINDOWS`.

    >>> cut_windows(300, 400), cut_windows(2_000, 400)
    ([(0, 300)], [(0, 400), (800, 1200), (1600, 2000)])
    """
    number = min(MOST_WINDOWS, size // window)
    if number < 2:
        return [(0, min(size, 2 * window))]
    return [(start, start + window) for start in ((size - window) * k // (number - 1) for k in range(number))]


@lru_cache(maxsize=1 << 14)
def _code_of(form: str, tag: str, sign: str) -> int:
    return crc32((f"{form}/{tag}" if tag.startswith(_FORMS) else sign).encode("utf-8", "replace"))


def _measure(text: str, prose: str, found: Evidence, grammar: Grammar) -> Iterator[float]:
    """Yield the measures: shares, or rates per eojeol and sentence; those without an upper bound as logarithms."""
    size = max(1, len(prose))
    lines = [line for line in map(str.strip, prose.split("\n")) if line]
    yield min(1.0, found.josa)
    yield min(1.0, found.eomi)
    yield found.complete
    yield sum(len(s) for s in grammar.sentences() if not any(map(s.__contains__, ENDINGS))) / max(1, len(grammar.signs))
    yield found.foreign
    yield math.log1p(found.sentence_size)
    yield math.log1p(found.eojeol_size)
    yield 1 - len(prose) / max(1, len(text))
    yield sum(map(prose.count, "0123456789")) / size
    yield sum(map(prose.count, _SIGNS)) / size
    yield min(1.0, 100 * prose.count("!") / size)
    yield math.log1p(len(lines) / max(1, found.sentences))
    yield sum(line.endswith(_SENTENCE_ENDS) for line in lines) / max(1, len(lines))
