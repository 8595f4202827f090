"""Extend a value by what directly follows it: an address by building, floor and room."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import re2

from filters.pii_rules.engine.candidate import Candidate
from filters.pii_rules.engine.rule_table import Extension, insert_words
from filters.pii_rules.text.digit_runs import starts_with


def build_extension(row: Extension, words: Mapping[str, str]) -> Callable[[Candidate], tuple[int, int]]:
    """Return the function that extends a candidate: repeatedly, by the first pattern that matches at its end."""
    parts = [re2.compile(f"^(?:{insert_words(one, words)})") for one in row.patterns]
    stop = None if row.stop is None else re2.compile(f"^(?:{insert_words(row.stop, words)})")
    cut = None if row.cut is None else re2.compile(f"^(?:{insert_words(row.cut, words)})")

    def extend(candidate: Candidate) -> tuple[int, int]:
        text, end = candidate.text, candidate.end
        for _ in range(row.most):
            window = text[end : end + row.reach].encode("utf-8", "replace")
            if not window or (stop is not None and stop.match(window) is not None):
                break
            matches = (part.match(window) for part in parts)
            ends = (end + len(match.group().decode()) for match in matches if match is not None and match.end())
            longer = next((e for e in ends if cut is None or not starts_with(cut, text[e - 1 : e + 7])), end)
            if longer == end:
                break
            end = longer
        return candidate.start, end

    return extend
