"""Score what a small language model can learn from a text; nothing is dropped unless a recipe asks.

`quality` measures grammar, which notices, tales and textbooks share. This model was trained on texts that were labelled
by a written rubric (docs/quality-rubric.md): connected explanation above facts, facts above praise, all of them above
menus and advertising. Its card is docs/quality-model.md.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from filters.korean import ngram_model, text_views
from filters.korean.morpheme_signs import ENDINGS, Grammar, grammar_of
from filters.korean.ngram_model import Places, fold_codes, hash_ngrams, keep_distinct
from filters.quality import Evidence, evidence_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.models import Model, read_content
from malmoi.parameter_bounds import Limit, Share

LIBRARIES = ("numpy",)
NEEDS = ("morphology",)
LIMITS = (Limit("quality_model", "min_score", "min", "little-use"),)

PATH = Path(__file__).parent / "lexicons" / "quality.model"
BEST = 5.0  # points of the rubric


def judge(doc: Document, *, min_score: Share = 0.0) -> Verdict:
    """Keep a text that scores at least `min_score`; the default keeps every text.

    Measure `quality_model`, 0..1: the points that the rubric would give, of five. About 0.2 is advertising or
    translation by a machine, 0.4 clean sentences without content, 0.6 facts, rules and scenes, 0.8 explanation and
    argument. Longer texts are read in three windows. Reason `little-use`. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'quality_model' needs morphemes, but the document has none; "
            "put 'morphology' before 'quality_model' in the recipe"
        )
    score = round(score_text(doc.text, doc.morphemes), 4)
    measures = (("quality_model", score),)
    if score < min_score:
        return Verdict("drop", "little-use", score, min_score, measures=measures)
    return Verdict("keep", "quality_model", score, min_score, measures=measures)


def score_text(text: str, found: Morphemes) -> float:
    """Return the score of a text, 0..1."""
    points = score_features(load(), read_features(text, found))
    return min(1.0, max(0.0, points / BEST))


def load() -> Model:
    """Return the model, read once per process."""
    return ngram_model.load(PATH, CHARACTERS)


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
    characters = tuple(
        keep_distinct(np.concatenate(hash_ngrams(fold_codes(prose[start:end]), CHARACTERS)))
        for start, end in cut_windows(len(prose), WINDOW)
    )
    grammar = []
    for start, end in cut_windows(len(found), MORPHEMES):
        forms, tags, signs = found.form[start:end], found.tag[start:end], read.signs[start:end]
        codes = np.fromiter(map(_code_of, forms, tags, signs), np.uint32, len(forms))
        grammar.append(keep_distinct(np.concatenate(hash_ngrams(codes ^ _SALT, GRAMMAR))))
    measures = np.array(list(_measure(text, prose, evidence_of(text, found), read)))
    return Features(characters, tuple(grammar), measures)


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


def score_features(model: Model, found: Features) -> float:
    """Return the points that these features have, unbounded."""
    centre, spread, weights = np.array([model.about["measures"][name] for name in MEASURES]).T
    form = float(np.clip((found.measures - centre) / spread, -MOST_SPREAD, MOST_SPREAD) @ weights)
    return (
        float(model.about["start"]) + form + _mean_weight(model, found.characters) + _mean_weight(model, found.grammar)
    )


# standard deviations; a measure beyond them, as of a text unlike all labelled ones, counts as that many
MOST_SPREAD = 3.0


def _mean_weight(model: Model, windows: tuple[Places, ...]) -> float:
    """Return the mean over windows of the weights of their n-grams, over the root of their number."""
    # Whole numbers under 2**53: the sum is exact in any order.
    sums = [int(model.weights.take(places).sum(dtype=np.int64)) * weight_of(len(places)) for places in windows]
    return float(model.about["step"]) * sum(sums) / len(sums)


# The weights decide, so the version depends on them: a new model makes stages run again.
VERSION = int(hashlib.sha256(b"1 " + read_content(PATH)).hexdigest()[:8], 16)  # 1: version of this file
