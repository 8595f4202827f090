"""What filters read of a text more than once: its prose, its words, its fenced code."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

V = TypeVar("V")


def cache_last(view: Callable[[str], V]) -> Callable[[str], V]:
    """Cache the last result of `view`: filters read one document after the other, and most leave its text unchanged.

    Only the identical string object is answered from the cache, so nothing is hashed or compared; each view holds one
    text and one result. Results are shared, so they must be immutable.

    >>> calls = []
    >>> length = cache_last(lambda text: calls.append(text) or len(text))
    >>> length("우리말"), length("우리말"), calls
    (3, 3, ['우리말'])
    """
    last: tuple[str | None, V | None] = (None, None)

    @wraps(view)
    def look_up(text: str) -> V:
        nonlocal last
        held, found = last
        if held is not text or found is None:
            found = view(text)
            last = (text, found)
        return found

    return look_up


@cache_last
def prose(text: str) -> str:
    """Return the text without fenced code; see `filters.korean.text_views.remove_fences`."""
    return remove_fences(text)


@cache_last
def words(text: str) -> tuple[str, ...]:
    """Return the parts between white space (eojeol, in Korean prose)."""
    return tuple(text.split())


Stretch = tuple[int, int]

_FENCE = re.compile(r"^[ \t]{0,12}(?:>[ \t]?){0,3}(`{3,}|~{3,})([^\n]*)$", re.M)

# Below the head row of a table in Markdown (GFM 0.29, 4.10), with a bar at both ends.
_DELIMITER_ROW = re.compile(r"^\|(?: ?:?-{3,}:? ?\|)+$", re.M)


def find_fences(text: str) -> tuple[Stretch, ...]:
    """Return (start, end) of every fenced block, its fences included, in code points and in text order.

    A block closes at a line of at least as many of the same signs and nothing after them (CommonMark 0.31.2, 4.5). An
    unclosed fence opens no block here: a stray row of signs must not remove the rest of a text.

    >>> find_fences("말\\n```js\\nlet a;\\n```\\n글")
    ((2, 18),)
    """
    if "```" not in text and "~~~" not in text:
        return ()
    lines = [(m.start(), m.end(), m[1], m[2].strip()) for m in _FENCE.finditer(text)]
    found: list[Stretch] = []
    unclosed: dict[str, int] = {}  # sign → length from which on fences are unclosed
    at = 0
    while at < len(lines):
        start, _, signs, said = lines[at]
        at += 1
        opens = not (signs[0] == "`" and "`" in said)  # ```a``` on one line is inline code
        if not opens or len(signs) >= unclosed.get(signs[0], len(signs) + 1):
            continue
        for behind in range(at, len(lines)):
            _, end, closing, rest = lines[behind]
            if not rest and closing.startswith(signs):
                found.append((start, end))
                at = behind + 1
                break
        else:
            unclosed[signs[0]] = len(signs)
    return tuple(found)


def find_unspoken(text: str) -> tuple[Stretch, ...]:
    """Return the fenced blocks and the delimiter rows of tables: neither has words of the text.

    >>> find_unspoken("| 가 | 나 |\\n| --- | --- |\\n| 1 | 2 |")
    ((10, 23),)
    """
    fences = find_fences(text)
    if "---" not in text:
        return fences
    rows = [found.span() for found in _DELIMITER_ROW.finditer(text)]
    inside = {row for row in rows for start, end in fences if start <= row[0] < end} if fences else set()
    return tuple(sorted((*fences, *(row for row in rows if row not in inside))))


def remove_fences(text: str) -> str:
    """Replace each fenced block of `text` with a line break, so that the paragraphs around it stay separate.

    >>> remove_fences("말\\n```\\nlet a;\\n```\\n글")
    '말\\n\\n\\n글'
    """
    blocks = find_fences(text)
    if not blocks:
        return text
    kept, done = [], 0
    for start, end in blocks:
        kept += [text[done:start], "\n"]
        done = end
    return "".join([*kept, text[done:]])
