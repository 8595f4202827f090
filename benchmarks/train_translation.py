"""`python -m benchmarks.train_translation [--write]`: train the model of translated text, and measure it.

Texts: `benchmarks/translation/texts.jsonl` (ours, in four voices; translations in two grades, raw and edited, each
beside a native text on its subject); of `benchmarks/labels/training.jsonl` the machine translations and the texts of
people, human translations left out; and the native texts of `domain.jsonl` and `written.jsonl`, which are formal.
Logistic regression (`benchmarks.ngram_training`). Prints what leave-one-writer-out finds; `--write` writes the file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import ngram_training
from benchmarks.ngram_training import Example, Floats, cross_validate, digest_rows, print_model
from filters import morphology
from filters.translation import NO, SHIFT, SLOPE, YES, spell_signs
from malmoi.document import Document, Provenance
from malmoi.models import Model

ROOT = Path(__file__).parents[1]
WRITTEN = ROOT / "filters" / "lexicons" / "translation.model"


def read_texts() -> tuple[Example, ...]:
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
    return tuple(Example(row["writer"], row["grade"], _spell(row["text"]), row["grade"] != "native") for row in rows)


def _spell(text: str) -> str:
    return spell_signs(morphology.mark(Document("training/1", text, Provenance("training", "", "", "", ""))))


def train(texts: Sequence[Example]) -> Model:
    """Train the model of `texts`."""
    digest = digest_rows((text.features, text.label) for text in texts)
    return ngram_training.train(texts, "benchmarks.train_translation", "translated", digest)


def report(texts: Sequence[Example], scores: Floats) -> list[str]:
    """Return lines with the labels found for each grade, and how well probabilities are calibrated."""
    chance = 1 / (1 + np.exp(-SLOPE * scores - SHIFT))
    grades = np.array([text.label for text in texts])
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
    print_model(train(texts), WRITTEN if given.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
