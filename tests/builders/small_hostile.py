"""How much longer the marking of personal data takes on a text that grows."""

from __future__ import annotations

import time
from collections.abc import Callable

from filters import personal_data
from malmoi.document import Document, Provenance


def grows_with_the_text(make: Callable[[int], str]) -> bool:
    """Whether eight times the text takes about eight times as long; quadratic work would take 64 times as long."""
    small, large = seconds(make(4_000)), seconds(make(32_000))
    return large <= 24 * small + 0.05  # the constant is for a clock that ticks in milliseconds


def seconds(text: str) -> float:
    """The least CPU time of three goes."""
    doc = Document("test/1", text, Provenance("test", "", "", "", ""))
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        personal_data.mark(doc)
        best = min(best, time.process_time() - start)
    return best
