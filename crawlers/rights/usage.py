"""Read a preference about use, as AIPREF and Content-Signal write it: `train-ai=n, search=y`."""

from __future__ import annotations

from collections.abc import Iterator

from crawlers.rights.place import quote
from malmoi.document import Signal

# AIPREF, its older drafts, and Content-Signal
_TRAINING = frozenset(("train-ai", "ai", "train-genai", "genai", "ai-train"))
_NO = frozenset(("n", "no", "?0"))


def read(name: str, value: str, place: str, record: str) -> Iterator[Signal]:
    """A signal for each use that is refused: training is an opt-out, any other use is noted.

    >>> [s.effect for s in read("content-signal", "search=yes, ai-train=no, ai-input=no", "", "")]
    ['opt-out', 'note']
    """
    for part in value.lower().split(","):
        key, _, answer = part.partition(";")[0].partition("=")
        if answer.strip().strip('"') in _NO:
            yield Signal(name, "opt-out" if key.strip() in _TRAINING else "note", quote(value), place, record)
