"""Test for a Hangul syllable."""

from __future__ import annotations


def is_hangul(char: str) -> bool:
    """Whether `char`, one code point or nothing, is a Hangul syllable.

    >>> is_hangul("말"), is_hangul("ㅁ"), is_hangul("")
    (True, False, False)
    """
    return "가" <= char <= "힣"
