"""Counts with their noun in singular or plural, for messages."""

from __future__ import annotations


def count_of(n: int, noun: str) -> str:
    """Return `n` with its noun, which takes a plural with -s.

    >>> count_of(1, "document"), count_of(1200, "document")
    ('1 document', '1,200 documents')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
