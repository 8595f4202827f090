"""Counts with their noun in singular or plural, for messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def count_of(n: int, noun: str) -> str:
    """Return `n` with its noun, which takes a plural with -s, or -es after an s.

    >>> count_of(1, "document"), count_of(1200, "document"), count_of(5, "address")
    ('1 document', '1,200 documents', '5 addresses')
    """
    return f"{n:,} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"


def count_plural(n: float, nouns: str) -> str:
    """Return `n` with a noun that is given in the plural.

    >>> count_plural(1, "addresses"), count_plural(1, "files"), count_plural(1200, "files")
    ('1 address', '1 file', '1,200 files')
    """
    return count_of(round(n), nouns.removesuffix("es" if nouns.endswith("sses") else "s"))


def tally(words: Sequence[str], between: str = ", ", most: int = 6) -> str:
    """Return the `most` frequent of the words with their numbers, and how many others there are.

    >>> tally(["a", "b", "b"]), tally(["a", "b", "c"], most=2)
    ('b ×2, a', 'a, b, 1 other')
    """
    counts = Counter(words).most_common()
    said = [f"{word} ×{n}" if n > 1 else word for word, n in counts[:most]]
    return between.join([*said, *([count_of(len(counts) - most, "other")] if len(counts) > most else [])])
