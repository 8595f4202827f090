"""Read usage preferences as AIPREF, Content-Signal and TDMRep write them: `train-ai=n, search=y`."""

from __future__ import annotations

from collections.abc import Iterator

from crawlers.formats.html.runs import quote
from malmoi.document import Signal

# Training in AIPREF (attach-05, vocab-08), its older drafts and Content-Signal, and categories that include training.
_TRAINING = frozenset("train-ai ai train-genai genai ai-train bots tdm all automated".split())
_NO = frozenset(("n", "no", "?0", "false", "0"))
_YES = frozenset(("y", "yes", "?1", "true", "1"))


def read(name: str, value: str, place: str, record: str) -> Iterator[Signal]:
    """Yield a signal for each use that is refused, an opt-out or a note, and for training that is granted.

    `use` of Content-Signal limits how collected content may be used: only `full` lets it be kept as text.

    >>> [s.effect for s in read("content-signal", "search=yes, ai-train=no, ai-input=no", "", "")]
    ['opt-out', 'note']
    >>> [s.effect for s in read("content-usage", "train-ai=y, search=y", "", "")]
    ['granted']
    >>> [s.effect for s in read("content-signal", "use=reference", "", "")]
    ['opt-out']
    """
    for part in value.lower().replace(";", ",").split(","):
        key, _, answer = (one.strip().strip("\"'") for one in part.partition("="))
        if answer in _NO:
            yield Signal(name, "opt-out" if key in _TRAINING else "note", quote(value), place, record)
        elif key in _TRAINING and answer in _YES:
            yield Signal(name, "granted", quote(value), place, record)
        elif name == "content-signal" and key == "use" and answer != "full":
            yield Signal(name, "opt-out", quote(value), place, record)


def is_reserved(value: str) -> bool:
    """Whether a value of `tdm-reservation` reserves; values other than 0 and 1 count as missing (TDMRep, 2024-05-10).

    >>> [is_reserved(value) for value in ("1", " 1 ", "0", "2")]
    [True, True, False, False]
    """
    return value.strip().strip("\"'").lower() in ("1", "1.0", "true", "yes")
