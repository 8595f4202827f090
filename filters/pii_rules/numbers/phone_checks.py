"""Checks of telephone numbers that no expression can make."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import re2

from filters.pii_rules.engine.candidate import Candidate

# Prefix → lengths of the complete national number; telecommunications numbering plan of Korea (MSIT notice).
_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("010", "011", "016", "017", "018", "019"), (10, 11)),
    "02": (9, 10),
    **{f"0{n}": (10, 11) for n in (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64, 70, 80)},
    **{f"050{n}": (11, 12) for n in range(2, 9)},
}

_PARTS: Final = re2.compile(
    "(?i)(?:^|[ ,|/\t])(?:품번|부품 ?번호|자재 ?번호|part ?no[.]?|lot(?:[ _]?(?:no|id)[.]?)?)(?:$|[ ,|/\t])"
)
_PERSONS: Final = re2.compile("(?i)이름|성명|성함|연락처|전화|휴대|주민|생년|고객|담당|name|phone|tel|birth|e-?mail")
_CELL: Final = re2.compile("[^ ,|/\t]+")
_TABLE_REACH = 2000  # code points before a value in which the headings of its table stand


def is_in_parts_table(candidate: Candidate) -> bool:
    """Whether the value is in a table with a column of part or lot numbers, and none of a person."""
    window = candidate.text[max(0, candidate.start - _TABLE_REACH) : candidate.start]
    for line in reversed(window.split("\n")[:-1]):
        if not line.strip():
            return False
        if _PARTS.search(line) is not None:
            return len(_CELL.findall(line)) > 2 and ":" not in line and _PERSONS.search(line) is None
        if not any(c.isdigit() for c in line):
            return False
    return False


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
