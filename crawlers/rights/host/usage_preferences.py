"""Read a preference about use, as AIPREF, Content-Signal and TDMRep write it: `train-ai=n, search=y`."""

from __future__ import annotations

from collections.abc import Iterator

from crawlers.formats.html.runs import quote
from malmoi.document import Signal

# Training in AIPREF (attach-05, vocab-08), its older drafts and Content-Signal, and what holds training in itself.
_TRAINING = frozenset("train-ai ai train-genai genai ai-train bots tdm all automated".split())
_NO = frozenset(("n", "no", "?0", "false", "0"))


def read(name: str, value: str, place: str, record: str) -> Iterator[Signal]:
    """A signal for each use that is refused: training is an opt-out, any other use is noted.

    `use` of Content-Signal says how far what was collected may be used: only `full` lets it be kept as text.

    >>> [s.effect for s in read("content-signal", "search=yes, ai-train=no, ai-input=no", "", "")]
    ['opt-out', 'note']
    >>> [s.effect for s in read("content-signal", "use=reference", "", "")]
    ['opt-out']
    """
    for part in value.lower().replace(";", ",").split(","):
        key, _, answer = (one.strip().strip("\"'") for one in part.partition("="))
        if answer in _NO:
            yield Signal(name, "opt-out" if key in _TRAINING else "note", quote(value), place, record)
        elif name == "content-signal" and key == "use" and answer != "full":
            yield Signal(name, "opt-out", quote(value), place, record)


def is_reserved(value: str) -> bool:
    """Whether a value of `tdm-reservation` reserves; another than 0 and 1 is as good as none (TDMRep, 2024-05-10).

    >>> [is_reserved(value) for value in ("1", " 1 ", "0", "2")]
    [True, True, False, False]
    """
    return value.strip().strip("\"'").lower() in ("1", "1.0", "true", "yes")
