"""Label the subject of a text by a model of its nouns and of lists of terms; keep only chosen domains if a recipe asks.

The kind of a text (news, manual, essay …) is another question, which `register` answers. `docs/domains.md` describes
lists, model and figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args
from zlib import crc32

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError
from malmoi.models import Features, Model, load_model, read_content, score_labels
from malmoi.parameter_bounds import Limit, Share

LIBRARIES = ("ahocorasick_rs", "numpy")
NEEDS = ("morphology",)
LIMITS = (Limit("domain_kept", "min_score", "min", "other-domain"),)

Domain: TypeAlias = Literal[
    "semiconductor", "manufacturing", "content", "law", "administration", "politics", "economy", "finance",
    "medicine", "software", "science", "education", "culture", "history", "sports", "life", "agriculture",
    "energy", "construction", "military",
]  # fmt: skip
DOMAINS: tuple[Domain, ...] = get_args(Domain)
FLOOR = 0.2  # lower scores are not stored; our choice: a domain that a text only mentions


def judge(doc: Document, *, keep: tuple[Domain, ...] = (), min_score: Share = 0.4) -> Verdict:
    """Label a text with its main domain; with `keep`, drop a text about none of these domains.

    The score of a domain is its probability, 0..1, among all domains and none, by a model;
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
    model = load()
    scores = score_labels(compute_features(found), model).tolist()
    given = {name: round(score, 4) for name, score in zip(model.about["labels"], scores, strict=True) if name}
    return {name: given[name] for name in sorted(DOMAINS, key=lambda name: -given[name])}


def load() -> Model:
    """Return the model, read once per process."""
    return load_model(MODEL, (SLOTS, 1 + len(DOMAINS)))


MODEL: Final = Path(__file__).parent / "lexicons" / "domain.model"
BITS: Final = 16  # of the slot of a noun or of two syllables
SLOTS: Final = (1 << BITS) + len(DOMAINS)
LIST_WEIGHT: Final = 0.7  # of the lists beside the nouns; by leaving one writer out, like `PAIRS_FROM`
PAIRS_FROM: Final = 2  # code points of a noun that also counts by its pairs of syllables
FEWEST: Final = 30  # a text with fewer nouns and pairs is measured as if it had so many
_NOUNS: Final = frozenset(("NNG", "NNP", "SL", "SH", "XR"))
_NOUNS_KEPT: Final = 20_000  # whose slots are remembered
_LONGEST: Final = 30  # code points of a noun that are read; longer ones are not words


_NO_SLOTS: Final = np.zeros(0, np.uint32)
_NEVER: Final = np.uint32(1 << BITS)  # not the slot of a noun


class _Slots(dict[str, npt.NDArray[np.uint32]]):
    """The slots of each noun, remembered: of itself, and of its pairs of syllables with `<` and `>` as its bounds."""

    def __missing__(self, noun: str) -> npt.NDArray[np.uint32]:
        if len(self) > _NOUNS_KEPT:
            self.clear()
        word = noun[:_LONGEST].lower()
        names = [word]
        if len(word) >= PAIRS_FROM:
            names += [f"#{a}{b}" for a, b in pairwise(f"<{word}>")]
        codes = [crc32(name.encode("utf-8", "replace")) for name in names]
        slots = self[noun] = np.array(codes, np.uint32) % np.uint32(1 << BITS)
        return slots


_SLOTS_OF = _Slots()


def compute_features(found: Morphemes) -> Features:
    """Return the features of a text: each value is the square root of a share of the nouns, or of a score, 0..1."""
    of_nouns = [_SLOTS_OF[form] for form, tag in zip(found.form, found.tag, strict=True) if tag in _NOUNS]
    every = np.sort(np.concatenate((_NO_SLOTS, *of_nouns)))
    starts = np.flatnonzero(np.diff(every, prepend=_NEVER))
    times = np.diff(starts, append=len(every))
    scores = score_terms(found)
    listed = np.array([(1 << BITS) + DOMAINS.index(name) for name in DOMAINS if name in scores], np.uint32)
    heights = np.array([scores[name] for name in DOMAINS if name in scores], np.float32)
    shares = times / max(FEWEST, len(every))
    values = np.concatenate((np.sqrt(shares), np.float32(LIST_WEIGHT) * np.sqrt(heights)))
    return Features(np.concatenate((every[starts], listed)), values.astype(np.float32))


