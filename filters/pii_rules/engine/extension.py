"""Extend a value by what directly follows it: an address by building, floor and room."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import Extension, insert_words


def build_extension(row: Extension, words: Mapping[str, str]) -> Callable[[Candidate], tuple[int, int]]:
    """Return the function that extends a candidate: repeatedly, by the first pattern that matches at its end."""
    parts = [re2.compile(f"^(?:{insert_words(one, words)})") for one in row.patterns]
    stop = None if row.stop is None else re2.compile(f"^(?:{insert_words(row.stop, words)})")
    cut = None if row.cut is None else re2.compile(f"^(?:{insert_words(row.cut, words)})")

    def extend(candidate: Candidate) -> tuple[int, int]:
        text, end = candidate.text, candidate.end
        for _ in range(row.most):
            window = text[end : end + row.reach].encode("utf-8", "replace")
            if stop is not None and stop.match(window) is not None:
                break
            ends = (end + _measure_match(part, window) for part in parts)
            longer = next((e for e in ends if e > end and (cut is None or not _is_cut(cut, text, e))), end)
            if longer == end:
                break
            end = longer
        return candidate.start, end

    return extend


def _measure_match(part: re2._Regexp, window: bytes) -> int:
    """Return the code points of the match at the start of `window`; 0 without a match."""
    match = part.match(window)
    return 0 if match is None else len(match.group().decode())


def _is_cut(cut: re2._Regexp, text: str, end: int) -> bool:
    """Whether `end` lies inside a longer number or word: `cut` matches from the last code point on."""
    return cut.match(text[end - 1 : end + 7].encode("utf-8", "replace")) is not None
