"""Encode the morphemes of a text as a string of one sign each, with sentence bounds: computed once for all filters.

Counting and searching in such a string is many times as fast as over a tuple of tags, and a sentence is a slice of it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from malmoi.document import Morphemes

# Sejong tag → its sign; other tags count by their first letter, or as another word (`?`) if that is unknown.
_SIGNS = {
    "NNG": "N", "NNP": "N", "NNB": "B", "NP": "P", "NR": "0", "SN": "0",
    "VV": "V", "VA": "V", "VX": "v", "VCP": "i", "VCN": "i",
    "MM": "M", "MAG": "M", "MAJ": "M", "IC": "I",
    "EF": "F", "EC": "c", "EP": "p", "ETM": "m", "ETN": "n",
    "XPN": "x", "XSN": "x", "XSV": "x", "XSA": "x", "XSM": "x", "XR": "x",
    "SL": "L", "SH": "H", "UN": "U", "W_URL": "L", "W_EMAIL": "L", "W_SERIAL": "L",
    "SW": "W", "W_EMOJI": "w", "SF": ".", "SE": "e", "SP": ",", "SO": "o", "SB": "-",
    "SS": "'", "SSO": "(", "SSC": ")",
}  # fmt: skip
PARTICLE = "J"
ENDINGS = "Fcpmn"  # final, linking, prefinal (past, honorific), adnominal, nominalising
FOREIGN = "LUW"  # Latin letters and addresses, words unknown to the analyser, signs and rare scripts
NO_WORDS = ".,'()eo-"
CLOSERS = ".,'()eWw"  # what may follow the last word of a sentence


class _Signs(dict[str, str]):
    def __missing__(self, tag: str) -> str:
        sign = self[tag] = PARTICLE if tag[:1] == "J" else "x" if tag[:1] == "X" else "?"
        return sign


_SIGN_OF = _Signs(_SIGNS)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Signs and sentences: `signs[i]` is the tag of morpheme i, `signs[bounds[k]:bounds[k + 1]]` is sentence k."""

    signs: str
    bounds: tuple[int, ...]  # one more than there are sentences; empty without sentences

    def count(self, some: str) -> int:
        """Count the morphemes that have one of the signs `some`."""
        return sum(map(self.signs.count, some))

    def sentences(self) -> list[str]:
        """Return the signs of each sentence."""
        signs, bounds = self.signs, self.bounds
        return [signs[bounds[k] : bounds[k + 1]] for k in range(len(bounds) - 1)]


def grammar_of(found: Morphemes) -> Grammar:
    """Return the grammar of these morphemes; cached for the last object.

    Morphemes before the first sentence belong to it, those after a sentence to that sentence.

    >>> from array import array
    >>> tags = ("NNG", "JKB", "VV", "EP", "EF", "SF")
    >>> found = Morphemes(array("I", [0, 2, 4, 4, 5, 6]), array("H", [2, 1, 1, 1, 1, 1]), tags, tuple("학에가었다."),
    ...     array("I", [0]), array("I", [7]))
    >>> grammar_of(found)
    Grammar(signs='NJVpF.', bounds=(0, 6))
    """
    global _LAST
    if _LAST is not None and _LAST[0] is found:
        return _LAST[1]
    grammar = Grammar("".join(map(_SIGN_OF.__getitem__, found.tag)), _sentence_bounds(found))
    _LAST = (found, grammar)
    return grammar


_LAST: tuple[Morphemes, Grammar] | None = None  # per process: all filters read one document before the next


def _sentence_bounds(found: Morphemes) -> tuple[int, ...]:
    if not found.sentence_start:
        return ()
    bounds, starts, at = [0], found.start, 0
    for start in found.sentence_start[1:]:
        at = bisect_left(starts, start, at)
        bounds.append(at)
    return (*bounds, len(starts))