_TERMS = Path(__file__).parent / "lexicons" / "domain_terms"
_NEUTRAL = "neutral"
_TO_ZERO = bytes(byte if byte == ord("|") else 0 for byte in range(256))
# Nouns, their affixes, roots, words in other scripts and numbers: 3나노, K팝, 산업화.
_TERM_TAGS = frozenset(("NNG", "NNP", "NNB", "NR", "SL", "SH", "SN", "XPN", "XSN", "XR", "UN", "W_SERIAL"))
# A text is split into parts; a term counts by the number of parts that contain it (1, 2, 3 or more): density, not
# repetition.
PARTS, LEAST_PART = 6, 120  # parts of a text; code points of nouns and blanks in a part, about 60 morphemes
_REPEATS = (0.0, 1.0, 1.5, 1.8)
# Set on tests/data/domain and the dev part of benchmarks/labels/jsonl, both our own and short: a first guess.
FULL_DENSITY = 22.0  # weight of terms per 100 nouns at which a text is wholly about a domain
FULL_TERMS = 3.0  # different terms below which a score is lowered: one word never decides
FULL_SHARE = 0.6  # of the weight of the strongest domain, below which a domain's score is lowered
BASE_NOUNS = 50  # a text with fewer nouns is measured as if it had so many


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its weight in each domain, and whether it begins and ends at a noun boundary."""

    text: str  # as it appears among concatenated nouns
    weights: tuple[tuple[int, float, float], ...]  # per domain: its index in DOMAINS, weight, part of a term
    begins: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All terms, and one automaton that finds all of them."""

    terms: tuple[Term, ...]
    finder: AhoCorasick
    begins: bytes  # for each term 1 if it begins only where a noun does
    ends: bytes


