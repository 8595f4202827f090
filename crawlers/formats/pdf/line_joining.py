"""Predict whether a space belongs between two lines of a Korean document, from the document's own spacing.

Korean lines break inside words ("위원 / 회가") or between them, and the page does not mark which. Inside
its lines, the document shows thousands of times which syllables it writes together and which apart:
those counts around each joint are weighted (logistic regression), together with features of
Korean in general (particles, endings, short words). Whether the document breaks inside words at all is
inferred from all joints together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crawlers.formats.pdf.line_joining_prior import ALONE, CONTINUES, ENDS, PARTICLES, VERBAL, WEIGHTS

Floats = NDArray[np.float64]

LEARNED = 300_000  # code points of a document that are counted; more change the result little
# Candidate shares of joints that are spaces (the likeliest is used): 0.4 if lines break anywhere, more if
# a program prefers to break at spaces (0.79 in a book set by TeX), nearly all if it breaks only there.
SHARES = (0.4, 0.6, 0.8, 0.9, 0.995)
LONGEST = 7  # maximum length of a counted string, code points
SPARE = 0.5  # smoothing: added to each count of a ratio, so that unseen strings are neutral
_CLASSES = {ord(digit): "0" for digit in "0123456789"} | {
    ord(char): "a" for char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
}
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_EASTERN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3041-\u30ff、。，]")
_OPENS = frozenset("([{〔〈《「『【（“‘")
_CLOSES = frozenset(")]}〕〉》」』】）”’,.!?;:%、。，ㆍ·~…")


@dataclass(frozen=True, slots=True)
class Joint:
    """The last word of a line, the first of the next one, and layout evidence about the place between."""

    left: str
    right: str
    spaced: bool = False  # the line ends with a white space character
    short: bool = False  # another syllable would have fit on the line


@dataclass(frozen=True, slots=True)
class Habit:
    """For each joint, whether a space belongs there; and whether the document breaks lines inside words."""

    spaces: tuple[bool, ...]
    within: bool


def learn(joints: Sequence[Joint], lines: Iterable[str]) -> Habit:
    """Predict the spaces of all joints; `lines` are all lines of the document.

    >>> lines = ["위원회가 정한다", "그 위원회가 본다", "각 위원은 위원회가 둔다", "위원회가 연다"]
    >>> learn([Joint("위원", "회가"), Joint("위원회가", "정한"), Joint("정", "한다"), Joint("위", "원회가")], lines)
    Habit(spaces=(False, True, False, False), within=True)
    """
    asked = [at for at, joint in enumerate(joints) if _needs_evidence(joint)]
    odds = np.full(len(joints), np.inf)
    if asked:
        found = features([joints[at] for at in asked], lines) @ np.array(WEIGHTS)
        spaced = np.array([joints[at].spaced for at in asked])
        for group in (spaced, ~spaced):
            found[group] = _weigh_odds(found[group])
        odds[asked] = found
    found_spaces = tuple(bool(odd > 0) and _may_have_space(joint) for joint, odd in zip(joints, odds, strict=True))
    return Habit(found_spaces, within=bool(np.isfinite(odds).any()))


def _needs_evidence(joint: Joint) -> bool:
    """Whether document statistics are needed: Hangul on one side, and no room left on the line."""
    hangul = _HANGUL.match(joint.left[-1:]) or _HANGUL.match(joint.right[:1])
    return bool(hangul) and not joint.short


def _may_have_space(joint: Joint) -> bool:
    """Apply general rules: no space inside brackets, none in Chinese or Japanese."""
    last, first = joint.left[-1:], joint.right[:1]
    if last in _OPENS or first in _CLOSES:
        return False
    return not (_EASTERN.match(last) and _EASTERN.match(first))


def _weigh_odds(odds: Floats) -> Floats:
    """Return the odds with the prior share of spaces that has the highest likelihood."""
    factor = np.exp(np.clip(odds, -20, 20))
    likely = [float(np.log(share * factor + 1 - share).sum()) for share in SHARES]
    share = SHARES[int(np.argmax(likely))]
    return np.full_like(odds, np.inf) if share == SHARES[-1] else odds + np.log(share / (1 - share))


def features(joints: Sequence[Joint], lines: Iterable[str]) -> Floats:
    """Return log odds of a space: a row per joint, a column per weight of line_joining_prior.WEIGHTS."""
    text = "\n".join(lines)[:LEARNED].translate(_CLASSES)
    left = [joint.left.translate(_CLASSES) for joint in joints]
    right = [joint.right.translate(_CLASSES) for joint in joints]
    seen = _Seen(text)
    apart = text.count(" ")
    base = float(np.log((apart + 1) / max(len(text) - 2 * apart - 2 * text.count("\n") + 2, 2)))

    def ratio(spaced: list[str], joined: list[str]) -> Floats:
        return np.asarray(np.log((seen(spaced) + SPARE) / (seen(joined) + SPARE)))

    def context_odds(before: int, after: int) -> Floats:
        pairs = [(a[-before:], b[:after]) for a, b in zip(left, right, strict=True)]
        known = ratio([f"{a} {b}" for a, b in pairs], [a + b for a, b in pairs])
        full = np.array([len(a) == before and len(b) == after for a, b in pairs])
        return np.where(full, known, 0.0)

    ends = [a[-1] for a in left]
    begins = [b[0] for b in right]
    last, first = seen([f"{a} " for a in ends]), seen([f" {b}" for b in begins])
    # Exclude counts at line ends and line beginnings: those are the joints in question.
    inside = seen(ends) - last - seen([f"{a}\n" for a in ends])
    behind = seen(begins) - first - seen([f"\n{b}" for b in begins])
    edges = np.log((last + SPARE) / (inside + 2 * SPARE)) + np.log((first + SPARE) / (behind + 2 * SPARE))
    columns = [
        np.ones(len(joints)),
        edges - 2 * base,
        context_odds(1, 1),
        context_odds(2, 1),
        context_odds(1, 2),
        context_odds(2, 2),
        _word_odds(seen, [f" {a}" for a in left], [f" {a} " for a in left], [f" {a}\n" for a in left]),
        _word_odds(seen, [f"{b} " for b in right], [f" {b} " for b in right], [f"\n{b} " for b in right]),
        *_habits(left, right),
    ]
    return np.stack(columns, axis=1)


def _word_odds(seen: _Seen, parts: list[str], words: list[str], edges: list[str]) -> Floats:
    """Return log odds that the string at the joint is a whole word of the document, not only part of one."""
    whole = seen(words)
    return np.asarray(np.log((whole + SPARE) / (np.maximum(seen(parts) - whole - seen(edges), 0) + SPARE)))


def _habits(left: list[str], right: list[str]) -> list[Floats]:
    """Return features of Korean in general, independent of the document: true 1, false 0."""
    pairs = list(zip(left, right, strict=True))
    bare = [b.rstrip(".,!?)]\"'”’」』:;") for b in right]
    return [
        np.array([a in ALONE for a in left], dtype=float),
        np.array([len(a) == 1 and a not in ALONE for a in left], dtype=float),
        np.array([len(a) == 2 and a not in ALONE for a in left], dtype=float),
        np.array([b in CONTINUES for b in bare], dtype=float),
        np.array([len(b) == 1 and b not in CONTINUES and b not in ALONE for b in bare], dtype=float),
        np.array([b in ALONE for b in bare], dtype=float),
        np.array([b in VERBAL for b in bare], dtype=float),
        np.array([b in VERBAL and a[-1] in PARTICLES for a, b in zip(left, bare, strict=True)], dtype=float),
        np.array([len(a) > 2 and a[-2:] in ENDS for a in left], dtype=float),
        np.array([len(a) > 1 and a[-1] in ENDS for a in left], dtype=float),
        np.array([not _HANGUL.match(a[-1]) for a, _ in pairs], dtype=float),
        np.array([not _HANGUL.match(b[0]) for _, b in pairs], dtype=float),
        np.array([a[-1] in ",.!?;:)”’」』" for a in left], dtype=float),
        np.array([a[-1] in "0a" for a in left], dtype=float),
    ]


class _Seen:
    """Counts of strings of up to LONGEST code points in a text; sorted hashes, counted by binary search."""

    def __init__(self, text: str) -> None:
        self._codes = _codes(text)
        self._sorted: dict[int, NDArray[np.uint64]] = {}

    def __call__(self, strings: list[str]) -> Floats:
        """Return the counts of the strings; 0 for one that is longer than LONGEST."""
        found = np.zeros(len(strings))
        lengths = np.array([len(string) for string in strings])
        for length in range(1, LONGEST + 1):
            places = np.flatnonzero(lengths == length)
            if places.size:
                keys = _hashes(_codes("".join(strings[place] for place in places)).reshape(-1, length).T)
                runs = self._runs(length)
                found[places] = np.searchsorted(runs, keys, "right") - np.searchsorted(runs, keys, "left")
        return found

    def _runs(self, length: int) -> NDArray[np.uint64]:
        if length not in self._sorted:
            size = max(len(self._codes) - length + 1, 0)
            self._sorted[length] = np.sort(_hashes([self._codes[at : at + size] for at in range(length)]))
        return self._sorted[length]


def _codes(text: str) -> NDArray[np.uint64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)


def _hashes(columns: Sequence[NDArray[np.uint64]] | NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a polynomial hash of the code points, modulo 2^64."""
    found = np.zeros_like(columns[0])
    for column in columns:
        found = found * np.uint64(0x9E3779B97F4A7C15) + column
    return found
