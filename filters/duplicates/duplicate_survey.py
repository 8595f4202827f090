"""Surveys of exact and near duplicates: one sketch a document; each copy gets its keeper (representative)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from filters.duplicates.engine.copy_exchange import compare_documents as compare_documents
from filters.duplicates.engine.copy_exchange import exchange, find_exact
from filters.duplicates.minhash.duplicate_schema import SKETCH
from filters.duplicates.minhash.sketch import PERMUTATIONS, exact_digest, letters_of, signature_of
from malmoi.document import Document
from malmoi.survey import Survey

ENDED = 0.5  # share of the text in lines that end like a sentence; prose has more, lists and boilerplate less
_RIGHTS = {"redistribute": 0, "train-only": 1}
_UNSIGNED = bytes(4 * PERMUTATIONS)
_ENDS = tuple(".!?…。\u2019\u201d\"'」』)]")


def sketch(doc: Document) -> Mapping[str, Any]:
    """Return one row of SKETCH; `letters` counts letters and digits, `rights` and `surface` are 0 for the best."""
    letters = letters_of(doc.text)
    return {**sketch_exact(doc), "letters": len(letters), "signature": signature_of(letters).astype("<u4").tobytes()}


def sketch_exact(doc: Document) -> Mapping[str, Any]:
    """Return a row of SKETCH without letters and signature, which matches rows with the same digest only."""
    return {
        "id": doc.id,
        "h": int.from_bytes(hashlib.sha256(doc.id.encode("utf-8", "surrogatepass")).digest()[:8], "big"),
        "digest": bytes.fromhex(exact_digest(doc.text)),
        "letters": 0,
        "rights": _RIGHTS.get(doc.label("use"), 9),
        "surface": count_faults(doc),
        "date": doc.date,
        "signature": _UNSIGNED,
    }


def count_faults(doc: Document) -> int:
    """Count surface faults, 0 to 3: a lost character (U+FFFD), lines cut in mid-sentence, no title.

    They are counted, not weighted, so that two good copies of one text do not differ by noise.

    >>> from malmoi.document import Provenance
    >>> count_faults(Document("a/1", "첫 줄이다.\\n둘째 줄이다.", Provenance("a", "", "", "", ""), title="글"))
    0
    """
    return int("\ufffd" in doc.text) + int(_sentence_line_share(doc.text) < ENDED) + int(not doc.title)


def _sentence_line_share(text: str) -> float:
    """Return the share of the text in lines that end like a sentence."""
    lines = [line.rstrip() for line in text.splitlines()]
    return sum(len(line) for line in lines if line.endswith(_ENDS)) / max(1, sum(map(len, lines)))


COLUMNS = ("id", "source", "text", "title", "date", "labels")
SURVEY = Survey(
    name="copies",
    version=3,
    schema=SKETCH,
    sketch=sketch,
    exchange=exchange,
    names_keepers=True,
    remembers=True,
    columns=COLUMNS,
    told=(
        "keeper",
        "kind",
        "similarity",
    ),  # `reason` is omitted: it changes with each release, for all copies of a keeper
)
EXACT = Survey(
    name="exact_copies",
    version=2,
    schema=SKETCH,
    sketch=sketch_exact,
    exchange=find_exact,
    names_keepers=True,
    stage="judged",
    columns=("id", "source", "url", "text", "title", "author", "date", "labels"),
    told=("keeper", "kind"),
)