def score_terms(found: Morphemes) -> dict[str, float]:
    """Return the score of each domain that the text mentions, 0..1, highest first, rounded to 4 places.

    The score: the weight of the terms of a domain (3 almost exclusive, 2 typical, 1 shared; up to 1.8 times that for a
    term in several parts of the text) per 100 nouns, divided by 22, at most 1. It is lowered if the text has fewer than
    three different terms of the domain, and if the domain weighs less than 0.6 of the heaviest one. A term inside a
    longer one is not counted: 공정 in 공정거래, 게임 in 게임이론.

    >>> from array import array
    >>> words = "웨이퍼 식각 수율 증착".split()
    >>> score_terms(Morphemes(array("I", range(4)), array("H", [1] * 4), ("NNG",) * 4, tuple(words)))
    {'semiconductor': 1.0}
    """
    pieces = [form if tag in _TERM_TAGS else " " for form, tag in zip(found.form, found.tag, strict=True)]
    cut = "|" + "|".join(pieces) + "|"
    size = max(LEAST_PART, -(-(len(cut) - len(pieces)) // PARTS))
    stands = {(i, start // size) for i, start, _ in _find_terms(cut)}
    often: dict[int, int] = {}  # number of parts that contain each term
    for i, _ in stands:
        often[i] = often.get(i, 0) + 1
    weight, different = [0.0] * len(DOMAINS), [0.0] * len(DOMAINS)
    terms = lexicon().terms
    for i, n in often.items():
        times = _REPEATS[min(n, 3)]
        for field, heavy, unit in terms[i].weights:
            weight[field] += heavy * times
            different[field] += unit
    nouns, heaviest = max(len(pieces) - pieces.count(" "), BASE_NOUNS), max(weight)
    full, least = nouns * FULL_DENSITY / 100, heaviest * FULL_SHARE
    # Weight separates two domains at full score.
    scored = sorted(
        (-round(min(1.0, w / full) * min(1.0, different[i] / FULL_TERMS) * min(1.0, w / least), 4), -w, DOMAINS[i])
        for i, w in enumerate(weight)
        if w
    )
    return {name: -score for score, _, name in scored}


def _find_terms(cut: str) -> list[tuple[int, int, int]]:
    """Return (term, start, end) of each term in nouns separated by `|`, without terms inside a longer one.

    Offsets count the code points without `|`.
    """
    words = lexicon()
    begins, ends = words.begins, words.ends
    # One byte for each code point but `|`: 1 where a noun begins. The last one, `|`, is an end too.
    begun = cut.encode("ascii", "replace").translate(_TO_ZERO).replace(b"|\0", b"\1")
    found: list[tuple[int, int, int]] = []
    last = -1  # end of the last term found
    # Sort by end; at the same end the longest first.
    for hit in words.finder.find_matches_as_indexes(cut.replace("|", ""), overlapping=True):
        i, start, end = hit
        if end == last or begun[start] < begins[i] or begun[end] < ends[i]:
            continue
        if start < last:
            while found and found[-1][1] >= start:
                found.pop()
        found.append(hit)
        last = end
    return found


@cache
def lexicon() -> Lexicon:
    """Return the terms of all domains, read and compiled once per process: 20 ms and 3 MB for 6,000 terms."""
    weights: dict[str, dict[str, float]] = {}
    written: dict[str, str] = {}
    for name in (*DOMAINS, _NEUTRAL):
        for heavy, word in read_terms(name):
            text = word.strip("*")
            written[text] = word if "*" in word else written.get(text, word)
            weights.setdefault(text, {})
            if name != _NEUTRAL:
                weights[text].setdefault(name, heavy)
    terms = tuple(
        # where different terms are counted, a shared word is half a term
        Term(
            spelt,
            tuple((DOMAINS.index(name), heavy, 1.0 if heavy > 1.0 else 0.5) for name, heavy in weights[text].items()),
            *noun_bounds(word),
        )
        for text, word in written.items()
        for spelt in spellings(text)
    )
    # A contiguous automaton: the other kinds take ten times the memory or twice the time.
    finder = AhoCorasick([t.text for t in terms], MatchKind.Standard, False, Implementation.ContiguousNFA)
    return Lexicon(terms, finder, bytes(t.begins for t in terms), bytes(t.ends for t in terms))


def read_terms(name: str) -> Iterable[tuple[float, str]]:
    """Yield (weight, term) from one file of terms: lines of a weight and terms; `#` begins a comment."""
    for line in (_TERMS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            heavy, *words = line.split()
            yield from ((float(heavy), word) for word in words)


def noun_bounds(word: str) -> tuple[bool, bool]:
    """Whether a term begins, and whether it ends, only at a noun boundary.

    A Korean term begins there unless it has four syllables or a star in front; a term of two syllables also ends there
    unless a star follows. A Latin letter or a digit at an end requires a whole word.

    >>> noun_bounds("수율"), noun_bounds("식각*"), noun_bounds("예지보전"), noun_bounds("EUV")
    ((True, True), (True, False), (False, False), (True, True))
    """
    text = word.strip("*")
    begins = text[0].isascii() or (len(text) < 4 and word[0] != "*")
    return begins, text[-1].isascii() or (len(text) < 3 and word[-1] != "*")


def spellings(text: str) -> tuple[str, ...]:
    """Return a term; if it holds signs, also without them and with blanks, as an analyser may leave it.

    >>> spellings("웨이퍼"), spellings("R&D")
    (('웨이퍼',), ('R&D', 'RD', 'R D'))
    """
    if text.isalnum():
        return (text,)
    return tuple(dict.fromkeys((text, *("".join(c if c.isalnum() else by for c in text) for by in ("", " ")))))


def terms_digest() -> str:
    """Return the sha256 (hex) of all files of terms."""
    return hashlib.sha256(b"".join((_TERMS / f"{n}.txt").read_bytes() for n in (*DOMAINS, _NEUTRAL))).hexdigest()


# Terms and weights decide, so the version depends on them: changed ones make stages run again.
VERSION = int(hashlib.sha256(b"4 " + terms_digest().encode() + read_content(MODEL)).hexdigest()[:8], 16)
