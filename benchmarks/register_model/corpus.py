"""Read the texts that train the model of registers, with their writers, and cut parts of them.

A page gives the filter a whole text or a paragraph, so the model learns from both: each text, and up to three stretches
of one to four of its sentences.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from filters import morphology
from filters.register import compute_features
from malmoi.document import Document, Morphemes, Provenance
from malmoi.models import Features

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
TEXTS: Final = HERE / "texts"
LABELS: Final = ROOT / "benchmarks/labels/domain.jsonl"
OURS: Final = tuple(ROOT / f"tests/data/domain/{name}.jsonl" for name in ("texts", "later"))
PARTS: Final = 3  # stretches cut from a text
LEAST: Final = 20  # morphemes of a stretch; shorter ones show too little
# Names of `benchmarks/labels/domain.jsonl` for our registers; its questions with answers are none of ours.
_NAMES: Final = {
    "manual": "technical",
    "law": "statutory",
    "administration": "administrative",
    "fiction": "literature",
    "verse": "literature",
    "dialogue": "spoken",
    "advertisement": "advertising",
}
_OTHERS: Final = {
    "dom266": "spoken",
    "dom111": None,
    "dom164": None,
}  # minutes in turns; neither law nor a text about it


class Text(NamedTuple):
    """One labelled text of one writer; `part` is `held-out` if it never trains."""

    id: str
    writer: str
    register: str
    text: str
    part: str


def read_texts() -> list[Text]:
    """Return all texts, in the order of their files."""
    found = [
        Text(row["id"], path.stem, row["register"], row["text"], "")
        for path in sorted(TEXTS.glob("*.jsonl"))
        for row in read_rows(path)
    ]
    found += [Text(row["id"], "ours", row["register"], row["text"], "") for path in OURS for row in read_rows(path)]
    return found + list(read_labels())


def read_labels() -> Iterator[Text]:
    """Yield the texts of `benchmarks/labels/domain.jsonl` that have one of our registers."""
    for row in read_rows(LABELS):
        name = _OTHERS.get(row["id"], _NAMES.get(row["register"], row["register"]))
        if name is not None and name != "qa":
            yield Text(row["id"], "labels", name, row["text"], row["part"])


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def analyse(text: str) -> Morphemes:
    """Return the morphemes of a text."""
    return morphology.mark(Document("training/1", text, Provenance("training", "", "", "", "")))


def compute_rows(text: Text) -> list[Features]:
    """Return the features of a text, then of its parts."""
    rows = [compute_features(text.text, analyse(text.text))]
    for part in cut_parts(text):
        found = analyse(part)
        if len(found) >= LEAST:
            rows.append(compute_features(part, found))
    return rows


def cut_parts(text: Text) -> Iterator[str]:
    """Yield stretches of one to four sentences, drawn by the id of the text."""
    found = analyse(text.text)
    count, draw = len(found.sentence_start), random.Random(text.id)
    for _ in range(PARTS if count > 2 else 0):
        size = draw.randint(1, min(4, count - 1))
        first = draw.randint(0, count - size)
        yield text.text[found.sentence_start[first] : found.sentence_end[first + size - 1]]
