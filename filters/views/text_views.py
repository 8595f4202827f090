"""Views of a text that several filters read: computed once for the current text."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from filters.views import code_fences

V = TypeVar("V")


def cache_last(view: Callable[[str], V]) -> Callable[[str], V]:
    """Cache the last result of `view`: filters read one document after the other, and most leave its text unchanged.

    Only the identical string object is answered from the cache, so nothing is hashed or compared; each view holds one
    text and one result. Results are shared, so they must be immutable.

    >>> calls = []
    >>> length = cache_last(lambda text: calls.append(text) or len(text))
    >>> length("우리말"), length("우리말"), calls
    (3, 3, ['우리말'])
    """
    last: tuple[str | None, V | None] = (None, None)

    @wraps(view)
    def look_up(text: str) -> V:
        nonlocal last
        held, found = last
        if held is not text or found is None:
            found = view(text)
            last = (text, found)
        return found

    return look_up


@cache_last
def prose(text: str) -> str:
    """Return the text without fenced code; see `filters.views.code_fences.remove_fences`."""
    return code_fences.remove_fences(text)


@cache_last
def words(text: str) -> tuple[str, ...]:
    """Return the parts between white space (eojeol, in Korean prose)."""
    return tuple(text.split())
