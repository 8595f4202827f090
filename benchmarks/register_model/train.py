"""`python -m benchmarks.register_model.train [--write]`: train the model that labels the register of a text.

Solved as `benchmarks.ngram_training.softmax` says; temperature comes from scores of texts whose writer did not train.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.ngram_training import print_model, stack_features
from benchmarks.ngram_training.softmax import (
    Rows,
    find_temperature,
    leave_groups_out,
    quantise,
    solve,
)
from benchmarks.register_model.corpus import Text, compute_rows, read_texts
from filters.register import KINDS, MODEL, SLOTS
from malmoi.models import NONE, Features, Model

LABELS: Final = (NONE, *KINDS)
STRENGTH: Final = 30.0  # inverse of the L2 penalty; by leaving one writer out, like PART_WEIGHT
PART_WEIGHT: Final = 0.5  # of a part of a text beside a whole text


def build_rows(texts: Sequence[Text]) -> Rows:
    """Analyse texts and their parts."""
    features, owner, weight = list[Features](), list[int](), list[float]()
    for number, text in enumerate(texts):
        rows = compute_rows(text)
        features += rows
        owner += [number] * len(rows)
        weight += [1.0] + [PART_WEIGHT] * (len(rows) - 1)
    gold = np.eye(len(LABELS))[[LABELS.index(texts[i].register) for i in owner]]
    return Rows(stack_features(features, SLOTS), gold, np.array(weight), np.array(owner))


def train() -> Model:
    """Train on all texts but the held-out ones."""
    texts = [text for text in read_texts() if text.part != "held-out"]
    rows = build_rows(texts)
    whole, sums = leave_groups_out(rows, [text.writer for text in texts], STRENGTH)
    about = {
        "written_by": "python -m benchmarks.register_model.train --write",
        "texts": len(texts),
        "rows": len(rows.gold),
        "writers": dict(Counter(text.writer for text in texts)),
    }
    return quantise(solve(rows, STRENGTH), LABELS, find_temperature(sums, rows.gold[whole]), about)


def main(argv: list[str] | None = None) -> int:
    """Train, and write the model if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {MODEL.name}")
    parser.add_argument("--to", type=Path, default=MODEL)
    options = parser.parse_args(argv)
    print_model(train(), options.to if options.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
