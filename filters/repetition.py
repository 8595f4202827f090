"""Drop repetitive texts: repeated lines, paragraphs and word n-grams.

Words are eojeol (separated by blanks). FineWeb2 computes its Korean thresholds over Kiwi morphemes, whose contracted
forms overlap in the surface and count 6.6 % of it twice; over eojeol the same numbers are milder, and no expensive
filter has to run first.

Headings repeat legitimately (구문, 예제), so only lines from 12 code points on count as content. Fenced code is not
prose and is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from filters.korean import text_views
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Limit, Score, Share

VERSION = 3
LIBRARIES = ("numpy",)
LIMITS = (
    Limit("repeated_line_chars", "max_repeated_line_chars", "max", "repeated-line-chars"),
    Limit("repeated_paragraph_chars", "max_repeated_paragraph_chars", "max", "repeated-paragraph-chars"),
    Limit("repeated_5grams", "ngrams", "max", "repeated-5grams", scale=0.201),  # DUPLICATE_NGRAMS[5]
    Limit("top_2gram", "ngrams", "max", "top-2gram", scale=0.282),  # TOP_NGRAMS[2]
)

# n → share of characters in n-grams seen before; FineWeb2 configs/kor_Hang.yml dup_n_grams
DUPLICATE_NGRAMS = {5: 0.201, 6: 0.184, 7: 0.168, 8: 0.154, 9: 0.14, 10: 0.127}
# n → share of characters in the most frequent n-gram; the same file, top_n_grams
TOP_NGRAMS = {2: 0.282, 3: 0.228, 4: 0.185}
MIN_WORDS = 20  # eojeol; a share over fewer is chance
MIN_LINE = 12  # code points; a shorter line is a heading, a label or a cell and may recur
# Code points, white space left out. In a shorter text a few formulaic sentences make a large share, so the limits of
# the n-grams grow with the square root of the missing part: twice as high at 250, 1.4 times at 500.
FULL_CHARS = 1_000

_HANGUL = re.compile("[\u3131-\u318e\uac00-\ud7a3\u1100-\u11ff]")
_Ints: TypeAlias = npt.NDArray[np.int64]
_NONE: _Ints = np.zeros(0, dtype=np.int64)


def judge(
    doc: Document,
    *,
    max_repeated_line_chars: Share = 0.45,
    max_repeated_paragraph_chars: Share = 0.45,
    ngrams: Score = 2.0,
) -> Verdict:
    """Keep a text whose repeated parts stay below the given shares.

    Only lines with Hangul outside fenced code are read. Shares are of characters: of those lines, of those paragraphs,
    of those words. A part counts as repeated from its second occurrence on; lines and paragraphs under 12 code points
    never do. N-grams are searched in each longer line once, since whole lines have a limit of their own. Texts under
    20 eojeol are kept. The limit of 0.45 is above chapters of function references, which repeat a parameter's meaning
    with each function (0.40 to 0.44 of characters), and below boilerplate and loops.

    `ngrams` multiplies the thresholds of FineWeb2 for Korean; 0 turns the n-gram check off. At 1 they drop formulaic
    prose (6 of 42 parts of R&D manuals, 8 % of help pages); at 2, seven of 3,251 real texts, each of which repeats one
    sentence many times. Under 1,000 code points the limits grow (`short_scale`).

    Measures `repeated_lines`, `repeated_line_chars`, `repeated_paragraph_chars`, `repeated_5grams`, `top_2gram`.
    Reasons: those names with a hyphen.
    """
    text = text_views.prose(doc.text)
    lines = [s for s in map(str.strip, text.split("\n")) if _HANGUL.search(s)]
    paragraphs = [s for s in map(str.strip, text.split("\n\n")) if _HANGUL.search(s)]
    line_share, line_chars = measure_repetition(lines, MIN_LINE)
    paragraph_chars = measure_repetition(paragraphs, MIN_LINE)[1]
    # Without later occurrences of long lines; short ones stay, since no other measure counts a row of them.
    first = {line: at for at, line in reversed(list(enumerate(lines)))} if line_chars else {}
    fresh = [line for at, line in enumerate(lines) if len(line) < MIN_LINE or first.get(line, at) == at]
    words = " ".join(fresh).split()
    pairs = Counter(pairwise(words))
    top = _top_pair(words, pairs)
    # Most texts repeat no five words: checking whether one does takes half the time of measuring how much.
    repeats = (
        measure_repeated_ngrams(_ids(words), _sizes(words), 5)
        if _may_repeat(words, pairs) and _has_repeated_ngram(words, 5)
        else 0.0
    )
    found: list[tuple[str, float, float]] = [
        ("repeated-line-chars", line_chars, max_repeated_line_chars),
        ("repeated-paragraph-chars", paragraph_chars, max_repeated_paragraph_chars),
    ]
    if ngrams:
        scale = ngrams * short_scale(sum(map(len, words)))
        found += _ngram_shares(words, repeats, top, scale)
    measures = (
        ("repeated_lines", round(line_share, 4)),
        ("repeated_line_chars", round(line_chars, 4)),
        ("repeated_paragraph_chars", round(paragraph_chars, 4)),
        ("repeated_5grams", round(repeats, 4)),
        ("top_2gram", round(top, 4)),
    )
    for reason, share, limit in found:
        if share > limit and len(" ".join(lines).split()) >= MIN_WORDS:
            return Verdict("drop", reason, round(share, 4), limit, measures=measures)
    return Verdict("keep", "repetition", round(line_chars, 4), max_repeated_line_chars, measures=measures)


def measure_repetition(parts: list[str], shortest: int = 0) -> tuple[float, float]:
    """Return the share of parts, and of characters, that are repeats; a part under `shortest` never counts as repeated.

    The first share is of the parts of at least `shortest` code points, the second of the characters of all.

    >>> measure_repetition(["가나", "다라마바", "가나"]), measure_repetition(["가나", "다라마바", "가나"], shortest=3)
    ((0.3333333333333333, 0.25), (0.0, 0.0))
    """
    some = [part for part in parts if len(part) >= shortest]
    long = len(some)
    if len(set(some)) == long:
        return 0.0, 0.0
    counts = Counter(some)
    chars = sum(len(part) * (n - 1) for part, n in counts.items())
    return (long - len(counts)) / long, chars / sum(map(len, parts))


def short_scale(chars: int) -> float:
    """Return the factor by which the n-gram limits of a text of `chars` code points exceed those at FULL_CHARS.

    >>> short_scale(250), short_scale(4000)
    (2.0, 1.0)
    """
    return float((FULL_CHARS / min(FULL_CHARS, max(chars, 1))) ** 0.5)


def measure_repeated_ngrams(ids: _Ints, sizes: _Ints, n: int) -> float:
    """Return the share of characters in word n-grams that occurred before, each character once.

    >>> ids = np.array([1, 2, 3, 1, 2]); measure_repeated_ngrams(ids, np.ones(5, dtype=np.int64), 2)
    0.4
    """
    if len(ids) <= n:
        return 0.0
    keys = _keys(ids, n)
    first = np.unique(keys, return_index=True)[1]
    if len(first) == len(keys):
        return 0.0
    again = np.ones(len(keys), dtype=bool)
    again[first] = False
    edges = np.zeros(len(ids) + 1, dtype=np.int64)
    at = np.flatnonzero(again)
    np.add.at(edges, at, 1)
    np.add.at(edges, at + n, -1)
    return int(np.sum(sizes[np.cumsum(edges[:-1]) > 0])) / int(np.sum(sizes))


def top_ngram(ids: _Ints, sizes: _Ints, n: int) -> float:
    """Return the share of characters in the most frequent word n-gram; 0 if none occurs twice.

    Overlapping occurrences count each: a word repeated ten times holds nine 2-grams, so the share is capped at 1.
    """
    if len(ids) <= n:
        return 0.0
    _, first, counts = np.unique(_keys(ids, n), return_index=True, return_counts=True)
    best = int(np.max(counts))
    if best < 2:
        return 0.0
    width = max(int(sizes[i : i + n].sum()) for i in first[counts == best])
    return min(1.0, best * width / float(sizes.sum()))


def _ngram_shares(words: list[str], repeats: float, top: float, scale: float) -> list[tuple[str, float, float]]:
    """Return (reason, share, limit) for each n; the values for five and two words are given."""
    found = [("top-2gram", top, TOP_NGRAMS[2] * scale), ("repeated-5grams", repeats, DUPLICATE_NGRAMS[5] * scale)]
    # A repeated 6-gram holds a repeated 5-gram, so shares only fall as n grows.
    longer = repeats > min(DUPLICATE_NGRAMS.values()) * scale
    # Likewise a frequent 4-gram holds a frequent 2-gram, at most about twice as long.
    frequent = top > 0.25 * TOP_NGRAMS[4] * scale
    ids, sizes = (_ids(words), _sizes(words)) if longer or frequent else (_NONE, _NONE)
    if longer:
        found += [
            (f"repeated-{n}grams", measure_repeated_ngrams(ids, sizes, n), limit * scale)
            for n, limit in DUPLICATE_NGRAMS.items()
            if n > 5
        ]
    if frequent:
        found += [(f"top-{n}gram", top_ngram(ids, sizes, n), TOP_NGRAMS[n] * scale) for n in (3, 4)]
    return found


def _has_repeated_ngram(words: list[str], n: int) -> bool:
    """Whether a run of `n` words occurs twice.

    >>> _has_repeated_ngram("가 나 다 가 나".split(), 2), _has_repeated_ngram("가 나 다 가 나".split(), 3)
    (True, False)
    """
    runs = max(0, len(words) - n + 1)
    return len(set(zip(*(words[i : i + runs] for i in range(n)), strict=True))) < runs


def _may_repeat(words: list[str], pairs: Counter[tuple[str, str]]) -> bool:
    """Whether four consecutive pairs occur elsewhere too: otherwise no run of five words occurs twice."""
    again = {pair for pair, n in pairs.items() if n > 1}
    return len(again) > 0 and b"\1\1\1\1" in bytes(map(again.__contains__, pairwise(words)))


def _top_pair(words: list[str], counts: Counter[tuple[str, str]]) -> float:
    """Return `top_ngram` for pairs, read from the words directly in a third of its time."""
    if len(words) <= 2:
        return 0.0
    best = max(counts.values())
    if best < 2:
        return 0.0
    width = max(len(one) + len(other) for (one, other), n in counts.items() if n == best)
    return min(1.0, best * width / sum(map(len, words)))


def _ids(words: list[str]) -> _Ints:
    number = dict(zip(words, range(len(words)), strict=True))
    return np.fromiter(map(number.__getitem__, words), dtype=np.int64, count=len(words))


def _sizes(words: list[str]) -> _Ints:
    return np.fromiter(map(len, words), dtype=np.int64, count=len(words))


def _keys(ids: _Ints, n: int) -> _Ints:
    """Return one number for each n-gram; word numbers are mixed so that sums do not collide by chance."""
    with np.errstate(over="ignore"):
        keys = np.zeros(len(ids) - n + 1, dtype=np.int64)
        for i in range(n):
            keys = keys * np.int64(-7046029254386353131) + ids[i : len(ids) - n + 1 + i] + np.int64(1)
            keys ^= keys >> np.int64(29)
        return keys
