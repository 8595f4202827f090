"""Score what a small language model can learn from a text; nothing is dropped unless a recipe asks.

`quality` measures grammar, which notices, tales and textbooks share. This model was trained on texts that were labelled
by a written rubric (docs/quality-rubric.md): connected explanation above facts, facts above praise, all of them above
menus and advertising. Its card is docs/quality-model.md.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from filters.korean import ngram_model
from filters.korean.ngram_model import Model, Places
from filters.usefulness.features import CHARACTERS, MEASURES, Features, read_features, weight_of
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share
from malmoi.threshold import Limit

LIBRARIES = ("numpy",)
NEEDS = ("morphology",)
LIMITS = (Limit("quality_model", "min_score", "min", "little-use"),)

PATH = Path(__file__).parent / "lexicons" / "quality_model.bin"
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


def score_features(model: Model, found: Features) -> float:
    """Return the points that these features have, unbounded."""
    centre, spread, weights = np.array([model.about["measures"][name] for name in MEASURES]).T
    form = float(np.clip((found.measures - centre) / spread, -MOST_SPREAD, MOST_SPREAD) @ weights)
    return model.start + form + _mean_weight(model, found.characters) + _mean_weight(model, found.grammar)


MOST_SPREAD = (
    3.0  # standard deviations; a measure beyond them, as of a text unlike all labelled ones, counts as that many
)


def _mean_weight(model: Model, windows: tuple[Places, ...]) -> float:
    """Return the mean over windows of the weights of their n-grams, over the root of their number."""
    # Whole numbers under 2**53: the sum is exact in any order.
    sums = [int(model.weights.take(places).sum(dtype=np.int64)) * weight_of(len(places)) for places in windows]
    return model.step * sum(sums) / len(sums)


# The weights decide, so the version depends on them: a new model makes stages run again.
VERSION = int(hashlib.sha256(b"1 " + PATH.read_bytes()).hexdigest()[:8], 16)  # 1: version of this file
