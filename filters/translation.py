"""Label whether a text reads like a translation."""

from __future__ import annotations

from functools import lru_cache
from math import exp
from pathlib import Path
from zlib import crc32

from filters.korean.ngram_model import load, score
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError

VERSION = 1
LIBRARIES = ("numpy",)
NEEDS = ("morphology",)


def judge(doc: Document) -> Verdict:
    """Keep every text. Label `translated`: `yes`, `no`, or "" where the model abstains.

    Measure `translation`: the probability that the text was translated (`filters.translation`); none of a
    text under 60 morphemes. Raises CallError if `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'translation' needs morphemes, but the document has none; "
            "put 'morphology' before 'translation' in the recipe"
        )
    chance = score_text(doc.morphemes)
    measures = () if chance is None else (("translation", round(chance, 4)),)
    return Verdict("keep", "translation", labels=(("translated", name_label(chance)),), measures=measures)


MODEL = load(Path(__file__).parent / "lexicons" / "translation.model")
LEAST = 60  # morphemes; a shorter text shows too little
# Logistic curve over the score for equal numbers of both kinds, fitted to the scores by leave-one-writer-out.
SLOPE, SHIFT = 0.66, 1.88
YES, NO = 0.9, 0.15  # probability from which, and up to which, the model does not abstain

_GRAMMAR = frozenset(
    "JKS JKC JKG JKO JKB JKV JKQ JX JC EP EF EC ETN ETM XSN XSV XSA VX VCP VCN NP MM MAJ MAG NNB IC".split()
)
_LIGHT = frozenset(
    "하 되 있 없 가지 위하 통하 의하 대하 관하 만들 주 받 얻 갖 따르 허용 필요 가능 경우 이후 동안".split()
)
_FIRST, _MANY = 0x4E00, 0x5000  # signs of grammar words: a range of code points that `ngram_model` leaves as they are


def score_text(found: Morphemes) -> float | None:
    """Return the probability that the text was translated, 0..1; None if it has too few morphemes."""
    if len(found) < LEAST:
        return None
    return 1 / (1 + exp(-SLOPE * score(MODEL, spell_signs(found)) - SHIFT))


def name_label(chance: float | None) -> str:
    """Return `yes`, `no`, or "" if the model abstains."""
    if chance is None or NO < chance < YES:
        return ""
    return "yes" if chance >= YES else "no"


def spell_signs(found: Morphemes) -> str:
    """Spell a text as signs with a blank after each, so that single signs, pairs and neighbours become n-grams."""
    return " ".join(map(_sign, found.form, found.tag))


@lru_cache(maxsize=16_384)
def _sign(form: str, tag: str) -> str:
    if tag in _GRAMMAR or form in _LIGHT:
        return chr(_FIRST + crc32(f"{form}/{tag}".encode("utf-8", "replace")) % _MANY)
    return tag[:2]
