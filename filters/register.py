"""Label the register of a text (news, encyclopedia, law, manual, essay, talk …) by a model; silent where it is unsure.

The registers are those by which a trainer mixes data and which sources declare. The subject of a text is another
question, which `domain` answers. `docs/register-model.md` describes the model.
"""

from __future__ import annotations

import hashlib

from filters.korean.softmax_model import load_model, score_labels
from filters.register_rules.features import MODEL, SLOTS, compute_features
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share

LIBRARIES = ("numpy",)
NEEDS = ("morphology",)

LEAST = 15  # morphemes; a shorter text shows too little of its register; our choice, about two sentences

KINDS = (
    "news", "press", "encyclopedia", "technical", "academic", "statutory", "judicial", "administrative",
    "essay", "review", "literature", "spoken", "advertising",
)  # fmt: skip


def judge(doc: Document, *, min_score: Share = 0.5) -> Verdict:
    """Label a text with its register if the score reaches `min_score`; nothing is dropped.

    The score of a register is its probability, 0..1, among all registers and none, by the model of
    `filters/register_rules`; it is calibrated on texts of writers who did not train it. Label `register`: news, press,
    encyclopedia, technical, academic, statutory, judicial, administrative, essay, review, literature, spoken,
    advertising, or "" if no score is high enough or the text has under 15 morphemes. Measure `register_score`: the
    highest score of a register. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'register' needs morphemes, but the document has none; "
            "put 'morphology' before 'register' in the recipe"
        )
    found = score_kinds(doc.text, doc.morphemes)
    name, best = max(found.items(), key=lambda s: s[1]) if found else ("", 0.0)
    labels = (("register", name if best >= min_score else ""),)
    return Verdict("keep", "register", best, min_score, labels, (("register_score", best),))


def score_kinds(text: str, found: Morphemes) -> dict[str, float]:
    """Return the score of each register, rounded to 4 places; together with "none of them" they add up to 1."""
    if len(found) < LEAST:
        return {}
    model = load_model(MODEL, SLOTS)
    scores = score_labels(compute_features(text, found), model).tolist()
    return {name: round(score, 4) for name, score in zip(model.labels, scores, strict=True) if name}


# The weights decide too, so the version depends on them: a new model makes stages run again.
VERSION = int(hashlib.sha256(b"4 " + MODEL.read_bytes()).hexdigest()[:8], 16)  # 4: version of this file
