"""Label the subject of a text by a model of its nouns and of lists of terms; keep only chosen domains if a recipe asks.

The kind of a text (news, manual, essay …) is another question, which `register` answers. `docs/domains.md` describes
lists, model and figures.
"""

from __future__ import annotations

import hashlib

from filters.domain_rules.features import MODEL, SLOTS, compute_features
from filters.domain_rules.term_lists import DOMAINS, Domain, terms_digest
from filters.korean.softmax_model import load_model, score_labels
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.parameter_bounds import Share
from malmoi.threshold import Limit

LIBRARIES = ("ahocorasick_rs", "numpy")
NEEDS = ("morphology",)
LIMITS = (Limit("domain_kept", "min_score", "min", "other-domain"),)

FLOOR = 0.2  # lower scores are not stored; our choice: a domain that a text only mentions


def judge(doc: Document, *, keep: tuple[Domain, ...] = (), min_score: Share = 0.4) -> Verdict:
    """Label a text with its main domain; with `keep`, drop a text about none of these domains.

    The score of a domain is its probability, 0..1, among all domains and none, by the model of `filters/domain_rules`;
    it is calibrated on texts of writers who did not train it.

    Label `domain`: the domain with the highest score, "" if none reaches `min_score`. Measures `domain:<name>` for
    each domain that reaches 0.2. With `keep`, the measure `domain_kept` is the sum of the scores of the kept domains;
    below the threshold `min_score` the reason is `other-domain`. Without `keep` nothing is dropped. Raises CallError
    if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'domain' needs morphemes, but the document has none; "
            "put 'morphology' before 'domain' in the recipe"
        )
    found = score_domains(doc.morphemes)
    first, best = next(iter(found.items()))
    labels = (("domain", first if best >= min_score else ""),)
    measures = tuple((f"domain:{name}", score) for name, score in found.items() if score >= FLOOR)
    if not keep:
        return Verdict("keep", "domain", best, min_score, labels, measures)
    kept = round(sum(found[name] for name in keep), 4)
    measures = (*measures, ("domain_kept", kept))
    if kept < min_score:
        return Verdict("drop", "other-domain", kept, min_score, labels, measures)
    return Verdict("keep", "domain", kept, min_score, labels, measures)


def score_domains(found: Morphemes) -> dict[str, float]:
    """Return the score of each domain, highest first, rounded to 4 places; with "none of them" they add up to 1."""
    model = load_model(MODEL, SLOTS)
    scores = score_labels(compute_features(found), model).tolist()
    given = {name: round(score, 4) for name, score in zip(model.labels, scores, strict=True) if name}
    return {name: given[name] for name in sorted(DOMAINS, key=lambda name: -given[name])}


# Terms and weights decide, so the version depends on them: changed ones make stages run again.
VERSION = int(hashlib.sha256(b"4 " + terms_digest().encode() + MODEL.read_bytes()).hexdigest()[:8], 16)
