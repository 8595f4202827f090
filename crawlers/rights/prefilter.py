"""Prefilter: prove cheaply that none of many rules can match, so that the rules read few texts.

A text that a gate (malmoi/prefilter.py) rejects matches no rule; the rules must still read the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import re2

from malmoi.prefilter import loosen

MAX_KNOWN = 8_192  # short texts cached for each gate: menus and footers are the same on each page
MAX_SHORT = 300  # code points of a cached text; a longer one is prose, which does not repeat


def gate(*rules: re.Pattern[str]) -> Callable[[str], bool]:
    r"""Return a function: whether one of `rules` might match in a text; False is certain, True is not.

    >>> refused = gate(re.compile(r"무단\s?전재[^.]{0,60}금지(?!된)"))
    >>> refused("무단 전재를 금지합니다"), refused("무단 전재를 금지된 것으로 본다"), refused("전재를 금지합니다")
    (True, True, False)
    """
    words = re2.compile("(?i)" + "|".join(f"(?:{loosen_pattern(rule)})" for rule in rules))

    def search(text: str) -> bool:
        # As bytes: a lone surrogate, which no rule matches, has no UTF-8 bytes.
        return words.search(text.encode("utf-8", "replace")) is not None

    short = lru_cache(maxsize=MAX_KNOWN)(search)
    return lambda text: short(text) if len(text) <= MAX_SHORT else search(text)


def may_match_any(may: Callable[[str], bool], texts: Iterable[str]) -> bool:
    """Whether a gate accepts one of `texts`, tested once for all of them.

    >>> may_match_any(gate(re.compile("무단[^.]{0,9}금지")), ["무단", "금지"])
    False
    """
    return may("\n.\n".join(texts))


def loosen_pattern(rule: re.Pattern[str]) -> str:
    """Return a pattern for RE2 that matches wherever `rule` does, and perhaps elsewhere."""
    return loosen(rule.pattern)
