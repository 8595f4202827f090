"""Signs of filled or stuffed sentences: one noun in each, one frame for every fact, words without grammar."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from filters.korean.morpheme_signs import Grammar
from malmoi.document import Morphemes

_HEAD = 7  # morphemes within which the possessor of a sentence ends (주식회사 대온산업의)


def noun_density(text: str, grammar: Grammar) -> float:
    """Return nouns per word in a text of 15 words or more and no final ending: 다이렉트자동차보험비교견적사이트에서."""
    words = text.count(" ") + text.count("\n") + 1
    return grammar.count("N") / words if words >= 15 and "F" not in grammar.signs else 0.0


def phrase_share(forms: Sequence[str], grammar: Grammar) -> float:
    """Return the share of content words that one pair of nouns takes: 수원 맛집."""
    signs = grammar.signs
    pairs: Counter[tuple[str, str]] = Counter()
    at = signs.find("NN")
    while at >= 0:
        pairs[forms[at], forms[at + 1]] += 1
        at = signs.find("NN", at + 1)
    best = max(pairs.values(), default=0)
    return 2 * best / grammar.count("NVLM") if best >= 4 else 0.0


def keyword_stuffing(nouns: Counter[str], found: Morphemes) -> float:
    """Measure by how much the share of sentences with the commonest noun exceeds half, if that noun is frequent."""
    if not nouns:
        return 0.0
    count = max(nouns.values())
    share = count / nouns.total()
    if count < 5 or share < 0.15:
        return 0.0
    noun = max(noun for noun, n in nouns.items() if n == count)
    places = [found.start[i] for i, form in enumerate(found.form) if form == noun]
    named = {bisect_right(found.sentence_start, place) for place in places}
    return max(0.0, len(named) / len(found.sentence_start) - 0.5) * min(1.0, share / 0.3)


def owner_share(found: Morphemes, grammar: Grammar) -> float:
    """Return the share of sentences that open with the same name and 의, in a text of facts with numbers.

    Pages generated from a table look like this (청주시의 습도는 62%이다. 청주시의 기온은 …). Writers who use it for
    style (어머니의 손은 …) give no numbers: they are in fewer than two in five sentences.
    """
    signs, bounds, forms = grammar.signs, grammar.bounds, found.form
    n = len(bounds) - 1
    if n < 5 or signs.count("0") < 0.4 * n:
        return 0.0
    names = Counter(_owner(forms, found.tag, bounds[k], bounds[k + 1]) for k in range(n))
    del names[""]
    best = max(names.values(), default=0)
    return best / n if best >= 4 else 0.0


def _owner(forms: Sequence[str], tags: Sequence[str], start: int, stop: int) -> str:
    """Return the words before 의 that begin a sentence; "" if another particle, an ending or a pronoun comes first."""
    for i in range(start, min(start + _HEAD, stop)):
        if tags[i] == "JKG":
            return "".join(forms[start:i])
        if tags[i][0] in "VEJ" or tags[i] == "NP":
            return ""
    return ""
