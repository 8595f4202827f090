"""Drop texts that repeat themselves: lines, paragraphs, and runs of words.

Words are eojeol (what stands between blanks). FineWeb2 computes its Korean thresholds over
Kiwi morphemes, whose contracted forms overlap in the surface and count 6.6 % of it twice; over
eojeol the same numbers are milder, and nothing dear has to run before them.

Headings repeat as they must (구문, 예제): a line says something of its own from 12 code points on.
Fenced code is no prose and is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from filters.views import text_views
from malmoi.document import Document, Verdict
from malmoi.parameter_bounds import Score, Share
from malmoi.threshold import Limit

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
MIN_LINE = 12  # code points; a shorter line is a heading, a label or a cell and may stand again
# Code points, white space left out. In a shorter text a few formulaic sentences make a large share, so the
# limits of the n-grams grow with the square root of what is missing: twice as high at 250, 1.4 times at 500.
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
    """Keep a text whose repeated parts stay below the shares given.

    Only lines with Hangul outside fenced code are looked at. Shares are of characters: of those
    lines, of those paragraphs, of those words. A part counts as repeated from its second
    occurrence on; lines and paragraphs under 12 code points never do. N-grams are looked for in
    each longer line once, since whole lines have a limit of their own. Texts under 20 eojeol are
    kept. The limit of 0.45 lies above chapters of function references, which say a parameter's
    meaning with each function (0.40 to 0.44 of characters), and below boilerplate and loops.

    `ngrams` multiplies what FineWeb2 allows for Korean; 0 turns the look at n-grams off. At 1
    its numbers drop formulaic prose (6 of 42 parts of R&D manuals, 8 % of help pages); at 2, of
    3,251 real texts, seven, each of which says one sentence many times. Under 1,000 code points
    the limits grow (`short_scale`).

    Measures `repeated_lines`, `repeated_line_chars`, `repeated_paragraph_chars`,
    `repeated_5grams`, `top_2gram`. Reasons: those names with a hyphen.
    """
    text = text_views.prose(doc.text)
    lines = [s for s in map(str.strip, text.split("\n")) if _HANGUL.search(s)]
    paragraphs = [s for s in map(str.strip, text.split("\n\n")) if _HANGUL.search(s)]
    line_share, line_chars = measure_repetition(lines, MIN_LINE)
    paragraph_chars = measure_repetition(paragraphs, MIN_LINE)[1]
    words = " ".join(_drop_later_repeats(lines) if line_chars else lines).split()
    pairs = Counter(pairwise(words))
    top = _top_pair(words, pairs)
    # Most texts repeat no five words: whether one does is known in half the time of counting how much.
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
    """The share of parts, and of characters, that stood before; a part under `shortest` never counts as repeated.

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


def _drop_later_repeats(lines: list[str]) -> list[str]:
    """The lines without later occurrences of long ones; short ones stay, for nothing else counts a row of them."""
    first = {line: at for at, line in reversed(list(enumerate(lines)))}
    return [line for at, line in enumerate(lines) if len(line) < MIN_LINE or first[line] == at]


def short_scale(chars: int) -> float:
    """How much more a text of `chars` code points may repeat of its n-grams than one of FULL_CHARS.

    >>> short_scale(250), short_scale(4000)
    (2.0, 1.0)
    """
    return float((FULL_CHARS / min(FULL_CHARS, max(chars, 1))) ** 0.5)


def measure_repeated_ngrams(ids: _Ints, sizes: _Ints, n: int) -> float:
    """The share of characters that lie in word n-grams seen before, each character once.

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
    return float(sizes[np.cumsum(edges[:-1]) > 0].sum() / sizes.sum())


def top_ngram(ids: _Ints, sizes: _Ints, n: int) -> float:
    """The share of characters that the most frequent word n-gram takes; 0 if none occurs twice.

    Overlapping occurrences count each: a word said ten times holds nine 2-grams, so the share
    is cut at 1.
    """
    if len(ids) <= n:
        return 0.0
    _, first, counts = np.unique(_keys(ids, n), return_index=True, return_counts=True)
    best = int(counts.max())
    if best < 2:
        return 0.0
    width = max(int(sizes[i : i + n].sum()) for i in first[counts == best])
    return min(1.0, best * width / float(sizes.sum()))


def _ngram_shares(words: list[str], repeats: float, top: float, scale: float) -> list[tuple[str, float, float]]:
    """(reason, share, limit) of each n; those of five and two words are known."""
    found = [("top-2gram", top, TOP_NGRAMS[2] * scale), ("repeated-5grams", repeats, DUPLICATE_NGRAMS[5] * scale)]
    # A repeated 6-gram holds a repeated 5-gram, so shares only fall as n grows.
    longer = repeats > min(DUPLICATE_NGRAMS.values()) * scale
    # Likewise a frequent 4-gram holds a frequent 2-gram, at most twice as long or so.
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
    """Whether a run of `n` words stands twice.

    >>> _has_repeated_ngram("가 나 다 가 나".split(), 2), _has_repeated_ngram("가 나 다 가 나".split(), 3)
    (True, False)
    """
    runs = max(0, len(words) - n + 1)
    return len(set(zip(*(words[i : i + runs] for i in range(n)), strict=True))) < runs


def _may_repeat(words: list[str], pairs: Counter[tuple[str, str]]) -> bool:
    """Whether four pairs on end stand elsewhere too: without them no run of five words stands twice."""
    again = {pair for pair, n in pairs.items() if n > 1}
    return len(again) > 0 and b"\1\1\1\1" in bytes(map(again.__contains__, pairwise(words)))


def _top_pair(words: list[str], counts: Counter[tuple[str, str]]) -> float:
    """What `top_ngram` says of pairs, read off the words themselves: a third of its time."""
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
    """One number for each n-gram; numbers of words are mixed so that sums do not meet by chance."""
    with np.errstate(over="ignore"):
        keys = np.zeros(len(ids) - n + 1, dtype=np.int64)
        for i in range(n):
            keys = keys * np.int64(-7046029254386353131) + ids[i : len(ids) - n + 1 + i] + np.int64(1)
            keys ^= keys >> np.int64(29)
        return keys
