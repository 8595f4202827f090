"""`python -m benchmarks.train_translation [--write]`: train the model of translated text, and measure it.

Texts: `benchmarks/translation/texts.jsonl` (ours, in four voices; translations in two grades, raw and edited, each
beside a native text on its subject); of `benchmarks/labels/training.jsonl` the machine translations and the texts of
people, human translations left out; and the native texts of `domain.jsonl` and `written.jsonl`, which are formal.
Logistic regression (`benchmarks.ngram_training`). Prints what leave-one-writer-out finds; `--write` writes the file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import ngram_training
from benchmarks.ngram_training import Floats
from filters import morphology
from filters.translation import NO, SHIFT, SLOPE, YES, spell_signs
from malmoi.document import Document, Provenance
from malmoi.models import Model, write_model

ROOT = Path(__file__).parents[1]
WRITTEN = ROOT / "filters" / "lexicons" / "translation.model"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to learn from: its writer, its grade (raw, edited, native), and its signs."""

    writer: str
    grade: str
    signs: str


def read_texts() -> tuple[Text, ...]:
    """Read and analyse all texts, in the order of the files."""
    rows = [json.loads(line) for line in (ROOT / "benchmarks/translation/texts.jsonl").open(encoding="utf-8")]
    for line in (ROOT / "benchmarks/labels/training.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        kind = row["kind"]
        translated = row["label"] == "machine" and ("mt" in kind.split("-") or kind.startswith("translat"))
        if translated or (row["label"] == "human" and "translation" not in kind and not kind.startswith("subtitle")):
            grade = "native" if not translated else "edited" if kind.endswith("mild") else "raw"
            rows.append({"writer": "a", "grade": grade, "text": row["text"]})
    for name, writer in (("domain", "f"), ("written", "g")):
        for line in (ROOT / f"benchmarks/labels/{name}.jsonl").open(encoding="utf-8"):
            row = json.loads(line)
            if row.get("kind", "human") == "human":
                rows.append({"writer": writer, "grade": "native", "text": row["text"]})
    return tuple(Text(row["writer"], row["grade"], _spell(row["text"])) for row in rows)


def _spell(text: str) -> str:
    return spell_signs(morphology.mark(Document("training/1", text, Provenance("training", "", "", "", ""))))


def train(texts: Sequence[Text]) -> Model:
    """Train the model of `texts`."""
    gold = _gold(texts)
    lines = [json.dumps([t.signs, t.grade], ensure_ascii=False) for t in texts]
    about = {
        "written_by": "python -m benchmarks.train_translation --write",
        "texts": len(texts),
        "translated": int(gold.sum()),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
    return ngram_training.train([text.signs for text in texts], gold, about)


def cross_validate(texts: Sequence[Text]) -> Floats:
    """Return the score of each text by a model that has seen no text of its writer."""
    writers = [text.writer for text in texts]
    return ngram_training.cross_validate([text.signs for text in texts], _gold(texts), writers)


def _gold(texts: Sequence[Text]) -> Floats:
    return np.array([float(text.grade != "native") for text in texts])


def report(texts: Sequence[Text], scores: Floats) -> list[str]:
    """Return lines with the labels found for each grade, and how well probabilities are calibrated."""
    chance = 1 / (1 + np.exp(-SLOPE * scores - SHIFT))
    grades = np.array([text.grade for text in texts])
    lines = []
    for grade in ("raw", "edited", "native"):
        of = chance[grades == grade]
        lines.append(
            f"{grade}: {len(of)} texts, yes {(of >= YES).mean():.3f}, no {(of <= NO).mean():.3f}, "
            f"abstains {((of < YES) & (of > NO)).mean():.3f}"
        )
    gold = grades != "native"
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        some = (chance >= low) & (chance < high)
        lines.append(
            f"probability {low:.1f} to {min(high, 1):.1f}: {some.sum()} texts, translated {gold[some].mean():.3f}"
        )
    return lines


def main(arguments: list[str]) -> int:
    """Print the cross-validated figures; write the weights if asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks.train_translation", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {WRITTEN.relative_to(ROOT)}")
    given = parser.parse_args(arguments)
    texts = read_texts()
    print(*report(texts, cross_validate(texts)), sep="\n")
    if given.write:
        write_model(train(texts), WRITTEN)
        print(f"{WRITTEN.relative_to(ROOT)}: {WRITTEN.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
