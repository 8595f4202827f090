"""Texts of simulated pages: lengths, languages and copies as in the real corpora, sentences from tables of phrases.

The tables of figures are those of web-ko (1,825 extracted pages), the shares of copies those of all real corpora, as
`malmoi run benchmarks/recipes/real.toml` finds them.
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass

from benchmarks.simulation.simulated_words import latin, tables

# Quantiles of code points of an extracted text; between two of them lengths lie evenly.
SHARES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0)
LENGTHS = (44, 83, 150, 207, 397, 806, 1_587, 3_026, 5_188, 14_884, 41_960)
# What a text is, each on the last: shares of pages.
KINDS = (("latin", 0.26), ("exact", 0.28), ("near", 0.29), ("own", 1.0))
EDITED = 0.02  # share of sentences that a near copy has otherwise, one at least
MIXED = 0.6  # largest share of Latin sentences in a Korean text
FRAME = 100  # code points of title, headings and what the last paragraph has too much
SENTENCES = 5  # most of a paragraph
STYLES = (3, 4)  # tables of predicates: written, polite
MASK = (1 << 14) - 1  # chooses a phrase


@dataclass(frozen=True, slots=True)
class SimulatedText:
    """Title and paragraphs, each a list of sentences."""

    title: str
    paragraphs: tuple[tuple[str, ...], ...]


def seed_draw(seed: int, number: int, purpose: int) -> random.Random:
    """A draw of its own for a page and a purpose: equal whatever is drawn for other pages."""
    return random.Random(((seed << 40 | number) << 8) | purpose)


def find_kind(seed: int, number: int) -> str:
    """What the page of this number is; the first is never a copy.

    >>> find_kind(0, 0)
    'own'
    """
    share = seed_draw(seed, number, 0).random() if number else 1.0
    return next(name for name, end in KINDS if share <= end)


def draw_length(draw: random.Random) -> int:
    """Code points of a text, distributed as LENGTHS.

    >>> 44 <= draw_length(random.Random(1)) <= 41_960
    True
    """
    share = draw.random()
    at = min(bisect(SHARES, share), len(SHARES) - 1)
    low, high = LENGTHS[at - 1], LENGTHS[at]
    return int(low + (high - low) * (share - SHARES[at - 1]) / (SHARES[at] - SHARES[at - 1]))


def compose_text(seed: int, number: int, revision: int = 0) -> SimulatedText:
    """The text of a page: equal for equal arguments, whatever the size of the corpus."""
    kind, draw = find_kind(seed, number), seed_draw(seed, number, 1 + revision)
    if kind in ("latin", "own"):
        return _compose(draw, kind)
    original = compose_text(seed, _find_original(seed, number, draw))
    return original if kind == "exact" and not revision else _edit(draw, original)


def _find_original(seed: int, number: int, draw: random.Random) -> int:
    """An earlier page with a text of its own."""
    while find_kind(seed, chosen := draw.randrange(number)) != "own":
        pass
    return chosen


def _edit(draw: random.Random, text: SimulatedText) -> SimulatedText:
    """The text with a few other sentences."""
    lines = [list(paragraph) for paragraph in text.paragraphs]
    for _ in range(1 + int(EDITED * sum(map(len, lines)))):
        line = draw.choice(lines)
        line[draw.randrange(len(line))] = _draw_sentence(draw, STYLES[0])
    return SimulatedText(text.title, tuple(map(tuple, lines)))


def _compose(draw: random.Random, kind: str) -> SimulatedText:
    left, style = draw_length(draw) - FRAME, draw.choice(STYLES)
    foreign = 1.0 if kind == "latin" else MIXED * draw.random()
    title = latin()[draw.getrandbits(14)] if kind == "latin" else tables()[1][draw.getrandbits(14)]
    paragraphs: list[tuple[str, ...]] = []
    while left > 0 or not paragraphs:
        count = draw.randint(1, SENTENCES)
        made = tuple(
            _draw_latin(draw) if draw.random() < foreign else _draw_sentence(draw, style) for _ in range(count)
        )
        paragraphs.append(made)
        left -= sum(map(len, made))
    return SimulatedText(title, tuple(paragraphs))


def _draw_sentence(draw: random.Random, style: int) -> str:
    phrases, bits = tables(), draw.getrandbits(64)
    subject, thing = phrases[0][bits & MASK], phrases[1][bits >> 14 & MASK]
    return f"{subject}{phrases[2][bits >> 28 & MASK]} {thing} {phrases[style][bits >> 42 & MASK]}"


def _draw_latin(draw: random.Random) -> str:
    words, bits = latin(), draw.getrandbits(64)
    return f"{words[bits & MASK]} {words[bits >> 14 & MASK]}."
