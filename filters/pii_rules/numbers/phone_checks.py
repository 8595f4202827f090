"""Checks of telephone numbers that no expression can make."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from filters.pii_rules.engine.candidate import Candidate

# Prefix → lengths of the complete national number; telecommunications numbering plan of Korea (MSIT notice).
_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("010", "011", "016", "017", "018", "019"), (10, 11)),
    "02": (9, 10),
    **{f"0{n}": (10, 11) for n in (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64, 70, 80)},
    **{f"050{n}": (11, 12) for n in range(2, 9)},
}


def prefix_of(number: str) -> str:
    """Return the prefix of a complete national number, or "" if the numbering plan has none of that length.

    >>> prefix_of("01000001234"), prefix_of("0100000123456")
    ('010', '')
    """
    prefix = next((number[:size] for size in (3, 2, 4) if number[:size] in _LENGTHS), "")
    return prefix if prefix and len(number) in _LENGTHS[prefix] else ""


def is_complete(candidate: Candidate) -> bool:
    """Whether the digits are a complete national number."""
    return prefix_of(candidate.digits) != ""


def has_equal_gaps(candidate: Candidate) -> bool:
    """Whether the same word separates the three groups of digits: 010(하트)0000(하트)1234."""
    places = [i for i, c in enumerate(candidate.value) if c.isdigit()]
    gaps = [candidate.value[a + 1 : b].strip() for a, b in pairwise(places) if b > a + 1]
    return len(gaps) == 2 and gaps[0] == gaps[1]
