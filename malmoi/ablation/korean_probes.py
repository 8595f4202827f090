"""Korean probes: minimal pairs of a right and a wrong text, of which a model should find the right one more probable.

A model passes a pair if it does (as in BLiMP: Warstadt et al. 2020, arXiv
1912.00582). The pairs come from the lists of korean_probes.toml, in both directions where one form is longer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

KINDS = ("particles", "honorifics", "endings", "spacing", "order", "topics")
_FINALS = 28  # final consonants of a Hangul syllable, none included (Unicode 3.12)
_RIEUL = 8  # the final ㄹ, after which 로 follows as after a vowel


@dataclass(frozen=True, slots=True)
class Pair:
    """A right and a wrong text with the same beginning; only what differs behind it is compared."""

    kind: str
    before: str
    right: str
    wrong: str


@cache
def make_pairs() -> tuple[Pair, ...]:
    """Return all pairs, in the order of KINDS.

    >>> [sum(one.kind == kind for one in make_pairs()) for kind in KINDS]
    [79, 72, 49, 80, 40, 26]
    """
    lists = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
    return (
        *_pair_particles(lists["particles"]),
        *_pair_honorifics(lists["honorifics"]),
        *(
            Pair("endings", before, right + after, wrong + after)
            for before, right, wrong, after in lists["endings"]["pairs"]
        ),
        *_pair_spacing(lists["sentences"]["texts"]),
        *_pair_orders(lists["sentences"]["texts"]),
        *_pair_topics(lists["topics"]["texts"]),
    )


def choose_particle(noun: str, pair: Sequence[str]) -> tuple[str, str]:
    """Return the right and the wrong particle of a pair (after a consonant, after a vowel) behind a noun.

    >>> choose_particle("책", ("은", "는")), choose_particle("물", ("으로", "로"))
    (('은', '는'), ('로', '으로'))
    """
    final = (ord(noun[-1]) - ord("가")) % _FINALS
    consonant = final != 0 and not (final == _RIEUL and pair[1] == "로")
    return (pair[0], pair[1]) if consonant else (pair[1], pair[0])


def _pair_particles(lists: Mapping[str, Any]) -> Iterator[Pair]:
    for noun, ends in lists["nouns"]:
        for pair, end in zip(lists["pairs"], ends, strict=True):
            if end:
                right, wrong = choose_particle(noun, pair)
                yield Pair("particles", noun, f"{right} {end}.", f"{wrong} {end}.")


def _pair_honorifics(lists: Mapping[str, Any]) -> Iterator[Pair]:
    """Pair each subject with its predicate: half of them honorific, so that a taste for short texts gains nothing."""
    for honorific, plain in lists["predicates"]:
        for elder in lists["elders"]:
            yield Pair("honorifics", f"{elder}께서 ", honorific, plain)
        for other in lists["others"]:
            yield Pair("honorifics", f"{other} ", plain, honorific)


def _pair_spacing(texts: Sequence[str]) -> Iterator[Pair]:
    """Move one space by a letter, to the left and to the right."""
    for number, text in enumerate(texts):
        spaces = [at for at, letter in enumerate(text) if letter == " "]
        for offset, place in ((-1, number % len(spaces)), (1, (number + 2) % len(spaces))):
            at = spaces[place]
            word = text[at - 1 : at] if offset < 0 else text[at + 1 : at + 2]
            wrong = (
                text[: at - 1] + f" {word}" + text[at + 1 :] if offset < 0 else text[:at] + f"{word} " + text[at + 2 :]
            )
            yield Pair("spacing", "", text, wrong)


def _pair_orders(texts: Sequence[str]) -> Iterator[Pair]:
    """Reverse the words before the predicate: the order of phrases is free in Korean, but modifiers come first."""
    for text in texts:
        *words, last = text.split(" ")
        yield Pair("order", "", text, " ".join([*reversed(words), last]))


def _pair_topics(texts: Sequence[Sequence[str]]) -> Iterator[Pair]:
    """Compare a continuation with that of the next beginning: each is right once and wrong once."""
    for number, (before, right) in enumerate(texts):
        yield Pair("topics", f"{before} ", right, texts[(number + 1) % len(texts)][1])
