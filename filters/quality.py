"""Drop texts that are not Korean prose: word lists, keyword stuffing, tables without sentences.

Korean shows its grammar in particles and endings, so a text is measured by how it uses them
and not by stop words: 의, 이, 다 also stand inside nouns. Works on the marks of `morphology`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from filters.fences import without_fences
from filters.params import Count, Share
from malmoi.document import Document, Morphemes, Verdict
from malmoi.errors import CallError

VERSION = 2

# About the lowest tenth of tales, reviews, news and law. Dialogue drops its particles (0.16) and has
# twice the endings.
FULL_JOSA = 0.30  # particles per eojeol
FULL_EOMI = 0.30  # endings per eojeol
WEIGHTS = (0.35, 0.35, 0.30)  # particles, endings, complete sentences

_CLOSERS = frozenset(("SF", "SE", "SS", "SSC", "SSO", "SP", "SW", "W_EMOJI"))
_NO_WORDS = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SB"))


@dataclass(frozen=True, slots=True)
class Grammar:
    """How much Korean grammar a text shows; shares 0..1, the others per eojeol."""

    morphemes: int
    sentences: int
    eojeol: int  # stretches between blanks outside fenced code that are not all ASCII
    josa: float  # particles (J*) per eojeol
    eomi: float  # endings (E*) per eojeol
    complete: float  # share of sentences, by morphemes, that close with a final ending
    foreign: float  # share of morphemes in other scripts, unknown or unreadable

    @property
    def quality(self) -> float:
        """0.35 · min(1, josa / 0.3) + 0.35 · min(1, eomi / 0.3) + 0.30 · complete, in 0..1."""
        josa, eomi, complete = WEIGHTS
        return (
            josa * min(1.0, self.josa / FULL_JOSA) + eomi * min(1.0, self.eomi / FULL_EOMI) + complete * self.complete
        )


def judge(doc: Document, *, min_quality: Share = 0.3, max_foreign: Share = 0.9, min_morphemes: Count = 20) -> Verdict:
    """Keep a text whose grammar reaches `min_quality`, a number of `Grammar.quality`.

    Reasons `no-korean-grammar` and `mostly-foreign` (the share of morphemes that are Latin,
    unknown or signs is above `max_foreign`). A text under `min_morphemes` is kept: too little to judge.
    Measures `quality`, `n_morphemes`, `n_sentences`, `josa_per_eojeol`, `eomi_per_eojeol`,
    `complete_sentences`, `foreign_share`. Raises CallError where `morphology` has not run.
    """
    if doc.morphemes is None:
        raise CallError(
            f"{doc.id}: the filter 'quality' reads morphemes and there are none; "
            "put 'morphology' before 'quality' in the recipe"
        )
    grammar = grammar_of(doc.text, doc.morphemes)
    measures = (
        ("quality", round(grammar.quality, 4)),
        ("n_morphemes", float(grammar.morphemes)),
        ("n_sentences", float(grammar.sentences)),
        ("josa_per_eojeol", round(grammar.josa, 4)),
        ("eomi_per_eojeol", round(grammar.eomi, 4)),
        ("complete_sentences", round(grammar.complete, 4)),
        ("foreign_share", round(grammar.foreign, 4)),
    )
    quality, foreign = round(grammar.quality, 4), round(grammar.foreign, 4)
    if grammar.morphemes >= min_morphemes:
        if foreign > max_foreign:
            return Verdict("drop", "mostly-foreign", foreign, max_foreign, measures=measures)
        if quality < min_quality:
            return Verdict("drop", "no-korean-grammar", quality, min_quality, measures=measures)
    return Verdict("keep", "quality", quality, min_quality, measures=measures)


def grammar_of(text: str, found: Morphemes) -> Grammar:
    """The grammar of `text` as its morphemes show it; all zero where there are none."""
    tags = found.tag
    counts = Counter(tags)
    words = sum(n for tag, n in counts.items() if tag not in _NO_WORDS)
    josa = sum(n for tag, n in counts.items() if tag[0] == "J")
    eomi = sum(n for tag, n in counts.items() if tag[0] == "E")
    foreign = sum(n for tag, n in counts.items() if tag in ("SL", "UN", "SW", "W_URL", "W_EMAIL", "W_SERIAL"))
    eojeol = sum(1 for word in without_fences(text).split() if not word.isascii())
    return Grammar(
        morphemes=len(found),
        sentences=len(found.sentence_start),
        eojeol=eojeol,
        josa=josa / eojeol if eojeol else 0.0,
        eomi=eomi / eojeol if eojeol else 0.0,
        complete=_complete(found),
        foreign=foreign / words if words else 0.0,
    )


def _complete(found: Morphemes) -> float:
    """The share of morphemes that stand in sentences with a final ending at or near their end."""
    closed = 0
    tags, starts = found.tag, found.start
    if not tags:
        return 0.0
    first = 0
    for end in found.sentence_end:
        after = bisect_left(starts, end, first)
        last = after - 1
        while last > first and tags[last] in _CLOSERS:
            last -= 1
        # A particle may follow a final ending (갔다고, 왔어요) and a quotation closes with 함, 임 (ETN).
        if any(tag in ("EF", "ETN") for tag in tags[max(first, last - 1) : last + 1]):
            closed += after - first
        first = after
    return closed / len(tags)
