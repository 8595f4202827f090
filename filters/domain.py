"""Say which fields a text is about, by how densely its nouns name them; keep only chosen fields where a recipe asks.

Korean writes compounds with and without blanks, and an analyser cuts new ones anywhere. So the nouns
of a text are laid side by side and terms are looked for in them across cuts and blanks, never
across a particle or an ending.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import re2

from filters.params import Share
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.limit import Limit

Domain: TypeAlias = Literal[
    "semiconductor", "manufacturing", "content", "law", "administration", "politics", "economy", "finance",
    "medicine", "software", "science", "education", "culture", "history", "sports", "life", "agriculture",
    "energy", "construction", "military",
]  # fmt: skip
DOMAINS: tuple[Domain, ...] = get_args(Domain)
LIBRARIES = ("google-re2",)
LIMITS = (Limit("domain_kept", "min_score", "min", "other-domain"),)

FLOOR = 0.2  # a score below it is not stored; our choice: a field that a text only touches
MOST = 5  # fields stored of one text
_TERMS = Path(__file__).parent / "domain_terms"
_NEUTRAL = "neutral"
# Nouns, their affixes, roots, words in other scripts and numbers: 3나노, K팝, 산업화.
_NOUNS = frozenset(("NNG", "NNP", "NNB", "NR", "SL", "SH", "SN", "XPN", "XSN", "XR", "UN", "W_SERIAL"))
# A text is looked at in parts; a term counts by the parts it stands in, 1, 2, 3 or more: density, not insistence.
PARTS, LEAST_PART = 6, 60  # parts of a text; morphemes in a part
_REPEATS = (0.0, 1.0, 1.5, 1.8)
# Set on the texts in tests/data/domain (benchmarks/domain.py), which are ours and short: a first guess.
FULL_DENSITY = 20.0  # weight of terms for each 100 nouns at which a text is wholly about a field
FULL_TERMS = 3.0  # different terms below which a score is lowered: one word never decides
MAX_MEM = 256 << 20  # bytes that the automaton may take; its states for Korean prose take a tenth
FULL_SHARE = 0.35  # of the weight of the strongest field, below which a field's score is lowered
BASE_NOUNS = 50  # a text with fewer nouns is measured as if it had so many


@dataclass(frozen=True, slots=True)
class Term:
    """One term: how it is found, how heavy it is in which fields, and which shorter terms it holds."""

    text: str  # without blanks
    pattern: str
    weights: tuple[tuple[str, float], ...]
    inside: frozenset[int]  # the terms that it holds


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All terms, and one automaton that finds them together."""

    terms: tuple[Term, ...]
    finder: re2.Set


