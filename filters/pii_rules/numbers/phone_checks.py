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
_LABEL_REACH: Final = 12  # code points between a label and a number in one piece
_CALLED: Final = re2.compile("^[)\"'」 ]{0,2}(?:번?으?로|에|번)? ?(?:전화|문자|연락|통화|카톡)")
_GATEWAY: Final = re2.compile(
    "(?i:(?:^|[^a-z])(?:to|from|dst|src|dest|sender|receiver|recipient|caller|callee|msisdn)"
    "[\"' ]{0,2}[:=][\"' ]{0,2}$)"
)


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


def is_called(text: str, end: int) -> bool:
    """Whether a word of calls directly follows: 0 로 전화, 0번으로 문자."""
    return _CALLED.search(text[end : end + 12]) is not None


def is_offered_for_calls(candidate: Candidate) -> str | None:
    """Return the reason why a number in one piece is a telephone number: a label before or a word of calls behind."""
    if candidate.label.kind == "phone" and candidate.label.distance <= _LABEL_REACH:
        return f"label {candidate.label.word} before"
    return "word of calls behind" if is_called(candidate.text, candidate.end) else None


def is_dialled_from_abroad(candidate: Candidate) -> bool:
    """Whether a number with 82 has a plus or 00, a grouped 10 behind it, a label, or the key of a gateway log."""
    value = candidate.value
    if not value.startswith(("82", "８２")) or (value[3:5] == "10" and not value[2].isdigit()):
        return True
    logged = value.startswith("8210") and _GATEWAY.search(candidate.read_before(16)) is not None
    return logged or candidate.label.kind == "phone"


def has_equal_gaps(candidate: Candidate) -> bool:
    """Whether the same word separates the three groups of digits: 010(하트)0000(하트)1234."""
    places = [i for i, c in enumerate(candidate.value) if c.isdigit()]
    gaps = [candidate.value[a + 1 : b].strip() for a, b in pairwise(places) if b > a + 1]
    return len(gaps) == 2 and gaps[0] == gaps[1]
