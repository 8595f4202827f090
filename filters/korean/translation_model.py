"""A linear model of translated Korean, over its grammar: particles, endings, pronouns, adverbs and light verbs.

Translations show their source in grammar words: 당신의, 그것은, 그들의, plural 들 everywhere, 에 의해, 것을 허용한다.
The model reads a text as a row of signs: a grammar word is one sign of its own, every noun and content verb only its
part of speech, so topics cannot decide. `filters.korean.ngram_model` weighs pairs and triples of these signs;
`benchmarks.train_translation` trains it. Between its two thresholds the model abstains.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp
from pathlib import Path
from zlib import crc32

from filters.korean.ngram_model import load, score
from malmoi.document import Morphemes

MODEL = load(Path(__file__).parents[1] / "lexicons" / "translation_model.bin")
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