def judge(doc: Document, *, keep: tuple[Domain, ...] = (), min_score: Share = 0.4) -> Verdict:
    """Label a text with the field that it is most about; with `keep`, drop a text about none of these fields.

    A score in 0..1 for each field: the weight of its terms (3 almost its own, 2 typical, 1 shared; a term
    that stands in several parts of the text up to 1.8 times that) for each 100 nouns, divided by 20, at
    most 1. It is lowered where fewer than three different terms stand, and where another field weighs more
    than twice as much. A term inside a longer one is not counted: 공정 in 공정거래, 게임 in 게임이론.

    Label `domain`: the field with the highest score, "" where none reaches `min_score`. Measures
    `domain:<field>` for at most five fields that reach 0.2. With `keep`, the measure `domain_kept` is the
    highest score of a kept field; below `min_score` the reason is `other-domain`. Without `keep` nothing is
    dropped. Raises CallError where `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'domain' reads morphemes and there are none; "
            "put 'morphology' before 'domain' in the recipe"
        )
    found = scores(doc.morphemes)
    first, best = next(iter(found.items()), ("", 0.0))
    labels = (("domain", first if best >= min_score else ""),)
    measures = tuple((f"domain:{name}", score) for name, score in list(found.items())[:MOST] if score >= FLOOR)
    if not keep:
        return Verdict("keep", "domain", best, min_score, labels, measures)
    kept = max(found.get(name, 0.0) for name in keep)
    measures = (*measures, ("domain_kept", kept))
    if kept < min_score:
        return Verdict("drop", "other-domain", kept, min_score, labels, measures)
    return Verdict("keep", "domain", kept, min_score, labels, measures)


def scores(found: Morphemes) -> dict[str, float]:
    """The score of each field that a text names at all, highest first, rounded to 4 places.

    >>> from array import array
    >>> words = "웨이퍼 식각 수율 증착".split()
    >>> scores(Morphemes(array("I", range(4)), array("H", [1] * 4), ("NNG",) * 4, tuple(words)))
    {'semiconductor': 1.0}
    """
    pieces = [form if tag in _NOUNS else " " for form, tag in zip(found.form, found.tag, strict=True)]
    nouns = len(pieces) - pieces.count(" ")
    terms, match = lexicon().terms, lexicon().finder.Match
    size = max(LEAST_PART, -(-len(pieces) // PARTS))
    times: dict[int, int] = {}
    for start in range(0, len(pieces), size):
        hits = match("|" + "|".join(pieces[start : start + size]) + "|") or ()
        inside = {part for i in hits for part in terms[i].inside}
        for i in hits:
            if i not in inside:
                times[i] = times.get(i, 0) + 1
    weight: dict[str, float] = {}
    different: dict[str, float] = {}
    for i, n in times.items():
        for name, heavy in terms[i].weights:
            weight[name] = weight.get(name, 0.0) + heavy * _REPEATS[min(n, 3)]
            different[name] = different.get(name, 0.0) + (1.0 if heavy > 1.0 else 0.5)
    return _ranked(weight, different, max(nouns, BASE_NOUNS))


def _ranked(weight: Mapping[str, float], different: Mapping[str, float], nouns: int) -> dict[str, float]:
    least = max(weight.values(), default=0.0) * FULL_SHARE
    scored = [
        (
            round(
                min(1.0, 100 * w / nouns / FULL_DENSITY) * min(1.0, different[name] / FULL_TERMS) * min(1.0, w / least),
                4,
            ),
            name,
        )
        for name, w in weight.items()
    ]
    # Two fields at full score are told apart by the weight behind it.
    return {name: score for score, name in sorted(scored, key=lambda s: (-s[0], -weight[s[1]], s[1]))}


@cache
def lexicon() -> Lexicon:
    """The terms of all fields, read and compiled once in a process."""
    weights: dict[str, dict[str, float]] = {}
    written: dict[str, str] = {}
    for name in (*DOMAINS, _NEUTRAL):
        for heavy, word in read(name):
            text = word.strip("*")
            written[text] = word if "*" in word else written.get(text, word)
            weights.setdefault(text, {})
            if name != _NEUTRAL:
                weights[text].setdefault(name, heavy)
    texts = tuple(weights)
    index = {text: i for i, text in enumerate(texts)}
    terms = tuple(
        Term(text, pattern(written[text]), tuple(weights[text].items()), _inside(text, index)) for text in texts
    )
    options = re2.Options()
    options.max_mem = MAX_MEM
    options.log_errors = False
    finder = re2.Set.SearchSet(options)
    for term in terms:
        finder.Add(term.pattern)
    finder.Compile()
    for text in texts:  # RE2 builds its states as it meets them; workers forked later share these
        finder.Match(f"| |{text}| |")
        finder.Match("|" + "|".join(text) + "|")
    return Lexicon(terms, finder)


def read(name: str) -> Iterable[tuple[float, str]]:
    """(weight, term) of one file of terms: lines of a weight and terms, `#` begins a comment."""
    for line in (_TERMS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            heavy, *words = line.split()
            yield from ((float(heavy), word) for word in words)


def _inside(text: str, index: Mapping[str, int]) -> frozenset[int]:
    """The other terms that stand inside a term."""
    parts = {text[i:j] for i in range(len(text)) for j in range(i + 2, len(text) + 1)} - {text}
    return frozenset(index[part] for part in parts if part in index)


def pattern(word: str) -> str:
    """How a term is found among nouns that `|` parts, whatever the cuts inside it.

    A Korean term begins where a noun begins unless it has four syllables or a star before it; one of
    two syllables also ends where a noun ends unless a star stands behind it. Others are whole words.

    >>> pattern("수율"), pattern("식각*"), pattern("EUV")
    ('\\\\|수\\\\|?율\\\\|', '\\\\|식\\\\|?각', '[^A-Za-z]E\\\\|?U\\\\|?V[^A-Za-z]')
    """
    text = word.strip("*")
    inner = r"\|?".join(c if c.isalnum() else r"[-./& |]{0,3}" for c in text)
    if text[0].isascii():
        inner = "[^A-Za-z]" + inner
    elif len(text) < 4 and word[0] != "*":
        inner = r"\|" + inner
    if text[-1].isascii():
        return inner + ("[^A-Za-z]" if text[-1].isalpha() else "[^0-9]")
    return inner + r"\|" if len(text) < 3 and word[-1] != "*" else inner


def terms_digest() -> str:
    """sha256 (hex) of all files of terms."""
    return hashlib.sha256(b"".join((_TERMS / f"{n}.txt").read_bytes() for n in (*DOMAINS, _NEUTRAL))).hexdigest()


# What decides is the terms, so the version follows them: stages are judged anew when they change.
VERSION = int(hashlib.sha256(f"1 {terms_digest()}".encode()).hexdigest()[:8], 16)  # 1: of this file
