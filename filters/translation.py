"""Label whether a text reads like a translation."""

from __future__ import annotations

from filters.korean import translation_model
from malmoi.document import Document, Verdict
from malmoi.errors import CallError

VERSION = 1
LIBRARIES = ("numpy",)
NEEDS = ("morphology",)


def judge(doc: Document) -> Verdict:
    """Keep every text. Label `translated`: `yes`, `no`, or "" where the model abstains.

    Measure `translation`: the probability that the text was translated (`filters.korean.translation_model`); none of a
    text under 60 morphemes. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'translation' needs morphemes, but the document has none; "
            "put 'morphology' before 'translation' in the recipe"
        )
    chance = translation_model.score_text(doc.morphemes)
    measures = () if chance is None else (("translation", round(chance, 4)),)
    return Verdict(
        "keep", "translation", labels=(("translated", translation_model.name_label(chance)),), measures=measures
    )
