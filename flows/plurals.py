"""Counts with their noun in singular or plural, for messages."""

from __future__ import annotations


def count_of(n: int, noun: str) -> str:
    """Return `n` with its noun, which takes a plural with -s, or -es after an s.

    >>> count_of(1, "document"), count_of(1200, "document"), count_of(5, "address")
    ('1 document', '1,200 documents', '5 addresses')
    """
    return f"{n:,} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"
